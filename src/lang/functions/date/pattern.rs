//! The format of dates: letters repeated say what stands in their place.

use std::fmt::Write;

use super::timestamp::Moment;
use crate::lang::quote::quoted;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// The moment in the given format; an error says what is wrong with the format.
pub(super) fn format(pattern: &str, moment: &Moment) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if c == '\'' {
            rest = literal(rest, &mut out)?;
        } else if c.is_ascii_alphabetic() {
            let length = rest.chars().take_while(|d| *d == c).count();
            let (verb, after) = rest.split_at(length);
            write_verb(verb, moment, &mut out)?;
            rest = after;
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Ok(out)
}

/// Text between apostrophes, of which two stand for one.
fn literal<'p>(text: &'p str, out: &mut String) -> Result<&'p str, String> {
    let mut rest = &text[1..];
    loop {
        let end = rest.find('\'').ok_or("unterminated literal '")?;
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                rest = after;
            }
            None => return Ok(rest),
        }
    }
}

fn write_verb(verb: &str, m: &Moment, out: &mut String) -> Result<(), String> {
    let invalid = |why: &str| Err(format!("invalid date format verb {}{why}", quoted(verb)));
    let month = usize::from(m.month) - 1;
    let month_name = MONTHS.get(month).copied().unwrap_or_default();
    let day_name = DAYS.get(m.weekday()).copied().unwrap_or_default();
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    let half_hour = match m.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let half = if m.hour < 12 { "AM" } else { "PM" };
    // Writing to a string cannot fail.
    let written = match verb {
        "YY" => write!(out, "{:02}", m.year.rem_euclid(100)),
        "YYYY" => write!(out, "{:04}", m.year),
        "M" => write!(out, "{}", m.month),
        "MM" => write!(out, "{:02}", m.month),
        "MMM" => write!(out, "{}", short(month_name)),
        "MMMM" => write!(out, "{month_name}"),
        "D" => write!(out, "{}", m.day),
        "DD" => write!(out, "{:02}", m.day),
        "EEE" => write!(out, "{}", short(day_name)),
        "EEEE" => write!(out, "{day_name}"),
        "h" => write!(out, "{}", m.hour),
        "hh" => write!(out, "{:02}", m.hour),
        "H" => write!(out, "{half_hour}"),
        "HH" => write!(out, "{half_hour:02}"),
        "AA" => write!(out, "{half}"),
        "aa" => write!(out, "{}", half.to_lowercase()),
        "m" => write!(out, "{}", m.minute),
        "mm" => write!(out, "{:02}", m.minute),
        "s" => write!(out, "{}", m.second),
        "ss" => write!(out, "{:02}", m.second),
        "Z" if m.offset == 0 => write!(out, "Z"),
        "ZZZ" if m.offset == 0 => write!(out, "UTC"),
        "Z" | "ZZZZZ" => write_offset(m, ":", out),
        "ZZZ" | "ZZZZ" => write_offset(m, "", out),
        _ => {
            return match verb.as_bytes().first() {
                Some(b'Y') => invalid(": year must either be \"YY\" or \"YYYY\""),
                Some(b'M') => invalid(": month must be \"M\", \"MM\", \"MMM\", or \"MMMM\""),
                Some(b'D') => invalid(": day of month must either be \"D\" or \"DD\""),
                Some(b'E') => invalid(": day of week must either be \"EEE\" or \"EEEE\""),
                Some(b'h') => invalid(": 24-hour must either be \"h\" or \"hh\""),
                Some(b'H') => invalid(": 12-hour must either be \"H\" or \"HH\""),
                Some(b'A') => invalid(": must be \"AA\""),
                Some(b'a') => invalid(": must be \"aa\""),
                Some(b'm') => invalid(": minute must either be \"m\" or \"mm\""),
                Some(b's') => invalid(": second must either be \"s\" or \"ss\""),
                Some(b'Z') => invalid(": timezone must be Z, ZZZZ, or ZZZZZ"),
                _ => invalid(""),
            };
        }
    };
    let _ = written;
    Ok(())
}

fn write_offset(m: &Moment, separator: &str, out: &mut String) -> std::fmt::Result {
    let sign = if m.offset < 0 { '-' } else { '+' };
    let offset = m.offset.abs();
    write!(out, "{sign}{:02}{separator}{:02}", offset / 60, offset % 60)
}
