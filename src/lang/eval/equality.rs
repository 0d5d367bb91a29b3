//! Equality: without conversion, and decided early where what is known suffices.

use mlinfra_sdk::{Data, Number, Refinement, Type, Value};

/// Whether two values are equal: true, false, or unknown.
pub fn equal(a: &Value, b: &Value) -> Value {
    let marks = a.marks_deep() | b.marks_deep();
    let value = match equality(a, b) {
        Some(equal) => Value::from(equal),
        None => Value::unknown(Type::Bool).never_null(),
    };
    value.with_marks(marks)
}

/// Whether two values are equal; `None` when that is not known.
fn equality(a: &Value, b: &Value) -> Option<bool> {
    if a.is_null() && b.is_never_null() || b.is_null() && a.is_never_null() {
        return Some(false);
    }
    match (a.is_known(), b.is_known()) {
        (true, true) => {}
        (true, false) => return if includes(b, a) { None } else { Some(false) },
        (false, true) => return if includes(a, b) { None } else { Some(false) },
        (false, false) => return None,
    }
    if a.is_null() || b.is_null() {
        return Some(a.is_null() && b.is_null());
    }
    match (a.data(), b.data()) {
        (Data::Bool(a), Data::Bool(b)) => Some(a == b),
        (Data::Number(a), Data::Number(b)) => Some(a == b),
        (Data::String(a), Data::String(b)) => Some(a == b),
        (Data::Type(a), Data::Type(b)) => Some(a == b),
        _ => structural(a, b),
    }
}

fn structural(a: &Value, b: &Value) -> Option<bool> {
    let (ta, tb) = (a.ty(), b.ty());
    if ta.has_dynamic() || tb.has_dynamic() {
        if !conforms(&ta, &tb) && !conforms(&tb, &ta) {
            return Some(false);
        }
        if !a.is_wholly_known() || !b.is_wholly_known() {
            return None;
        }
        // A null within has no type of its own.
    } else if ta != tb {
        return Some(false);
    }
    match (a.data(), b.data()) {
        (Data::List(_, x), Data::List(_, y)) | (Data::Tuple(x), Data::Tuple(y)) => {
            if x.len() != y.len() {
                return Some(false);
            }
            for (a, b) in x.iter().zip(y.iter()) {
                match equality(a, b) {
                    Some(true) => {}
                    other => return other,
                }
            }
            Some(true)
        }
        (Data::Set(_, x), Data::Set(_, y)) => {
            if !a.is_wholly_known() || !b.is_wholly_known() {
                return Some(false);
            }
            Some(x == y)
        }
        (Data::Map(_, x), Data::Map(_, y)) | (Data::Object(x), Data::Object(y)) => {
            if !x.keys().eq(y.keys()) {
                return Some(false);
            }
            let mut known = true;
            for (a, b) in x.values().zip(y.values()) {
                match equality(a, b) {
                    Some(true) => {}
                    Some(false) => return Some(false),
                    None => known = false,
                }
            }
            known.then_some(true)
        }
        _ => Some(false),
    }
}

/// Whether a type fits another in which some things are open.
fn conforms(ty: &Type, wanted: &Type) -> bool {
    match (ty, wanted) {
        (_, Type::Dynamic) => true,
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => conforms(a, b),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| conforms(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            a.attributes.keys().eq(b.attributes.keys())
                && a.attributes
                    .values()
                    .zip(b.attributes.values())
                    .all(|(a, b)| conforms(a, b))
        }
        (a, b) => a == b,
    }
}

/// Whether an unknown value may turn out to be the known one.
fn includes(unknown: &Value, known: &Value) -> bool {
    let Data::Unknown(ty, refinement) = unknown.data() else {
        return true;
    };
    if known.is_null() {
        return !unknown.is_never_null();
    }
    let known_type = known.ty();
    if !conforms(&known_type, ty) && !conforms(ty, &known_type) {
        return false;
    }
    refinement
        .as_deref()
        .is_none_or(|refinement| fits(refinement, known))
}

fn fits(refinement: &Refinement, known: &Value) -> bool {
    match known.data() {
        Data::String(text) => refinement
            .prefix
            .as_deref()
            .is_none_or(|prefix| text.starts_with(prefix)),
        Data::Number(n) => {
            let above = |(bound, inclusive): &(Number, bool)| n > bound || *inclusive && n == bound;
            let below = |(bound, inclusive): &(Number, bool)| n < bound || *inclusive && n == bound;
            refinement.lower.as_ref().is_none_or(above)
                && refinement.upper.as_ref().is_none_or(below)
        }
        _ => {
            let (least, greatest) = known.length_bounds();
            greatest.is_none_or(|n| n >= refinement.least_length.unwrap_or(0))
                && refinement.greatest_length.is_none_or(|most| least <= most)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_prefix_tells_an_unknown_text_from_another() {
        let unknown = Value::unknown_refined(Type::String, Refinement::prefix("pre-x"));
        assert_eq!(
            equal(&unknown, &Value::from("other")).as_bool(),
            Some(false)
        );
        assert!(!equal(&unknown, &Value::from("pre-y")).is_known());
    }

    #[test]
    fn nulls_of_any_types_are_equal_and_values_of_other_types_are_not() {
        assert_eq!(
            equal(&Value::null(Type::String), &Value::NULL).as_bool(),
            Some(true)
        );
        let tuple = Value::tuple([Value::from(1i64)]);
        let list = Value::list(Type::Number, [Value::from(1i64)]);
        assert_eq!(equal(&tuple, &list).as_bool(), Some(false));
        assert_eq!(
            equal(&Value::from(1i64), &Value::from("1")).as_bool(),
            Some(false)
        );
    }
}
