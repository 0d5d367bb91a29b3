//! `resource` and `data` blocks: everything but the arguments themselves, which need a schema.

use std::sync::Arc;

use super::block;
use super::check::{Condition, read_condition};
use super::provider::ProviderRef;
use crate::addr::{Mode, Resource};
use crate::config::body::{Block, Body, Label, Shape};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::lang::{Expr, ExprKind, Traversal, TraversalStep};
use crate::source::{Sources, Span};

/// A resource or data source.
#[derive(Clone, Debug)]
pub struct ResourceBlock {
    /// Mode, type and name.
    pub address: Resource,
    /// `count`.
    pub count: Option<Expr>,
    /// `for_each`.
    pub for_each: Option<Expr>,
    /// `enabled`: whether it exists at all.
    pub enabled: Option<Expr>,
    /// The provider configuration, when it is named.
    pub provider: Option<ProviderRef>,
    /// What must be done before.
    pub depends_on: Vec<Expr>,
    /// How it is created, changed and destroyed.
    pub lifecycle: Lifecycle,
    /// The arguments: the body without what is above.
    pub arguments: Arc<Body>,
    /// The check block that alone reads it.
    pub check: Option<Arc<str>>,
    /// `resource "a" "b"`.
    pub header: Span,
}

/// A `lifecycle` block.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    /// A replacement is made before the old object is destroyed.
    pub create_before_destroy: Option<bool>,
    /// A plan that would destroy it is refused.
    pub prevent_destroy: bool,
    /// Arguments whose changes are ignored.
    pub ignore_changes: Triggers,
    /// Changes of these replace it.
    pub replace_triggered_by: Vec<Expr>,
    /// What must hold before.
    pub preconditions: Vec<Condition>,
    /// What must hold after.
    pub postconditions: Vec<Condition>,
}

impl Lifecycle {
    /// Whether something must hold before or after.
    pub fn has_conditions(&self) -> bool {
        !(self.preconditions.is_empty() && self.postconditions.is_empty())
    }
}

/// Which changes are ignored.
#[derive(Clone, Debug, Default)]
pub enum Triggers {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those of these arguments, each a reference relative to the resource.
    Some(Vec<Expr>),
}

const LIFECYCLE: Shape = Shape {
    required: &[],
    optional: &[
        "create_before_destroy",
        "prevent_destroy",
        "ignore_changes",
        "replace_triggered_by",
    ],
    blocks: &["precondition", "postcondition"],
};

const META: &[&str] = &["count", "for_each", "enabled", "provider", "depends_on"];

pub(super) fn read(
    mut block: Block,
    sources: &Sources,
    d: &mut Diagnostics,
) -> Option<ResourceBlock> {
    let mode = match block.ty.as_ref() {
        "data" => Mode::Data,
        _ => Mode::Managed,
    };
    let labels = block::labels::<2>(&block, &["type", "name"], d)?.clone();
    for (label, what) in labels.iter().zip(["type", "name"]) {
        if let Some(problem) = super::identifier_problem(&label.text) {
            d.push(
                Diagnostic::error(format!("Invalid resource {what}"), problem)
                    .at(label.span)
                    .code("E0005"),
            );
            return None;
        }
    }
    let body = &mut block.body;
    let depends_on = depends_on(body, d);
    let take = |name: &str| body.value(name).cloned();
    let (count, for_each, enabled) = (take("count"), take("for_each"), take("enabled"));
    one_repetition(count.as_ref(), for_each.as_ref(), d);
    let provider = body
        .value("provider")
        .and_then(|e| super::provider::read_ref(e, d));
    let lifecycle = body
        .blocks_of("lifecycle")
        .next()
        .map(|b| read_lifecycle(b, sources, d))
        .unwrap_or_default();
    own_conditions(&labels, mode, &lifecycle, d);
    body.attributes.retain(|a| !META.contains(&a.name.as_ref()));
    // Provisioners and connections run by Terraform's rules only where a provider asks for them.
    body.blocks.retain(|b| b.ty.as_ref() != "lifecycle");
    Some(ResourceBlock {
        address: Resource {
            mode,
            ty: Arc::clone(&labels[0].text),
            name: Arc::clone(&labels[1].text),
        },
        count,
        for_each,
        enabled,
        provider,
        depends_on,
        lifecycle,
        arguments: Arc::new(block.body),
        check: None,
        header: block.header,
    })
}

/// Reports conditions that speak of their own resource by name: they say `self` where they may.
fn own_conditions(labels: &[Label; 2], mode: Mode, lifecycle: &Lifecycle, d: &mut Diagnostics) {
    let [ty, name] = labels;
    let own = |t: &Traversal| {
        let words: Vec<&str> = t.names().take(3).collect();
        match mode {
            Mode::Managed => words.starts_with(&[&ty.text, &name.text]),
            Mode::Data => words.starts_with(&["data", &ty.text, &name.text]),
        }
    };
    let all = [
        ("precondition", &lifecycle.preconditions),
        ("postcondition", &lifecycle.postconditions),
    ];
    for (what, conditions) in all {
        let expressions = conditions.iter().flat_map(|c| [&c.condition, &c.message]);
        for traversal in expressions.flat_map(Expr::references).filter(|t| own(t)) {
            d.push(
                Diagnostic::error(
                    format!("Invalid reference in {what}"),
                    format!(
                        "Configuration for {}.{} may not refer to itself.",
                        ty.text, name.text
                    ),
                )
                .at(traversal.span)
                .code(codes::CYCLE),
            );
        }
    }
}

