//! JSON forms of values and types.
//!
//! A value is written as plain JSON and read back under its type, which its reader must know (a
//! schema, usually). Where the type is [`Type::Dynamic`] the value is wrapped as
//! `{"type": …, "value": …}`, so that nothing is lost. Numbers keep all their digits. Marks and
//! unknown values have no JSON form; whoever writes a value takes care of them first.

use std::sync::Arc;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Data, Number, Value};
use crate::path::{Path, Step};
use crate::ty::{ObjectType, Type};

/// A JSON text that is not a value of the wanted type.
#[derive(Debug, thiserror::Error)]
#[error("{}{message}", place(.path))]
pub struct DecodeError {
    /// Where in the value.
    pub path: Path,
    /// What is wrong there.
    pub message: String,
}

fn place(path: &Path) -> String {
    match path.0.as_slice() {
        [] => String::new(),
        _ => format!("{path}: "),
    }
}

/// Plain JSON: unknown values are written as null.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.data {
            Data::Unknown(..) | Data::Null(_) => serializer.serialize_unit(),
            Data::Bool(b) => serializer.serialize_bool(*b),
            Data::Number(n) => n.serialize(serializer),
            Data::String(s) => serializer.serialize_str(s),
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
                serializer.collect_seq(items.iter())
            }
            Data::Map(_, entries) | Data::Object(entries) => {
                serializer.collect_map(entries.iter().map(|(k, v)| (k.as_ref(), v)))
            }
            Data::Type(t) => TypeJson(t).serialize(serializer),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(n) = self.as_i64() {
            return serializer.serialize_i64(n);
        }
        match RawValue::from_string(self.to_string()) {
            Ok(raw) => raw.serialize(serializer),
            // Infinity has no JSON number.
            Err(_) => Err(serde::ser::Error::custom(format!(
                "the number {self} cannot be written as JSON"
            ))),
        }
    }
}

/// A value under a type constraint: wrapped with its own type where the constraint is dynamic.
struct Typed<'v>(&'v Value, &'v Type);

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Typed(value, ty) = *self;
        if !ty.has_dynamic() {
            return value.serialize(serializer);
        }
        match (ty, &value.data) {
            (Type::Dynamic, Data::Null(Type::Dynamic)) => serializer.serialize_unit(),
            (Type::Dynamic, _) => {
                let ty = value.ty();
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("type", &TypeJson(&ty))?;
                map.serialize_entry("value", value)?;
                map.end()
            }
            (
                Type::List(t) | Type::Set(t),
                Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items),
            ) => serializer.collect_seq(items.iter().map(|v| Typed(v, t))),
            (Type::Map(t), Data::Map(_, entries) | Data::Object(entries)) => {
                serializer.collect_map(entries.iter().map(|(k, v)| (k.as_ref(), Typed(v, t))))
            }
            (Type::Tuple(ts), Data::Tuple(items)) => {
                serializer.collect_seq(items.iter().zip(ts.iter()).map(|(v, t)| Typed(v, t)))
            }
            (Type::Object(o), Data::Object(entries) | Data::Map(_, entries)) => {
                let attributes = entries
                    .iter()
                    .filter_map(|(k, v)| Some((k, v, o.attributes.get(k)?)));
                serializer.collect_map(attributes.map(|(k, v, t)| (k.as_ref(), Typed(v, t))))
            }
            _ => value.serialize(serializer),
        }
    }
}

impl Value {
    /// The value as JSON text that [`Value::decode`] reads back under the same type.
    ///
    /// # Errors
    /// When the value holds an infinite number.
    pub fn encode(&self, ty: &Type) -> Result<Box<RawValue>, serde_json::Error> {
        serde_json::value::to_raw_value(&Typed(self, ty))
    }

    /// Reads a value of type `ty` from JSON text.
    ///
    /// # Errors
    /// When the text is not JSON or does not fit the type; the error names the place.
    pub fn decode(json: &str, ty: &Type) -> Result<Value, DecodeError> {
        decode(json, ty, &Path::root())
    }

    /// Reads JSON text of any shape: arrays become tuples, objects become objects.
    ///
    /// # Errors
    /// When the text is not JSON.
    pub fn from_json(json: &str) -> Result<Value, DecodeError> {
        infer(json, &Path::root())
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(json: &'a str, path: &Path) -> Result<T, DecodeError> {
    serde_json::from_str(json).map_err(|e| DecodeError {
        path: path.clone(),
        message: e.to_string(),
    })
}

fn array(json: &str, path: &Path) -> Result<Vec<Box<RawValue>>, DecodeError> {
    parse(json, path)
}

fn object(json: &str, path: &Path) -> Result<Vec<(String, Box<RawValue>)>, DecodeError> {
    struct Pairs(Vec<(String, Box<RawValue>)>);
    impl<'de> serde::Deserialize<'de> for Pairs {
        fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Pairs, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Pairs;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Pairs, A::Error> {
                    let mut pairs = Vec::new();
                    while let Some(pair) = map.next_entry()? {
                        pairs.push(pair);
                    }
                    Ok(Pairs(pairs))
                }
            }
            d.deserialize_map(Visitor)
        }
    }
    Ok(parse::<Pairs>(json, path)?.0)
}

