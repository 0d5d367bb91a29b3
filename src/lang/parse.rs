//! Turns what `hcl-edit` parsed into our own tree, once.
//!
//! The text decides where `hcl-edit` does not keep enough: digits of numbers beyond 64 bits,
//! escapes inside template directives, indentation of heredocs.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr as hcl;
use mlinfra_sdk::{Number, Value};

use super::expr::{
    Binary, BinaryOperator, Call, Conditional, Expr, ExprKind, For, Index, ObjectItem, Splat,
    Traversal, TraversalStep, UnaryOperator,
};
use super::parse_template;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{SourceId, Sources, Span};

/// Lowers a parsed expression.
///
/// # Errors
/// What the grammar of `hcl-edit` lets pass and the language does not.
pub fn lower(
    expr: &hcl::Expression,
    source: SourceId,
    sources: &Sources,
) -> Result<Expr, Diagnostics> {
    let text = &sources.file(source).text;
    let mut lowering = Lowering::new(source, text);
    let expr = lowering.expr(expr);
    lowering.diagnostics.into_result(expr)
}

/// Parses the text of a source as one expression: a line of the console, the value of `-var`.
///
/// # Errors
/// When it is not one.
pub fn parse_expression(source: SourceId, sources: &Sources) -> Result<Expr, Diagnostics> {
    const BEFORE: &str = "x=(";
    let text = &sources.file(source).text;
    // In parentheses, because there line breaks and comments may stand anywhere.
    let wrapped = format!("{BEFORE}{text}\n)\n");
    let body = hcl_edit::parser::parse_body(&wrapped)
        .map_err(|error| invalid(source, text, error.message()))?;
    match body.get_attribute("x").map(|x| &x.value) {
        Some(hcl::Expression::Parenthesis(p)) if body.len() == 1 => {
            let mut lowering = Lowering::new(source, text);
            lowering.before = BEFORE.len();
            let expr = lowering.expr(p.inner());
            lowering.diagnostics.into_result(expr)
        }
        _ => Err(invalid(source, text, "an expression is expected")),
    }
}

fn invalid(source: SourceId, text: &str, message: &str) -> Diagnostics {
    Diagnostic::error("Invalid expression", message)
        .at(Span::new(source, 0..text.len()))
        .into()
}

/// The state of one lowering.
pub(super) struct Lowering<'t> {
    source: SourceId,
    text: &'t str,
    /// How many bytes were put before the text for the parser.
    before: usize,
    /// What was found wrong.
    pub(super) diagnostics: Diagnostics,
}

impl<'t> Lowering<'t> {
    pub(super) fn new(source: SourceId, text: &'t str) -> Lowering<'t> {
        Lowering {
            source,
            text,
            before: 0,
            diagnostics: Diagnostics::new(),
        }
    }

    pub(super) fn span(&self, range: Option<Range<usize>>) -> Span {
        Span::new(self.source, self.shifted(range).unwrap_or_default())
    }

    /// The text of a span; empty when it reaches out of the source.
    pub(super) fn text(&self, range: Option<Range<usize>>) -> &'t str {
        self.shifted(range)
            .and_then(|r| self.text.get(r))
            .unwrap_or_default()
    }

    fn shifted(&self, range: Option<Range<usize>>) -> Option<Range<usize>> {
        let range = range?;
        Some(range.start.checked_sub(self.before)?..range.end.checked_sub(self.before)?)
    }

