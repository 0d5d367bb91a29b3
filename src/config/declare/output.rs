//! `output` blocks.

use std::sync::Arc;

use super::check::{Condition, read_condition};
use super::{block, name_of};
use crate::config::body::{Block, Shape};
use crate::diag::Diagnostics;
use crate::lang::Expr;
use crate::source::{Sources, Span};

/// A value that a module answers.
#[derive(Clone, Debug)]
pub struct Output {
    /// The name.
    pub name: Arc<str>,
    /// The value; absent only in an interface of the vocabulary, whose modules give it.
    pub value: Option<Expr>,
    /// For people.
    pub description: Option<String>,
    /// Not to be shown.
    pub sensitive: bool,
    /// Not to be written to disk.
    pub ephemeral: bool,
    /// What must be done before.
    pub depends_on: Vec<Expr>,
    /// What must hold.
    pub preconditions: Vec<Condition>,
    /// `output "x"`.
    pub header: Span,
}

const SHAPE: Shape = Shape {
    required: &[],
    optional: &[
        "value",
        "description",
        "sensitive",
        "ephemeral",
        "depends_on",
    ],
    blocks: &["precondition"],
};

pub(super) fn read(block: &Block, sources: &Sources, d: &mut Diagnostics) -> Option<Output> {
    let name = name_of(block, d)?;
    SHAPE.check(&block.body, d);
    let flag = |name: &str, d: &mut Diagnostics| {
        block
            .body
            .value(name)
            .and_then(|e| block::constant_bool(e, d))
    };
    Some(Output {
        name: Arc::clone(&name.text),
        value: block.body.value("value").cloned(),
        description: block
            .body
            .value("description")
            .and_then(|e| block::constant_string(e, d)),
        sensitive: flag("sensitive", d).unwrap_or(false),
        ephemeral: flag("ephemeral", d).unwrap_or(false),
        depends_on: super::resource::depends_on(&block.body, d),
        preconditions: block
            .body
            .blocks_of("precondition")
            .filter_map(|b| read_condition(b, "precondition", sources, d))
            .collect(),
        header: block.header,
    })
}
