//! Converts values between types: what fails by its type alone, and what fails by its value.

use std::sync::Arc;

use mlinfra_sdk::ty::ObjectType;
use mlinfra_sdk::{Data, Number, Path, Refinement, Step, Type, Value};

use super::names::constraint_name;
use super::unify::unify_with;

/// A value that cannot be converted.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConvertError {
    /// Where in the value.
    pub path: Path,
    /// What is wrong there: `a number is required`.
    pub message: String,
}

impl ConvertError {
    fn here(message: impl Into<String>) -> ConvertError {
        ConvertError {
            path: Path::root(),
            message: message.into(),
        }
    }

    /// The same error as seen from one step further out.
    fn inside(mut self, step: Step) -> ConvertError {
        self.path.0.insert(0, step);
        self
    }

    /// The message after the place, where there is one: `.a[0]: a number is required`.
    pub fn located(&self) -> String {
        match self.path.0.first() {
            None => self.message.clone(),
            Some(Step::Attribute(_)) => format!(".{}: {}", self.path, self.message),
            Some(_) => format!("{}: {}", self.path, self.message),
        }
    }
}

/// Whether only conversions are meant that succeed for every value of the type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Safety {
    /// Those that cannot fail: a number to a string.
    CannotFail,
    /// Also those that some values do not survive: a string to a number.
    MayFail,
}

/// Converts a value, at every depth.
///
/// # Errors
/// When the type of the value rules it out, or the value itself.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    if has_type(value, ty) {
        return Ok(value.clone());
    }
    let from = value.ty();
    if !convertible(&from, ty, Safety::MayFail) {
        return Err(ConvertError::here(mismatch(&from, ty)));
    }
    value_to(value, ty)
}

/// Whether the value has exactly this type, so that nothing is to be done.
fn has_type(value: &Value, ty: &Type) -> bool {
    match (value.data(), ty) {
        (_, Type::Dynamic) => true,
        (Data::Bool(_), Type::Bool)
        | (Data::Number(_), Type::Number)
        | (Data::String(_), Type::String)
        | (Data::Type(_), Type::Type) => true,
        (Data::Unknown(t, _) | Data::Null(t), ty) => t == ty,
        (Data::List(t, _), Type::List(u))
        | (Data::Set(t, _), Type::Set(u))
        | (Data::Map(t, _), Type::Map(u)) => t == u.as_ref(),
        (Data::Tuple(items), Type::Tuple(types)) => {
            items.len() == types.len()
                && items
                    .iter()
                    .zip(types.iter())
                    .all(|(item, t)| has_type(item, t) && *t != Type::Dynamic)
        }
        (Data::Object(entries), Type::Object(o)) => {
            entries.len() == o.attributes.len()
                && o.optional.is_empty()
                && entries
                    .iter()
                    .zip(&o.attributes)
                    .all(|((k, v), (name, t))| k == name && has_type(v, t) && *t != Type::Dynamic)
        }
        _ => false,
    }
}

/// Whether values of one type can become values of another.
pub fn convertible(from: &Type, to: &Type, safety: Safety) -> bool {
    let may_fail = safety == Safety::MayFail;
    if from == to {
        return true;
    }
    match (from, to) {
        (_, Type::Dynamic) => true,
        (Type::Dynamic, _) => may_fail,
        (Type::Number | Type::Bool, Type::String) => true,
        (Type::String, Type::Number | Type::Bool) => may_fail,
        (Type::Object(a), Type::Object(b)) => {
            b.attributes
                .iter()
                .all(|(name, to)| match a.attributes.get(name) {
                    Some(from) => convertible(from, to, safety),
                    None => b.optional.contains(name),
                })
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b.iter())
                    .all(|(a, b)| convertible(a, b, safety))
        }
        (Type::List(a) | Type::Set(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) => {
            convertible(a, b, safety)
        }
        // The order and the repetitions of a list are lost in a set.
        (Type::List(a), Type::Set(b)) => may_fail && convertible(a, b, safety),
        (Type::Map(a), Type::Map(b)) => convertible(a, b, safety),
        (Type::Tuple(a), Type::List(b) | Type::Set(b)) => elements_convertible(a.iter(), b, safety),
        (Type::Object(a), Type::Map(b)) => elements_convertible(a.attributes.values(), b, safety),
        (Type::Map(a), Type::Object(b)) => {
            may_fail && b.attributes.values().all(|to| convertible(a, to, safety))
        }
        _ => false,
    }
}

