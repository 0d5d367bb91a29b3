//! Templates: text put together from parts.

use std::fmt::Write;

use mlinfra_sdk::{Data, Marks, Refinement, Type, Value};

use super::Evaluator;
use crate::lang::convert::convert;
use crate::lang::expr::Expr;

const SUMMARY: &str = "Invalid template interpolation value";

impl Evaluator<'_> {
    pub(super) fn template(&mut self, parts: &[Expr]) -> Value {
        let before = self.diagnostics.0.len();
        let mut text = String::new();
        let mut marks = Marks::NONE;
        let mut known = true;
        for part in parts {
            let value = self.eval(part);
            marks |= value.marks();
            let mut add = |piece: &str| {
                // Once something is unknown, the text is the prefix known so far.
                if known {
                    text.push_str(piece);
                }
            };
            match value.data() {
                Data::String(piece) => add(piece),
                Data::Number(n) => {
                    if known {
                        // Writing to a string cannot fail.
                        let _ = write!(text, "{n}");
                    }
                }
                Data::Bool(b) => add(if *b { "true" } else { "false" }),
                Data::Null(_) => {
                    self.fail(
                        part.span,
                        SUMMARY,
                        "The expression result is null. Cannot include a null value in a string \
                         template.",
                    );
                }
                Data::Unknown(..) => known = false,
                _ => {
                    if let Err(error) = convert(&value, &Type::String) {
                        let detail = format!(
                            "Cannot include the given value in a string template: {error}."
                        );
                        self.fail(part.span, SUMMARY, detail);
                    }
                }
            }
        }
        let value = if known {
            Value::from(text)
        } else if self.diagnostics.0.len() > before {
            Value::unknown(Type::String).never_null()
        } else {
            Value::unknown_refined(Type::String, Refinement::prefix(&text))
        };
        value.with_marks(marks)
    }

    pub(super) fn template_join(&mut self, tuple: &Expr) -> Value {
        let tuple = self.eval(tuple);
        let mut marks = tuple.marks();
        let Data::Tuple(items) = tuple.data() else {
            return Value::unknown(Type::String).with_marks(marks);
        };
        let mut text = String::new();
        for item in items.iter() {
            marks |= item.marks();
            match item.data() {
                Data::String(piece) => text.push_str(piece),
                _ => return Value::unknown(Type::String).with_marks(marks),
            }
        }
        Value::from(text).with_marks(marks)
    }
}
