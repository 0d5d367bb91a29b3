//! Evaluates expressions.

use mlinfra_sdk::Value;

use super::expr::{Expr, ExprKind};
use super::scope::Scope;
use crate::diag::{Diagnostic, Diagnostics};

/// The value of an expression.
///
/// # Errors
/// All errors that can be found, each at its place.
pub fn evaluate(expr: &Expr, scope: &dyn Scope) -> Result<Value, Diagnostics> {
    match &expr.kind {
        ExprKind::Literal(value) => Ok(value.clone()),
        _ => {
            let _ = scope;
            Err(Diagnostic::error("Not evaluated yet", "")
                .at(expr.span)
                .into())
        }
    }
}