    pub(super) fn error(&mut self, span: Span, summary: &str, detail: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::error(summary, detail).at(span));
    }

    pub(super) fn expr(&mut self, expr: &hcl::Expression) -> Expr {
        let span = self.span(expr.span());
        let kind = match expr {
            hcl::Expression::Null(_) => ExprKind::Literal(Value::NULL),
            hcl::Expression::Bool(b) => ExprKind::Literal(Value::from(*b.value())),
            hcl::Expression::Number(_) => ExprKind::Literal(self.number(expr.span())),
            hcl::Expression::String(_) => {
                let quoted = self.text(expr.span());
                let inner = quoted.get(1..quoted.len().saturating_sub(1));
                let text = parse_template::unescape(self, inner.unwrap_or_default(), span);
                ExprKind::Literal(Value::string(&text))
            }
            hcl::Expression::Array(array) => {
                ExprKind::Tuple(array.iter().map(|item| self.expr(item)).collect())
            }
            hcl::Expression::Object(object) => ExprKind::Object(
                object
                    .iter()
                    .map(|(key, value)| ObjectItem {
                        key: self.object_key(key),
                        value: self.expr(value.expr()),
                    })
                    .collect(),
            ),
            hcl::Expression::StringTemplate(t) => parse_template::quoted(self, &mut t.iter()),
            hcl::Expression::HeredocTemplate(t) => {
                let flush = self.text(expr.span()).starts_with("<<-");
                parse_template::heredoc(self, &mut t.template.iter(), flush)
            }
            hcl::Expression::Parenthesis(p) => ExprKind::Paren(Arc::new(self.expr(p.inner()))),
            hcl::Expression::Variable(name) => ExprKind::Traversal(Traversal {
                root: name.as_str().into(),
                root_span: span,
                steps: Vec::new(),
                span,
            }),
            hcl::Expression::Conditional(c) => ExprKind::Conditional(Arc::new(Conditional {
                condition: self.expr(&c.cond_expr),
                if_true: self.expr(&c.true_expr),
                if_false: self.expr(&c.false_expr),
            })),
            hcl::Expression::FuncCall(call) => self.call(call, span),
            hcl::Expression::Traversal(traversal) => return self.traversal(traversal),
            hcl::Expression::UnaryOp(op) => {
                let operator = match op.operator.value() {
                    hcl::UnaryOperator::Neg => UnaryOperator::Negate,
                    hcl::UnaryOperator::Not => UnaryOperator::Not,
                };
                ExprKind::Unary(operator, Arc::new(self.expr(&op.expr)))
            }
            hcl::Expression::BinaryOp(op) => ExprKind::Binary(Arc::new(Binary {
                operator: binary_operator(*op.operator.value()),
                left: self.expr(&op.lhs_expr),
                right: self.expr(&op.rhs_expr),
            })),
            hcl::Expression::ForExpr(f) => self.for_expr(f, span),
        };
        Expr { kind, span }
    }

    /// A number as it is written; a minus sign before it belongs to it.
    fn number(&mut self, range: Option<Range<usize>>) -> Value {
        let text = self.text(range.clone());
        let negative = text.starts_with('-');
        // Between the sign and the digits there may be blanks and comments.
        let digits = text.trim_start_matches('-');
        let start = digits.rfind([' ', '\t', '/']).map_or(0, |i| i + 1);
        match digits[start..].parse::<Number>() {
            Ok(n) if negative => Value::from(n.negate()),
            Ok(n) => Value::from(n),
            Err(_) => {
                let span = self.span(range);
                self.error(
                    span,
                    "Invalid number literal",
                    "Failed to recognize the value of this number literal.",
                );
                Value::UNKNOWN
            }
        }
    }

    fn object_key(&mut self, key: &hcl::ObjectKey) -> Expr {
        let word = |text: &str, span| Expr::literal(Value::string(text), span);
        match key {
            hcl::ObjectKey::Ident(ident) => {
                // The parser keeps no span of a bare key, but one of what follows it.
                word(ident.as_str(), self.span(key.span()))
            }
            hcl::ObjectKey::Expression(
                expr @ (hcl::Expression::Null(_) | hcl::Expression::Bool(_)),
            ) => word(self.text(expr.span()), self.span(expr.span())),
            hcl::ObjectKey::Expression(expr) => {
                let key = self.expr(expr);
                if matches!(key.kind, ExprKind::Traversal(_)) {
                    self.error(
                        key.span,
                        "Ambiguous attribute key",
                        "If this expression is intended to be a reference, wrap it in \
                         parentheses. If it's instead intended as a literal name containing \
                         periods, wrap it in quotes to create a string literal.",
                    );
                }
                key
            }
        }
    }

    fn call(&mut self, call: &hcl::FuncCall, span: Span) -> ExprKind {
        let mut name = String::new();
        for part in &call.name.namespace {
            name.push_str(part.as_str());
            name.push_str("::");
        }
        name.push_str(call.name.name.as_str());
        let first = call.name.namespace.first().unwrap_or(&call.name.name);
        let name_span = self.span(first.span()).to(self.span(call.name.name.span()));
        ExprKind::Call(Arc::new(Call {
            name: name.into(),
            name_span,
            arguments: call.args.iter().map(|a| self.expr(a)).collect(),
            expand: call.args.expand_final(),
            parentheses: Span {
                start: name_span.end,
                ..span
            },
        }))
    }

    fn for_expr(&mut self, f: &hcl::ForExpr, span: Span) -> ExprKind {
        if f.key_expr.is_none() && f.grouping {
            self.error(
                span,
                "Invalid 'for' expression",
                "Grouping ellipsis (...) cannot be used when building a tuple.",
            );
        }
        ExprKind::For(Arc::new(For {
            key_name: f.intro.key_var.as_ref().map(|name| name.as_str().into()),
            value_name: f.intro.value_var.as_str().into(),
            collection: self.expr(&f.intro.collection_expr),
            key: f.key_expr.as_ref().map(|key| self.expr(key)),
            value: self.expr(&f.value_expr),
            condition: f.cond.as_ref().map(|c| self.expr(&c.expr)),
            group: f.grouping,
        }))
    }

    fn traversal(&mut self, traversal: &hcl::Traversal) -> Expr {
        let base = self.expr(&traversal.expr);
        self.steps(base, &traversal.operators)
    }

    /// Applies traversal operators to what stands before them.
    fn steps(
        &mut self,
        mut base: Expr,
        mut operators: &[hcl_edit::Decorated<hcl::TraversalOperator>],
    ) -> Expr {
        let mut legacy = false;
        while let Some((operator, rest)) = operators.split_first() {
            operators = rest;
            let span = self.span(operator.span());
            let was_legacy = std::mem::take(&mut legacy);
            match operator.value() {
                hcl::TraversalOperator::GetAttr(name) => {
                    let step = TraversalStep::Attribute(name.as_str().into(), span);
                    base = with_step(base, step);
                }
                hcl::TraversalOperator::LegacyIndex(_) => {
                    if was_legacy {
                        self.error(span, "Invalid legacy index syntax", LEGACY_CHAIN);
                    }
                    base = with_step(base, self.legacy_index(operator));
                    legacy = true;
                }
                hcl::TraversalOperator::Index(key) => {
                    let key = self.expr(key);
                    base = match key.kind {
                        ExprKind::Literal(value) => {
                            with_step(base, TraversalStep::Index(value, span))
                        }
                        _ => Expr {
                            span: base.span.to(span),
                            kind: ExprKind::Index(Arc::new(Index {
                                collection: base,
                                key,
                                span,
                            })),
                        },
                    };
                }
                hcl::TraversalOperator::FullSplat(_) => {
                    let each = self.steps(element(span), rest);
                    return splat(base, each, span);
                }
                hcl::TraversalOperator::AttrSplat(_) => {
                    let taken = rest.iter().take_while(|o| {
                        matches!(
                            o.value(),
                            hcl::TraversalOperator::GetAttr(_)
                                | hcl::TraversalOperator::LegacyIndex(_)
                        )
                    });
                    let mut each = element(span);
                    for operator in taken {
                        operators = &operators[1..];
                        let step = match operator.value() {
                            hcl::TraversalOperator::GetAttr(name) => TraversalStep::Attribute(
                                name.as_str().into(),
                                self.span(operator.span()),
                            ),
                            _ => self.legacy_index(operator),
                        };
                        each = with_step(each, step);
                    }
                    base = splat(base, each, span);
                }
            }
        }
        base
    }

    fn legacy_index(
        &mut self,
        operator: &hcl_edit::Decorated<hcl::TraversalOperator>,
    ) -> TraversalStep {
        let text = self.text(operator.span());
        let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        let key = digits.parse::<Number>().map_or(Value::UNKNOWN, Value::from);
        TraversalStep::Index(key, self.span(operator.span()))
    }
}

