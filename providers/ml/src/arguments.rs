//! Reads the arguments of an object. The engine has checked them against the schema, so what does not fit is its fault.

use std::collections::BTreeMap;

use mlinfra_sdk::{Failure, Value};

/// The arguments of an object.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'v>(pub(crate) &'v Value);

impl<'v> Arguments<'v> {
    /// A text that must be there.
    pub(crate) fn text(self, name: &str) -> Result<&'v str, Failure> {
        self.0
            .get_str(name)
            .ok_or_else(|| Failure::internal(format!("{name} is no known text")))
    }

    /// A text that may be left out.
    pub(crate) fn optional_text(self, name: &str) -> Option<&'v str> {
        self.0.get_str(name)
    }

    /// A number that may be left out.
    pub(crate) fn number(self, name: &str) -> Option<f64> {
        self.0
            .get(name)?
            .as_number()
            .map(mlinfra_sdk::Number::as_f64)
    }

    /// A whole number of at least one; `None` also for a number that is not.
    pub(crate) fn count(self, name: &str) -> Option<u64> {
        let number = self.0.get(name)?.as_number()?.as_i64()?;
        u64::try_from(number).ok().filter(|number| *number > 0)
    }

    /// A list of texts; empty when left out.
    pub(crate) fn texts(self, name: &str) -> Vec<String> {
        let items = self
            .0
            .get(name)
            .and_then(Value::elements)
            .unwrap_or_default();
        let texts = items.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// Texts by name; empty when left out.
    pub(crate) fn text_map(self, name: &str) -> BTreeMap<String, String> {
        let entries = self.0.get(name).and_then(Value::entries);
        let texts = entries
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())));
        texts.collect()
    }
}

/// A known value as JSON.
pub(crate) fn to_json(value: &Value) -> Result<serde_json::Value, Failure> {
    let text = value.encode(&value.ty()).map_err(Failure::internal)?;
    serde_json::from_str(text.get()).map_err(Failure::internal)
}

/// JSON as a value: arrays become tuples, objects become objects.
pub(crate) fn from_json(json: &serde_json::Value) -> Result<Value, Failure> {
    Value::from_json(&json.to_string()).map_err(Failure::internal)
}

/// A version or revision number as a value.
pub(crate) fn whole(number: u64) -> Value {
    i64::try_from(number).map_or(Value::NULL, Value::from)
}
