//! Expressions that `hcl-edit` has found in a configuration file.

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;

use super::expr::Expr;
pub use super::syntax::{parse_expression, parse_template};
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{SourceId, Sources};

/// The expression that stands where `hcl-edit` found one. The text decides what it is.
///
/// # Errors
/// When it is none.
pub fn lower(expr: &Expression, source: SourceId, sources: &Sources) -> Result<Expr, Diagnostics> {
    let range = expr.span().ok_or_else(|| {
        Diagnostic::error(
            "Invalid expression",
            "The expression was not read from a file, so that nothing is known of its text.",
        )
    })?;
    super::syntax::parse_part(source, sources.file(source), range)
}
