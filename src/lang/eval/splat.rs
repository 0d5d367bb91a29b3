//! Splats: the same steps into every element; a single value counts as a sequence of one.

use std::sync::Arc;

use mlinfra_sdk::{Data, Refinement, Type, Value};

use super::Evaluator;
use crate::lang::expr::Splat;

impl Evaluator<'_> {
    pub(super) fn splat(&mut self, splat: &Splat) -> Value {
        let before = self.diagnostics.0.len();
        let source = self.eval(&splat.source);
        if self.diagnostics.0.len() > before {
            return Value::UNKNOWN;
        }
        let marks = source.marks();
        let is_sequence = match source.data() {
            Data::List(..) | Data::Tuple(_) | Data::Set(..) => true,
            Data::Unknown(ty, _) | Data::Null(ty) => {
                matches!(ty, Type::List(_) | Type::Tuple(_) | Type::Set(_))
            }
            _ => false,
        };
        match source.data() {
            Data::Null(_) if is_sequence => {
                return self.fail(
                    splat.marker,
                    "Splat of null value",
                    "Splat expressions (with the * symbol) cannot be applied to null sequences.",
                );
            }
            Data::Null(_) => return Value::tuple([]).with_marks(marks),
            Data::Unknown(Type::Dynamic, _) => return Value::UNKNOWN.with_marks(marks),
            _ => {}
        }
        let value = if is_sequence {
            self.splat_sequence(splat, &source)
        } else {
            let unclear = !source.is_known() && !source.is_never_null();
            let ty = source.ty();
            let before = self.diagnostics.0.len();
            let item = self.each(splat, source);
            if self.diagnostics.0.len() > before {
                let ty = self.type_apart(splat, &ty);
                Value::unknown(Type::tuple([ty]))
            } else if unclear {
                // Null would make an empty tuple of it.
                Value::UNKNOWN
            } else {
                Value::tuple([item])
            }
        };
        value.with_marks(marks)
    }

    fn splat_sequence(&mut self, splat: &Splat, source: &Value) -> Value {
        match source.data() {
            Data::List(t, items) | Data::Set(t, items) => {
                if items.is_empty() {
                    let ty = self.each_type(splat, t);
                    return Value::list(ty, []);
                }
                let Some(items) = self.all(splat, items) else {
                    let ty = self.type_apart(splat, t);
                    return Value::unknown(Type::list(ty));
                };
                let element = items.first().map_or(Type::Dynamic, Value::ty);
                Value::list(element, items)
            }
            Data::Tuple(items) => match self.all(splat, items) {
                Some(items) => Value::tuple(items),
                None => {
                    let types = items.iter().map(|item| self.type_apart(splat, &item.ty()));
                    Value::unknown(Type::tuple(types.collect::<Vec<_>>()))
                }
            },
            Data::Unknown(ty, _) => self.splat_unknown(splat, source, ty),
            _ => Value::UNKNOWN,
        }
    }

    fn splat_unknown(&mut self, splat: &Splat, source: &Value, ty: &Type) -> Value {
        match ty {
            Type::List(t) | Type::Set(t) => {
                let element = self.each_type(splat, t);
                let (least, greatest) = source.length_bounds();
                let refinement = Refinement::length(least, greatest);
                Value::unknown_refined(Type::list(element), refinement)
            }
            Type::Tuple(types) => {
                let types: Vec<Type> = types.iter().map(|t| self.each_type(splat, t)).collect();
                Value::unknown_refined(Type::tuple(types), Refinement::not_null())
            }
            _ => Value::UNKNOWN,
        }
    }

    /// What becomes of every element; `None` when one of them fails.
    fn all(&mut self, splat: &Splat, items: &Arc<Vec<Value>>) -> Option<Vec<Value>> {
        let before = self.diagnostics.0.len();
        let items: Vec<Value> = items
            .iter()
            .map(|item| self.each(splat, item.clone()))
            .collect();
        (self.diagnostics.0.len() == before).then_some(items)
    }

    fn each(&mut self, splat: &Splat, item: Value) -> Value {
        self.elements.push(item);
        let value = self.eval(&splat.each);
        self.elements.pop();
        value
    }

    /// The same without noting errors, which have been noted before.
    fn type_apart(&mut self, splat: &Splat, ty: &Type) -> Type {
        let (value, _) = self.apart(|e| e.each(splat, Value::unknown(ty.clone())));
        value.ty()
    }

    /// The type of what becomes of an element of this type.
    fn each_type(&mut self, splat: &Splat, ty: &Type) -> Type {
        self.each(splat, Value::unknown(ty.clone())).ty()
    }
}
