//! Conditions, and `check` blocks.

use std::sync::Arc;

use super::resource::{self, ResourceBlock};
use super::{block, name_of};
use crate::addr::Resource;
use crate::config::body::{Block, Shape};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::lang::Expr;
use crate::source::{Sources, Span};

/// What must hold, and what to say when it does not.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The condition.
    pub condition: Expr,
    /// What to say.
    pub message: Expr,
    /// The block's place in words: `main.hcl:4,3-13`.
    pub place: String,
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

/// Reads a condition; `what` it is: `precondition`, `validation`, `assert`.
pub(super) fn read_condition(
    block: &Block,
    what: &str,
    sources: &Sources,
    d: &mut Diagnostics,
) -> Option<Condition> {
    block::no_labels(block, d);
    CONDITION.check(&block.body, d);
    if let Some(condition) = block.body.value("condition")
        && condition.references().is_empty()
    {
        d.push(
            Diagnostic::error(
                format!("Invalid {what} expression"),
                "The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.",
            )
            .at(condition.span)
            .code(codes::CONDITION_FAILED),
        );
        return None;
    }
    Some(Condition {
        condition: block.body.value("condition")?.clone(),
        message: block.body.value("error_message")?.clone(),
        place: block::place(block.header, sources),
    })
}

pub(super) fn read(
    block: &Block,
    sources: &Sources,
    d: &mut Diagnostics,
) -> Option<(Check, Option<ResourceBlock>)> {
    let name = name_of(block, d)?;
    CHECK.check(&block.body, d);
    let mut data = block
        .body
        .blocks_of("data")
        .find_map(|b| resource::read(b.clone(), sources, d));
    if let Some(data) = &mut data {
        data.check = Some(Arc::clone(&name.text));
    }
    let check = Check {
        name: Arc::clone(&name.text),
        data: data.as_ref().map(|data| data.address.clone()),
        assertions: block
            .body
            .blocks_of("assert")
            .filter_map(|b| read_condition(b, "assert", sources, d))
            .collect(),
        header: block.header,
    };
    if check.assertions.is_empty() {
        d.push(
            Diagnostic::error(
                "Zero assert blocks",
                "Check blocks must have at least one assert block.",
            )
            .at(block.header)
            .code(codes::MISSING_ARGUMENT),
        );
    }
    Some((check, data))
}
