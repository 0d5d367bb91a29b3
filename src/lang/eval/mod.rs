//! Evaluates expressions.
//!
//! Where a part of an expression fails, the evaluator notes the error and goes on with an unknown
//! value in its place, so that it finds as many errors as it can.

mod access;
mod call;
mod conditional;
mod equality;
mod for_expr;
mod mismatch;
mod operators;
mod splat;
mod template;

use std::sync::Arc;

pub use access::{attribute, index};
pub use equality::equal;
use mlinfra_sdk::{Marks, Type, Value};
pub use operators::{add, compare};

use super::convert::convert;
use super::expr::{Expr, ExprKind, ObjectItem, Traversal, TraversalStep};
use super::scope::Scope;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::Span;

/// How deep expressions may nest; beyond it the stack might not suffice.
const GREATEST_DEPTH: usize = 400;

/// The value of an expression.
///
/// # Errors
/// All errors that can be found, each at its place.
pub fn evaluate(expr: &Expr, scope: &dyn Scope) -> Result<Value, Diagnostics> {
    // Most expressions are literals or plain references.
    if let ExprKind::Literal(value) = &expr.kind {
        return Ok(value.clone());
    }
    let mut evaluator = Evaluator::new(scope);
    let value = evaluator.eval(expr);
    evaluator.finish(value)
}

/// The value of an expression with some names that go before those of the scope.
///
/// # Errors
/// All errors that can be found, each at its place.
pub fn evaluate_with(
    expr: &Expr,
    scope: &dyn Scope,
    names: impl IntoIterator<Item = (Arc<str>, Value)>,
) -> Result<Value, Diagnostics> {
    let mut evaluator = Evaluator::new(scope);
    evaluator.bound.extend(names);
    let value = evaluator.eval(expr);
    evaluator.finish(value)
}

struct Evaluator<'s> {
    scope: &'s dyn Scope,
    /// The variables of the `for` expressions around, innermost last.
    bound: Vec<(Arc<str>, Value)>,
    /// The elements that the splats around are at, innermost last.
    elements: Vec<Value>,
    /// Errors that `try` and `can` catch.
    diagnostics: Diagnostics,
    /// References that lead nowhere, which nothing catches.
    unresolved: Diagnostics,
    depth: usize,
}

impl<'s> Evaluator<'s> {
    fn new(scope: &'s dyn Scope) -> Evaluator<'s> {
        Evaluator {
            scope,
            bound: Vec::new(),
            elements: Vec::new(),
            diagnostics: Diagnostics::new(),
            unresolved: Diagnostics::new(),
            depth: 0,
        }
    }

    fn finish(self, value: Value) -> Result<Value, Diagnostics> {
        // Nothing that was computed from what does not exist is worth telling.
        self.unresolved
            .into_result(())
            .and_then(|()| self.diagnostics.into_result(value))
    }

    fn eval(&mut self, expr: &Expr) -> Value {
        if let ExprKind::Literal(value) = &expr.kind {
            return value.clone();
        }
        if self.depth >= GREATEST_DEPTH {
            let detail = format!("Expressions may nest no deeper than {GREATEST_DEPTH} levels.");
            return self.fail(expr.span, "Expression too deep", detail);
        }
        self.depth += 1;
        let value = self.eval_kind(expr);
        self.depth -= 1;
        value
    }

    fn eval_kind(&mut self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Literal(value) => value.clone(),
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::Interpolation(inner) | ExprKind::Paren(inner) => self.eval(inner),
            ExprKind::TemplateJoin(tuple) => self.template_join(tuple),
            ExprKind::Traversal(traversal) => self.traversal(traversal),
            ExprKind::Steps(inner, steps) => {
                let value = self.eval(inner);
                self.steps(value, steps)
            }
            ExprKind::Index(i) => {
                let collection = self.eval(&i.collection);
                let key = self.eval(&i.key);
                self.noted(index(&collection, &key), i.span)
            }
            ExprKind::Splat(splat) => self.splat(splat),
            ExprKind::SplatElement => self.elements.last().cloned().unwrap_or(Value::UNKNOWN),
            ExprKind::Tuple(items) => {
                Value::tuple(items.iter().map(|item| self.eval(item)).collect::<Vec<_>>())
            }
            ExprKind::Object(items) => self.object(items),
            ExprKind::Conditional(c) => self.conditional(c, expr.span),
            ExprKind::Binary(b) => self.binary(b, expr.span),
            ExprKind::Unary(operator, operand) => self.unary(*operator, operand, expr.span),
            ExprKind::Call(call) => self.call(call, expr.span),
            ExprKind::For(f) => self.for_expr(f),
            ExprKind::AmbiguousKey(key) => {
                self.check_references(key);
                self.fail(
                    key.span,
                    "Ambiguous attribute key",
                    "If this expression is intended to be a reference, wrap it in parentheses. If \
                     it's instead intended as a literal name containing periods, wrap it in quotes \
                     to create a string literal.",
                )
            }
        }
    }

