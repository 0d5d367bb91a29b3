//! What an unquoted YAML scalar stands for.

use mlinfra_sdk::{Number, Value};

use super::super::date;

/// A tag of the core schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tag {
    Null,
    Bool,
    Int,
    Float,
    Text,
    Timestamp,
    Binary,
}

impl Tag {
    pub(super) fn of(suffix: &str) -> Option<Tag> {
        Some(match suffix {
            "null" => Tag::Null,
            "bool" => Tag::Bool,
            "int" => Tag::Int,
            "float" => Tag::Float,
            "str" => Tag::Text,
            "timestamp" => Tag::Timestamp,
            "binary" => Tag::Binary,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Tag::Null => "null",
            Tag::Bool => "bool",
            Tag::Int => "int",
            Tag::Float => "float",
            Tag::Text => "str",
            Tag::Timestamp => "timestamp",
            Tag::Binary => "binary",
        }
    }
}

/// The value of a scalar without a tag; not a number in the sense of floating point is an error.
pub(super) fn untagged(text: &str) -> Result<Value, String> {
    if is_null(text) {
        return Ok(Value::NULL);
    }
    if let Some(truth) = truth(text) {
        return Ok(Value::from(truth));
    }
    if let Some(number) = number(text)? {
        return Ok(Value::from(number));
    }
    Ok(Value::from(
        date::canonical(text).unwrap_or_else(|| text.to_owned()),
    ))
}

/// The value of a scalar with a tag.
pub(super) fn tagged(text: &str, tag: Tag, quoted: bool) -> Result<Value, String> {
    let fail = || {
        format!(
            "cannot parse {} as tag:yaml.org,2002:{}",
            crate::lang::quote::quoted(text),
            tag.name()
        )
    };
    match tag {
        Tag::Text | Tag::Binary => Ok(Value::from(text)),
        Tag::Null => Ok(Value::NULL),
        Tag::Bool => truth(text).map(Value::from).ok_or_else(fail),
        // Quotes make it text all the same.
        Tag::Int if quoted => Ok(Value::from(text)),
        Tag::Int => match number(text)? {
            Some(n) if n.is_integer() => Ok(Value::from(n)),
            _ => Err(fail()),
        },
        Tag::Float => number(text)?.map(Value::from).ok_or_else(fail),
        Tag::Timestamp => date::canonical(text).map(Value::from).ok_or_else(fail),
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(false)
        }
        _ => None,
    }
}

fn number(text: &str) -> Result<Option<Number>, String> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            let infinity = Number::infinity();
            return Ok(Some(if text.starts_with('-') {
                infinity.negate()
            } else {
                infinity
            }));
        }
        ".nan" | ".NaN" | ".NAN" if text == unsigned => {
            return Err("floating point NaN is not supported".into());
        }
        _ => {}
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return Ok(in_base(digits, 16));
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return Ok(in_base(digits, 8));
    }
    let first = unsigned.bytes().next().unwrap_or_default();
    let plain = first.is_ascii_digit() || first == b'.';
    let valid = unsigned
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    Ok(if plain && valid {
        text.parse().ok()
    } else {
        None
    })
}

fn in_base(digits: &str, base: u32) -> Option<Number> {
    let valid = !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
    if !valid {
        return None;
    }
    let n = dashu_int::IBig::from_str_radix(digits, base).ok()?;
    Some(Number::from_big(&n))
}
