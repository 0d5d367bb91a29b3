//! Attributes and elements of values.

use mlinfra_sdk::{Data, Number, Type, Value};

use crate::diag::Diagnostic;
use crate::lang::convert::convert;
use crate::lang::names::type_name;
use crate::lang::suggest::suggestion;

const INVALID_INDEX: &str = "Invalid index";
const UNSUPPORTED_ATTRIBUTE: &str = "Unsupported attribute";

/// The attribute of an object, or the element of a map by the same notation.
///
/// # Errors
/// When there is none; the diagnostic has no place yet.
pub fn attribute(value: &Value, name: &str) -> Result<Value, Diagnostic> {
    let unsupported = |detail: String| Diagnostic::error(UNSUPPORTED_ATTRIBUTE, detail);
    let found = match value.data() {
        Data::Null(_) => {
            return Err(Diagnostic::error(
                "Attempt to get attribute from null value",
                "This value is null, so it does not have any attributes.",
            ));
        }
        Data::Object(entries) => entries.get(name).cloned().ok_or_else(|| {
            let detail = format!("This object does not have an attribute named {name:?}.");
            suggestion(name, entries.keys()).onto(unsupported(detail))
        })?,
        Data::Map(_, entries) => entries.get(name).cloned().ok_or_else(|| {
            let detail = format!("This map does not have an element with the key {name:?}.");
            let error = Diagnostic::error("Missing map element", detail);
            // The keys of a sensitive map are as secret as its elements.
            if value.marks().is_sensitive() {
                error
            } else {
                suggestion(name, entries.keys()).onto(error)
            }
        })?,
        Data::Unknown(Type::Dynamic, _) => Value::UNKNOWN,
        Data::Unknown(Type::Map(t), _) => Value::unknown(t.as_ref().clone()),
        Data::Unknown(Type::Object(o), _) => match o.attributes.get(name) {
            Some(t) => Value::unknown(t.clone()),
            None => {
                let detail = format!("This object does not have an attribute named {name:?}.");
                return Err(suggestion(name, o.attributes.keys()).onto(unsupported(detail)));
            }
        },
        _ => return Err(unsupported(no_attributes(&value.ty(), name))),
    };
    Ok(found.with_marks(value.marks()))
}

fn no_attributes(ty: &Type, name: &str) -> String {
    match ty {
        Type::List(t) => match t.as_ref() {
            Type::Object(o) if o.attributes.contains_key(name) => format!(
                "Can't access attributes on a list of objects. Did you mean to access attribute \
                 {name:?} for a specific element of the list, or across all elements of the list?"
            ),
            Type::Object(_) => "Can't access attributes on a list of objects. Did you mean to \
                 access an attribute for a specific element of the list, or across all elements \
                 of the list?"
                .into(),
            _ => "This value does not have any attributes.".into(),
        },
        Type::Set(t) if matches!(t.as_ref(), Type::Object(_)) => {
            "Can't access attributes on a set of objects. Did you mean to access an attribute \
             across all elements of the set?"
                .into()
        }
        ty if ty.is_primitive() => format!(
            "Can't access attributes on a primitive-typed value ({}).",
            type_name(ty)
        ),
        _ => "This value does not have any attributes.".into(),
    }
}

/// The element of a list, tuple or map, or the attribute of an object.
///
/// # Errors
/// When there is none; the diagnostic has no place yet.
pub fn index(collection: &Value, key: &Value) -> Result<Value, Diagnostic> {
    if collection.is_null() {
        return Err(Diagnostic::error(
            "Attempt to index null value",
            "This value is null, so it does not have any indices.",
        ));
    }
    if key.is_null() {
        return Err(invalid("Can't use a null value as an indexing key."));
    }
    let element = match collection.data() {
        Data::List(t, items) => sequence(items, key, || Value::unknown(t.clone()))?,
        Data::Tuple(items) => sequence(items, key, || Value::UNKNOWN)?,
        Data::Map(t, entries) => match text_key(key)? {
            Some(text) => entries
                .get(text.as_str())
                .cloned()
                .ok_or_else(|| missing(""))?,
            None => Value::unknown(t.clone()),
        },
        Data::Object(entries) => match text_key(key)? {
            Some(text) => entries
                .get(text.as_str())
                .cloned()
                .ok_or_else(|| missing(numeric_hint(key)))?,
            None => Value::UNKNOWN,
        },
        Data::Unknown(ty, _) => unknown(ty, collection, key)?,
        Data::Set(..) => return Err(invalid(SET)),
        _ => return Err(invalid(NO_INDICES)),
    };
    Ok(element.with_marks(collection.marks() | key.marks()))
}