pub(super) fn one_repetition(count: Option<&Expr>, for_each: Option<&Expr>, d: &mut Diagnostics) {
    if let (Some(_), Some(for_each)) = (count, for_each) {
        d.push(
            Diagnostic::error(
                "Invalid combination of \"count\" and \"for_each\"",
                "The \"count\" and \"for_each\" meta-arguments are mutually-exclusive, only one should be used to be explicit about the number of resources to be created.",
            )
            .at(for_each.span)
            .code("E0010"),
        );
    }
}

/// The references listed in `depends_on`.
pub(super) fn depends_on(body: &Body, d: &mut Diagnostics) -> Vec<Expr> {
    match body.value("depends_on") {
        None => Vec::new(),
        Some(expr) => references(expr, d),
    }
}

/// A list whose elements are references, nothing else.
fn references(expr: &Expr, d: &mut Diagnostics) -> Vec<Expr> {
    let ExprKind::Tuple(items) = &expr.kind else {
        d.push(not_static(expr, "A static list expression is required."));
        return Vec::new();
    };
    let mut references = Vec::new();
    for item in items.iter() {
        match &item.kind {
            ExprKind::Traversal(_) => references.push(item.clone()),
            ExprKind::Literal(value) if value.as_str().is_some() => {
                let quoted = value.as_str().and_then(|text| quoted(text, item.span));
                match quoted {
                    Some(reference) => {
                        d.push(
                            Diagnostic::warning(
                                "Quoted references are deprecated",
                                "In this context, references are expected literally rather than in quotes. Remove the quotes surrounding this reference to silence this warning.",
                            )
                            .at(item.span),
                        );
                        references.push(reference);
                    }
                    None => d.push(not_static(item, SINGLE)),
                }
            }
            // References with computed keys are told by what depends on them.
            _ if !item.references().is_empty() => references.push(item.clone()),
            _ => d.push(not_static(item, SINGLE)),
        }
    }
    references
}

const SINGLE: &str = "A single static variable reference is required: only attribute access and indexing with constant keys. No calculations, function calls, template expressions, etc are allowed here.";

fn not_static(expr: &Expr, detail: &str) -> Diagnostic {
    Diagnostic::error("Invalid expression", detail)
        .at(expr.span)
        .code(codes::INVALID_REFERENCE)
}

/// A reference in quotes, as it was once written.
fn quoted(text: &str, span: Span) -> Option<Expr> {
    let mut names = text.split('.');
    if text
        .split('.')
        .any(|name| super::identifier_problem(name).is_some())
    {
        return None;
    }
    let root = names.next()?.into();
    Some(Expr::traversal(Traversal {
        root,
        root_span: span,
        steps: names
            .map(|name| TraversalStep::Attribute(name.into(), span))
            .collect(),
        span,
    }))
}

fn read_lifecycle(block: &Block, sources: &Sources, d: &mut Diagnostics) -> Lifecycle {
    block::no_labels(block, d);
    LIFECYCLE.check(&block.body, d);
    let flag = |name: &str, d: &mut Diagnostics| {
        block
            .body
            .value(name)
            .and_then(|e| block::constant_bool(e, d))
    };
    let conditions = |ty: &str, d: &mut Diagnostics| {
        block
            .body
            .blocks_of(ty)
            .filter_map(|b| read_condition(b, ty, sources, d))
            .collect()
    };
    Lifecycle {
        create_before_destroy: flag("create_before_destroy", d),
        prevent_destroy: flag("prevent_destroy", d).unwrap_or(false),
        ignore_changes: match block.body.value("ignore_changes") {
            None => Triggers::None,
            Some(expr) => ignore_changes(expr, d),
        },
        replace_triggered_by: block
            .body
            .value("replace_triggered_by")
            .map(|e| references(e, d))
            .unwrap_or_default(),
        preconditions: conditions("precondition", d),
        postconditions: conditions("postcondition", d),
    }
}

fn ignore_changes(expr: &Expr, d: &mut Diagnostics) -> Triggers {
    match &expr.kind {
        ExprKind::Traversal(t) if t.root.as_ref() == "all" && t.steps.is_empty() => Triggers::All,
        ExprKind::Tuple(items) if items.iter().any(is_wildcard) => {
            d.push(
                Diagnostic::error(
                    "Invalid ignore_changes wildcard",
                    "The [\"*\"] form of ignore_changes wildcard is not valid. Use \"ignore_changes = all\" to ignore changes to all attributes.",
                )
                .at(expr.span)
                .code(codes::INVALID_REFERENCE),
            );
            Triggers::None
        }
        _ => Triggers::Some(references(expr, d)),
    }
}

fn is_wildcard(item: &Expr) -> bool {
    matches!(&item.kind, ExprKind::Literal(value) if value.as_str() == Some("*"))
}