    fn traversal(&mut self, traversal: &Traversal) -> Value {
        let bound = self.bound.iter().rev();
        if let Some((_, value)) = bound.clone().find(|(name, _)| *name == traversal.root) {
            let value = value.clone();
            return self.steps(value, &traversal.steps);
        }
        match self.scope.resolve(traversal) {
            Ok((value, consumed)) => {
                self.steps(value, traversal.steps.get(consumed..).unwrap_or_default())
            }
            Err(diagnostic) => {
                self.unresolved.push(diagnostic.at(traversal.span));
                Value::UNKNOWN
            }
        }
    }

    /// Notes the references of an expression that lead nowhere, without evaluating it.
    fn check_references(&mut self, expr: &Expr) {
        for traversal in expr.references() {
            let bound = self.bound.iter().any(|(name, _)| *name == traversal.root);
            if bound {
                continue;
            }
            if let Err(diagnostic) = self.scope.resolve(traversal) {
                self.unresolved.push(diagnostic.at(traversal.span));
            }
        }
    }

    fn steps(&mut self, mut value: Value, steps: &[TraversalStep]) -> Value {
        for step in steps {
            let next = match step {
                TraversalStep::Attribute(name, _) => attribute(&value, name),
                TraversalStep::Index(key, _) => index(&value, key),
            };
            match next {
                Ok(next) => value = next,
                Err(diagnostic) => {
                    self.diagnostics.push(diagnostic.at(step.span()));
                    return Value::UNKNOWN;
                }
            }
        }
        value
    }

    fn object(&mut self, items: &[ObjectItem]) -> Value {
        let mut attributes = Vec::with_capacity(items.len());
        let mut marks = Marks::NONE;
        let mut known = true;
        for item in items {
            let key = self.eval(&item.key);
            let value = self.eval(&item.value);
            if key.is_null() {
                self.fail(
                    item.key.span,
                    "Null value as key",
                    "Can't use a null value as a key.",
                );
                known = false;
                continue;
            }
            let (key, key_marks) = key.unmark();
            marks |= key_marks;
            match convert(&key, &Type::String) {
                Ok(key) => match key.as_str() {
                    Some(text) => attributes.push((Arc::<str>::from(text), value)),
                    None => known = false,
                },
                Err(error) => {
                    let detail = format!("Can't use this value as a key: {error}.");
                    self.fail(item.key.span, "Incorrect key type", detail);
                    known = false;
                }
            }
        }
        let value = if known {
            Value::object(attributes)
        } else {
            Value::UNKNOWN
        };
        value.with_marks(marks)
    }

    /// Notes an error; the unknown value takes the place of what failed.
    fn fail(&mut self, span: Span, summary: &str, detail: impl Into<String>) -> Value {
        self.diagnostics
            .push(Diagnostic::error(summary, detail).at(span));
        Value::UNKNOWN
    }

    fn noted(&mut self, result: Result<Value, Diagnostic>, span: Span) -> Value {
        result.unwrap_or_else(|diagnostic| {
            self.diagnostics.push(diagnostic.at(span));
            Value::UNKNOWN
        })
    }

    /// Evaluates with the errors of this part kept apart.
    fn apart(&mut self, evaluate: impl FnOnce(&mut Self) -> Value) -> (Value, Diagnostics) {
        let outside = std::mem::take(&mut self.diagnostics);
        let value = evaluate(self);
        let inside = std::mem::replace(&mut self.diagnostics, outside);
        (value, inside)
    }
}
