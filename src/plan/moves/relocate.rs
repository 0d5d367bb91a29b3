//! Carries the moves out in a state.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::statement::Statement;
use crate::addr::{InstanceKey, Mode, ModuleInstance, Resource, ResourceInstance, ResourcePath};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::state::{InstanceState, Object, Snapshot};

/// A state after moves.
pub(super) struct Relocated {
    pub snapshot: Snapshot,
    /// New addresses with the old ones.
    pub moved: BTreeMap<ResourceInstance, ResourceInstance>,
    pub blocked: Vec<(String, String)>,
    pub errors: Diagnostics,
}

/// Applies statements in their order.
pub(super) fn relocate<'s>(
    prior: &Snapshot,
    statements: impl Iterator<Item = &'s Statement>,
) -> Relocated {
    let mut mover = Mover {
        resources: prior.resources.clone(),
        moved: BTreeMap::new(),
        blocked: Vec::new(),
        errors: Diagnostics::new(),
    };
    for statement in statements {
        mover.apply(statement);
    }
    let mut snapshot = prior.clone();
    rename_dependencies(&mut mover.resources, &mover.moved);
    snapshot.resources = mover.resources;
    mover.moved.retain(|new, old| new != old);
    Relocated {
        snapshot,
        moved: mover.moved,
        blocked: mover.blocked,
        errors: mover.errors,
    }
}

struct Mover {
    resources: BTreeMap<ResourceInstance, InstanceState>,
    moved: BTreeMap<ResourceInstance, ResourceInstance>,
    blocked: Vec<(String, String)>,
    errors: Diagnostics,
}

/// What moves together or not at all: a module instance, a resource with all its instances, or one
/// instance.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Module(ModuleInstance),
    Resource(ModuleInstance, Resource),
    Instance(ResourceInstance),
}

impl Unit {
    fn of(statement: &Statement, address: &ResourceInstance) -> Unit {
        let module = address.module.clone();
        match &statement.from.resource {
            None => Unit::Module(module),
            Some((_, None)) => Unit::Resource(module, address.resource.clone()),
            Some((_, Some(_))) => Unit::Instance(address.clone()),
        }
    }

    /// Whether something is there.
    fn is_taken(&self, resources: &BTreeMap<ResourceInstance, InstanceState>) -> bool {
        let start = |module: &ModuleInstance, resource: Resource| ResourceInstance {
            module: module.clone(),
            resource,
            key: InstanceKey::None,
        };
        let first = |from: ResourceInstance| resources.range(from..).next().map(|(a, _)| a);
        match self {
            Unit::Module(module) => {
                let lowest = Resource {
                    mode: Mode::Data,
                    ty: "".into(),
                    name: "".into(),
                };
                first(start(module, lowest)).is_some_and(|a| a.module == *module)
            }
            Unit::Resource(module, resource) => first(start(module, resource.clone()))
                .is_some_and(|a| a.module == *module && a.resource == *resource),
            Unit::Instance(address) => resources.contains_key(address),
        }
    }

    fn name(&self) -> String {
        match self {
            Unit::Module(module) => module.to_string(),
            Unit::Resource(module, resource) if module.is_root() => resource.to_string(),
            Unit::Resource(module, resource) => format!("{module}.{resource}"),
            Unit::Instance(address) => address.to_string(),
        }
    }
}

impl Mover {
    fn apply(&mut self, statement: &Statement) {
        let mut units: BTreeMap<(Unit, Unit), Vec<(ResourceInstance, ResourceInstance)>> =
            BTreeMap::new();
        for old in self.resources.keys() {
            let Some(new) = statement.from.destination(&statement.to, old) else {
                continue;
            };
            let unit = (Unit::of(statement, old), Unit::of(statement, &new));
            units.entry(unit).or_default().push((old.clone(), new));
        }
        for ((from, to), pairs) in units {
            if from == to {
                continue;
            }
            if to.is_taken(&self.resources) {
                if statement.span.is_some() {
                    self.blocked.push((from.name(), to.name()));
                }
                continue;
            }
            for (old, new) in pairs {
                self.relocate(statement, &old, new);
            }
        }
    }

    fn relocate(&mut self, statement: &Statement, old: &ResourceInstance, new: ResourceInstance) {
        if old.resource.ty != new.resource.ty {
            self.errors.push(
                Diagnostic::error(
                    "Resource type mismatch",
                    format!("This statement declares a move from {old} to {new}, which is a resource of a different type."),
                )
                .at(statement.span)
                .hint("Take the new object over with an import block, and let go of the old one with a removed block.")
                .code(codes::INVALID_REFERENCE),
            );
            return;
        }
        let Some(instance) = self.resources.remove(old) else {
            return;
        };
        let origin = self.moved.remove(old).unwrap_or_else(|| old.clone());
        self.resources.insert(new.clone(), instance);
        self.moved.insert(new, origin);
    }
}

/// What depended on a resource that moved as written depends on where it is now.
fn rename_dependencies(
    resources: &mut BTreeMap<ResourceInstance, InstanceState>,
    moved: &BTreeMap<ResourceInstance, ResourceInstance>,
) {
    let paths = moved.iter().map(|(new, old)| (old.path(), new.path()));
    let renamed: HashMap<ResourcePath, ResourcePath> = paths.filter(|(o, n)| o != n).collect();
    if renamed.is_empty() {
        return;
    }
    for (address, instance) in resources {
        let objects = instance
            .current
            .iter_mut()
            .chain(instance.deposed.values_mut());
        for object in objects {
            rename(object, &renamed, &address.path());
        }
    }
}

fn rename(
    object: &mut Arc<Object>,
    renamed: &HashMap<ResourcePath, ResourcePath>,
    own: &ResourcePath,
) {
    if !object.dependencies.iter().any(|d| renamed.contains_key(d)) {
        return;
    }
    let object = Arc::make_mut(object);
    for dependency in &mut object.dependencies {
        if let Some(new) = renamed.get(dependency) {
            *dependency = new.clone();
        }
    }
    object.dependencies.sort();
    object.dependencies.dedup();
    object.dependencies.retain(|d| d != own);
}
