//! The plan that a resource gets unless it makes its own.

use crate::path::Path;
use crate::provider::{Plan, Planned};
use crate::schema::{Mode, Schema};
use crate::value::{Data, Value};

/// The configuration with its computed attributes filled in: kept from `prior` where there is one,
/// unknown otherwise. Optional attributes that were left out take their default.
pub fn proposed(schema: &Schema, prior: Option<&Value>, config: &Value) -> Value {
    let Some(configured) = config.entries() else {
        return config.clone();
    };
    let attributes = configured.iter().map(|(name, value)| {
        let Some(attribute) = schema.attributes.get(name) else {
            return (name.clone(), value.clone());
        };
        if attribute.write_only {
            return (name.clone(), Value::null(attribute.ty.clone()));
        }
        let proposed = match (attribute.mode, value.data()) {
            (Mode::Computed, _) | (Mode::OptionalComputed, Data::Null(_)) => {
                match prior.and_then(|p| p.get(name)) {
                    Some(kept) if !attribute.volatile => kept.clone(),
                    _ => Value::unknown(attribute.ty.clone()),
                }
            }
            (_, Data::Null(_)) => attribute.default.clone().unwrap_or_else(|| value.clone()),
            _ => value.clone(),
        };
        (name.clone(), proposed)
    });
    let proposed = Value::object(attributes).with_marks(config.marks());
    match prior {
        // Volatile attributes are unknown only if something else changes.
        Some(prior) => settle(schema, prior, proposed),
        None => proposed,
    }
}

/// Keeps what was there when nothing else changes.
fn settle(schema: &Schema, prior: &Value, proposed: Value) -> Value {
    let unchanged = proposed
        .entries()
        .into_iter()
        .flatten()
        .all(|(name, value)| {
            let volatile = schema.attributes.get(name).is_some_and(|a| a.volatile);
            let was = prior.get(name).cloned().map(|v| v.unmark_deep().0);
            (volatile && !value.is_known()) || was == Some(value.clone().unmark_deep().0)
        });
    if !unchanged {
        return proposed;
    }
    let kept = proposed
        .entries()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let value = match prior.get(name) {
                Some(was) if !value.is_known() => was.clone(),
                _ => value.clone(),
            };
            (name.clone(), value)
        });
    Value::object(kept).with_marks(proposed.marks())
}

/// What is proposed, with a replacement where an attribute marked so changes.
pub fn default_plan(schema: &Schema, request: Plan<'_>) -> Planned {
    let replace = request
        .prior
        .map(|prior| replacements(schema, prior, &request.proposed))
        .unwrap_or_default();
    Planned {
        value: request.proposed,
        replace,
        notes: Vec::new(),
    }
}

/// The attributes whose change needs a new object, and which change.
pub fn replacements(schema: &Schema, prior: &Value, proposed: &Value) -> Vec<Path> {
    let changed = |name: &str| {
        let plain = |v: Option<&Value>| v.cloned().map(|v| v.unmark_deep().0);
        plain(prior.get(name)) != plain(proposed.get(name))
    };
    schema
        .attributes
        .iter()
        .filter(|(name, attribute)| attribute.force_new && changed(name))
        .map(|(name, _)| Path::attribute(name.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Attribute;
    use crate::ty::Type;

    fn schema() -> Schema {
        Schema::new("")
            .attribute("id", Attribute::computed(Type::String))
            .attribute("name", Attribute::required(Type::String).force_new())
            .attribute("size", Attribute::optional(Type::Number).default(3i64))
            .attribute("version", Attribute::computed(Type::Number).volatile())
    }

    fn value(id: Value, name: &str, size: Value, version: Value) -> Value {
        Value::object([
            ("id", id),
            ("name", Value::from(name)),
            ("size", size),
            ("version", version),
        ])
    }

    fn config(name: &str, size: Value) -> Value {
        value(
            Value::null(Type::String),
            name,
            size,
            Value::null(Type::Number),
        )
    }

    #[test]
    fn a_creation_leaves_computed_attributes_unknown_and_fills_defaults() {
        let proposed = proposed(&schema(), None, &config("a", Value::null(Type::Number)));
        assert!(!proposed.get("id").unwrap().is_known());
        assert_eq!(proposed.get("size"), Some(&Value::from(3i64)));
    }

    #[test]
    fn an_update_keeps_computed_attributes_and_forgets_volatile_ones() {
        let prior = value("i".into(), "a", 3i64.into(), 1i64.into());
        let same = proposed(&schema(), Some(&prior), &config("a", 3i64.into()));
        assert_eq!(same, prior);
        let grown = proposed(&schema(), Some(&prior), &config("a", 4i64.into()));
        assert_eq!(grown.get("id"), prior.get("id"));
        assert!(!grown.get("version").unwrap().is_known());
    }

    #[test]
    fn a_change_of_a_fixed_attribute_replaces() {
        let prior = value("i".into(), "a", 3i64.into(), 1i64.into());
        let renamed = proposed(&schema(), Some(&prior), &config("b", 3i64.into()));
        assert_eq!(
            replacements(&schema(), &prior, &renamed),
            [Path::attribute("name")]
        );
    }
}
