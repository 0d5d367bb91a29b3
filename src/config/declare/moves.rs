//! `moved`, `removed` and `import` blocks.

use super::block;
use super::endpoint::{Endpoint, KeyedTarget};
use super::provider::ProviderRef;
use crate::addr::{InstanceKey, Mode};
use crate::config::body::{Block, Shape};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::lang::Expr;
use crate::source::Span;

/// An object that has a new address.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The old address.
    pub from: Endpoint,
    /// The new address.
    pub to: Endpoint,
    /// The block's header.
    pub header: Span,
}

/// An object that the configuration no longer has.
#[derive(Clone, Debug)]
pub struct Removed {
    /// Its address; without keys.
    pub from: Endpoint,
    /// Whether it is destroyed, not only forgotten.
    pub destroy: bool,
    /// The block's header.
    pub header: Span,
}

/// An object to take over.
#[derive(Clone, Debug)]
pub struct Import {
    /// The address it shall have.
    pub to: KeyedTarget,
    /// Its id in the world.
    pub id: Expr,
    /// One for each.
    pub for_each: Option<Expr>,
    /// The provider configuration, when it is named.
    pub provider: Option<ProviderRef>,
    /// The block's header.
    pub header: Span,
}

const MOVED: Shape = Shape {
    required: &["from", "to"],
    optional: &[],
    blocks: &[],
};

const REMOVED: Shape = Shape {
    required: &["from"],
    optional: &[],
    blocks: &["lifecycle"],
};

const REMOVED_LIFECYCLE: Shape = Shape {
    required: &[],
    optional: &["destroy"],
    blocks: &[],
};

const IMPORT: Shape = Shape {
    required: &["to", "id"],
    optional: &["for_each", "provider"],
    blocks: &[],
};

type IsKind<'k> = &'k dyn Fn(&str) -> bool;

pub(super) fn read_moved(block: &Block, is_kind: IsKind<'_>, d: &mut Diagnostics) -> Option<Moved> {
    block::no_labels(block, d);
    MOVED.check(&block.body, d);
    let from = block
        .body
        .value("from")
        .map(|e| Endpoint::read(e, is_kind, d));
    let to = block
        .body
        .value("to")
        .map(|e| Endpoint::read(e, is_kind, d));
    let (from, to) = (from??, to??);
    if from.resource.is_some() != to.resource.is_some() {
        d.push(
            Diagnostic::error(
                "Invalid \"moved\" addresses",
                "The \"from\" and \"to\" addresses must either both refer to resources or both refer to modules.",
            )
            .at(block.header)
            .code(codes::INVALID_REFERENCE),
        );
        return None;
    }
    Some(Moved {
        from,
        to,
        header: block.header,
    })
}

pub(super) fn read_removed(
    block: &Block,
    is_kind: IsKind<'_>,
    d: &mut Diagnostics,
) -> Option<Removed> {
    block::no_labels(block, d);
    REMOVED.check(&block.body, d);
    let mut destroy = true;
    for lifecycle in block.body.blocks_of("lifecycle") {
        REMOVED_LIFECYCLE.check(&lifecycle.body, d);
        if let Some(expr) = lifecycle.body.value("destroy") {
            destroy = block::constant_bool(expr, d).unwrap_or(true);
        }
    }
    let from = Endpoint::read(block.body.value("from")?, is_kind, d)?;
    if let Some((summary, detail)) = unfit(&from) {
        let diagnostic = Diagnostic::error(summary, detail).at(from.span);
        d.push(diagnostic.code(codes::INVALID_REFERENCE));
        return None;
    }
    Some(Removed {
        from,
        destroy,
        header: block.header,
    })
}

/// Why an address cannot be that of a `removed` block, which is about all instances.
fn unfit(from: &Endpoint) -> Option<(&'static str, &'static str)> {
    if from
        .module
        .0
        .iter()
        .any(|step| step.key != InstanceKey::None)
    {
        return Some((
            "Module instance keys not allowed",
            "Module address must be a module (e.g. \"module.foo\"), not a module instance (e.g. \"module.foo[1]\").",
        ));
    }
    match &from.resource {
        Some((_, key)) if *key != InstanceKey::None => Some((
            "Resource instance keys not allowed",
            "Resource address must be a resource (e.g. \"test_instance.foo\"), not a resource instance (e.g. \"test_instance.foo[1]\").",
        )),
        Some((resource, _)) if resource.mode == Mode::Data => Some((
            "Data source address not allowed",
            "Data sources are never destroyed, so they are not valid targets of removed blocks. To remove the data source from state, remove the data source block from configuration.",
        )),
        _ => None,
    }
}

pub(super) fn read_import(
    block: &Block,
    is_kind: IsKind<'_>,
    d: &mut Diagnostics,
) -> Option<Import> {
    block::no_labels(block, d);
    IMPORT.check(&block.body, d);
    let to = KeyedTarget::read(block.body.value("to")?, is_kind, d)?;
    Some(Import {
        to,
        id: block.body.value("id")?.clone(),
        for_each: block.body.value("for_each").cloned(),
        provider: block
            .body
            .value("provider")
            .and_then(|e| super::provider::read_ref(e, d)),
        header: block.header,
    })
}
