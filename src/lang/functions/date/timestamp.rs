//! Timestamps as RFC 3339 writes them.

use std::fmt;

/// A date and time of day at an offset from UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment {
    pub(super) year: i64,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) nanosecond: u32,
    /// Minutes east of UTC.
    pub(super) offset: i64,
}

const DAY: i128 = 86_400;
const NANOSECONDS: i128 = 1_000_000_000;

impl Moment {
    /// Nanoseconds since the beginning of 1970 in UTC.
    pub(super) fn instant(&self) -> i128 {
        let days = i128::from(days_since_1970(self.year, self.month, self.day));
        let of_day =
            i128::from(self.hour) * 3600 + i128::from(self.minute) * 60 + i128::from(self.second);
        let seconds = days * DAY + of_day - i128::from(self.offset) * 60;
        seconds * NANOSECONDS + i128::from(self.nanosecond)
    }

    /// So many nanoseconds later, at the same offset.
    pub(super) fn moved(&self, nanoseconds: i64) -> Moment {
        let local =
            self.instant() + i128::from(nanoseconds) + i128::from(self.offset) * 60 * NANOSECONDS;
        let seconds = local.div_euclid(NANOSECONDS);
        let of_day = seconds.rem_euclid(DAY);
        let days = i64::try_from(seconds.div_euclid(DAY)).unwrap_or(0);
        let (year, month, day) = date(days);
        let small = |n: i128| u8::try_from(n).unwrap_or(0);
        Moment {
            year,
            month,
            day,
            hour: small(of_day / 3600),
            minute: small(of_day / 60 % 60),
            second: small(of_day % 60),
            nanosecond: u32::try_from(local.rem_euclid(NANOSECONDS)).unwrap_or(0),
            offset: self.offset,
        }
    }

    /// 0 for Sunday to 6 for Saturday.
    pub(super) fn weekday(&self) -> usize {
        let days = days_since_1970(self.year, self.month, self.day);
        usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0)
    }
}

/// Days since the beginning of 1970 of a date of the Gregorian calendar.
fn days_since_1970(year: i64, month: u8, day: u8) -> i64 {
    // Years begin in March here, so that the leap day is the last.
    let month = i64::from(month);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date so many days after the beginning of 1970.
fn date(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    let small = |n: i64| u8::try_from(n).unwrap_or(1);
    (year, small(month), small(day))
}

fn days_of_month(year: i64, month: u8) -> u8 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// To the second.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )?;
        if self.offset == 0 {
            return f.write_str("Z");
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let offset = self.offset.abs();
        write!(f, "{sign}{:02}:{:02}", offset / 60, offset % 60)
    }
}

/// Reads a timestamp; an error says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Moment, String> {
    let mut reader = Reader { rest: text };
    let year = i64::from(reader.number(4, "year", 0..=9999)?);
    reader.separator('-', "year")?;
    let month = reader.number(2, "month", 1..=12)?;
    reader.separator('-', "month")?;
    let day = reader.number(2, "day", 0..=99)?;
    let month = u8::try_from(month).unwrap_or(1);
    let day = u8::try_from(day).unwrap_or(0);
    let Some(rest) = reader.rest.strip_prefix('T') else {
        return Err(if day == 0 || day > days_of_month(year, month) {
            "day out of range".into()
        } else {
            "missing required time introducer 'T'".into()
        });
    };
    reader.rest = rest;
    let hour = reader.time_part("hour", 23)?;
    reader.separator(':', "hour")?;
    let minute = reader.time_part("minute", 59)?;
    reader.separator(':', "minute")?;
    let second = reader.time_part("second", 59)?;
    let nanosecond = reader.fraction();
    let offset = reader.offset()?;
    if !reader.rest.is_empty() {
        return Err(format!(
            "cannot use \"{}\" as timestamp segment",
            reader.rest
        ));
    }
    if day == 0 || day > days_of_month(year, month) {
        return Err("day out of range".into());
    }
    Ok(Moment {
        year,
        month,
        day,
        hour,
        minute,
        second,
        nanosecond,
        offset,
    })
}

