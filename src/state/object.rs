//! One object as the state remembers it: JSON that is decoded only when someone looks.

use std::fmt;
use std::sync::Arc;

use mlinfra_sdk::value::DecodeError as Misread;
use mlinfra_sdk::{Data, Nesting, Path, Schema, Step, Type, Value};
use serde_json::value::RawValue;

use super::paths::{self, Found};
use crate::addr::ResourcePath;

/// JSON text on one line. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Takes JSON text.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn parse(text: &str) -> Result<Json, serde_json::Error> {
        // A line break can stand only between tokens, so a space in its place means the same.
        let line = text.trim().replace(['\n', '\r'], " ");
        Ok(Json(RawValue::from_string(line)?.into()))
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    pub(super) fn raw(&self) -> &RawValue {
        &self.0
    }
}

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Json {
        if raw.get().contains(['\n', '\r'])
            && let Ok(json) = Json::parse(raw.get())
        {
            return json;
        }
        Json(raw.into())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.get() == other.get()
    }
}

impl Eq for Json {}

/// Whether an object is as it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Status {
    /// It is.
    #[default]
    Ready,
    /// It is not, and the next plan replaces it.
    Tainted,
}

/// An object. Its attributes are those that the provider answered, under the schema's type.
#[derive(Clone, PartialEq, Debug)]
pub struct Object {
    /// The version of the schema that `attributes` was written under.
    pub schema_version: u32,
    /// The value as JSON; see [`Object::decode`].
    pub attributes: Json,
    /// Places in the value that must not be shown.
    pub sensitive: Vec<Path>,
    /// What must exist as long as this does, sorted.
    pub dependencies: Vec<ResourcePath>,
    /// Whether it is as it should be.
    pub status: Status,
    /// It is replaced by making the new one first; whoever it depends on follows suit.
    pub create_before_destroy: bool,
    /// It holds data and is not destroyed unless that is said.
    pub protected: bool,
}

impl Object {
    /// The object that a wholly known value of the schema is: ready, without dependencies.
    ///
    /// # Errors
    /// Everything that must not reach the disk or does not fit the schema, each with its place.
    pub fn encode(value: &Value, schema: &Schema) -> Result<Object, Unfit> {
        let found = Found::within(value);
        let mut reasons = refusals(value, schema, &found);
        reasons.extend(found.unknown.into_iter().map(Refusal::Unknown));
        let attributes = write(value, schema, reasons)?;
        Ok(Object {
            schema_version: schema.version,
            attributes,
            sensitive: found.sensitive,
            dependencies: Vec::new(),
            status: Status::Ready,
            create_before_destroy: false,
            protected: false,
        })
    }

    /// The value, marked where it is sensitive.
    ///
    /// # Errors
    /// When it was written under another version of the schema (the provider must upgrade it, and
    /// [`Object::mark`] marks what it answers) or does not fit the schema.
    pub fn decode(&self, schema: &Schema) -> Result<Value, DecodeError> {
        if self.schema_version != schema.version {
            return Err(DecodeError::Version {
                stored: self.schema_version,
                known: schema.version,
            });
        }
        let value = Value::decode(self.attributes.get(), &schema.ty())?;
        Ok(self.mark(value, schema))
    }

    /// A value of this object, such as an upgraded one, marked where it is sensitive.
    pub fn mark(&self, value: Value, schema: &Schema) -> Value {
        let marked = paths::mark_sensitive(value, &self.sensitive);
        paths::mark_by_schema(marked, schema)
    }

    /// Whether the next plan replaces it.
    pub fn is_tainted(&self) -> bool {
        self.status == Status::Tainted
    }
}

/// What a creation or update was asked to make: a value that may be unknown in places.
#[derive(Clone, PartialEq, Debug)]
pub struct Planned {
    /// The version of the schema that `attributes` was written under.
    pub schema_version: u32,
    /// The value as JSON, null where it is unknown.
    pub attributes: Json,
    /// Places that must not be shown.
    pub sensitive: Vec<Path>,
    /// Places that only the doing tells.
    pub unknown: Vec<Path>,
}

impl Planned {
    /// What a planned value is on disk. The state file holds what is sensitive anyway, and the
    /// provider needs it to find what it made; so nothing is left out.
    ///
    /// # Errors
    /// When the value holds something ephemeral or write-only, or does not fit the schema.
    pub fn encode(value: &Value, schema: &Schema) -> Result<Planned, Unfit> {
        let found = Found::within(value);
        let attributes = write(value, schema, refusals(value, schema, &found))?;
        Ok(Planned {
            schema_version: schema.version,
            attributes,
            sensitive: found.sensitive,
            unknown: found.unknown,
        })
    }

    /// The planned value.
    ///
    /// # Errors
    /// As for [`Object::decode`].
    pub fn decode(&self, schema: &Schema) -> Result<Value, DecodeError> {
        if self.schema_version != schema.version {
            return Err(DecodeError::Version {
                stored: self.schema_version,
                known: schema.version,
            });
        }
        let value = Value::decode(self.attributes.get(), &schema.ty())?;
        let value = paths::forget(value, &self.unknown);
        let marked = paths::mark_sensitive(value, &self.sensitive);
        Ok(paths::mark_by_schema(marked, schema))
    }
}

