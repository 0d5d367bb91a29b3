//! A value as JSON that loses nothing: types, what is unknown and how far, what is sensitive.
//!
//! A value is written under the type that its reader expects. Text, numbers (as text, so that no
//! digit is lost), truth values, null and arrays stand for themselves; an object tells more:
//!
//! | form | what it is |
//! |---|---|
//! | `{"of": {…}}` | a map or an object with these entries |
//! | `{"unknown": {…}}` | unknown, with what is known all the same |
//! | `{"sensitive": …}` | the value, not to be shown |
//! | `{"type": …, "is": …}` | a value of another type than is expected, such as any |
//!
//! Nothing ephemeral can be written.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::value::{Refinement, TypeJson};
use mlinfra_sdk::{Data, Marks, Number, Type, Value};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// A value to be written under a type.
pub(super) struct Tree<'v>(pub &'v Value, pub &'v Type);

/// The same value without its own mark.
struct Unmarked<'v>(&'v Data, &'v Type);

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let marks = self.0.marks();
        if marks.is_ephemeral() {
            return Err(S::Error::custom("an ephemeral value must not be written"));
        }
        let inside = Unmarked(self.0.data(), self.1);
        if marks.is_sensitive() {
            return one(serializer, "sensitive", &inside);
        }
        inside.serialize(serializer)
    }
}

impl Serialize for Unmarked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Unmarked(data, ty) = *self;
        match (data, ty) {
            (Data::Null(t), _) if t == ty => serializer.serialize_unit(),
            (Data::Unknown(t, refinement), _) if t == ty => {
                let refinement = refinement.as_deref().map(RefinementJson::of);
                one(serializer, "unknown", &refinement.unwrap_or_default())
            }
            (Data::Bool(b), Type::Bool) => serializer.serialize_bool(*b),
            (Data::Number(n), Type::Number) => serializer.collect_str(n),
            (Data::String(s), Type::String) => serializer.serialize_str(s),
            (Data::List(t, items), Type::List(element))
            | (Data::Set(t, items), Type::Set(element))
                if t == element.as_ref() =>
            {
                serializer.collect_seq(items.iter().map(|item| Tree(item, t)))
            }
            (Data::Tuple(items), Type::Tuple(types)) if items.len() == types.len() => {
                let items = items.iter().zip(types.iter());
                serializer.collect_seq(items.map(|(item, t)| Tree(item, t)))
            }
            (Data::Map(t, entries), Type::Map(element)) if t == element.as_ref() => {
                let entries = entries.iter().map(|(k, v)| (k.as_ref(), Tree(v, t)));
                one(serializer, "of", &entries.collect::<BTreeMap<&str, _>>())
            }
            (Data::Object(entries), Type::Object(o)) if entries.keys().eq(o.attributes.keys()) => {
                let entries = entries.iter().zip(o.attributes.values());
                let entries = entries.map(|((k, v), t)| (k.as_ref(), Tree(v, t)));
                one(serializer, "of", &entries.collect::<BTreeMap<&str, _>>())
            }
            (Data::Type(t), Type::Type) => TypeJson(t).serialize(serializer),
            _ => {
                let own = Value::from(data.clone()).ty();
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("type", &TypeJson(&own))?;
                map.serialize_entry("is", &Unmarked(data, &own))?;
                map.end()
            }
        }
    }
}

fn one<S: Serializer>(serializer: S, key: &str, value: &impl Serialize) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RefinementJson {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    not_null: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lower: Option<(String, bool)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upper: Option<(String, bool)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    least_length: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    greatest_length: Option<usize>,
}

impl RefinementJson {
    fn of(refinement: &Refinement) -> RefinementJson {
        let bound = |bound: &Option<(Number, bool)>| {
            let (number, included) = bound.as_ref()?;
            Some((number.to_string(), *included))
        };
        RefinementJson {
            not_null: refinement.not_null,
            prefix: refinement.prefix.clone(),
            lower: bound(&refinement.lower),
            upper: bound(&refinement.upper),
            least_length: refinement.least_length,
            greatest_length: refinement.greatest_length,
        }
    }

    fn read(self) -> Result<Refinement, Misread> {
        let bound = |bound: Option<(String, bool)>| match bound {
            None => Ok::<_, Misread>(None),
            Some((text, included)) => Ok(Some((number(&text)?, included))),
        };
        Ok(Refinement {
            not_null: self.not_null,
            prefix: self.prefix,
            lower: bound(self.lower)?,
            upper: bound(self.upper)?,
            least_length: self.least_length,
            greatest_length: self.greatest_length,
        })
    }
}

/// Why a text is not a value of the expected type.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misread(pub String);

impl From<serde_json::Error> for Misread {
    fn from(error: serde_json::Error) -> Misread {
        Misread(error.to_string())
    }
}

