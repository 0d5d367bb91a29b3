//! `condition ? a : b`: both results are brought to one type before one is chosen.

use mlinfra_sdk::{Data, Number, Refinement, Type, Value};

use super::Evaluator;
use super::mismatch::conditional_mismatch;
use crate::lang::convert::convert;
use crate::lang::expr::{Conditional, Expr};
use crate::lang::unify::unify;
use crate::source::Span;

impl Evaluator<'_> {
    pub(super) fn conditional(&mut self, c: &Conditional, span: Span) -> Value {
        let (if_true, true_errors) = self.apart(|e| e.eval(&c.if_true));
        let (if_false, false_errors) = self.apart(|e| e.eval(&c.if_false));
        let Some(ty) = result_type(&if_true, &if_false) else {
            self.check_references(&c.condition);
            let why = conditional_mismatch(&if_true.ty(), &if_false.ty());
            let detail =
                format!("The true and false result expressions must have consistent types. {why}.");
            return self.fail(span, "Inconsistent conditional result types", detail);
        };
        let condition = self.eval(&c.condition);
        if condition.is_null() {
            self.fail(
                c.condition.span,
                "Null condition",
                "The condition value is null. Conditions must either be true or false.",
            );
            return Value::unknown(ty);
        }
        if !condition.is_known() {
            let marks = condition.marks() | if_true.marks() | if_false.marks();
            return undecided(&if_true, &if_false, ty).with_marks(marks);
        }
        let Some(decision) = convert(&condition, &Type::Bool)
            .ok()
            .and_then(|v| v.as_bool())
        else {
            self.fail(
                c.condition.span,
                "Incorrect condition type",
                "The condition expression must be of type bool.",
            );
            return Value::unknown(ty);
        };
        let chosen = if decision {
            self.diagnostics.extend(true_errors);
            self.branch(&if_true, &ty, &c.if_true, "true")
        } else {
            self.diagnostics.extend(false_errors);
            self.branch(&if_false, &ty, &c.if_false, "false")
        };
        // The marks of the other result tell of the condition too.
        chosen.with_marks(condition.marks() | if_true.marks() | if_false.marks())
    }

    fn branch(&mut self, value: &Value, ty: &Type, expr: &Expr, which: &str) -> Value {
        match convert(value, ty) {
            Ok(value) => value,
            Err(error) => {
                let detail = format!("The {which} result value has the wrong type: {error}.");
                self.fail(expr.span, "Inconsistent conditional result types", detail);
                Value::unknown(ty.clone())
            }
        }
    }
}

/// The type of the result; `None` when the two have nothing in common.
fn result_type(if_true: &Value, if_false: &Value) -> Option<Type> {
    match (if_true.data(), if_false.data()) {
        (Data::Null(Type::Dynamic), _) => return Some(if_false.ty()),
        (_, Data::Null(Type::Dynamic)) => return Some(if_true.ty()),
        // The ordinary case, without a look at the types.
        (Data::Bool(_), Data::Bool(_)) => return Some(Type::Bool),
        (Data::Number(_), Data::Number(_)) => return Some(Type::Number),
        (Data::String(_), Data::String(_)) => return Some(Type::String),
        _ => {}
    }
    let types = [if_true.ty(), if_false.ty()];
    if types.contains(&Type::Dynamic) {
        return Some(Type::Dynamic);
    }
    unify(&types)
}

/// What is known of the result although the condition is not.
fn undecided(if_true: &Value, if_false: &Value, ty: Type) -> Value {
    if if_true.is_null() && if_false.is_null() {
        return Value::null(ty);
    }
    let mut refinement = Refinement {
        not_null: if_true.is_never_null() && if_false.is_never_null(),
        ..Refinement::default()
    };
    let (true_type, false_type) = (if_true.ty(), if_false.ty());
    if true_type == Type::Number && false_type == Type::Number {
        refinement.lower = both(bound(if_true, true), bound(if_false, true), |a, b| {
            a.0 <= b.0
        });
        refinement.upper = both(bound(if_true, false), bound(if_false, false), |a, b| {
            a.0 >= b.0
        });
    } else if true_type.is_collection() && true_type == false_type {
        let (least_a, greatest_a) = if_true.length_bounds();
        let (least_b, greatest_b) = if_false.length_bounds();
        refinement.least_length = Some(least_a.min(least_b));
        refinement.greatest_length = greatest_a.zip(greatest_b).map(|(a, b)| a.max(b));
    }
    Value::unknown_refined(ty, refinement)
}

type Bound = (Number, bool);

fn bound(value: &Value, lower: bool) -> Option<Bound> {
    match value.data() {
        Data::Number(n) => Some((n.clone(), true)),
        Data::Unknown(_, Some(r)) if lower => r.lower.clone(),
        Data::Unknown(_, Some(r)) => r.upper.clone(),
        _ => None,
    }
}

/// The wider of two bounds, when there are two.
fn both(
    a: Option<Bound>,
    b: Option<Bound>,
    first_is_wider: impl Fn(&Bound, &Bound) -> bool,
) -> Option<Bound> {
    let (a, b) = (a?, b?);
    Some(if first_is_wider(&a, &b) { a } else { b })
}
