//! What a reference refers to, as far as its form tells.

use std::sync::Arc;

use super::expr::{Traversal, TraversalStep};
use crate::addr::{Mode, Resource};
use crate::diag::Diagnostic;
use crate::lang::quote::quoted;

/// What a reference refers to.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Reference {
    /// `var.name`
    Variable(Arc<str>),
    /// `local.name`
    Local(Arc<str>),
    /// `module.name`
    Module(Arc<str>),
    /// `type.name`, `resource.type.name` or `data.type.name`
    Resource(Resource),
    /// `each.name`
    Each(Arc<str>),
    /// `count.name`
    Count(Arc<str>),
    /// `path.name`
    Path(Arc<str>),
    /// `terraform.name`
    Terraform(Arc<str>),
    /// `self`
    Itself,
}

const SUMMARY: &str = "Invalid reference";

impl Reference {
    /// Reads a reference; answers also how many of its steps belong to what it refers to.
    ///
    /// # Errors
    /// When it is too short to refer to anything.
    pub fn parse(traversal: &Traversal) -> Result<(Reference, usize), Diagnostic> {
        let named = |make: fn(Arc<str>) -> Reference| Ok((make(first_name(traversal)?), 1));
        match traversal.root.as_ref() {
            "var" => named(Reference::Variable),
            "local" => named(Reference::Local),
            "module" => named(Reference::Module),
            "each" => named(Reference::Each),
            "count" => named(Reference::Count),
            "path" => named(Reference::Path),
            "terraform" => named(Reference::Terraform),
            "self" => Ok((Reference::Itself, 0)),
            "data" => two_names(traversal, Mode::Data, "data source type"),
            "resource" => two_names(traversal, Mode::Managed, "resource type"),
            _ => match traversal
                .steps
                .first()
                .and_then(TraversalStep::as_attribute)
            {
                Some(name) => {
                    let resource = Resource {
                        mode: Mode::Managed,
                        ty: Arc::clone(&traversal.root),
                        name: Arc::clone(name),
                    };
                    Ok((Reference::Resource(resource), 1))
                }
                None => Err(Diagnostic::error(
                    SUMMARY,
                    "A reference to a resource type must be followed by at least one attribute \
                     access, specifying the resource name.",
                )
                .at(traversal.span)),
            },
        }
    }
}

fn first_name(traversal: &Traversal) -> Result<Arc<str>, Diagnostic> {
    let root = quoted(&traversal.root);
    let detail = match traversal.steps.first() {
        Some(TraversalStep::Attribute(name, _)) => return Ok(Arc::clone(name)),
        None => format!(
            "The {root} object cannot be accessed directly. Instead, access one of its attributes."
        ),
        Some(_) => format!("The {root} object does not support this operation."),
    };
    Err(Diagnostic::error(SUMMARY, detail).at(traversal.span))
}

fn two_names(
    traversal: &Traversal,
    mode: Mode,
    what: &str,
) -> Result<(Reference, usize), Diagnostic> {
    let mut names = traversal.steps.iter().map(TraversalStep::as_attribute);
    match (names.next().flatten(), names.next().flatten()) {
        (Some(ty), Some(name)) => {
            let resource = Resource {
                mode,
                ty: Arc::clone(ty),
                name: Arc::clone(name),
            };
            Ok((Reference::Resource(resource), 2))
        }
        _ => Err(Diagnostic::error(
            SUMMARY,
            format!(
                "The {} object must be followed by two attribute names: the {what} and the \
                 resource name.",
                quoted(&traversal.root)
            ),
        )
        .at(traversal.span)),
    }
}