fn decode(json: &str, ty: &Type, path: &Path) -> Result<Value, DecodeError> {
    let json = json.trim();
    if json == "null" {
        return Ok(Value::null(ty.clone()));
    }
    let fail = |message: String| DecodeError {
        path: path.clone(),
        message,
    };
    match ty {
        Type::Bool => parse::<bool>(json, path).map(Value::from),
        Type::String => parse::<String>(json, path).map(Value::from),
        Type::Number => number(json, path),
        Type::List(t) | Type::Set(t) => {
            let mut items = Vec::new();
            for (i, item) in array(json, path)?.iter().enumerate() {
                items.push(decode(item.get(), t, &path.then(Step::Index(i)))?);
            }
            Ok(match ty {
                Type::List(_) => Value::list(t.as_ref().clone(), items),
                _ => Value::set(t.as_ref().clone(), items),
            })
        }
        Type::Map(t) => {
            let mut entries = Vec::new();
            for (key, item) in object(json, path)? {
                let at = path.then(Step::Key(key.as_str().into()));
                entries.push((key, decode(item.get(), t, &at)?));
            }
            Ok(Value::map(t.as_ref().clone(), entries))
        }
        Type::Tuple(ts) => {
            let raw = array(json, path)?;
            if raw.len() != ts.len() {
                return Err(fail(format!(
                    "{} elements where {} are due",
                    raw.len(),
                    ts.len()
                )));
            }
            let mut items = Vec::new();
            for (i, (item, t)) in raw.iter().zip(ts.iter()).enumerate() {
                items.push(decode(item.get(), t, &path.then(Step::Index(i)))?);
            }
            Ok(Value::tuple(items))
        }
        Type::Object(o) => decode_object(json, o, path),
        Type::Dynamic => {
            let pairs = object(json, path)?;
            let field = |name: &str| pairs.iter().find(|(k, _)| k == name).map(|(_, v)| v.get());
            let (Some(ty), Some(value)) = (field("type"), field("value")) else {
                return Err(fail(
                    "expected an object with \"type\" and \"value\"".into(),
                ));
            };
            let ty = TypeJson::read(ty).map_err(|e| fail(e.to_string()))?;
            decode(value, &ty, path)
        }
        Type::Type => Ok(Value::ty_value(
            TypeJson::read(json).map_err(|e| fail(e.to_string()))?,
        )),
    }
}

fn decode_object(json: &str, o: &ObjectType, path: &Path) -> Result<Value, DecodeError> {
    let mut entries = Vec::new();
    let pairs = object(json, path)?;
    for (name, item) in &pairs {
        let Some(t) = o.attributes.get(name.as_str()) else {
            return Err(DecodeError {
                path: path.clone(),
                message: format!("unknown attribute {name:?}"),
            });
        };
        let at = path.then(Step::Attribute(name.as_str().into()));
        entries.push((name.as_str().into(), decode(item.get(), t, &at)?));
    }
    // An attribute that was not written is null: it came with a newer schema.
    for (name, t) in &o.attributes {
        if !pairs.iter().any(|(k, _)| k.as_str() == name.as_ref()) {
            entries.push((Arc::clone(name), Value::null(t.clone())));
        }
    }
    Ok(Value::object(entries))
}

fn number(json: &str, path: &Path) -> Result<Value, DecodeError> {
    let raw: Box<RawValue> = parse(json, path)?;
    raw.get()
        .parse::<Number>()
        .map(Value::from)
        .map_err(|_| DecodeError {
            path: path.clone(),
            message: format!("expected a number, found {}", raw.get()),
        })
}

fn infer(json: &str, path: &Path) -> Result<Value, DecodeError> {
    let json = json.trim();
    match json.as_bytes().first() {
        Some(b'n') => parse::<()>(json, path).map(|()| Value::NULL),
        Some(b't' | b'f') => parse::<bool>(json, path).map(Value::from),
        Some(b'"') => parse::<String>(json, path).map(Value::from),
        Some(b'[') => {
            let mut items = Vec::new();
            for (i, item) in array(json, path)?.iter().enumerate() {
                items.push(infer(item.get(), &path.then(Step::Index(i)))?);
            }
            Ok(Value::tuple(items))
        }
        Some(b'{') => {
            let mut entries = Vec::new();
            for (key, item) in object(json, path)? {
                let at = path.then(Step::Attribute(key.as_str().into()));
                entries.push((key, infer(item.get(), &at)?));
            }
            Ok(Value::object(entries))
        }
        _ => number(json, path),
    }
}

