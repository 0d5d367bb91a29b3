//! When a schedule fires.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The shortest time between two firings of `@every`.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// The times at which a schedule fires.
#[derive(Debug)]
pub enum Cadence {
    /// A cron expression in a time zone.
    Cron(Box<Cron>, TimeZone),
    /// A fixed time apart, counted from an anchor so that firings do not drift.
    Every(SignedDuration, Timestamp),
}

/// A text that is not a cadence.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CadenceError {
    /// Neither five nor six fields of cron nor a nickname.
    #[error(
        "`{text}` is not a cron expression: {cause}; examples: `0 3 * * 1`, `*/10 * * * * *` (seconds first), `@daily`, `@every 5s`"
    )]
    Cron {
        /// As it was written.
        text: String,
        /// What is wrong with it.
        cause: String,
    },
    /// What follows `@every` is no duration.
    #[error("`{text}` is not a duration after @every: {cause}; examples: `5s`, `1h 30m`")]
    Duration {
        /// As it was written.
        text: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Less than a second apart.
    #[error("`@every {text}` is too often: 1s is the least")]
    TooOften {
        /// As it was written.
        text: String,
    },
    /// The time zone does not exist.
    #[error("there is no time zone `{name}`: use an IANA name such as `Europe/Berlin` or `UTC`")]
    TimeZone {
        /// As it was written.
        name: String,
    },
    /// It is a date that does not come.
    #[error("`{text}` never fires: it has no time after now")]
    Never {
        /// As it was written.
        text: String,
    },
}

impl Cadence {
    /// Understands a text; `anchor` is where `@every` counts from.
    ///
    /// # Errors
    /// When the text is no cadence, the zone is unknown, or there is no next time.
    pub fn parse(
        text: &str,
        timezone: Option<&str>,
        anchor: Timestamp,
    ) -> Result<Self, CadenceError> {
        let text = text.trim();
        if let Some(duration) = text.strip_prefix("@every") {
            let duration = duration.trim();
            let every: SignedDuration =
                duration
                    .parse()
                    .map_err(|error: jiff::Error| CadenceError::Duration {
                        text: duration.to_owned(),
                        cause: error.to_string(),
                    })?;
            if every < SHORTEST {
                return Err(CadenceError::TooOften {
                    text: duration.to_owned(),
                });
            }
            return Ok(Self::Every(every, anchor));
        }
        let zone = match timezone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name).map_err(|_| CadenceError::TimeZone {
                name: name.to_owned(),
            })?,
        };
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build();
        let cause = |error: croner::errors::CronError| CadenceError::Cron {
            text: text.to_owned(),
            cause: error.to_string(),
        };
        let cadence = Self::Cron(Box::new(parser.parse(text).map_err(cause)?), zone);
        match cadence.next(Timestamp::now()) {
            Some(_) => Ok(cadence),
            None => Err(CadenceError::Never {
                text: text.to_owned(),
            }),
        }
    }

    /// The first firing after `after`.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron, zone) => {
                let start = after.to_zoned(zone.clone());
                Some(cron.find_next_occurrence(&start, false).ok()?.timestamp())
            }
            Self::Every(every, anchor) => anchor
                .checked_add(every.checked_mul(steps(*every, *anchor, after)? + 1)?)
                .ok(),
        }
    }

    /// The last firing that is after `after` and not after `until`.
    pub fn latest(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let latest = match self {
            Self::Cron(cron, zone) => {
                let start = until.to_zoned(zone.clone());
                cron.find_previous_occurrence(&start, true)
                    .ok()?
                    .timestamp()
            }
            Self::Every(every, anchor) => anchor
                .checked_add(every.checked_mul(steps(*every, *anchor, until)?)?)
                .ok()?,
        };
        (latest > after && latest <= until).then_some(latest)
    }
}

/// How many whole intervals lie between the anchor and a time; the anchor itself is no firing.
fn steps(every: SignedDuration, anchor: Timestamp, until: Timestamp) -> Option<i32> {
    let passed = until
        .duration_since(anchor)
        .as_millis()
        .checked_div(every.as_millis())?;
    i32::try_from(passed.max(0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn five_fields_and_six() {
        let weekly = Cadence::parse("0 3 * * 1", None, at("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(
            weekly.next(at("2026-01-01T00:00:00Z")),
            Some(at("2026-01-05T03:00:00Z"))
        );
        assert_eq!(
            weekly.next(at("2026-01-05T03:00:00Z")),
            Some(at("2026-01-12T03:00:00Z"))
        );
        let seconds = Cadence::parse("*/10 * * * * *", None, at("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(
            seconds.next(at("2026-01-01T00:00:01.5Z")),
            Some(at("2026-01-01T00:00:10Z"))
        );
    }

    #[test]
    fn the_wall_clock_of_the_zone_counts() {
        let berlin = Cadence::parse(
            "30 2 * * *",
            Some("Europe/Berlin"),
            at("2026-01-01T00:00:00Z"),
        )
        .unwrap();
        assert_eq!(
            berlin.next(at("2026-01-15T00:00:00Z")),
            Some(at("2026-01-15T01:30:00Z"))
        );
        assert_eq!(
            berlin.next(at("2026-07-15T00:00:00Z")),
            Some(at("2026-07-15T00:30:00Z"))
        );
    }

    #[test]
    fn the_latest_missed_firing_is_found() {
        let hourly = Cadence::parse("@hourly", None, at("2026-01-01T00:00:00Z")).unwrap();
        let (before, now) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T05:30:00Z"));
        assert_eq!(hourly.latest(before, now), Some(at("2026-01-01T05:00:00Z")));
        assert_eq!(hourly.latest(at("2026-01-01T05:00:00Z"), now), None);
        assert_eq!(
            hourly.latest(before, at("2026-01-01T05:00:00Z")),
            Some(at("2026-01-01T05:00:00Z"))
        );
    }

    #[test]
    fn every_counts_from_its_anchor() {
        let every = Cadence::parse("@every 5s", None, at("2026-01-01T00:00:00.25Z")).unwrap();
        assert_eq!(
            every.next(at("2026-01-01T00:00:00.25Z")),
            Some(at("2026-01-01T00:00:05.25Z"))
        );
        assert_eq!(
            every.next(at("2026-01-01T00:01:07Z")),
            Some(at("2026-01-01T00:01:10.25Z"))
        );
        assert_eq!(
            every.latest(at("2026-01-01T00:00:00.25Z"), at("2026-01-01T00:00:04Z")),
            None
        );
        let latest = every.latest(at("2026-01-01T00:00:00.25Z"), at("2026-01-01T00:00:13Z"));
        assert_eq!(latest, Some(at("2026-01-01T00:00:10.25Z")));
    }

    #[test]
    fn wrong_texts_say_what_is_right() {
        let parse = |text, zone| {
            Cadence::parse(text, zone, at("2026-01-01T00:00:00Z"))
                .unwrap_err()
                .to_string()
        };
        assert!(parse("61 * * * *", None).contains("examples"));
        assert!(parse("soon", None).contains("examples"));
        assert!(parse("@every banana", None).contains("1h 30m"));
        assert!(parse("@every 10ms", None).contains("1s"));
        assert!(parse("0 3 * * *", Some("Mars/Olympus")).contains("Mars/Olympus"));
        assert!(parse("0 0 30 2 *", None).contains("never fires"));
    }
}
