//! The arguments of a call as the body of a function sees them.

use mlinfra_sdk::{Number, Value};

use crate::lang::quote::quoted;
use crate::lang::scope::FunctionSettings;

/// Why a function does not take its arguments.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// The argument that is to blame, if one is.
    pub argument: Option<usize>,
    /// The reason, as a clause without a full stop.
    pub message: String,
}

impl CallError {
    /// The call as a whole fails.
    pub fn new(message: impl Into<String>) -> CallError {
        CallError {
            argument: None,
            message: message.into(),
        }
    }

    /// One argument is to blame.
    pub fn argument(index: usize, message: impl Into<String>) -> CallError {
        CallError {
            argument: Some(index),
            message: message.into(),
        }
    }
}

/// The arguments of a call.
pub struct Arguments<'a> {
    values: &'a [Value],
    /// One bit for each argument that was sensitive.
    sensitive: u64,
    /// What functions need to know of the world.
    pub settings: &'a FunctionSettings,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(
        values: &'a [Value],
        sensitive: u64,
        settings: &'a FunctionSettings,
    ) -> Arguments<'a> {
        Arguments {
            values,
            sensitive,
            settings,
        }
    }

    /// All of them.
    pub fn values(&self) -> &'a [Value] {
        self.values
    }

    /// One of them; null when there are not so many.
    pub fn value(&self, index: usize) -> &'a Value {
        static ABSENT: Value = Value::NULL;
        self.values.get(index).unwrap_or(&ABSENT)
    }

    /// The text of an argument whose parameter is text.
    pub fn text(&self, index: usize) -> &'a str {
        self.value(index).as_str().unwrap_or_default()
    }

    /// The number of an argument whose parameter is a number.
    pub fn number(&self, index: usize) -> Number {
        let number = self.value(index).as_number();
        number.cloned().unwrap_or_else(|| Number::written(0))
    }

    /// The truth value of an argument whose parameter is one.
    pub fn truth(&self, index: usize) -> bool {
        self.value(index).as_bool().unwrap_or_default()
    }

    /// The elements of an argument whose parameter is a collection.
    pub fn elements(&self, index: usize) -> &'a [Value] {
        self.value(index).elements().unwrap_or_default()
    }

    /// The number of an argument as a machine integer.
    ///
    /// # Errors
    /// When it has a fraction or is too big.
    pub fn integer(&self, index: usize) -> Result<i64, CallError> {
        self.number(index).as_i64().ok_or_else(|| {
            CallError::new(format!(
                "value must be a whole number, between {} and {}",
                i64::MIN,
                i64::MAX
            ))
        })
    }

    /// The number of an argument as a count.
    ///
    /// # Errors
    /// When it has a fraction, is too big or negative.
    pub fn count(&self, index: usize) -> Result<usize, CallError> {
        let n = self.integer(index)?;
        usize::try_from(n).map_err(|_| CallError::new("value must be a whole number, 0 or greater"))
    }

    /// Whether an argument was sensitive, so that its value must not be told.
    pub fn is_sensitive(&self, index: usize) -> bool {
        self.sensitive & (1 << index.min(63)) != 0
    }

    /// The text of an argument in quotes, unless it is sensitive.
    pub fn told(&self, index: usize) -> String {
        self.tell(index, quoted(self.text(index)))
    }

    /// Something about an argument, unless it is sensitive.
    pub fn tell(&self, index: usize, what: impl Into<String>) -> String {
        if self.is_sensitive(index) {
            "(sensitive value)".into()
        } else {
            what.into()
        }
    }
}
