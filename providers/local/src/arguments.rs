//! Reads arguments out of a value, and makes values of what was read.

use std::collections::BTreeMap;

use mlinfra_sdk::{Failure, Number, Path, Schema, Type, Value};

/// A text; `None` when it is null or unknown.
pub fn text(value: &Value, name: &str) -> Option<String> {
    value.get_str(name).map(str::to_owned)
}

/// The texts of a list; empty when it is null or unknown.
pub fn texts(value: &Value, name: &str) -> Vec<String> {
    let elements = value.get(name).and_then(Value::elements);
    let texts = elements.unwrap_or_default().iter();
    texts
        .filter_map(|element| element.as_str().map(str::to_owned))
        .collect()
}

/// The texts of a map without those that are null; empty when it is null or unknown.
pub fn map(value: &Value, name: &str) -> BTreeMap<String, String> {
    let entries = value.get(name).and_then(Value::entries);
    let entries = entries.into_iter().flatten();
    entries
        .filter_map(|(key, element)| Some((key.to_string(), element.as_str()?.to_owned())))
        .collect()
}

/// A truth value.
pub fn flag(value: &Value, name: &str) -> Option<bool> {
    value.get(name).and_then(Value::as_bool)
}

/// A number of seconds in milliseconds; `None` too when it is no length of time.
pub fn millis(value: &Value, name: &str) -> Option<u64> {
    let seconds = value.get(name)?.as_number()?.as_f64();
    let sound = seconds.is_finite() && (0.0..=MOST_SECONDS).contains(&seconds);
    // Bounded above, so nothing is cut off.
    sound.then(|| (seconds * 1000.0).round() as u64)
}

/// The longest time that can be asked for: a hundred years.
pub const MOST_SECONDS: f64 = 100.0 * 366.0 * 86_400.0;

/// A port; `None` too when the number is no port.
pub fn port(value: &Value, name: &str) -> Option<u16> {
    let number = value.get(name)?.as_number()?.as_i64()?;
    u16::try_from(number).ok().filter(|port| *port != 0)
}

/// What a JSON text says.
///
/// # Errors
/// When it is not JSON.
pub fn json(value: &Value, name: &str) -> Result<Option<serde_json::Value>, Failure> {
    let text = value.get_str(name);
    let read = text.map(serde_json::from_str).transpose();
    read.map_err(|error| {
        let detail = format!("It is not JSON: {error}. Write it with jsonencode().");
        Failure::invalid(Path::attribute(name), "Invalid JSON", detail)
    })
}

/// A list of texts.
pub fn list_value(texts: &[String]) -> Value {
    Value::list(Type::String, texts.iter().map(|text| text.as_str().into()))
}

/// A map of texts.
pub fn map_value(texts: &BTreeMap<String, String>) -> Value {
    let entries = texts.iter();
    Value::map(
        Type::String,
        entries.map(|(key, text)| (key.as_str(), text.as_str().into())),
    )
}

/// A number of seconds.
pub fn seconds_value(millis: u64) -> Value {
    let whole = i64::try_from(millis / 1000).unwrap_or(i64::MAX);
    match millis % 1000 {
        0 => Value::from(whole),
        // A length of time within bounds is exact enough as a float.
        _ => match Number::from_f64(millis as f64 / 1000.0) {
            Some(seconds) => Value::from(seconds),
            None => Value::from(whole),
        },
    }
}

/// A text, or null.
pub fn text_value(text: Option<&str>) -> Value {
    text.map_or_else(|| Value::null(Type::String), Value::from)
}

/// An object of which nothing is known but the defaults.
pub fn blank(schema: &Schema) -> Value {
    let attributes = schema.attributes.iter();
    Value::object(attributes.map(|(name, attribute)| {
        let null = || Value::null(attribute.ty.clone());
        (name.clone(), attribute.default.clone().unwrap_or_else(null))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_milliseconds_and_written_back() {
        for (seconds, expected) in [(0.25, Some(250)), (60.0, Some(60_000)), (-1.0, None)] {
            let number = Value::from(Number::from_f64(seconds).unwrap());
            let value = Value::object([("t", number.clone())]);
            assert_eq!(millis(&value, "t"), expected);
            if let Some(millis) = expected {
                assert_eq!(seconds_value(millis), number);
            }
        }
        assert_eq!(
            millis(
                &Value::object([("t", Value::from(Number::infinity()))]),
                "t"
            ),
            None
        );
    }

    #[test]
    fn a_port_is_a_port() {
        for (number, expected) in [(0i64, None), (80, Some(80)), (65_536, None), (-1, None)] {
            let value = Value::object([("port", Value::from(number))]);
            assert_eq!(port(&value, "port"), expected, "{number}");
        }
    }
}
