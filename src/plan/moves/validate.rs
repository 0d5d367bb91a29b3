//! What is wrong with statements of moves, once the instances of the configuration are told.

use std::collections::BTreeMap;

use super::Moves;
use super::pattern::{Key, Pattern};
use super::statement::Statement;
use crate::addr::{ModuleInstance, ModuleStep, Resource};
use crate::config::Tree;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::module::{Record, Values};

/// An end of a statement in one instance of the module that says it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct End {
    module: ModuleInstance,
    /// Any key of the last step of a module.
    any_instance: bool,
    resource: Option<(Resource, Key)>,
}

impl End {
    fn of(pattern: &Pattern, within: &ModuleInstance) -> End {
        let own = within.0.iter().cloned();
        let rest = pattern.steps.iter().skip(pattern.base);
        let rest = rest.map(|(name, key)| ModuleStep {
            name: name.clone(),
            key: key.clone().unwrap_or_default(),
        });
        End {
            module: ModuleInstance(own.chain(rest).collect()),
            any_instance: pattern.resource.is_none()
                && pattern.steps.last().is_some_and(|(_, key)| key.is_none()),
            resource: pattern.resource.clone(),
        }
    }

    /// What it is, in long and in short.
    fn noun(&self) -> (&'static str, &'static str) {
        match (&self.resource, self.any_instance) {
            (Some((_, None)), _) => ("resource", "resource"),
            (Some((_, Some(_))), _) => ("resource instance", "resource"),
            (None, true) => ("module call", "call"),
            (None, false) => ("module instance", "call"),
        }
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.resource {
            None => self.module.fmt(f),
            Some((resource, key)) => {
                if !self.module.is_root() {
                    write!(f, "{}.", self.module)?;
                }
                write!(f, "{resource}{}", key.clone().unwrap_or_default())
            }
        }
    }
}

impl Moves {
    /// Everything that is wrong. `values` has the instances that the configuration declares.
    pub fn problems(&self, tree: &Tree, values: &Values) -> Diagnostics {
        let mut checker = Checker {
            tree,
            values,
            from: BTreeMap::new(),
            to: BTreeMap::new(),
            diagnostics: self.errors.clone(),
        };
        for statement in self.statements.iter().filter(|s| s.span.is_some()) {
            for instance in values.instances(statement.module) {
                let within = &values.get(*instance).address;
                checker.check(statement, within);
            }
        }
        checker.diagnostics
    }
}

struct Checker<'c> {
    tree: &'c Tree,
    values: &'c Values,
    from: BTreeMap<End, End>,
    to: BTreeMap<End, End>,
    diagnostics: Diagnostics,
}

impl<'c> Checker<'c> {
    fn check(&mut self, statement: &Statement, within: &ModuleInstance) {
        let from = End::of(&statement.from, within);
        let to = End::of(&statement.to, within);
        if from == to {
            self.error(statement, "Redundant move statement", format!("This statement declares a move from {from} to the same address, which is the same as not declaring this move at all."));
            return;
        }
        let (noun, short) = from.noun();
        if self.exists(&from) {
            self.error(statement, "Moved object still exists", format!("This statement declares a move from {from}, but that {noun} is still declared.\n\nChange your configuration so that this {short} will be declared as {to} instead."));
        }
        if let Some(other) = self.from.get(&from).filter(|other| **other != to) {
            self.error(statement, "Ambiguous move statements", format!("Another statement declares that {from} moved to {other}, but this statement instead declares that it moved to {to}.\n\nEach {noun} can move to only one destination {noun}."));
        } else if let Some(other) = self.to.get(&to).filter(|other| **other != from) {
            self.error(statement, "Ambiguous move statements", format!("Another statement declares that {other} moved to {to}, but this statement instead declares that {from} moved there.\n\nEach {noun} can have moved from only one source {noun}."));
        }
        self.from.entry(from.clone()).or_insert_with(|| to.clone());
        self.to.entry(to).or_insert(from);
    }

    fn error(&mut self, statement: &Statement, summary: &str, detail: String) {
        let diagnostic = Diagnostic::error(summary, detail).at(statement.span);
        self.diagnostics
            .push(diagnostic.code(codes::INVALID_REFERENCE));
    }

    fn record(&self, module: &ModuleInstance) -> Option<&'c Record> {
        let id = self.tree.find(&module.path())?.id;
        let instances = self.values.instances(id).iter();
        let mut records = instances.map(|id| self.values.get(*id));
        records.find(|record| record.address == *module)
    }

    /// Whether the configuration still declares it.
    fn exists(&self, end: &End) -> bool {
        if end.resource.is_none() && end.any_instance {
            let (Some(parent), Some(call)) = (end.module.parent(), end.module.0.last()) else {
                return false;
            };
            let record = self.record(&parent);
            return record.is_some_and(|r| r.calls.contains_key(&call.name));
        }
        let Some(record) = self.record(&end.module) else {
            return false;
        };
        let Some((resource, key)) = &end.resource else {
            return true;
        };
        let expansion = record.resources.get(resource);
        expansion.is_some_and(|e| key.as_ref().is_none_or(|k| e.items.contains_key(k)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_written_as_an_address() {
        let resource = Resource {
            mode: crate::addr::Mode::Managed,
            ty: "a".into(),
            name: "b".into(),
        };
        let pattern = Pattern {
            steps: vec![("m".into(), Some(crate::addr::InstanceKey::Index(1)))],
            base: 0,
            resource: Some((resource, None)),
        };
        let end = End::of(&pattern, &ModuleInstance::root());
        assert_eq!(end.to_string(), "module.m[1].a.b");
        assert_eq!(end.noun().0, "resource");
    }
}