fn elements_convertible<'t>(
    from: impl Iterator<Item = &'t Type> + Clone,
    to: &Type,
    safety: Safety,
) -> bool {
    if *to == Type::Dynamic {
        let types: Vec<Type> = from.cloned().collect();
        return types.is_empty() || unify_with(&types, safety).is_some();
    }
    from.clone().all(|from| convertible(from, to, safety))
}

/// A type without the notion that some attributes may be left out, as the type of a value is.
pub(super) fn without_optional(ty: &Type) -> Type {
    match ty {
        Type::List(t) => Type::list(without_optional(t)),
        Type::Set(t) => Type::set(without_optional(t)),
        Type::Map(t) => Type::map(without_optional(t)),
        Type::Tuple(ts) => Type::tuple(ts.iter().map(without_optional)),
        Type::Object(o) => Type::object(
            o.attributes
                .iter()
                .map(|(k, t)| (Arc::clone(k), without_optional(t))),
        ),
        ty => ty.clone(),
    }
}

/// The wanted type, with what the given type says where the wanted one leaves it open.
fn filled_in(given: &Type, wanted: &Type) -> Type {
    match (given, wanted) {
        (given, Type::Dynamic) => given.clone(),
        (Type::Dynamic, wanted) => wanted.clone(),
        (Type::List(a) | Type::Set(a), Type::List(b)) => Type::list(filled_in(a, b)),
        (Type::List(a) | Type::Set(a), Type::Set(b)) => Type::set(filled_in(a, b)),
        (Type::Map(a), Type::Map(b)) => Type::map(filled_in(a, b)),
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            Type::tuple(a.iter().zip(b.iter()).map(|(a, b)| filled_in(a, b)))
        }
        (Type::Tuple(a), Type::List(b)) => Type::list(element_filled_in(a.iter(), b)),
        (Type::Tuple(a), Type::Set(b)) => Type::set(element_filled_in(a.iter(), b)),
        (Type::Object(a), Type::Map(b)) => Type::map(element_filled_in(a.attributes.values(), b)),
        (Type::Map(a), Type::Object(b)) => object_type(b, |_, to| filled_in(a, to)),
        (Type::Object(a), Type::Object(b)) => {
            object_type(b, |name, to| match a.attributes.get(name) {
                Some(from) => filled_in(from, to),
                None => to.clone(),
            })
        }
        (_, wanted) => wanted.clone(),
    }
}

fn object_type(of: &ObjectType, attribute: impl Fn(&str, &Type) -> Type) -> Type {
    Type::object(
        of.attributes
            .iter()
            .map(|(name, t)| (Arc::clone(name), attribute(name, t))),
    )
}

fn element_filled_in<'t>(given: impl Iterator<Item = &'t Type>, wanted: &Type) -> Type {
    if !wanted.has_dynamic() {
        return wanted.clone();
    }
    let filled: Vec<Type> = given.map(|g| filled_in(g, wanted)).collect();
    unify_with(&filled, Safety::MayFail).unwrap_or_else(|| wanted.clone())
}

/// Converts a value of which the type says that it can be.
fn value_to(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    if has_type(value, ty) {
        return Ok(value.clone());
    }
    let converted = match value.data() {
        Data::Unknown(from, refinement) => {
            let to = filled_in(from, &without_optional(ty));
            unknown_to(from, refinement.as_deref(), to)
        }
        Data::Null(from) => Value::null(filled_in(from, &without_optional(ty))),
        _ => known_to(value, ty)?,
    };
    Ok(converted.with_marks(value.marks()))
}