/// A stored object cannot be read under a schema.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It was written under another version.
    #[error("the object has schema version {stored}, the provider knows {known}")]
    Version {
        /// The version it was written under.
        stored: u32,
        /// The version the provider has.
        known: u32,
    },
    /// It does not have the schema's type.
    #[error(transparent)]
    Misfit(#[from] Misread),
}

/// A value must not be stored: everything that is wrong with it.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{}", list(.0))]
pub struct Unfit(pub Vec<Refusal>);

fn list(reasons: &[Refusal]) -> String {
    let reasons: Vec<String> = reasons.iter().map(Refusal::to_string).collect();
    reasons.join("; ")
}

/// One reason why a value must not be stored.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// A value is not known.
    #[error("{} is not known", place(.0))]
    Unknown(Path),
    /// A value is marked ephemeral.
    #[error("{} is ephemeral and must not be stored", place(.0))]
    Ephemeral(Path),
    /// A write-only attribute has a value.
    #[error("{} is write-only and must not be stored", place(.0))]
    WriteOnly(Path),
    /// A value has another type than the schema says.
    #[error("{} must be {wanted}", place(.path))]
    Misfit {
        /// Where.
        path: Path,
        /// The schema's type in words.
        wanted: String,
    },
    /// A number that JSON cannot hold.
    #[error("{0}")]
    Number(String),
}

fn place(path: &Path) -> impl fmt::Display {
    match path.0.as_slice() {
        [] => "the value".to_owned(),
        _ => path.to_string(),
    }
}

fn refusals(value: &Value, schema: &Schema, found: &Found) -> Vec<Refusal> {
    let mut reasons: Vec<Refusal> = Vec::new();
    reasons.extend(found.ephemeral.iter().cloned().map(Refusal::Ephemeral));
    write_only(value, schema, &Path::root(), &mut reasons);
    if value.is_null() {
        let wanted = "an object".into();
        reasons.push(Refusal::Misfit {
            path: Path::root(),
            wanted,
        });
    } else {
        fit(value, &schema.ty(), &Path::root(), &mut reasons);
    }
    reasons
}

fn write(value: &Value, schema: &Schema, mut reasons: Vec<Refusal>) -> Result<Json, Unfit> {
    match value.encode(&schema.ty()) {
        Ok(json) if reasons.is_empty() => return Ok(json.into()),
        Ok(_) => {}
        Err(error) => reasons.push(Refusal::Number(error.to_string())),
    }
    Err(Unfit(reasons))
}

/// Finds write-only attributes that are not null, in nested blocks, too.
fn write_only(value: &Value, schema: &Schema, path: &Path, reasons: &mut Vec<Refusal>) {
    let at = |name: &Arc<str>| path.then(Step::Attribute(name.clone()));
    for (name, attribute) in &schema.attributes {
        let kept = value.get(name).is_some_and(|v| !v.is_null());
        if attribute.write_only && kept {
            reasons.push(Refusal::WriteOnly(at(name)));
        }
    }
    for (name, block) in &schema.blocks {
        let Some(nested) = value.get(name) else {
            continue;
        };
        let at = at(name);
        match (block.nesting, nested.data()) {
            (Nesting::Single, _) => write_only(nested, &block.schema, &at, reasons),
            (_, Data::Map(_, entries)) => {
                for (key, inner) in entries.iter() {
                    let at = at.then(Step::Key(key.clone()));
                    write_only(inner, &block.schema, &at, reasons);
                }
            }
            _ => {
                for (i, inner) in nested.elements().into_iter().flatten().enumerate() {
                    write_only(inner, &block.schema, &at.then(Step::Index(i)), reasons);
                }
            }
        }
    }
}

/// Finds where a value does not have a type, so that it could not be read back.
fn fit(value: &Value, ty: &Type, path: &Path, reasons: &mut Vec<Refusal>) {
    let mut each = |items: &[Value], types: &mut dyn FnMut(usize) -> Type| {
        for (i, item) in items.iter().enumerate() {
            fit(item, &types(i), &path.then(Step::Index(i)), reasons);
        }
    };
    match (value.data(), ty) {
        (Data::Null(_) | Data::Unknown(..), _) | (_, Type::Dynamic) => {}
        (Data::Bool(_), Type::Bool)
        | (Data::Number(_), Type::Number)
        | (Data::String(_), Type::String)
        | (Data::Type(_), Type::Type) => {}
        (Data::List(_, items), Type::List(t)) | (Data::Set(_, items), Type::Set(t)) => {
            each(items, &mut |_| t.as_ref().clone());
        }
        (Data::Tuple(items), Type::Tuple(ts)) if items.len() == ts.len() => {
            each(items, &mut |i| ts.get(i).cloned().unwrap_or(Type::Dynamic));
        }
        (Data::Map(_, entries), Type::Map(t)) => {
            for (key, item) in entries.iter() {
                fit(item, t, &path.then(Step::Key(key.clone())), reasons);
            }
        }
        (Data::Object(entries), Type::Object(o))
            if entries.keys().all(|k| o.attributes.contains_key(k)) =>
        {
            for (name, t) in &o.attributes {
                if let Some(item) = entries.get(name) {
                    fit(item, t, &path.then(Step::Attribute(name.clone())), reasons);
                }
            }
        }
        _ => reasons.push(Refusal::Misfit {
            path: path.clone(),
            wanted: ty.to_string(),
        }),
    }
}
