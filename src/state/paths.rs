//! Places inside a value: where its marks are, and how they are put back when it is read.

use mlinfra_sdk::{Data, Marks, Nesting, Path, Schema, Step, Value};

/// What must be told apart from the plain JSON of a value.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Marked sensitive; what lies below such a place is not listed again.
    pub sensitive: Vec<Path>,
    /// Marked ephemeral.
    pub ephemeral: Vec<Path>,
    /// Not known. An unknown element makes its set unknown, for it has no name but itself.
    pub unknown: Vec<Path>,
}

impl Found {
    /// Looks through a value.
    pub fn within(value: &Value) -> Found {
        let mut found = Found::default();
        found.look(value, &Path::root(), false);
        found
    }

    fn look(&mut self, value: &Value, path: &Path, covered: bool) {
        let marks = value.marks();
        if marks.is_sensitive() && !covered {
            self.sensitive.push(path.clone());
        }
        if marks.is_ephemeral() {
            self.ephemeral.push(path.clone());
        }
        let covered = covered || marks.is_sensitive();
        match value.data() {
            Data::Unknown(..) => self.unknown.push(path.clone()),
            Data::List(_, items) | Data::Tuple(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.look(item, &path.then(Step::Index(i)), covered);
                }
            }
            Data::Set(_, items) => {
                for item in items.iter() {
                    self.look(item, path, covered);
                }
                self.unknown.dedup();
            }
            Data::Map(_, entries) => {
                for (key, item) in entries.iter() {
                    self.look(item, &path.then(Step::Key(key.clone())), covered);
                }
            }
            Data::Object(entries) => {
                for (name, item) in entries.iter() {
                    self.look(item, &path.then(Step::Attribute(name.clone())), covered);
                }
            }
            Data::Null(_) | Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Type(_) => {}
        }
    }
}

/// The value with what stands at a path changed. Where the path ends before its last step, because
/// the value has another shape by now, the last place that exists is changed: rather too much is
/// marked sensitive than too little.
pub(crate) fn change(value: Value, steps: &[Step], by: &dyn Fn(Value) -> Value) -> Value {
    let Some((step, rest)) = steps.split_first() else {
        return by(value);
    };
    let (value, marks) = value.unmark();
    let mut data = value.into_data();
    let place = match (&mut data, step) {
        (Data::Object(entries) | Data::Map(_, entries), Step::Attribute(key) | Step::Key(key)) => {
            std::sync::Arc::make_mut(entries).get_mut(key)
        }
        (Data::List(_, items) | Data::Tuple(items), Step::Index(i)) => {
            std::sync::Arc::make_mut(items).get_mut(*i)
        }
        _ => None,
    };
    let found = place.is_some();
    if let Some(place) = place {
        let inner = std::mem::replace(place, Value::NULL);
        *place = change(inner, rest, by);
    }
    let value = Value::from(data).with_marks(marks);
    if found { value } else { by(value) }
}

/// The value with these places marked sensitive.
pub(crate) fn mark_sensitive(value: Value, paths: &[Path]) -> Value {
    paths.iter().fold(value, |value, path| {
        change(value, &path.0, &Value::sensitive)
    })
}

/// The value with these places unknown.
pub(crate) fn forget(value: Value, paths: &[Path]) -> Value {
    let unknown = |value: Value| Value::unknown(value.ty()).with_marks(value.marks());
    paths
        .iter()
        .fold(value, |value, path| change(value, &path.0, &unknown))
}

/// The value with everything marked that its schema calls sensitive.
pub(crate) fn mark_by_schema(value: Value, schema: &Schema) -> Value {
    let marks = value.marks();
    let Data::Object(mut entries) = value.into_data() else {
        return Value::NULL.with_marks(marks);
    };
    let inside = std::sync::Arc::make_mut(&mut entries);
    for (name, attribute) in &schema.attributes {
        if let Some(place) = inside.get_mut(name).filter(|_| attribute.sensitive) {
            *place = std::mem::replace(place, Value::NULL).sensitive();
        }
    }
    for (name, block) in &schema.blocks {
        if let Some(place) = inside.get_mut(name) {
            let nested = std::mem::replace(place, Value::NULL);
            *place = mark_blocks(nested, block.nesting, &block.schema);
        }
    }
    Value::from(Data::Object(entries)).with_marks(marks)
}

fn mark_blocks(value: Value, nesting: Nesting, schema: &Schema) -> Value {
    if value.is_null() || !has_sensitive(schema) {
        return value;
    }
    let marks = value.marks();
    let marked = match (nesting, value.into_data()) {
        (_, data @ Data::Object(_)) => mark_by_schema(data.into(), schema),
        (_, Data::List(ty, items)) => {
            let items = items.iter().cloned();
            Value::list(ty, items.map(|v| mark_by_schema(v, schema)))
        }
        (_, Data::Map(ty, entries)) => {
            let entries = entries.iter().map(|(k, v)| (k.clone(), v.clone()));
            Value::map(ty, entries.map(|(k, v)| (k, mark_by_schema(v, schema))))
        }
        // An element of a set cannot be marked by itself.
        (_, other) => Value::from(other).with_marks(Marks::SENSITIVE),
    };
    marked.with_marks(marks)
}

fn has_sensitive(schema: &Schema) -> bool {
    let here = schema.attributes.values().any(|a| a.sensitive);
    here || schema.blocks.values().any(|b| has_sensitive(&b.schema))
}
