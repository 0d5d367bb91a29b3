//! `terraform` and `mlinfra` blocks: settings of the whole module.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::block;
use crate::config::body::{Block, Shape};
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::{self, Expr, ExprKind};
use crate::source::Span;

/// Settings.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Providers by the name that this module gives them.
    pub required_providers: BTreeMap<Arc<str>, RequiredProvider>,
    /// Version constraints on the tool, as `terraform` and `mlinfra` blocks write them.
    pub required_version: Vec<(bool, String, Span)>,
    /// Folders with kinds of the team's own.
    pub vocabulary: Option<Expr>,
    /// Where state is kept: the type and arguments of a `state` block.
    pub state: Option<Block>,
}

/// A provider that a module needs.
#[derive(Clone, Debug)]
pub struct RequiredProvider {
    /// Its name among all providers: the last part of its source.
    pub provider: Arc<str>,
    /// Where that is written.
    pub span: Span,
}

const SHAPE: Shape = Shape {
    required: &[],
    optional: &["required_version", "vocabulary", "experiments"],
    blocks: &[
        "required_providers",
        "state",
        "backend",
        "cloud",
        "provider_meta",
    ],
};

pub(super) fn read(block: &Block, settings: &mut Settings, d: &mut Diagnostics) {
    block::no_labels(block, d);
    SHAPE.check(&block.body, d);
    if let Some(expr) = block.body.value("required_version")
        && let Some(text) = block::constant_string(expr, d)
    {
        let ours = block.ty.as_ref() == "mlinfra";
        settings.required_version.push((ours, text, expr.span));
    }
    if let Some(expr) = block.body.value("vocabulary") {
        settings.vocabulary = Some(expr.clone());
    }
    for nested in &block.body.blocks {
        match nested.ty.as_ref() {
            "required_providers" => required_providers(nested, settings, d),
            "state" => settings.state = Some(nested.clone()),
            "backend" | "cloud" => d.push(
                Diagnostic::warning(
                    format!("The {} block is ignored", nested.ty),
                    "mlinfra keeps its state where the state block of an mlinfra block says; other tools' back ends are not used.",
                )
                .at(nested.header),
            ),
            _ => {}
        }
    }
}

fn required_providers(block: &Block, settings: &mut Settings, d: &mut Diagnostics) {
    for attribute in &block.body.attributes {
        let source = match &attribute.value.kind {
            ExprKind::Object(_) => d
                .keep(lang::evaluate(&attribute.value, &lang::NoScope::default()))
                .and_then(|v| v.get_str("source").map(str::to_owned)),
            _ => None,
        };
        let provider = source
            .as_deref()
            .and_then(|s| s.rsplit('/').next())
            .unwrap_or(&attribute.name);
        settings.required_providers.insert(
            Arc::clone(&attribute.name),
            RequiredProvider {
                provider: provider.into(),
                span: attribute.name_span,
            },
        );
    }
}
