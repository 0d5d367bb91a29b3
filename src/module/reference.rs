//! What a reference is about, by its words alone.

use std::sync::Arc;

use crate::addr::{Mode, Resource};
use crate::diag::Diagnostic;
use crate::lang::{Traversal, TraversalStep};

/// What a reference is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// `var.x`
    Variable(Arc<str>),
    /// `local.x`
    Local(Arc<str>),
    /// `local_file.x`, `data.local_file.x`
    Resource(Resource),
    /// `module.x`, with the output when one is named at once.
    Module(Arc<str>, Option<Arc<str>>),
    /// `count.index`
    Count(Arc<str>),
    /// `each.key`, `each.value`
    Each(Arc<str>),
    /// `path.module`, `path.root`, `path.cwd`
    Path(Arc<str>),
    /// `terraform.workspace`
    Terraform(Arc<str>),
    /// `self`
    This,
}

impl Subject {
    /// What a traversal is about, and how many of its steps say so.
    ///
    /// # Errors
    /// When its words are not a reference.
    pub fn of(traversal: &Traversal) -> Result<(Subject, usize), Diagnostic> {
        let named = |what: fn(Arc<str>) -> Subject| {
            let name = attribute(traversal, 0).ok_or_else(|| {
                invalid(
                    traversal,
                    format!(
                        "The {:?} object cannot be accessed directly. Instead, access one of its attributes.",
                        traversal.root
                    ),
                )
            })?;
            Ok((what(name), 1))
        };
        match traversal.root.as_ref() {
            "var" => named(Subject::Variable),
            "local" => named(Subject::Local),
            "count" => named(Subject::Count),
            "each" => named(Subject::Each),
            "path" => named(Subject::Path),
            "terraform" | "mlinfra" => named(Subject::Terraform),
            "self" => Ok((Subject::This, 0)),
            "module" => {
                let (subject, steps) = named(|name| Subject::Module(name, None))?;
                Ok((with_output(subject, traversal), steps))
            }
            "data" => resource(traversal, Mode::Data, 0),
            "resource" => resource(traversal, Mode::Managed, 0),
            _ => {
                let name = attribute(traversal, 0).ok_or_else(|| {
                    invalid(
                        traversal,
                        "A reference to a resource type must be followed by at least one attribute access, specifying the resource name.",
                    )
                })?;
                let resource = Resource {
                    mode: Mode::Managed,
                    ty: Arc::clone(&traversal.root),
                    name,
                };
                Ok((Subject::Resource(resource), 1))
            }
        }
    }
}

fn resource(
    traversal: &Traversal,
    mode: Mode,
    first: usize,
) -> Result<(Subject, usize), Diagnostic> {
    match (attribute(traversal, first), attribute(traversal, first + 1)) {
        (Some(ty), Some(name)) => Ok((Subject::Resource(Resource { mode, ty, name }), first + 2)),
        _ => Err(invalid(
            traversal,
            format!(
                "The {:?} object must be followed by two attribute names: the resource type and the resource name.",
                traversal.root
            ),
        )),
    }
}

/// Names the output, when it follows the module's name and perhaps its key.
fn with_output(subject: Subject, traversal: &Traversal) -> Subject {
    let Subject::Module(name, None) = subject else {
        return subject;
    };
    let output = match traversal.steps.get(1) {
        Some(TraversalStep::Attribute(output, _)) => Some(Arc::clone(output)),
        Some(TraversalStep::Index(..)) => attribute(traversal, 2),
        None => None,
    };
    Subject::Module(name, output)
}

fn attribute(traversal: &Traversal, step: usize) -> Option<Arc<str>> {
    match traversal.steps.get(step) {
        Some(TraversalStep::Attribute(name, _)) => Some(Arc::clone(name)),
        _ => None,
    }
}

fn invalid(traversal: &Traversal, detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("Invalid reference", detail)
        .at(traversal.span)
        .code("E0012")
}