fn known_to(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    match (value.data(), ty) {
        (Data::Number(n), Type::String) => Ok(Value::from(n.to_string())),
        (Data::Bool(b), Type::String) => Ok(Value::from(if *b { "true" } else { "false" })),
        (Data::String(s), Type::Number) => s
            .parse::<Number>()
            .map(Value::from)
            .map_err(|_| ConvertError::here("a number is required")),
        (Data::String(s), Type::Bool) => to_bool(s).map_err(ConvertError::here),
        (Data::List(_, items) | Data::Set(_, items), Type::List(t) | Type::Set(t)) => {
            let given = value.ty().element().cloned();
            sequence(items, given, t, ty)
        }
        (Data::Tuple(items), Type::List(t) | Type::Set(t)) => sequence(items, None, t, ty),
        (Data::Tuple(items), Type::Tuple(types)) => {
            let mut converted = Vec::with_capacity(items.len());
            for (i, (item, t)) in items.iter().zip(types.iter()).enumerate() {
                converted.push(value_to(item, t).map_err(|e| e.inside(Step::Index(i)))?);
            }
            Ok(Value::tuple(converted))
        }
        (Data::Map(from, entries), Type::Map(t)) => map(entries, Some(from), t),
        (Data::Object(entries), Type::Map(t)) => map(entries, None, t),
        (Data::Object(entries) | Data::Map(_, entries), Type::Object(o)) => {
            let is_map = matches!(value.data(), Data::Map(..));
            object(entries, is_map, o)
        }
        _ => Err(ConvertError::here(mismatch(&value.ty(), ty))),
    }
}

fn to_bool(text: &str) -> Result<Value, &'static str> {
    match text {
        "true" | "1" => Ok(Value::from(true)),
        "false" | "0" => Ok(Value::from(false)),
        "True" | "TRUE" => {
            Err("a bool is required; to convert from string, use lowercase \"true\"")
        }
        "False" | "FALSE" => {
            Err("a bool is required; to convert from string, use lowercase \"false\"")
        }
        _ => Err("a bool is required"),
    }
}

/// The element type that a collection gets: the wanted one, or what its elements have in common.
fn element_type(items: &[&Value], wanted: &Type) -> Option<Type> {
    if !wanted.has_dynamic() {
        return Some(without_optional(wanted));
    }
    let types: Vec<Type> = items.iter().map(|item| item.ty()).collect();
    let common = unify_with(&types, Safety::MayFail)?;
    if common != Type::Dynamic {
        return Some(common);
    }
    // Elements of no type of their own take that of the others.
    let mut typed = types.into_iter().filter(|t| *t != Type::Dynamic);
    let Some(first) = typed.next() else {
        return Some(Type::Dynamic);
    };
    typed.all(|t| t == first).then_some(first)
}

/// Converts the elements; then, where the wanted type leaves something open, once more to what
/// they have in common.
fn elements(items: Vec<(Step, &Value)>, wanted: &Type) -> Result<(Type, Vec<Value>), ConvertError> {
    let mut target = wanted.clone();
    if *wanted == Type::Dynamic {
        let values: Vec<&Value> = items.iter().map(|(_, v)| *v).collect();
        target = element_type(&values, wanted).unwrap_or(Type::Dynamic);
    }
    let mut converted = Vec::with_capacity(items.len());
    for (step, item) in items {
        converted.push(value_to(item, &target).map_err(|e| e.inside(step))?);
    }
    let values: Vec<&Value> = converted.iter().collect();
    let element = element_type(&values, &target)
        .ok_or_else(|| ConvertError::here("cannot find a common base type for all elements"))?;
    if target.has_dynamic() {
        for item in &mut converted {
            *item = value_to(item, &element)?;
        }
    }
    Ok((element, converted))
}

