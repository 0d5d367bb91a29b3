//! Numbers of the language.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A number.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer of machine size.
    Int(i64),
    /// Any other number.
    Float(f64),
}

/// The text is not a number.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is not a number")]
pub struct NotANumber(pub String);

impl Number {
    /// As a machine integer, when it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Number::Int(n) => Some(*n),
            Number::Float(_) => None,
        }
    }

    /// As a machine float, rounded.
    pub fn as_f64(&self) -> f64 {
        match self {
            Number::Int(n) => *n as f64,
            Number::Float(x) => *x,
        }
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negate(&self) -> Number {
        match self {
            Number::Int(n) => n
                .checked_neg()
                .map_or(Number::Float(-(*n as f64)), Number::Int),
            Number::Float(x) => Number::Float(-x),
        }
    }

    /// From a machine float; `None` when it is not a number.
    pub fn from_f64(x: f64) -> Option<Number> {
        if x.is_nan() {
            None
        } else if x.fract() == 0.0 && x.abs() < 9e15 {
            Some(Number::Int(x as i64))
        } else {
            Some(Number::Float(x))
        }
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Number {
        Number::Int(n)
    }
}

impl From<usize> for Number {
    fn from(n: usize) -> Number {
        i64::try_from(n).map_or(Number::Float(n as f64), Number::Int)
    }
}

impl FromStr for Number {
    type Err = NotANumber;
    fn from_str(text: &str) -> Result<Number, NotANumber> {
        if let Ok(n) = text.parse() {
            return Ok(Number::Int(n));
        }
        text.parse()
            .ok()
            .and_then(Number::from_f64)
            .ok_or_else(|| NotANumber(text.to_owned()))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(n) => write!(f, "{n}"),
            Number::Float(x) => write!(f, "{x}"),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(b),
            (a, b) => a.as_f64().total_cmp(&b.as_f64()),
        }
    }
}
