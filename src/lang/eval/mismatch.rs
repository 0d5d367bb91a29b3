//! Why the two results of a conditional have no type in common.

use mlinfra_sdk::Type;

use crate::lang::names::type_name;

/// One sentence without its full stop.
pub(super) fn conditional_mismatch(if_true: &Type, if_false: &Type) -> String {
    structural(if_true, if_false).unwrap_or_else(|| {
        format!(
            "The 'true' value is {}, but the 'false' value is {}",
            type_name(if_true),
            type_name(if_false)
        )
    })
}

/// The same about what lies inside; `None` when the two are the same there.
fn nested(if_true: &Type, if_false: &Type) -> Option<String> {
    (if_true != if_false).then(|| conditional_mismatch(if_true, if_false))
}

fn structural(if_true: &Type, if_false: &Type) -> Option<String> {
    match (if_true, if_false) {
        (Type::Object(a), Type::Object(b)) => {
            let absent = |present: &str, other: &str, name: &str| {
                format!(
                    "The '{present}' value includes object attribute {name:?}, which is absent in \
                     the '{other}' value"
                )
            };
            for (name, t) in &a.attributes {
                let Some(f) = b.attributes.get(name) else {
                    return Some(absent("true", "false", name));
                };
                if let Some(why) = nested(t, f) {
                    return Some(format!(
                        "Type mismatch for object attribute {name:?}: {why}"
                    ));
                }
            }
            b.attributes
                .keys()
                .find(|name| !a.attributes.contains_key(*name))
                .map(|name| absent("false", "true", name))
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() != b.len() => Some(format!(
            "The 'true' tuple has length {}, but the 'false' tuple has length {}",
            a.len(),
            b.len()
        )),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.iter().zip(b.iter()).enumerate().find_map(|(i, (t, f))| {
                let why = nested(t, f)?;
                Some(format!("Type mismatch for tuple element {i}: {why}"))
            })
        }
        (Type::List(a), Type::List(b)) => elements("list", a, b),
        (Type::Set(a), Type::Set(b)) => elements("set", a, b),
        (Type::Map(a), Type::Map(b)) => elements("map", a, b),
        _ => None,
    }
}

fn elements(kind: &str, if_true: &Type, if_false: &Type) -> Option<String> {
    let comparable = matches!(
        (if_true, if_false),
        (Type::Object(_), Type::Object(_)) | (Type::Tuple(_), Type::Tuple(_))
    );
    if !comparable {
        return None;
    }
    let why = nested(if_true, if_false)?;
    Some(format!("Mismatched {kind} element types: {why}"))
}