const LEGACY_CHAIN: &str = "When using the legacy index syntax, chaining two indexes together is \
    not permitted. Use the proper index syntax instead, like [0][1].";

/// A step after an expression: a longer reference where the expression is one.
fn with_step(base: Expr, step: TraversalStep) -> Expr {
    let span = base.span.to(step.span());
    let kind = match base.kind {
        ExprKind::Traversal(mut traversal) => {
            traversal.steps.push(step);
            traversal.span = span;
            ExprKind::Traversal(traversal)
        }
        ExprKind::Steps(inner, steps) => {
            let steps = steps.iter().cloned().chain([step]).collect();
            ExprKind::Steps(inner, steps)
        }
        kind => {
            let base = Expr {
                kind,
                span: base.span,
            };
            ExprKind::Steps(Arc::new(base), Arc::from([step]))
        }
    };
    Expr { kind, span }
}

fn element(span: Span) -> Expr {
    Expr {
        kind: ExprKind::SplatElement,
        span,
    }
}

fn splat(source: Expr, each: Expr, marker: Span) -> Expr {
    Expr {
        span: source.span.to(each.span),
        kind: ExprKind::Splat(Arc::new(Splat {
            source,
            each,
            marker,
        })),
    }
}

fn binary_operator(operator: hcl::BinaryOperator) -> BinaryOperator {
    match operator {
        hcl::BinaryOperator::Or => BinaryOperator::Or,
        hcl::BinaryOperator::And => BinaryOperator::And,
        hcl::BinaryOperator::Eq => BinaryOperator::Equal,
        hcl::BinaryOperator::NotEq => BinaryOperator::NotEqual,
        hcl::BinaryOperator::Greater => BinaryOperator::Greater,
        hcl::BinaryOperator::GreaterEq => BinaryOperator::GreaterOrEqual,
        hcl::BinaryOperator::Less => BinaryOperator::Less,
        hcl::BinaryOperator::LessEq => BinaryOperator::LessOrEqual,
        hcl::BinaryOperator::Plus => BinaryOperator::Add,
        hcl::BinaryOperator::Minus => BinaryOperator::Subtract,
        hcl::BinaryOperator::Mul => BinaryOperator::Multiply,
        hcl::BinaryOperator::Div => BinaryOperator::Divide,
        hcl::BinaryOperator::Mod => BinaryOperator::Modulo,
    }
}