fn sequence(
    items: &[Value],
    given: Option<Type>,
    wanted: &Type,
    ty: &Type,
) -> Result<Value, ConvertError> {
    let (element, converted) = if items.is_empty() {
        let element = match given {
            Some(given) if *wanted == Type::Dynamic => given,
            _ => without_optional(wanted),
        };
        (element, Vec::new())
    } else {
        let items = items.iter().enumerate();
        let items = items.map(|(i, item)| (Step::Index(i), item)).collect();
        elements(items, wanted)?
    };
    Ok(match ty {
        Type::Set(_) => Value::set(element, converted),
        _ => Value::list(element, converted),
    })
}

fn map(
    entries: &mlinfra_sdk::value::Entries,
    given: Option<&Type>,
    wanted: &Type,
) -> Result<Value, ConvertError> {
    if entries.is_empty() {
        let element = match given {
            Some(given) if *wanted == Type::Dynamic => given.clone(),
            _ => without_optional(wanted),
        };
        return Ok(Value::map::<Arc<str>>(element, []));
    }
    let items = entries
        .iter()
        .map(|(k, v)| (Step::Key(Arc::clone(k)), v))
        .collect();
    let (element, converted) = elements(items, wanted)?;
    Ok(Value::map(element, entries.keys().cloned().zip(converted)))
}

fn object(
    entries: &mlinfra_sdk::value::Entries,
    is_map: bool,
    wanted: &ObjectType,
) -> Result<Value, ConvertError> {
    let mut attributes = Vec::with_capacity(wanted.attributes.len());
    for (name, t) in &wanted.attributes {
        let value = match entries.get(name) {
            Some(value) => {
                let step = if is_map {
                    Step::Key(Arc::clone(name))
                } else {
                    Step::Attribute(Arc::clone(name))
                };
                value_to(value, t).map_err(|e| e.inside(step))?
            }
            None if wanted.optional.contains(name) => Value::null(without_optional(t)),
            None => {
                return Err(ConvertError::here(format!(
                    "map has no element for required attribute {name:?}"
                )));
            }
        };
        attributes.push((Arc::clone(name), value));
    }
    Ok(Value::object(attributes))
}

/// An unknown value of another type keeps what is known of it as far as that still makes sense.
fn unknown_to(from: &Type, refinement: Option<&Refinement>, to: Type) -> Value {
    let mut kept = Refinement {
        not_null: refinement.is_some_and(|r| r.not_null),
        ..Refinement::default()
    };
    let (least, greatest) = match from {
        Type::Tuple(items) => (Some(items.len()), Some(items.len())),
        Type::Object(o) => (Some(o.attributes.len()), Some(o.attributes.len())),
        _ => (
            refinement.and_then(|r| r.least_length),
            refinement.and_then(|r| r.greatest_length),
        ),
    };
    match &to {
        Type::List(_) | Type::Map(_) => {
            kept.least_length = least;
            kept.greatest_length = greatest;
        }
        // Elements may turn out to be equal.
        Type::Set(_) => {
            kept.least_length = least.map(|n| n.min(1));
            kept.greatest_length = greatest;
        }
        _ => {}
    }
    Value::unknown_refined(to, kept)
}

