//! What reading any block needs: labels, names, duplicates, constants.

use crate::config::body::{Block, Label};
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::{self, Expr};
use crate::source::{Sources, Span};

/// Why a text cannot be a name; `None` when it can.
pub fn identifier_problem(text: &str) -> Option<&'static str> {
    let mut chars = text.chars();
    let first = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    let rest = chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    (!first || !rest).then_some(
        "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.",
    )
}

/// Names of variables that module calls use themselves.
pub fn reserved(name: &str) -> bool {
    matches!(
        name,
        "source"
            | "version"
            | "providers"
            | "count"
            | "for_each"
            | "lifecycle"
            | "depends_on"
            | "locals"
    )
}

/// Exactly the labels that a block must have.
pub fn labels<'b, const N: usize>(
    block: &'b Block,
    names: &[&str; N],
    d: &mut Diagnostics,
) -> Option<&'b [Label; N]> {
    if let Some(missing) = names.get(block.labels.len()) {
        let all = names.join(", ");
        let plural = if N == 1 { "label" } else { "labels" };
        d.push(
            Diagnostic::error(
                format!("Missing {missing} for {}", block.ty),
                format!("All {} blocks must have {N} {plural} ({all}).", block.ty),
            )
            .at(block.ty_span)
            .code("E0006"),
        );
        return None;
    }
    if let Some(extra) = block.labels.get(N) {
        let detail = if N == 0 {
            format!("No labels are expected for {} blocks.", block.ty)
        } else {
            let plural = if N == 1 { "label" } else { "labels" };
            format!(
                "Only {N} {plural} ({}) are expected for {} blocks.",
                names.join(", "),
                block.ty
            )
        };
        d.push(
            Diagnostic::error(format!("Extraneous label for {}", block.ty), detail)
                .at(extra.span)
                .code("E0006"),
        );
        return None;
    }
    block.labels.as_slice().try_into().ok()
}

/// Reports labels where none are due.
pub fn no_labels(block: &Block, d: &mut Diagnostics) {
    labels::<0>(block, &[], d);
}

/// A name that was taken already.
pub fn duplicate(what: &str, name: &str, place: &str) -> Diagnostic {
    let (summary, detail) = match what {
        "variable" => (
            "Duplicate variable declaration".to_owned(),
            format!(
                "A variable named {name:?} was already declared at {place}. Variable names must be unique within a module."
            ),
        ),
        "output" => (
            "Duplicate output definition".to_owned(),
            format!(
                "An output named {name:?} was already defined at {place}. Output names must be unique within a module."
            ),
        ),
        "module" => (
            "Duplicate module call".to_owned(),
            format!(
                "A module call named {name:?} was already defined at {place}. Module calls must have unique names within a module."
            ),
        ),
        "local value" => (
            "Duplicate local value definition".to_owned(),
            format!(
                "A local value named {name:?} was already defined at {place}. Local value names must be unique within a module."
            ),
        ),
        _ => (
            format!("Duplicate {what} configuration"),
            format!(
                "A {what} block named {name:?} was already declared at {place}. Names must be unique within a module."
            ),
        ),
    };
    Diagnostic::error(summary, detail).code("E0008")
}

/// `main.hcl:3,1-20`.
pub fn place(span: Span, sources: &Sources) -> String {
    let file = sources.file(span.source);
    let (start, end) = (file.position(span.start), file.position(span.end));
    if start.line == end.line {
        format!(
            "{}:{},{}-{}",
            file.name, start.line, start.column, end.column
        )
    } else {
        format!("{}:{},{}", file.name, start.line, start.column)
    }
}

/// A constant truth value.
pub fn constant_bool(expr: &Expr, d: &mut Diagnostics) -> Option<bool> {
    let value = constant(expr, &mlinfra_sdk::Type::Bool, d)?;
    if value.as_bool().is_none() && !value.is_null() {
        d.push(unsuitable(expr, "bool required"));
    }
    value.as_bool()
}

/// A constant text.
pub fn constant_string(expr: &Expr, d: &mut Diagnostics) -> Option<String> {
    let value = constant(expr, &mlinfra_sdk::Type::String, d)?;
    if value.is_null() {
        d.push(unsuitable(expr, "string required"));
    }
    value.as_str().map(str::to_owned)
}

fn constant(
    expr: &Expr,
    ty: &mlinfra_sdk::Type,
    d: &mut Diagnostics,
) -> Option<mlinfra_sdk::Value> {
    let Some(value) = d.keep(lang::evaluate(expr, &lang::NoScope::default())) else {
        d.push(unsuitable(expr, "value must be known"));
        return None;
    };
    match lang::convert(&value, ty) {
        Ok(value) => Some(value),
        Err(e) => {
            d.push(unsuitable(expr, &e.message));
            None
        }
    }
}

fn unsuitable(expr: &Expr, why: &str) -> Diagnostic {
    Diagnostic::error("Unsuitable value type", format!("Unsuitable value: {why}."))
        .at(expr.span)
        .code("E0009")
}
