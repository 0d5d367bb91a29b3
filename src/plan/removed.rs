//! What `removed` blocks say of objects whose configuration is gone.

use crate::addr::{ModulePath, Resource, ResourceInstance};
use crate::config::Tree;
use crate::diag::Diagnostic;

use super::{Action, ResourceChange};

/// Which objects are forgotten instead of destroyed.
pub(super) struct Forgotten(Vec<(ModulePath, Option<Resource>)>);

impl Forgotten {
    /// What the blocks of all modules say.
    pub fn of(tree: &Tree) -> Forgotten {
        let blocks = tree.iter().flat_map(|module| {
            let removed = module.declarations.removed.iter().filter(|r| !r.destroy);
            removed.map(|removed| {
                let inside = removed.from.module.path();
                let path = module.path.0.iter().chain(inside.0.iter()).cloned();
                let resource = removed.from.resource.as_ref().map(|(r, _)| r.clone());
                (ModulePath(path.collect()), resource)
            })
        });
        Forgotten(blocks.collect())
    }

    /// Whether an object is forgotten.
    pub fn takes(&self, address: &ResourceInstance) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let module = address.module.path();
        self.0.iter().any(|(path, resource)| match resource {
            Some(resource) => *path == module && *resource == address.resource,
            None => module.0.starts_with(&path.0),
        })
    }
}

/// The warning about objects that nobody manages after the plan is done.
pub(super) fn warning(changes: &[ResourceChange]) -> Option<Diagnostic> {
    let forgotten = changes.iter().filter(|c| c.action == Action::Forget);
    let lines: String = forgotten.map(|c| format!("\n - {}", c.address)).collect();
    (!lines.is_empty()).then(|| {
        Diagnostic::warning(
            "Some objects will no longer be managed by mlinfra",
            format!("If you apply this plan, mlinfra will discard its tracking information for the following objects, but it will not delete them:{lines}\n\nAfter applying this plan, mlinfra will no longer manage these objects. You will need to import them into mlinfra to manage them again."),
        )
    })
}
