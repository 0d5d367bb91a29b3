//! The key of an instance: none, a number from `count`, a string from `for_each`.

use std::fmt;
use std::sync::Arc;

use mlinfra_sdk::Value;

/// What tells the instances of one block apart. Ordered as people read them: none, numbers, names.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum InstanceKey {
    /// The block has neither `count` nor `for_each`.
    #[default]
    None,
    /// The index under `count`.
    Index(usize),
    /// The key under `for_each`.
    Key(Arc<str>),
}

impl InstanceKey {
    /// The key that a value is: a string, or a whole number that is not negative.
    pub fn of(value: &Value) -> Option<InstanceKey> {
        if let Some(text) = value.as_str() {
            return Some(InstanceKey::Key(Arc::from(text)));
        }
        let index = value.as_number()?.as_i64()?;
        usize::try_from(index).ok().map(InstanceKey::Index)
    }

    /// The key as a value: null, a number or a string.
    pub fn value(&self) -> Value {
        match self {
            InstanceKey::None => Value::NULL,
            InstanceKey::Index(n) => Value::from(*n),
            InstanceKey::Key(key) => Value::from(key.as_ref()),
        }
    }
}

/// As it follows a name: nothing, `[0]` or `["a"]`.
impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InstanceKey::None => Ok(()),
            InstanceKey::Index(n) => write!(f, "[{n}]"),
            InstanceKey::Key(key) => {
                f.write_str("[\"")?;
                for c in key.chars() {
                    match c {
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\n' => f.write_str("\\n")?,
                        '\r' => f.write_str("\\r")?,
                        '\t' => f.write_str("\\t")?,
                        c => fmt::Write::write_char(f, c)?,
                    }
                }
                f.write_str("\"]")
            }
        }
    }
}