/// A type in cty's JSON form: `"string"`, `["list", "string"]`, `["object", {…}, ["optional"]]`.
pub struct TypeJson<'t>(pub &'t Type);

impl Serialize for TypeJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pair = |serializer: S, name: &str, t: &Type| {
            let mut seq = serializer.serialize_seq(Some(2))?;
            seq.serialize_element(name)?;
            seq.serialize_element(&TypeJson(t))?;
            seq.end()
        };
        match self.0 {
            Type::Dynamic => serializer.serialize_str("dynamic"),
            Type::Bool => serializer.serialize_str("bool"),
            Type::Number => serializer.serialize_str("number"),
            Type::String => serializer.serialize_str("string"),
            Type::Type => serializer.serialize_str("type"),
            Type::List(t) => pair(serializer, "list", t),
            Type::Set(t) => pair(serializer, "set", t),
            Type::Map(t) => pair(serializer, "map", t),
            Type::Tuple(ts) => {
                let mut seq = serializer.serialize_seq(Some(2))?;
                seq.serialize_element("tuple")?;
                seq.serialize_element(&ts.iter().map(TypeJson).collect::<Vec<_>>())?;
                seq.end()
            }
            Type::Object(o) => {
                let attributes: std::collections::BTreeMap<&str, TypeJson<'_>> = o
                    .attributes
                    .iter()
                    .map(|(k, t)| (k.as_ref(), TypeJson(t)))
                    .collect();
                let mut seq = serializer.serialize_seq(None)?;
                seq.serialize_element("object")?;
                seq.serialize_element(&attributes)?;
                if !o.optional.is_empty() {
                    seq.serialize_element(&o.optional)?;
                }
                seq.end()
            }
        }
    }
}

impl TypeJson<'_> {
    /// Reads a type from its JSON form.
    ///
    /// # Errors
    /// When the text is not such a form.
    pub fn read(json: &str) -> Result<Type, DecodeError> {
        let value: serde_json::Value = parse(json, &Path::root())?;
        read_type(&value).ok_or_else(|| DecodeError {
            path: Path::root(),
            message: format!("{json} is not a type"),
        })
    }
}

fn read_type(json: &serde_json::Value) -> Option<Type> {
    use serde_json::Value as Json;
    match json {
        Json::String(name) => match name.as_str() {
            "dynamic" => Some(Type::Dynamic),
            "bool" => Some(Type::Bool),
            "number" => Some(Type::Number),
            "string" => Some(Type::String),
            "type" => Some(Type::Type),
            _ => None,
        },
        Json::Array(parts) => match (parts.first()?.as_str()?, parts.get(1)?) {
            ("list", t) => Some(Type::list(read_type(t)?)),
            ("set", t) => Some(Type::set(read_type(t)?)),
            ("map", t) => Some(Type::map(read_type(t)?)),
            ("tuple", Json::Array(ts)) => {
                let ts: Option<Vec<Type>> = ts.iter().map(read_type).collect();
                Some(Type::tuple(ts?))
            }
            ("object", Json::Object(attributes)) => {
                let mut object = ObjectType::default();
                for (name, t) in attributes {
                    object
                        .attributes
                        .insert(name.as_str().into(), read_type(t)?);
                }
                for name in parts.get(2).and_then(Json::as_array).into_iter().flatten() {
                    object.optional.insert(name.as_str()?.into());
                }
                Some(Type::Object(Arc::new(object)))
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_its_json_form_under_its_type() {
        let value = Value::object([
            ("list", Value::list(Type::Number, [Value::from(1i64)])),
            ("any", Value::tuple([Value::from("x"), Value::from(true)])),
            ("none", Value::null(Type::String)),
        ]);
        let ty = Type::object([
            ("list", Type::list(Type::Number)),
            ("any", Type::Dynamic),
            ("none", Type::String),
        ]);
        let json = value.encode(&ty).unwrap();
        assert_eq!(Value::decode(json.get(), &ty).unwrap(), value);
    }

    #[test]
    fn a_misfit_names_its_place() {
        let ty = Type::object([("a", Type::list(Type::Bool))]);
        let error = Value::decode(r#"{"a": [true, 3]}"#, &ty).unwrap_err();
        assert!(error.to_string().starts_with("a[1]: "), "{error}");
    }

    #[test]
    fn types_survive_their_json_form() {
        let ty = Type::object_with_optional(
            [
                ("a", Type::tuple([Type::map(Type::Dynamic)])),
                ("b", Type::Bool),
            ],
            ["b"],
        );
        let json = serde_json::to_string(&TypeJson(&ty)).unwrap();
        assert_eq!(TypeJson::read(&json).unwrap(), ty);
    }
}
