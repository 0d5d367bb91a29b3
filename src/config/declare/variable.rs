//! `variable` blocks.

use std::sync::Arc;

use mlinfra_sdk::{Type, Value};

use super::check::{Condition, read_condition};
use super::{block, name_of};
use crate::config::body::{Block, Shape};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::lang::{self, Expr, Traversal, TypeConstraint};
use crate::source::{Sources, Span};

/// An input variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The name.
    pub name: Arc<str>,
    /// What its value must be.
    pub constraint: TypeConstraint,
    /// Whether a type was written; without one, text from outside is taken as a string.
    pub has_type: bool,
    /// What it is when nothing is given; converted already.
    pub default: Option<Value>,
    /// For people.
    pub description: Option<String>,
    /// Not to be shown.
    pub sensitive: bool,
    /// Not to be written to disk.
    pub ephemeral: bool,
    /// Whether null is a value; otherwise null stands for the default.
    pub nullable: bool,
    /// Why not to set it any more.
    pub deprecated: Option<String>,
    /// What must hold.
    pub validations: Vec<Condition>,
    /// `variable "x"`.
    pub header: Span,
}

const SHAPE: Shape = Shape {
    required: &[],
    optional: &[
        "type",
        "default",
        "description",
        "sensitive",
        "ephemeral",
        "nullable",
        "deprecated",
    ],
    blocks: &["validation"],
};

pub(super) fn read(block: &Block, sources: &Sources, d: &mut Diagnostics) -> Option<Variable> {
    let name = name_of(block, d)?;
    SHAPE.check(&block.body, d);
    let flag = |name: &str, d: &mut Diagnostics| {
        block
            .body
            .value(name)
            .and_then(|e| block::constant_bool(e, d))
    };
    let text = |name: &str, d: &mut Diagnostics| {
        block
            .body
            .value(name)
            .and_then(|e| block::constant_string(e, d))
    };
    let constraint = block
        .body
        .value("type")
        .and_then(|e| d.keep(constraint(e)))
        .unwrap_or_else(TypeConstraint::any);
    let mut variable = Variable {
        name: Arc::clone(&name.text),
        constraint,
        has_type: block.body.get("type").is_some(),
        default: None,
        description: text("description", d),
        sensitive: flag("sensitive", d).unwrap_or(false),
        ephemeral: flag("ephemeral", d).unwrap_or(false),
        nullable: flag("nullable", d).unwrap_or(true),
        deprecated: text("deprecated", d),
        validations: block
            .body
            .blocks_of("validation")
            .filter_map(|b| read_validation(b, &name.text, sources, d))
            .collect(),
        header: block.header,
    };
    variable.default = read_default(block, &variable, d);
    Some(variable)
}

/// A type; the bare words `list` and `map` are those of any elements.
fn constraint(expr: &Expr) -> Result<TypeConstraint, Diagnostics> {
    let any = |ty: Type| {
        let mut constraint = TypeConstraint::any();
        constraint.ty = ty;
        constraint
    };
    match expr.as_keyword() {
        Some("list") => Ok(any(Type::list(Type::Dynamic))),
        Some("map") => Ok(any(Type::map(Type::Dynamic))),
        _ => lang::type_constraint(expr),
    }
}

/// A validation, which speaks of the variable itself.
fn read_validation(
    block: &Block,
    name: &str,
    sources: &Sources,
    d: &mut Diagnostics,
) -> Option<Condition> {
    let condition = read_condition(block, "validation", sources, d);
    let written = block.body.value("condition")?;
    let own = |t: &&Traversal| t.names().take(2).eq(["var", name]);
    if !written.references().iter().any(own) {
        d.push(
            Diagnostic::error(
                "Invalid variable validation condition",
                format!("The condition for variable {name:?} must refer to var.{name} in order to test incoming values."),
            )
            .at(written.span)
            .code(codes::CONDITION_FAILED),
        );
        return None;
    }
    condition
}

fn read_default(block: &Block, variable: &Variable, d: &mut Diagnostics) -> Option<Value> {
    let expr = block.body.value("default")?;
    let value = d.keep(lang::evaluate(expr, &lang::NoScope::default()))?;
    if value.is_null() && !variable.nullable {
        d.push(
            Diagnostic::error(
                "Invalid default value for variable",
                "A null default value is not valid when nullable=false.",
            )
            .at(expr.span)
            .code("E0009"),
        );
        return None;
    }
    match variable.constraint.apply(value) {
        Ok(value) => Some(value),
        Err(e) => {
            d.push(
                Diagnostic::error(
                    "Invalid default value for variable",
                    format!("This default value is not compatible with the variable's type constraint: {e}."),
                )
                .at(expr.span)
                .code("E0009"),
            );
            // A variable that has a default is not required, whatever is wrong with it.
            Some(Value::unknown(variable.constraint.ty.clone()))
        }
    }
}
