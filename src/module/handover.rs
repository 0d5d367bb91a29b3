//! Blocks that hand objects over: what imports need, and what contradicts the configuration.

use super::nodes::{Builder, Node};
use super::reference::Subject;
use crate::addr::{ModulePath, ResourcePath};
use crate::config::{Import, ModuleNode, Removed};
use crate::diag::{Diagnostic, codes};

impl Builder<'_> {
    /// An object is imported once everything is known that says which.
    pub(super) fn imports(&mut self) {
        let root = self.tree.root();
        for import in &root.declarations.imports {
            let path = import.to.path();
            let module = self.tree.find(&path.module);
            let node = module.map(|m| Node::Resource(m.id, path.resource.clone()));
            let Some(node) = node.and_then(|node| self.nodes.find(&node)) else {
                self.diagnostics.push(undeclared(import, &path));
                continue;
            };
            for expr in import.to.keys().chain(&import.for_each) {
                self.expression(node, root, expr);
            }
            for traversal in import.id.references() {
                let own = matches!(
                    Subject::of(traversal),
                    Ok((Subject::Resource(r), _)) if r == path.resource && path.module.is_root()
                );
                if own {
                    self.diagnostics.push(own_id(import));
                } else {
                    self.reference(node, root, traversal);
                }
            }
        }
    }

    /// What is said to be removed must not be declared.
    pub(super) fn removals(&mut self) {
        for module in self.tree.iter() {
            for removed in &module.declarations.removed {
                self.diagnostics.extend(self.still_there(module, removed));
            }
        }
    }

    fn still_there(&self, module: &ModuleNode, removed: &Removed) -> Option<Diagnostic> {
        let inside = removed.from.module.path();
        let path = module.path.0.iter().chain(inside.0.iter()).cloned();
        let path = ModulePath(path.collect());
        let found = self.tree.find(&path)?;
        let (what, name, span) = match &removed.from.resource {
            Some((resource, _)) => {
                let block = found.declarations.resources.get(resource)?;
                let path = ResourcePath {
                    module: path,
                    resource: resource.clone(),
                };
                ("resource", path.to_string(), block.header)
            }
            None => ("module", path.to_string(), self.tree.call(found.id)?.header),
        };
        let diagnostic = Diagnostic::error(
            format!("Removed {what} still exists"),
            format!(
                "This statement declares that {name} was removed, but it is still declared in configuration."
            ),
        );
        Some(diagnostic.at(span).code(codes::DUPLICATE))
    }
}

fn undeclared(import: &Import, path: &ResourcePath) -> Diagnostic {
    Diagnostic::error(
        "Configuration for import target does not exist",
        format!("The configuration for the given import target {path} does not exist. All target instances must have an associated configuration to be imported."),
    )
    .at(import.to.span)
    .code(codes::INVALID_REFERENCE)
}

fn own_id(import: &Import) -> Diagnostic {
    Diagnostic::error(
        "Invalid import id argument",
        "The import ID cannot reference the resource being imported.",
    )
    .at(import.id.span)
    .code(codes::CYCLE)
}
