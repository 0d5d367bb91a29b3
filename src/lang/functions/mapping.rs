//! Functions on maps and objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::{Data, Marks, Type, Value};

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};
use crate::lang::convert::{Safety, convert, convertible};
use crate::lang::names::type_name;
use crate::lang::quote::quoted;

fn any() -> Type {
    Type::Dynamic
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "keys",
        "The keys of a map, or the names of the attributes of an object, in order.",
        &[Parameter::new("inputMap", Kind::Any).unknown().marked()],
        Returns::From(keys_type, any),
        keys,
    ),
    Function::new(
        "lookup",
        "The element of a map under a key, or a default when there is none.",
        &[
            Parameter::new("inputMap", Kind::Any).marked(),
            Parameter::new("key", Kind::Text).marked(),
        ],
        Returns::From(lookup_type, any),
        lookup,
    )
    .nullable()
    .variadic(
        Parameter::new("default", Kind::Any)
            .null()
            .unknown()
            .dynamic()
            .marked(),
    ),
    Function::new(
        "merge",
        "A map or object with the elements of all; of two under one key the later one.",
        &[],
        Returns::From(merge_type, any),
        merge,
    )
    .variadic(Parameter::new("maps", Kind::Any).null().dynamic().marked()),
    Function::new(
        "transpose",
        "A map from each text in the lists of a map to the keys of the lists that hold it.",
        &[Parameter::new("values", Kind::MapOfTexts)],
        Returns::From(
            |_| Ok(Type::map(Type::list(Type::String))),
            || Type::map(Type::list(Type::String)),
        ),
        transpose,
    ),
    Function::new(
        "values",
        "The elements of a map or object, in the order of their keys.",
        &[Parameter::new("mapping", Kind::Any).marked()],
        Returns::From(values_type, any),
        values,
    ),
    Function::new(
        "zipmap",
        "A map or object of keys from one list and values from another.",
        &[
            Parameter::new("keys", Kind::Texts).marked(),
            Parameter::new("values", Kind::Any).marked(),
        ],
        Returns::From(zipmap_type, any),
        zipmap,
    ),
];

fn keys_type(values: &[Value]) -> Result<Type, CallError> {
    match values.first().map(Value::ty) {
        Some(Type::Map(_)) => Ok(Type::list(Type::String)),
        Some(Type::Object(o)) => {
            let strings = std::iter::repeat_n(Type::String, o.attributes.len());
            Ok(Type::tuple(strings))
        }
        Some(Type::Dynamic) | None => Ok(Type::Dynamic),
        _ => Err(CallError::argument(0, "must have map or object type")),
    }
}

fn keys(a: &Arguments<'_>) -> Result<Value, CallError> {
    let ty = keys_type(a.values())?;
    let map = a.value(0);
    let marks = map.marks();
    let key = |k: &Arc<str>| Value::from(Data::String(Arc::clone(k)));
    let keys = match map.data() {
        Data::Map(_, entries) => Value::list(Type::String, entries.keys().map(key)),
        Data::Object(entries) => Value::tuple(entries.keys().map(key)),
        // The names of attributes are known before their values are.
        Data::Unknown(Type::Object(o), _) => Value::tuple(o.attributes.keys().map(key)),
        _ => Value::unknown(ty).never_null(),
    };
    Ok(keys.with_marks(marks))
}

fn lookup_type(values: &[Value]) -> Result<Type, CallError> {
    if values.len() > 3 {
        return Err(CallError::new(format!(
            "lookup() takes two or three arguments, got {}",
            values.len()
        )));
    }
    let [map, key, ..] = values else {
        return Ok(Type::Dynamic);
    };
    match map.ty() {
        Type::Object(o) => {
            let Some(key) = key.as_str() else {
                return Ok(Type::Dynamic);
            };
            if let Some(t) = o.attributes.get(key) {
                return Ok(t.clone());
            }
            match values.get(2) {
                Some(default) => Ok(default.ty()),
                None => Err(CallError::argument(
                    0,
                    format!("the given object has no attribute {}", quoted(key)),
                )),
            }
        }
        Type::Map(t) => {
            if let Some(default) = values.get(2)
                && !convertible(&default.ty(), &t, Safety::MayFail)
            {
                return Err(CallError::argument(
                    2,
                    "the default value must have the same type as the map elements",
                ));
            }
            Ok(t.as_ref().clone())
        }
        _ => Err(CallError::argument(
            0,
            "lookup() requires a map as the first argument",
        )),
    }
}

fn lookup(a: &Arguments<'_>) -> Result<Value, CallError> {
    let ty = lookup_type(a.values())?;
    let (map, key) = (a.value(0), a.value(1));
    let default = a.values().get(2);
    let marks = map.marks() | key.marks();
    if let Some(found) = map.get(a.text(1)) {
        return Ok(found.clone().with_marks(marks));
    }
    match default {
        Some(default) if matches!(map.data(), Data::Map(..)) => convert(default, &ty)
            .map(|value| value.with_marks(marks))
            .map_err(|e| CallError::argument(2, e.message)),
        Some(default) => Ok(default.clone().with_marks(marks)),
        None => {
            let key = if marks.is_sensitive() {
                "(sensitive value)".to_owned()
            } else {
                quoted(a.text(1))
            };
            Err(CallError::new(format!("lookup failed to find key {key}")))
        }
    }
}

