//! `provider` blocks and references to them.

use std::fmt;
use std::sync::Arc;

use super::block;
use crate::config::body::{Block, Body};
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::{Expr, ExprKind, TraversalStep};
use crate::source::Span;

/// A provider configuration.
#[derive(Clone, Debug)]
pub struct ProviderBlock {
    /// The provider's name as this module calls it.
    pub name: Arc<str>,
    /// Which of several configurations.
    pub alias: Option<Arc<str>>,
    /// The arguments.
    pub arguments: Arc<Body>,
    /// `provider "x"`.
    pub header: Span,
}

/// A provider configuration by name: `aws` or `aws.west`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ProviderRef {
    /// The provider's name as this module calls it.
    pub name: Arc<str>,
    /// Which of several configurations.
    pub alias: Option<Arc<str>>,
}

impl fmt::Display for ProviderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.alias {
            Some(alias) => write!(f, ".{alias}"),
            None => Ok(()),
        }
    }
}

pub(super) fn read(mut block: Block, d: &mut Diagnostics) -> Option<ProviderBlock> {
    let name = block::labels::<1>(&block, &["name"], d)?[0].text.clone();
    let alias = block
        .body
        .value("alias")
        .and_then(|e| block::constant_string(e, d))
        .map(Arc::from);
    block
        .body
        .attributes
        .retain(|a| !matches!(a.name.as_ref(), "alias" | "version"));
    Some(ProviderBlock {
        name,
        alias,
        arguments: Arc::new(block.body),
        header: block.header,
    })
}

/// Reads `aws` or `aws.west`.
pub(super) fn read_ref(expr: &Expr, d: &mut Diagnostics) -> Option<ProviderRef> {
    if let ExprKind::Traversal(t) = &expr.kind {
        let name = Arc::clone(&t.root);
        match t.steps.as_slice() {
            [] => return Some(ProviderRef { name, alias: None }),
            [TraversalStep::Attribute(alias, _)] => {
                let alias = Some(Arc::clone(alias));
                return Some(ProviderRef { name, alias });
            }
            _ => {}
        }
    }
    d.push(
        Diagnostic::error(
            "Invalid provider configuration reference",
            "A provider configuration is named by the provider's name, optionally followed by a dot and the alias: aws or aws.west.",
        )
        .at(expr.span)
        .code("E0012"),
    );
    None
}

/// Reads the `providers` argument of a module call.
pub(super) fn read_mapping(expr: &Expr, d: &mut Diagnostics) -> Vec<(ProviderRef, ProviderRef)> {
    let ExprKind::Object(items) = &expr.kind else {
        d.push(
            Diagnostic::error(
                "Invalid providers argument",
                "The providers argument is an object: providers = { aws = aws.west }.",
            )
            .at(expr.span)
            .code("E0012"),
        );
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| Some((read_ref(&item.key, d)?, read_ref(&item.value, d)?)))
        .collect()
}
