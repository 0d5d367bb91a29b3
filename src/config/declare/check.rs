//! Conditions, and `check` blocks.

use std::sync::Arc;

use super::resource::{self, ResourceBlock};
use super::{block, name_of};
use crate::addr::Resource;
use crate::config::body::{Block, Shape};
use crate::diag::Diagnostics;
use crate::lang::Expr;
use crate::source::Span;

/// What must hold, and what to say when it does not.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The condition.
    pub condition: Expr,
    /// What to say.
    pub message: Expr,
    /// The block's header.
    pub header: Span,
}

/// A `check` block.
#[derive(Clone, Debug)]
pub struct Check {
    /// The name.
    pub name: Arc<str>,
    /// The data source that only it reads.
    pub data: Option<Resource>,
    /// What must hold.
    pub assertions: Vec<Condition>,
    /// `check "x"`.
    pub header: Span,
}

const CONDITION: Shape = Shape {
    required: &["condition", "error_message"],
    optional: &[],
    blocks: &[],
};

const CHECK: Shape = Shape {
    required: &[],
    optional: &[],
    blocks: &["data", "assert"],
};

pub(super) fn read_condition(block: &Block, d: &mut Diagnostics) -> Option<Condition> {
    block::no_labels(block, d);
    CONDITION.check(&block.body, d);
    Some(Condition {
        condition: block.body.value("condition")?.clone(),
        message: block.body.value("error_message")?.clone(),
        header: block.header,
    })
}

pub(super) fn read(block: &Block, d: &mut Diagnostics) -> Option<(Check, Option<ResourceBlock>)> {
    let name = name_of(block, d)?;
    CHECK.check(&block.body, d);
    let mut data = block
        .body
        .blocks_of("data")
        .find_map(|b| resource::read(b.clone(), d));
    if let Some(data) = &mut data {
        data.check = Some(Arc::clone(&name.text));
    }
    let check = Check {
        name: Arc::clone(&name.text),
        data: data.as_ref().map(|data| data.address.clone()),
        assertions: block
            .body
            .blocks_of("assert")
            .filter_map(|b| read_condition(b, d))
            .collect(),
        header: block.header,
    };
    Some((check, data))
}
