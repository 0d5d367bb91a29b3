//! `ignore_changes`: arguments that keep what is there, whatever the configuration says by now.

use std::sync::Arc;

use mlinfra_sdk::{Data, Path, Schema, Step, Value};

use crate::addr::Mode;
use crate::config::{ResourceBlock, Triggers};
use crate::diag::{Diagnostic, Diagnostics, codes, nearest};
use crate::lang::{Expr, Traversal, TraversalStep};
use crate::state::paths;

/// What is wrong with the arguments that a block names.
pub(super) fn check(block: &ResourceBlock, schema: &Schema) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let Triggers::Some(references) = &block.lifecycle.ignore_changes else {
        return diagnostics;
    };
    for traversal in references.iter().flat_map(Expr::references) {
        let name = &traversal.root;
        let attribute = schema.attributes.get(name);
        if attribute.is_none() && !schema.blocks.contains_key(name) {
            let known = schema.attributes.keys().chain(schema.blocks.keys());
            let diagnostic = Diagnostic::error(
                "Unsupported attribute",
                format!("This object has no argument, nested block, or exported attribute named {name:?}."),
            )
            .at(traversal.span)
            .code(codes::INVALID_REFERENCE);
            diagnostics.push(match nearest(name, known.map(AsRef::as_ref)) {
                Some(near) => diagnostic.hint(format!("Did you mean {near:?}?")),
                None => diagnostic,
            });
        }
        let decided = attribute.is_some_and(|a| !a.is_configurable());
        if decided && block.address.mode == Mode::Managed {
            diagnostics.push(
                Diagnostic::warning(
                    "Redundant ignore_changes element",
                    format!("Adding an attribute name to ignore_changes tells mlinfra to ignore future changes to the argument in configuration after the object has been created, retaining the value originally configured.\n\nThe attribute {name} is decided by the provider alone and therefore there can be no configured value to compare with. Including this attribute in ignore_changes has no effect. Remove the attribute from ignore_changes to quiet this warning."),
                )
                .at(block.header),
            );
        }
    }
    diagnostics
}

/// The configuration with what is to be ignored taken from what is there.
pub fn ignore_changes(ignored: &Triggers, was: &Value, config: Value) -> Value {
    match ignored {
        Triggers::None => config,
        Triggers::All => {
            let kept = config.entries().into_iter().flatten().map(|(name, value)| {
                let was = was.get(name).filter(|_| !value.is_null());
                (
                    Arc::clone(name),
                    was.cloned().unwrap_or_else(|| value.clone()),
                )
            });
            Value::object(kept)
        }
        Triggers::Some(references) => references
            .iter()
            .flat_map(Expr::references)
            .fold(config, |config, traversal| {
                keep(config, was, &path(traversal))
            }),
    }
}

fn path(traversal: &Traversal) -> Path {
    let rest = traversal.steps.iter().map(|step| match step {
        TraversalStep::Attribute(name, _) => Step::Attribute(Arc::clone(name)),
        TraversalStep::Index(key, _) => match key.as_str() {
            Some(key) => Step::Key(Arc::from(key)),
            None => Step::Index(index(key)),
        },
    });
    let root = Step::Attribute(Arc::clone(&traversal.root));
    Path(std::iter::once(root).chain(rest).collect())
}

/// The configuration with what lies at a path as it was.
fn keep(config: Value, was: &Value, path: &Path) -> Value {
    // A key of a map may be missing on either side; of anything else, the whole is kept.
    let (whole, key) = match path.0.split_last() {
        Some((Step::Key(key), rest)) => (Path(rest.to_vec()), Some(key)),
        _ => (path.clone(), None),
    };
    let (Some(before), Some(now)) = (whole.get(was), whole.get(&config)) else {
        return config;
    };
    let kept = match (key, now.data(), before.entries()) {
        (Some(key), Data::Map(ty, entries), Some(before)) => {
            let mut entries = entries.as_ref().clone();
            match before.get(key) {
                Some(value) => entries.insert(Arc::clone(key), value.clone()),
                None => entries.remove(key),
            };
            Value::map(ty.clone(), entries)
        }
        _ => before.clone(),
    };
    paths::change(config, &whole.0, &|_| kept.clone())
}

fn index(key: &Value) -> usize {
    key.as_number()
        .and_then(mlinfra_sdk::Number::as_i64)
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlinfra_sdk::Type;

    fn map(entries: &[(&str, i64)]) -> Value {
        let entries = entries.iter().map(|(k, v)| (*k, Value::from(*v)));
        Value::object([("m", Value::map(Type::Number, entries))])
    }

    #[test]
    fn a_key_of_a_map_is_kept_whether_it_was_there_or_not() {
        let at = |key: &str| Path(vec![Step::Attribute("m".into()), Step::Key(key.into())]);
        let was = map(&[("a", 1), ("b", 2)]);
        let config = map(&[("a", 9), ("c", 3)]);
        let kept = ["a", "b", "c"]
            .iter()
            .fold(config, |c, key| keep(c, &was, &at(key)));
        assert_eq!(kept, was);
    }

    #[test]
    fn of_an_object_the_whole_is_kept() {
        let object = |n: i64| {
            let inside = Value::object([("a", Value::from(n)), ("b", Value::from(n))]);
            Value::object([("o", inside)])
        };
        let path = Path(vec![Step::Attribute("o".into()), Step::Key("a".into())]);
        assert_eq!(keep(object(2), &object(1), &path), object(1));
    }
}