/// Why values of one type cannot become values of another.
pub fn mismatch(from: &Type, to: &Type) -> String {
    let required = || format!("{} required", constraint_name(to));
    match (from, to) {
        (Type::Object(a), Type::Object(b)) => mismatched_objects(a, b),
        (Type::Tuple(_), Type::List(t)) if **t == Type::Dynamic => {
            "all list elements must have the same type".into()
        }
        (Type::Tuple(_), Type::Set(t)) if **t == Type::Dynamic => {
            "all set elements must have the same type".into()
        }
        (Type::Object(_), Type::Map(t)) if **t == Type::Dynamic => {
            "all map elements must have the same type".into()
        }
        (Type::Tuple(items), Type::List(t) | Type::Set(t)) => items
            .iter()
            .enumerate()
            .find(|(_, item)| !convertible(item, t, Safety::MayFail))
            .map_or_else(
                || format!("all elements must be {}", constraint_name(t)),
                |(i, item)| format!("element {i}: {}", mismatch(item, t)),
            ),
        (Type::Object(o), Type::Map(t)) => o
            .attributes
            .iter()
            .find(|(_, item)| !convertible(item, t, Safety::MayFail))
            .map_or_else(
                || format!("all elements must be {}", constraint_name(t)),
                |(name, item)| format!("element {name:?}: {}", mismatch(item, t)),
            ),
        (Type::List(a) | Type::Set(a), Type::List(b)) => {
            format!("incorrect list element type: {}", mismatch(a, b))
        }
        (Type::List(a) | Type::Set(a), Type::Set(b)) => {
            format!("incorrect set element type: {}", mismatch(a, b))
        }
        (Type::Map(a), Type::Map(b)) => format!("incorrect map element type: {}", mismatch(a, b)),
        _ => required(),
    }
}

fn mismatched_objects(from: &ObjectType, to: &ObjectType) -> String {
    let missing: Vec<String> = to
        .attributes
        .keys()
        .filter(|name| !from.attributes.contains_key(*name) && !to.optional.contains(*name))
        .map(|name| format!("{name:?}"))
        .collect();
    match missing.as_slice() {
        [] => {}
        [one] => return format!("attribute {one} is required"),
        [one, two] => return format!("attributes {one} and {two} are required"),
        [rest @ .., last] => {
            return format!("attributes {}, and {last} are required", rest.join(", "));
        }
    }
    let mismatch_of = |safety| {
        to.attributes.iter().find_map(|(name, to)| {
            let from = from.attributes.get(name)?;
            (!convertible(from, to, safety))
                .then(|| format!("attribute {name:?}: {}", mismatch(from, to)))
        })
    };
    mismatch_of(Safety::MayFail)
        .or_else(|| mismatch_of(Safety::CannotFail))
        .unwrap_or_else(|| "incorrect object attributes".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuple_becomes_a_list_of_what_its_elements_have_in_common() {
        let tuple = Value::tuple([Value::from(1i64), Value::from("two"), Value::NULL]);
        let list = convert(&tuple, &Type::list(Type::Dynamic)).unwrap();
        assert_eq!(
            list,
            Value::list(
                Type::String,
                [
                    Value::from("1"),
                    Value::from("two"),
                    Value::null(Type::String)
                ]
            )
        );
    }

    #[test]
    fn what_the_type_rules_out_names_no_place_and_what_the_value_rules_out_does() {
        let value = Value::tuple([Value::from("1"), Value::from("x")]);
        let error = convert(&value, &Type::list(Type::Number)).unwrap_err();
        assert_eq!(error.message, "a number is required");
        assert_eq!(error.path.to_string(), "[1]");
        let value = Value::tuple([Value::tuple([])]);
        let error = convert(&value, &Type::list(Type::Number)).unwrap_err();
        assert_eq!(error.message, "element 0: number required");
    }

    #[test]
    fn optional_attributes_are_null_and_others_required() {
        let ty = Type::object_with_optional([("a", Type::String), ("b", Type::Number)], ["b"]);
        let value = convert(&Value::object([("a", Value::from(1i64))]), &ty).unwrap();
        assert_eq!(value.get("b"), Some(&Value::null(Type::Number)));
        let error = convert(&Value::object([("b", Value::from(1i64))]), &ty).unwrap_err();
        assert_eq!(error.message, "attribute \"a\" is required");
    }

    #[test]
    fn marks_stay_where_they_are() {
        let value = Value::tuple([Value::from(1i64).sensitive(), Value::from(2i64)]);
        let list = convert(&value, &Type::list(Type::String)).unwrap();
        assert!(list.marks().is_none());
        assert!(list.elements().unwrap()[0].marks().is_sensitive());
    }
}