fn merge_type(values: &[Value]) -> Result<Type, CallError> {
    if values.is_empty() {
        return Ok(Type::object::<Arc<str>>([]));
    }
    let mut attributes = BTreeMap::new();
    let mut types: Vec<Type> = Vec::new();
    let mut known = true;
    for value in values {
        match value.ty() {
            Type::Dynamic if value.is_null() => {}
            Type::Dynamic => return Ok(Type::Dynamic),
            Type::Map(t) => {
                match value.entries() {
                    Some(entries) => attributes
                        .extend(entries.keys().map(|k| (Arc::clone(k), t.as_ref().clone()))),
                    None => known &= value.is_null(),
                }
                types.push(Type::Map(t));
            }
            Type::Object(o) => {
                if !value.is_null() {
                    let more = o.attributes.iter();
                    attributes.extend(more.map(|(k, t)| (Arc::clone(k), t.clone())));
                }
                types.push(Type::Object(o));
            }
            ty => {
                return Err(CallError::new(format!(
                    "arguments must be maps or objects, got {}",
                    quoted(&type_name(&ty))
                )));
            }
        }
    }
    match types.split_first() {
        Some((first @ Type::Map(_), rest)) if rest.iter().all(|t| t == first) => Ok(first.clone()),
        _ if !known => Ok(Type::Dynamic),
        _ => Ok(Type::object(attributes)),
    }
}

fn merge(a: &Arguments<'_>) -> Result<Value, CallError> {
    let ty = merge_type(a.values())?;
    let mut marks = Marks::NONE;
    let mut merged: Option<Arc<mlinfra_sdk::value::Entries>> = None;
    for value in a.values() {
        marks |= value.marks();
        if let Data::Map(_, entries) | Data::Object(entries) = value.data() {
            match &mut merged {
                // The first is shared until a second has something to add.
                None => merged = Some(Arc::clone(entries)),
                Some(merged) => {
                    let more = entries.iter().map(|(k, v)| (Arc::clone(k), v.clone()));
                    Arc::make_mut(merged).extend(more);
                }
            }
        }
    }
    let merged = merged.unwrap_or_default();
    let value = match ty {
        Type::Map(t) => Value::from(Data::Map(t.as_ref().clone(), merged)),
        _ => Value::from(Data::Object(merged)),
    };
    Ok(value.with_marks(marks))
}

fn transpose(a: &Arguments<'_>) -> Result<Value, CallError> {
    let map = a.value(0);
    if !map.is_wholly_known() {
        return Ok(Value::unknown(Type::map(Type::list(Type::String))).never_null());
    }
    let mut transposed: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (key, list) in map.entries().into_iter().flatten() {
        for item in list.elements().unwrap_or_default() {
            let Data::String(text) = item.data() else {
                return Err(CallError::new("input list must not contain null string"));
            };
            let keys = transposed.entry(Arc::clone(text)).or_default();
            keys.push(Value::from(Data::String(Arc::clone(key))));
        }
    }
    let entries = transposed
        .into_iter()
        .map(|(k, keys)| (k, Value::list(Type::String, keys)));
    Ok(Value::map(Type::list(Type::String), entries))
}

fn values_type(values: &[Value]) -> Result<Type, CallError> {
    match values.first().map(Value::ty) {
        Some(Type::Map(t)) => Ok(Type::List(t)),
        Some(Type::Object(o)) => Ok(Type::tuple(o.attributes.values().cloned())),
        _ => Err(CallError::new(
            "values() requires a map as the first argument",
        )),
    }
}

fn values(a: &Arguments<'_>) -> Result<Value, CallError> {
    values_type(a.values())?;
    let map = a.value(0);
    let items = map
        .entries()
        .into_iter()
        .flat_map(BTreeMap::values)
        .cloned();
    let value = match map.data() {
        Data::Map(t, _) => Value::list(t.clone(), items),
        _ => Value::tuple(items),
    };
    Ok(value.with_marks(map.marks()))
}

const ZIPMAP: &str = "values argument must be a list or tuple value";

fn zipmap_type(args: &[Value]) -> Result<Type, CallError> {
    let [keys, values] = args else {
        return Ok(Type::Dynamic);
    };
    match values.ty() {
        Type::List(t) => Ok(Type::Map(t)),
        Type::Tuple(types) => {
            let Some(names) = known_texts(keys) else {
                return Ok(Type::Dynamic);
            };
            if names.len() != types.len() {
                return Err(length_mismatch(names.len(), types.len()));
            }
            Ok(Type::object(names.into_iter().zip(types.iter().cloned())))
        }
        _ => Err(CallError::new(ZIPMAP)),
    }
}

fn length_mismatch(keys: usize, values: usize) -> CallError {
    CallError::new(format!(
        "number of keys ({keys}) does not match number of values ({values})"
    ))
}

/// The texts of a list; `None` when one of them is not known or null.
fn known_texts(list: &Value) -> Option<Vec<Arc<str>>> {
    let texts = list.elements()?.iter().map(|item| match item.data() {
        Data::String(text) => Some(Arc::clone(text)),
        _ => None,
    });
    texts.collect()
}

fn zipmap(a: &Arguments<'_>) -> Result<Value, CallError> {
    let (keys, values) = (a.value(0), a.value(1));
    let ty = zipmap_type(a.values())?;
    let items = a.elements(1);
    let mut marks = keys.marks() | values.marks();
    for key in a.elements(0) {
        marks |= key.marks();
    }
    let Some(names) = known_texts(keys) else {
        return Ok(Value::unknown(ty).never_null().with_marks(marks));
    };
    if names.len() != items.len() {
        return Err(length_mismatch(names.len(), items.len()));
    }
    let entries = names.into_iter().zip(items.iter().cloned());
    let value = match &ty {
        Type::Map(t) => Value::map(t.as_ref().clone(), entries),
        _ => Value::object(entries.collect::<Vec<_>>()),
    };
    Ok(value.with_marks(marks))
}