/// Reads a timestamp, or a day alone as its beginning in UTC, as YAML writes them.
pub(super) fn loose(text: &str) -> Option<Moment> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if year.len() != 4 || !(digits(year) && digits(month) && digits(day)) {
        return None;
    }
    let time = match time {
        None => "00:00:00Z".to_owned(),
        Some(time) if time.contains(['Z', 'z', '+', '-']) => time.to_uppercase(),
        Some(time) => format!("{time}Z"),
    };
    parse(&format!("{year}-{month:0>2}-{day:0>2}T{time}")).ok()
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let digits = self.rest.get(..count)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.rest = self.rest.get(count..).unwrap_or_default();
        digits.parse().ok()
    }

    fn number(
        &mut self,
        digits: usize,
        what: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, String> {
        if self.rest.is_empty() {
            return Err(format!("end of string before {what}"));
        }
        let before = self.rest;
        match self.take(digits) {
            Some(n) if range.contains(&n) => Ok(n),
            // What is out of range is told by what stands after it.
            Some(_) => Err(format!("cannot use \"{}\" as {what}", self.rest)),
            None => Err(format!("cannot use \"{before}\" as {what}")),
        }
    }

    fn separator(&mut self, separator: char, after: &str) -> Result<(), String> {
        match self.rest.strip_prefix(separator) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None if self.rest.is_empty() => Err(format!("end of string after {after}")),
            None => Err(format!(
                "found \"{}\" where \"{separator}\" is expected",
                self.rest
            )),
        }
    }

    fn time_part(&mut self, what: &str, greatest: u32) -> Result<u8, String> {
        if self.rest.is_empty() {
            return Err(format!("end of string before {what}"));
        }
        let count = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return Err(format!("cannot use \"{}\" as {what}", self.rest));
        }
        if count != 2 {
            return Err(format!("{what} must have exactly two digits"));
        }
        let n = self.take(2).unwrap_or_default();
        if n > greatest {
            return Err(match what {
                "hour" => "hour must be between 0 and 23 inclusive".to_owned(),
                "minute" => "minute must have exactly two digits".to_owned(),
                _ => format!("cannot use \"{}\" as {what}", self.rest),
            });
        }
        Ok(u8::try_from(n).unwrap_or(0))
    }

    fn fraction(&mut self) -> u32 {
        let Some(after) = self.rest.strip_prefix(['.', ',']) else {
            return 0;
        };
        let count = after.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return 0;
        }
        let digits = format!("{:0<9}", &after[..count.min(9)]);
        self.rest = &after[count..];
        digits.parse().unwrap_or(0)
    }

    fn offset(&mut self) -> Result<i64, String> {
        if self.rest.is_empty() {
            return Err("end of string before UTC offset".into());
        }
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let refused = || Err(format!("cannot use \"{}\" as UTC offset", self.rest));
        let (east, rest) = match self.rest.as_bytes().first() {
            Some(b'+') => (1, &self.rest[1..]),
            Some(b'-') => (-1, &self.rest[1..]),
            _ => return refused(),
        };
        let mut inner = Reader { rest };
        let hours = inner.take(2);
        let colon = inner.rest.strip_prefix(':');
        let (Some(hours), Some(after)) = (hours, colon) else {
            return refused();
        };
        inner.rest = after;
        let Some(minutes) = inner.take(2) else {
            return refused();
        };
        if hours > 23 || minutes > 59 {
            return Err("end of string before UTC offset".into());
        }
        self.rest = inner.rest;
        Ok(east * (i64::from(hours) * 60 + i64::from(minutes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn offsets_do_not_change_the_instant() {
        let a = parse("2018-01-02T03:02:01Z").unwrap();
        let b = parse("2018-01-02T04:02:01+01:00").unwrap();
        assert_eq!(a.instant(), b.instant());
        assert_eq!(b.to_string(), "2018-01-02T04:02:01+01:00");
        assert_eq!(a.weekday(), 2);
    }

    proptest! {
        #[test]
        fn dates_survive_the_count_of_days(days in -1_000_000i64..1_000_000) {
            let (year, month, day) = date(days);
            prop_assert_eq!(days_since_1970(year, month, day), days);
            prop_assert!(day >= 1 && day <= days_of_month(year, month));
        }
    }
}
