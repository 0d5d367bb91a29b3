//! Operators on numbers and truth values; equality is apart.

use mlinfra_sdk::value::ArithmeticError;
use mlinfra_sdk::{Data, Number, Type, Value};

use super::{Evaluator, equal};
use crate::lang::convert::convert;
use crate::lang::expr::{Binary, BinaryOperator, Expr, UnaryOperator};
use crate::source::Span;

const NULL_OPERAND: &str = "argument must not be null";

impl Evaluator<'_> {
    pub(super) fn binary(&mut self, b: &Binary, span: Span) -> Value {
        let left = self.eval(&b.left);
        let right = self.eval(&b.right);
        let (operands, result) = match b.operator {
            BinaryOperator::Equal => return equal(&left, &right),
            BinaryOperator::NotEqual => return not(&equal(&left, &right)),
            BinaryOperator::And | BinaryOperator::Or => (Type::Bool, Type::Bool),
            BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual
            | BinaryOperator::Less
            | BinaryOperator::LessOrEqual => (Type::Number, Type::Bool),
            _ => (Type::Number, Type::Number),
        };
        let left = self.operand(&left, &operands, &b.left, "left");
        let right = self.operand(&right, &operands, &b.right, "right");
        let (Some(left), Some(right)) = (left, right) else {
            return Value::unknown(result);
        };
        match apply(b.operator, &left, &right) {
            Ok(value) => value.with_marks(left.marks() | right.marks()),
            Err(message) => self.operation_failed(span, &message, result),
        }
    }

    pub(super) fn unary(&mut self, operator: UnaryOperator, operand: &Expr, span: Span) -> Value {
        let value = self.eval(operand);
        let ty = match operator {
            UnaryOperator::Negate => Type::Number,
            UnaryOperator::Not => Type::Bool,
        };
        let Some(value) = self.operand(&value, &ty, operand, "unary") else {
            return Value::unknown(ty);
        };
        if value.is_null() {
            return self.operation_failed(span, NULL_OPERAND, ty);
        }
        let result = match (operator, value.data()) {
            (UnaryOperator::Negate, Data::Number(n)) => Value::from(n.negate()),
            (UnaryOperator::Not, _) => not(&value),
            _ => Value::unknown(ty).never_null(),
        };
        result.with_marks(value.marks())
    }

    fn operand(&mut self, value: &Value, ty: &Type, expr: &Expr, side: &str) -> Option<Value> {
        match convert(value, ty) {
            Ok(value) => Some(value),
            Err(error) => {
                let detail = format!("Unsuitable value for {side} operand: {error}.");
                self.fail(expr.span, "Invalid operand", detail);
                None
            }
        }
    }

    fn operation_failed(&mut self, span: Span, message: &str, ty: Type) -> Value {
        let detail = format!("Error during operation: {message}.");
        self.fail(span, "Operation failed", detail);
        Value::unknown(ty)
    }
}

/// The operator on operands of the right type.
fn apply(operator: BinaryOperator, left: &Value, right: &Value) -> Result<Value, String> {
    if left.is_null() || right.is_null() {
        return Err(NULL_OPERAND.into());
    }
    match operator {
        BinaryOperator::And => Ok(logical(left, right, |a, b| a && b)),
        BinaryOperator::Or => Ok(logical(left, right, |a, b| a || b)),
        BinaryOperator::Greater => Ok(compare(right, left, false)),
        BinaryOperator::GreaterOrEqual => Ok(compare(right, left, true)),
        BinaryOperator::Less => Ok(compare(left, right, false)),
        BinaryOperator::LessOrEqual => Ok(compare(left, right, true)),
        BinaryOperator::Add => arithmetic(left, right, Number::add),
        BinaryOperator::Subtract => arithmetic(left, right, Number::subtract),
        BinaryOperator::Multiply => arithmetic(left, right, Number::multiply),
        BinaryOperator::Divide => arithmetic(left, right, Number::divide),
        BinaryOperator::Modulo => arithmetic(left, right, Number::modulo),
        BinaryOperator::Equal | BinaryOperator::NotEqual => Ok(equal(left, right)),
    }
}

/// The sum of two numbers of which neither is null.
///
/// # Errors
/// When both are infinite with different signs.
pub fn add(left: &Value, right: &Value) -> Result<Value, String> {
    arithmetic(left, right, Number::add)
}

fn arithmetic(
    left: &Value,
    right: &Value,
    operation: fn(&Number, &Number) -> Result<Number, ArithmeticError>,
) -> Result<Value, String> {
    match (left.as_number(), right.as_number()) {
        (Some(a), Some(b)) => operation(a, b).map(Value::from).map_err(|e| e.to_string()),
        _ => Ok(Value::unknown(Type::Number).never_null()),
    }
}

fn logical(left: &Value, right: &Value, operation: fn(bool, bool) -> bool) -> Value {
    match (left.as_bool(), right.as_bool()) {
        (Some(a), Some(b)) => Value::from(operation(a, b)),
        // Even where one operand decides: a null may hide behind the other.
        _ => Value::unknown(Type::Bool).never_null(),
    }
}

fn not(value: &Value) -> Value {
    let negated = match value.as_bool() {
        Some(b) => Value::from(!b),
        None => Value::unknown(Type::Bool).never_null(),
    };
    negated.with_marks(value.marks())
}

/// Whether `left < right`, or `left <= right` when `or_equal`; known also of unknown numbers
/// whose bounds decide it.
pub fn compare(left: &Value, right: &Value, or_equal: bool) -> Value {
    let (left_low, left_high) = bounds(left);
    let (right_low, right_high) = bounds(right);
    let holds = |a: &Number, b: &Number| a < b || or_equal && a == b;
    if let (Some(high), Some(low)) = (left_high, right_low)
        && holds(high, low)
    {
        return Value::from(true);
    }
    if let (Some(low), Some(high)) = (left_low, right_high)
        && !holds(low, high)
    {
        return Value::from(false);
    }
    Value::unknown(Type::Bool).never_null()
}

fn bounds(value: &Value) -> (Option<&Number>, Option<&Number>) {
    match value.data() {
        Data::Number(n) => (Some(n), Some(n)),
        Data::Unknown(_, Some(r)) => (
            r.lower.as_ref().map(|(n, _)| n),
            r.upper.as_ref().map(|(n, _)| n),
        ),
        _ => (None, None),
    }
}
