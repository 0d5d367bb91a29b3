//! `module` blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{block, name_of};
use crate::config::body::{Attribute, Block};
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::Expr;
use crate::source::Span;

/// A call of a module.
#[derive(Clone, Debug)]
pub struct ModuleCall {
    /// The name; of a block of the vocabulary, `kind.name`.
    pub name: Arc<str>,
    /// Where the module is; of a block of the vocabulary, [`ModuleCall::VOCABULARY`] and the path.
    pub source: String,
    /// Where that is written.
    pub source_span: Span,
    /// The values of the module's variables.
    pub arguments: BTreeMap<Arc<str>, Attribute>,
    /// `count`.
    pub count: Option<Expr>,
    /// `for_each`.
    pub for_each: Option<Expr>,
    /// `enabled`: whether it exists at all.
    pub enabled: Option<Expr>,
    /// What must be done before.
    pub depends_on: Vec<Expr>,
    /// `providers`: names inside with the names outside.
    pub providers: Vec<(super::ProviderRef, super::ProviderRef)>,
    /// `module "x"`.
    pub header: Span,
}

impl ModuleCall {
    /// What the source of a module of the vocabulary begins with; no path on disk does.
    pub const VOCABULARY: &'static str = "vocabulary:";

    /// Whether this was a block of the vocabulary.
    pub fn is_vocabulary(&self) -> bool {
        self.source.starts_with(Self::VOCABULARY)
    }
}

pub(super) fn read(block: &Block, d: &mut Diagnostics) -> Option<ModuleCall> {
    let name = name_of(block, d)?;
    for nested in &block.body.blocks {
        d.push(crate::config::body::unsupported_block(
            nested,
            std::iter::empty(),
            std::iter::empty(),
        ));
    }
    let Some(source) = block.body.value("source") else {
        d.push(crate::config::body::missing_argument(
            "source",
            block.header,
        ));
        return None;
    };
    let source_span = source.span;
    let source = block::constant_string(source, d)?;
    let mut call = ModuleCall {
        name: Arc::clone(&name.text),
        source,
        source_span,
        arguments: BTreeMap::new(),
        count: None,
        for_each: None,
        enabled: None,
        depends_on: super::resource::depends_on(&block.body, d),
        providers: Vec::new(),
        header: block.header,
    };
    for attribute in &block.body.attributes {
        match attribute.name.as_ref() {
            "source" | "version" | "depends_on" => {}
            "count" => call.count = Some(attribute.value.clone()),
            "for_each" => call.for_each = Some(attribute.value.clone()),
            "enabled" => call.enabled = Some(attribute.value.clone()),
            "providers" => call.providers = super::provider::read_mapping(&attribute.value, d),
            _ => {
                call.arguments
                    .insert(attribute.name.clone(), attribute.clone());
            }
        }
    }
    super::resource::one_repetition(call.count.as_ref(), call.for_each.as_ref(), d);
    if call.source.is_empty() {
        d.push(
            Diagnostic::error(
                "Invalid module source address",
                "The source of a module is a path that begins with ./ or ../.",
            )
            .at(source_span)
            .code("E0017"),
        );
        return None;
    }
    Some(call)
}
