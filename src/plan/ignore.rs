//! `ignore_changes`: arguments that keep what is there, whatever the configuration says by now.

use std::sync::Arc;

use mlinfra_sdk::{Path, Schema, Step, Value};

use crate::addr::Mode;
use crate::config::{ResourceBlock, Triggers};
use crate::diag::{Diagnostic, Diagnostics, codes, nearest};
use crate::lang::{Expr, TraversalStep};
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
            .code(codes::UNSUPPORTED_ATTRIBUTE);
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
        Triggers::Some(references) => {
            references
                .iter()
                .flat_map(Expr::references)
                .fold(config, |config, traversal| {
                    let rest = traversal.steps.iter().map(|step| match step {
                        TraversalStep::Attribute(name, _) => Step::Attribute(Arc::clone(name)),
                        TraversalStep::Index(key, _) => match key.as_str() {
                            Some(key) => Step::Key(Arc::from(key)),
                            None => Step::Index(index(key)),
                        },
                    });
                    let root = Step::Attribute(Arc::clone(&traversal.root));
                    let path = Path(std::iter::once(root).chain(rest).collect());
                    match path.get(was).cloned() {
                        Some(kept) => set(config, &path.0, &kept),
                        None => config,
                    }
                })
        }
    }
}

fn index(key: &Value) -> usize {
    key.as_number()
        .and_then(mlinfra_sdk::Number::as_i64)
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(usize::MAX)
}

/// The value with what lies at a path replaced; unchanged where nothing lies there, except that a
/// map takes a new key.
fn set(value: Value, path: &[Step], by: &Value) -> Value {
    let Some((step, rest)) = path.split_first() else {
        return by.clone();
    };
    match step {
        Step::Attribute(name) | Step::Key(name) if value.entries().is_some() => {
            let inner = value.get(name).cloned().unwrap_or(Value::NULL);
            value.with_attribute(name, set(inner, rest, by))
        }
        _ => paths::change(value, std::slice::from_ref(step), &|inner| {
            set(inner, rest, by)
        }),
    }
}
