//! The statements of moves: those that are written, and those that a `count` implies.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::pattern::{Key, Pattern};
use crate::addr::{InstanceKey, ModulePath, ResourceInstance};
use crate::config::{Endpoint, ModuleId, Moved, Tree};
use crate::source::Span;
use crate::state::Snapshot;

/// A move from one pattern to another.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// The module that says it.
    pub module: ModuleId,
    /// The old addresses.
    pub from: Pattern,
    /// The new ones.
    pub to: Pattern,
    /// The block; none when it is implied.
    pub span: Option<Span>,
}

impl Statement {}

/// What the blocks of all modules say.
pub(super) fn explicit(tree: &Tree) -> Vec<Statement> {
    let mut statements = Vec::new();
    for module in tree.iter() {
        for moved in &module.declarations.moved {
            statements.push(statement(module.id, &module.path, moved));
        }
    }
    statements
}

fn statement(module: ModuleId, path: &ModulePath, moved: &Moved) -> Statement {
    // Without a key at either end it is about all instances; with one at an end, the other end
    // without stands for the single instance that has none.
    let keyed = is_keyed(&moved.from) || is_keyed(&moved.to);
    Statement {
        module,
        from: pattern(path, &moved.from, keyed),
        to: pattern(path, &moved.to, keyed),
        span: Some(moved.header),
    }
}

fn is_keyed(end: &Endpoint) -> bool {
    let key = match (&end.resource, end.module.0.last()) {
        (Some((_, key)), _) => key,
        (None, Some(step)) => &step.key,
        (None, None) => return false,
    };
    *key != InstanceKey::None
}

fn pattern(path: &ModulePath, end: &Endpoint, keyed: bool) -> Pattern {
    let own = |key: &InstanceKey| -> Key { keyed.then(|| key.clone()) };
    let base = path.0.iter().map(|name| (Arc::clone(name), None));
    let last = end.module.0.len().saturating_sub(1);
    let steps = end.module.0.iter().enumerate().map(|(i, step)| {
        let is_object = end.resource.is_none() && i == last;
        let key = if is_object {
            own(&step.key)
        } else {
            Some(step.key.clone())
        };
        (Arc::clone(&step.name), key)
    });
    let resource = end.resource.as_ref();
    Pattern {
        steps: base.chain(steps).collect(),
        base: path.0.len(),
        resource: resource.map(|(resource, key)| (resource.clone(), own(key))),
    }
}

/// A resource that gets a `count` keeps its object as instance 0, and one that loses it keeps the
/// object of instance 0; unless a block says where the object goes.
pub(super) fn implied(tree: &Tree, prior: &Snapshot, explicit: &[Statement]) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut seen: BTreeSet<&ResourceInstance> = BTreeSet::new();
    for address in prior.resources.keys() {
        let Some((module, to)) = implied_key(tree, address) else {
            continue;
        };
        let mentioned = |s: &Statement| {
            let of_resource = |p: &Pattern| {
                let whole = p.resource.as_ref().map(|(r, _)| (r.clone(), None));
                let pattern = Pattern {
                    resource: whole,
                    ..p.clone()
                };
                p.resource.is_some() && pattern.selects(address)
            };
            of_resource(&s.from) || of_resource(&s.to)
        };
        if explicit.iter().any(mentioned) || !seen.insert(address) {
            continue;
        }
        let steps = address.module.0.iter();
        let steps: Vec<_> = steps
            .map(|s| (Arc::clone(&s.name), Some(s.key.clone())))
            .collect();
        let end = |key: InstanceKey| Pattern {
            base: steps.len(),
            steps: steps.clone(),
            resource: Some((address.resource.clone(), Some(key))),
        };
        statements.push(Statement {
            module,
            from: end(address.key.clone()),
            to: end(to),
            span: None,
        });
    }
    statements
}

fn implied_key(tree: &Tree, address: &ResourceInstance) -> Option<(ModuleId, InstanceKey)> {
    if !matches!(address.key, InstanceKey::None | InstanceKey::Index(0)) {
        return None;
    }
    let module = tree.find(&address.module.path())?;
    let block = module.declarations.resources.get(&address.resource)?;
    match (&address.key, &block.count, &block.for_each) {
        (InstanceKey::None, Some(_), _) => Some((module.id, InstanceKey::Index(0))),
        (InstanceKey::Index(0), None, None) => Some((module.id, InstanceKey::None)),
        _ => None,
    }
}