const SET: &str = "Elements of a set are identified only by their value and don't have any \
    separate index or key to select with, so it's only possible to perform operations across all \
    elements of the set.";
const NO_INDICES: &str = "This value does not have any indices.";

fn invalid(detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error(INVALID_INDEX, detail)
}

fn no_element(why: impl std::fmt::Display) -> Diagnostic {
    invalid(format!(
        "The given key does not identify an element in this collection value: {why}."
    ))
}

fn missing(hint: &str) -> Diagnostic {
    invalid(format!(
        "The given key does not identify an element in this collection value.{hint}"
    ))
}

fn numeric_hint(key: &Value) -> &'static str {
    match key.as_number() {
        Some(_) => " An object only supports looking up attributes by name, not by numeric index.",
        None => "",
    }
}

/// The key as text; `None` when it is not known.
fn text_key(key: &Value) -> Result<Option<String>, Diagnostic> {
    if let Some(text) = key.as_str() {
        return Ok(Some(text.to_owned()));
    }
    let key = convert(key, &Type::String).map_err(no_element)?;
    Ok(key.as_str().map(str::to_owned))
}

fn sequence(
    items: &[Value],
    key: &Value,
    unknown: impl FnOnce() -> Value,
) -> Result<Value, Diagnostic> {
    let number = convert(key, &Type::Number).map_err(no_element)?;
    let Some(number) = number.as_number() else {
        return Ok(unknown());
    };
    let position = number.as_i64().and_then(|i| usize::try_from(i).ok());
    position
        .and_then(|i| items.get(i))
        .cloned()
        .ok_or_else(|| no_position(number, Some(items.len())))
}

fn no_position(number: &Number, length: Option<usize>) -> Diagnostic {
    if !number.is_integer() && !number.is_infinite() {
        return no_element(
            "indexing a sequence requires a whole number, but the given index has a fractional \
             part",
        );
    }
    if number.is_negative() {
        return no_element("a negative number is not a valid index for a sequence");
    }
    match length {
        // Only of the first index beyond the end more is said.
        Some(length) if *number != Number::from(length) => missing(""),
        Some(0) => no_element("the collection has no elements"),
        Some(_) => {
            no_element("the given index is greater than or equal to the length of the collection")
        }
        None => missing(""),
    }
}

fn unknown(ty: &Type, collection: &Value, key: &Value) -> Result<Value, Diagnostic> {
    let number = || convert(key, &Type::Number).map_err(no_element);
    match ty {
        Type::Dynamic => Ok(Value::UNKNOWN),
        _ if matches!(key.data(), Data::Unknown(Type::Dynamic, _)) => Ok(Value::UNKNOWN),
        Type::List(t) => {
            if let Some(number) = number()?.as_number() {
                let (_, greatest) = collection.length_bounds();
                let beyond = greatest.is_some_and(|most| *number >= Number::from(most));
                if number.is_negative() || !number.is_integer() || beyond {
                    return Err(no_position(number, greatest));
                }
            }
            Ok(Value::unknown(t.as_ref().clone()))
        }
        Type::Map(t) => {
            text_key(key)?;
            Ok(Value::unknown(t.as_ref().clone()))
        }
        Type::Tuple(types) => {
            let number = number()?;
            let Some(number) = number.as_number() else {
                return Ok(Value::UNKNOWN);
            };
            let position = number.as_i64().and_then(|i| usize::try_from(i).ok());
            position
                .and_then(|i| types.get(i))
                .cloned()
                .map(Value::unknown)
                .ok_or_else(|| no_position(number, Some(types.len())))
        }
        Type::Object(o) => match text_key(key)? {
            Some(text) if !o.attributes.contains_key(text.as_str()) => {
                Err(missing(numeric_hint(key)))
            }
            Some(text) => Ok(Value::unknown(
                o.attributes
                    .get(text.as_str())
                    .cloned()
                    .unwrap_or(Type::Dynamic),
            )),
            None => Ok(Value::UNKNOWN),
        },
        Type::Set(_) => Err(invalid(SET)),
        _ => Err(invalid(NO_INDICES)),
    }
}
