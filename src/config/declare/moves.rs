//! `moved`, `removed` and `import` blocks.

use super::block;
use super::provider::ProviderRef;
use crate::config::body::{Block, Shape};
use crate::diag::Diagnostics;
use crate::lang::Expr;
use crate::source::Span;

/// An object that has a new address.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The old address.
    pub from: Expr,
    /// The new address.
    pub to: Expr,
    /// The block's header.
    pub header: Span,
}

/// An object that the configuration no longer has.
#[derive(Clone, Debug)]
pub struct Removed {
    /// Its address.
    pub from: Expr,
    /// Whether it is destroyed, not only forgotten.
    pub destroy: bool,
    /// The block's header.
    pub header: Span,
}

/// An object to take over.
#[derive(Clone, Debug)]
pub struct Import {
    /// The address it shall have.
    pub to: Expr,
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

pub(super) fn read_moved(block: &Block, d: &mut Diagnostics) -> Option<Moved> {
    block::no_labels(block, d);
    MOVED.check(&block.body, d);
    Some(Moved {
        from: block.body.value("from")?.clone(),
        to: block.body.value("to")?.clone(),
        header: block.header,
    })
}

pub(super) fn read_removed(block: &Block, d: &mut Diagnostics) -> Option<Removed> {
    block::no_labels(block, d);
    REMOVED.check(&block.body, d);
    let mut destroy = true;
    for lifecycle in block.body.blocks_of("lifecycle") {
        REMOVED_LIFECYCLE.check(&lifecycle.body, d);
        if let Some(expr) = lifecycle.body.value("destroy") {
            destroy = block::constant_bool(expr, d).unwrap_or(true);
        }
    }
    Some(Removed {
        from: block.body.value("from")?.clone(),
        destroy,
        header: block.header,
    })
}

pub(super) fn read_import(block: &Block, d: &mut Diagnostics) -> Option<Import> {
    block::no_labels(block, d);
    IMPORT.check(&block.body, d);
    Some(Import {
        to: block.body.value("to")?.clone(),
        id: block.body.value("id")?.clone(),
        for_each: block.body.value("for_each").cloned(),
        provider: block
            .body
            .value("provider")
            .and_then(|e| super::provider::read_ref(e, d)),
        header: block.header,
    })
}
