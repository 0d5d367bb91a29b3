//! What Terraform's JSON tells of a value beside the value: what of it is unknown, what sensitive.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::schema::Nesting;
use mlinfra_sdk::{Data, Schema, Type, Value};
use serde::{Serialize, Serializer};

/// A value without what is unknown: left out of objects and maps, null in sequences.
#[derive(Clone, Copy, Debug)]
pub struct Known<'v>(pub &'v Value);

impl Serialize for Known<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.data() {
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
                serializer.collect_seq(items.iter().map(Known))
            }
            Data::Map(_, entries) | Data::Object(entries) => {
                let known = entries.iter().filter(|(_, v)| v.is_known());
                serializer.collect_map(known.map(|(k, v)| (k.as_ref(), Known(v))))
            }
            _ => self.0.serialize(serializer),
        }
    }
}

/// Truth values in the shape of a value. Objects and maps leave out what is false.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Flags {
    /// Of a whole value.
    Whole(bool),
    /// Of each element.
    Elements(Vec<Flags>),
    /// Of the entries.
    Entries(BTreeMap<Arc<str>, Flags>),
}

impl Flags {
    fn elements(items: &[Value], flag: fn(&Value) -> Flags) -> Flags {
        Flags::Elements(items.iter().map(flag).collect())
    }

    fn entries(entries: &BTreeMap<Arc<str>, Value>, flag: fn(&Value) -> Flags) -> Flags {
        let flags = entries.iter().map(|(k, v)| (k.clone(), flag(v)));
        Flags::Entries(flags.filter(|(_, f)| *f != Flags::Whole(false)).collect())
    }

    /// Where a value is unknown.
    pub fn unknown(value: &Value) -> Flags {
        match value.data() {
            Data::Unknown(..) => Flags::Whole(true),
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
                Flags::elements(items, Flags::unknown)
            }
            Data::Map(_, entries) | Data::Object(entries) => {
                Flags::entries(entries, Flags::unknown)
            }
            _ => Flags::Whole(false),
        }
    }

    /// Where a value is sensitive.
    pub fn sensitive(value: &Value) -> Flags {
        if value.marks().is_sensitive() {
            return Flags::Whole(true);
        }
        match value.data() {
            // Of a collection that is unknown nothing can be said of its parts.
            Data::Unknown(Type::List(_) | Type::Set(_) | Type::Tuple(_), _) => {
                Flags::Elements(Vec::new())
            }
            Data::Unknown(Type::Map(_) | Type::Object(_), _) => Flags::Entries(BTreeMap::new()),
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
                Flags::elements(items, Flags::sensitive)
            }
            Data::Map(_, entries) | Data::Object(entries) => {
                Flags::entries(entries, Flags::sensitive)
            }
            _ => Flags::Whole(false),
        }
    }

    /// No flags of an object.
    pub fn empty() -> Flags {
        Flags::Entries(BTreeMap::new())
    }
}

/// A value marked where its schema says it is sensitive, too.
pub fn marked(value: &Value, schema: &Schema) -> Value {
    let Some(entries) = value.entries() else {
        return value.clone();
    };
    let mut marked_value = value.clone();
    for (name, _) in schema.attributes.iter().filter(|(_, a)| a.sensitive) {
        if let Some(part) = entries.get(name) {
            marked_value = marked_value.with_attribute(name, part.clone().sensitive());
        }
    }
    for (name, block) in &schema.blocks {
        if let Some(part) = entries.get(name) {
            let part = marked_blocks(part, block.nesting, &block.schema);
            marked_value = marked_value.with_attribute(name, part);
        }
    }
    marked_value
}

fn marked_blocks(value: &Value, nesting: Nesting, schema: &Schema) -> Value {
    let blocks = match (nesting, value.data()) {
        (Nesting::Single, _) => return marked(value, schema),
        (_, Data::List(ty, items)) => {
            Value::list(ty.clone(), items.iter().map(|v| marked(v, schema)))
        }
        (_, Data::Set(ty, items)) => {
            Value::set(ty.clone(), items.iter().map(|v| marked(v, schema)))
        }
        (_, Data::Map(ty, entries)) => {
            let entries = entries.iter().map(|(k, v)| (k.clone(), marked(v, schema)));
            Value::map(ty.clone(), entries)
        }
        _ => return value.clone(),
    };
    blocks.with_marks(value.marks())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlinfra_sdk::Attribute;

    fn json(value: impl Serialize) -> serde_json::Value {
        serde_json::to_value(value).unwrap()
    }

    /// The shapes of a plan that Terraform 1.11.4 printed.
    #[test]
    fn flags_have_the_shape_of_their_value() {
        let value = Value::object([
            ("id", Value::unknown(Type::String)),
            (
                "input",
                Value::object([
                    ("x", Value::UNKNOWN),
                    ("y", Value::tuple([Value::UNKNOWN, Value::from(1i64)])),
                    ("z", Value::from("k").sensitive()),
                ]),
            ),
            (
                "output",
                Value::unknown(Value::object([("x", Value::from(1i64))]).ty()),
            ),
            ("none", Value::NULL),
        ]);
        assert_eq!(
            json(Known(&value)),
            serde_json::json!({"input": {"y": [null, 1], "z": "k"}, "none": null})
        );
        assert_eq!(
            json(Flags::unknown(&value)),
            serde_json::json!({"id": true, "input": {"x": true, "y": [true, false]}, "output": true})
        );
        assert_eq!(
            json(Flags::sensitive(&value)),
            serde_json::json!({"input": {"y": [false, false], "z": true}, "output": {}})
        );
        assert_eq!(
            json(Flags::sensitive(&Value::NULL)),
            serde_json::json!(false)
        );
    }

    #[test]
    fn a_schema_marks_what_it_calls_sensitive_at_every_depth() {
        let inner = Schema::new("").attribute("key", Attribute::optional(Type::String).sensitive());
        let schema = Schema::new("")
            .attribute("password", Attribute::optional(Type::String).sensitive())
            .block("login", Nesting::List, inner);
        let login = Value::object([("key", Value::from("k"))]);
        let value = Value::object([
            ("password", Value::from("p")),
            ("login", Value::list(login.ty(), [login])),
        ]);
        assert_eq!(
            json(Flags::sensitive(&marked(&value, &schema))),
            serde_json::json!({"password": true, "login": [{"key": true}]})
        );
    }
}
