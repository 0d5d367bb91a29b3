//! How the outputs of the root module change.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::Value;

use super::planner::Planner;
use super::{Action, Mode, OutputChange};
use crate::module::{Node, Values};

impl Planner<'_> {
    /// The change of every output, those that stay included.
    pub fn output_changes(&self) -> BTreeMap<Arc<str>, OutputChange> {
        let values = self.expand.values();
        let root = values.get(Values::ROOT);
        let mut changes = BTreeMap::new();
        for (name, output) in &self.tree.root().declarations.outputs {
            if !self.tells(name) {
                continue;
            }
            let before = self.prior.outputs.get(name).map(|o| o.value.clone());
            let after = match self.options.mode {
                Mode::Destroy => Value::NULL,
                _ => root.outputs.get(name).cloned().unwrap_or(Value::UNKNOWN),
            };
            let change = change(before, after, output.sensitive);
            changes.insert(Arc::clone(name), change);
        }
        let others = self.prior.outputs.iter();
        // With targets, an output that nobody declares any more stays as it was.
        for (name, output) in others.filter(|_| self.targeted.is_everything()) {
            changes.entry(Arc::clone(name)).or_insert_with(|| {
                change(Some(output.value.clone()), Value::NULL, output.sensitive)
            });
        }
        changes.retain(|_, c| {
            !(c.before.is_null() && c.after.is_null() && self.options.mode == Mode::Destroy)
        });
        changes
    }

    /// Whether an output is planned.
    fn tells(&self, name: &Arc<str>) -> bool {
        let node = Node::Output(self.tree.root().id, Arc::clone(name));
        self.nodes
            .find(&node)
            .is_some_and(|node| self.targeted.wants(node))
            && (self.options.mode != Mode::Destroy || self.targeted.is_everything())
    }
}

fn change(before: Option<Value>, after: Value, sensitive: bool) -> OutputChange {
    let existed = before.is_some();
    let before = before.unwrap_or(Value::NULL);
    let gone = after.is_null();
    let action = match (existed, gone) {
        (false, _) => Action::Create,
        (true, true) if !before.is_null() => Action::Delete,
        (true, _) if before.clone().unmark_deep().0 == after.clone().unmark_deep().0 => {
            Action::NoOp
        }
        (true, _) => Action::Update,
    };
    // An output that is null in state and in the configuration is not there.
    let action = if !existed && gone {
        Action::NoOp
    } else {
        action
    };
    OutputChange {
        action,
        before,
        after,
        sensitive,
    }
}
