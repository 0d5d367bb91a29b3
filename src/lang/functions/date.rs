//! Points in time: RFC 3339 texts, their order, their format, and durations.

mod duration;
mod pattern;
mod timestamp;

use mlinfra_sdk::{Type, Value};

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};
use timestamp::Moment;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "formatdate",
        "A timestamp in another form: YYYY year, MM month, DD day, hh hour, mm minute, ss second.",
        &[
            Parameter::new("format", Kind::Text),
            Parameter::new("time", Kind::Text),
        ],
        Returns::Text,
        |a| {
            let moment = parse(a, 1)?;
            let text =
                pattern::format(a.text(0), &moment).map_err(|e| CallError::argument(0, e))?;
            Ok(Value::from(text))
        },
    ),
    Function::new(
        "plantimestamp",
        "The time when the plan was made, in UTC.",
        &[],
        Returns::Text,
        |a| {
            Ok(match a.settings.plan_timestamp {
                Some(time) => Value::from(in_seconds(time)),
                None => Value::unknown(Type::String).never_null(),
            })
        },
    ),
    Function::new(
        "timeadd",
        "A timestamp moved by a duration such as 1h30m or -10s.",
        &[
            Parameter::new("timestamp", Kind::Text),
            Parameter::new("duration", Kind::Text),
        ],
        Returns::Text,
        |a| {
            let moment = parse(a, 0).map_err(|e| CallError::new(e.message))?;
            let nanoseconds = duration::parse(a.text(1)).map_err(CallError::new)?;
            Ok(Value::from(moment.moved(nanoseconds).to_string()))
        },
    ),
    Function::new(
        "timecmp",
        "-1, 0 or 1 when the first timestamp is before, at or after the second.",
        &[
            Parameter::new("timestamp_a", Kind::Text),
            Parameter::new("timestamp_b", Kind::Text),
        ],
        Returns::Number,
        |a| {
            let order = parse(a, 0)?.instant().cmp(&parse(a, 1)?.instant());
            Ok(Value::from(order as i64))
        },
    ),
    Function::new(
        "timestamp",
        "The current time, in UTC; another one each time.",
        &[],
        Returns::Text,
        |a| {
            Ok(if a.settings.pure_only {
                Value::unknown(Type::String).never_null()
            } else {
                Value::from(in_seconds(jiff::Timestamp::now()))
            })
        },
    ),
];

fn in_seconds(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn parse(a: &Arguments<'_>, index: usize) -> Result<Moment, CallError> {
    timestamp::parse(a.text(index)).map_err(|why| {
        let why = if a.is_sensitive(index) {
            String::new()
        } else {
            format!(": {why}")
        };
        CallError::argument(index, format!("not a valid RFC3339 timestamp{why}"))
    })
}

/// The canonical form of a timestamp or a day that another format writes without quotes.
pub(super) fn canonical(text: &str) -> Option<String> {
    timestamp::loose(text).map(|moment| moment.to_string())
}