/// Reads what [`Tree`] wrote under the same type.
pub(super) fn read(json: &str, ty: &Type) -> Result<Value, Misread> {
    let json = json.trim();
    if json == "null" {
        return Ok(Value::null(ty.clone()));
    }
    if json.starts_with('{') {
        let members: BTreeMap<&str, &RawValue> = serde_json::from_str(json)?;
        return form(&members.into_iter().collect::<Vec<_>>(), ty);
    }
    match ty {
        Type::Bool => Ok(Value::from(serde_json::from_str::<bool>(json)?)),
        Type::String => Ok(Data::String(serde_json::from_str(json)?).into()),
        Type::Number => Ok(Data::Number(number(&serde_json::from_str::<String>(json)?)?).into()),
        Type::List(t) => Ok(Data::List(t.as_ref().clone(), Arc::new(elements(json, t)?)).into()),
        Type::Set(t) => Ok(Data::Set(t.as_ref().clone(), Arc::new(elements(json, t)?)).into()),
        Type::Tuple(types) => {
            let raw: Vec<&RawValue> = serde_json::from_str(json)?;
            if raw.len() != types.len() {
                let (found, due) = (raw.len(), types.len());
                return Err(Misread(format!("{found} elements where {due} are due")));
            }
            let items = raw.iter().zip(types.iter()).map(|(r, t)| read(r.get(), t));
            Ok(Value::tuple(items.collect::<Result<Vec<_>, _>>()?))
        }
        Type::Type => Ok(Value::ty_value(type_of(json)?)),
        Type::Map(_) | Type::Object(_) | Type::Dynamic => {
            Err(Misread(format!("expected {}", ty.friendly())))
        }
    }
}

fn form(members: &[(&str, &RawValue)], ty: &Type) -> Result<Value, Misread> {
    let of: BTreeMap<String, &RawValue> = match members {
        [("of", entries)] => serde_json::from_str(entries.get())?,
        [("sensitive", inside)] => {
            return Ok(read(inside.get(), ty)?.with_marks(Marks::SENSITIVE));
        }
        [("is", inside), ("type", own)] => return read(inside.get(), &type_of(own.get())?),
        [("unknown", refinement)] => {
            let refinement: RefinementJson = serde_json::from_str(refinement.get())?;
            let refinement = refinement.read()?;
            let plain = refinement == Refinement::default();
            let refinement = (!plain).then(|| Arc::new(refinement));
            return Ok(Data::Unknown(ty.clone(), refinement).into());
        }
        _ => return Err(Misread("an object that is no form of a value".into())),
    };
    match ty {
        Type::Map(t) => {
            let mut entries = BTreeMap::new();
            for (key, inside) in of {
                entries.insert(key.into(), read(inside.get(), t)?);
            }
            Ok(Data::Map(t.as_ref().clone(), Arc::new(entries)).into())
        }
        Type::Object(o) => {
            if !of
                .keys()
                .map(String::as_str)
                .eq(o.attributes.keys().map(AsRef::as_ref))
            {
                return Err(Misread("an object with other attributes".into()));
            }
            let entries = of.values().zip(&o.attributes);
            let entries = entries.map(|(inside, (k, t))| Ok((k.clone(), read(inside.get(), t)?)));
            Ok(Data::Object(Arc::new(entries.collect::<Result<_, Misread>>()?)).into())
        }
        _ => Err(Misread(format!("entries where {} is due", ty.friendly()))),
    }
}

fn elements(json: &str, ty: &Type) -> Result<Vec<Value>, Misread> {
    let raw: Vec<&RawValue> = serde_json::from_str(json)?;
    raw.iter().map(|r| read(r.get(), ty)).collect()
}

fn type_of(json: &str) -> Result<Type, Misread> {
    TypeJson::read(json).map_err(|e| Misread(e.to_string()))
}

fn number(text: &str) -> Result<Number, Misread> {
    text.parse()
        .map_err(|_| Misread(format!("{text:?} is not a number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(value: &Value, ty: &Type) -> Value {
        let json = serde_json::to_string(&Tree(value, ty)).unwrap();
        read(&json, ty).unwrap()
    }

    #[test]
    fn every_value_comes_back_under_any_type() {
        let refined = Value::unknown_refined(Type::String, Refinement::prefix("abc-"));
        let number: Number = "123456789012345678901234567890.125".parse().unwrap();
        let values = [
            Value::NULL,
            Value::UNKNOWN,
            Value::null(Type::list(Type::String)),
            Value::from("?").sensitive(),
            Value::from(Number::infinity()),
            Value::from(number),
            refined.clone(),
            Value::list(Type::Dynamic, [Value::UNKNOWN, Value::from(1i64)]),
            Value::set(Type::String, [Value::from("a"), refined.clone()]),
            Value::map(Type::Bool, [("of", Value::from(true))]),
            Value::object([
                (
                    "of",
                    Value::tuple([Value::from(true), Value::null(Type::Number)]),
                ),
                ("sensitive", Value::object([("is", refined.sensitive())])),
                ("any", Value::null(Type::String)),
            ])
            .sensitive(),
            Value::ty_value(Type::map(Type::Dynamic)),
        ];
        for value in &values {
            assert_eq!(back(value, &value.ty()), *value);
            assert_eq!(back(value, &Type::Dynamic), *value);
        }
        let all = Value::tuple(values);
        assert_eq!(back(&all, &Type::Dynamic), all);
    }

    #[test]
    fn depth_is_not_bounded_by_the_parser() {
        let deep = (0..300).fold(Value::from("x"), |v, _| Value::tuple([v]));
        assert_eq!(back(&deep, &deep.ty()), deep);
    }

    #[test]
    fn an_ephemeral_value_cannot_be_written() {
        let secret = Value::object([("a", Value::from("s").with_marks(Marks::EPHEMERAL))]);
        assert!(serde_json::to_string(&Tree(&secret, &Type::Dynamic)).is_err());
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (json, ty) in [
            ("1", Type::Number),
            ("\"x\"", Type::Number),
            ("{}", Type::String),
            ("{\"of\":{}}", Type::String),
            ("{\"of\":{\"b\":true}}", Type::object([("a", Type::Bool)])),
            ("[true]", Type::tuple([])),
            ("\"x\"", Type::Dynamic),
            ("{\"else\":1}", Type::String),
        ] {
            assert!(read(json, &ty).is_err(), "{json}");
        }
    }
}
