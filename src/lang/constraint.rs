//! Type constraints: the types that variables may state, with defaults for optional attributes.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::ty::ObjectType;
use mlinfra_sdk::{Data, Type, Value};

use super::convert::{ConvertError, convert};
use super::eval::evaluate;
use super::expr::{Call, Expr, ExprKind, ObjectItem};
use super::quote::quoted;
use super::scope::NoScope;
use crate::diag::{Diagnostic, Diagnostics};

/// A type that values are converted to, and what takes the place of what they leave out.
#[derive(Clone, PartialEq, Debug)]
pub struct TypeConstraint {
    /// The type.
    pub ty: Type,
    defaults: Option<Defaults>,
}

/// The defaults of a type, at every depth.
#[derive(Clone, PartialEq, Debug, Default)]
struct Defaults {
    /// Of the attributes of an object.
    values: BTreeMap<Arc<str>, Value>,
    /// Those within attributes, or within the elements of a tuple by their positions.
    children: BTreeMap<Arc<str>, Defaults>,
    /// Those within the elements of a collection.
    element: Option<Box<Defaults>>,
}

impl Defaults {
    fn some(self) -> Option<Defaults> {
        let empty = self.values.is_empty() && self.children.is_empty() && self.element.is_none();
        (!empty).then_some(self)
    }

    fn in_element(element: Option<Defaults>) -> Option<Defaults> {
        element.map(|element| Defaults {
            element: Some(Box::new(element)),
            ..Defaults::default()
        })
    }
}

impl TypeConstraint {
    /// Any type, without defaults.
    pub fn any() -> TypeConstraint {
        TypeConstraint {
            ty: Type::Dynamic,
            defaults: None,
        }
    }

    /// The value with the defaults of what it leaves out, converted to the type.
    ///
    /// # Errors
    /// When it cannot be converted.
    pub fn apply(&self, value: Value) -> Result<Value, ConvertError> {
        let value = match &self.defaults {
            Some(defaults) if !value.is_null() => filled(value, defaults),
            _ => value,
        };
        convert(&value, &self.ty)
    }
}

/// Fills in what a value leaves out. A value of another shape stays; converting it will tell.
fn filled(value: Value, defaults: &Defaults) -> Value {
    let marks = value.marks();
    let child = |name: &str, value: Value| match defaults.children.get(name) {
        Some(inner) if !value.is_null() => filled(value, inner),
        _ => value,
    };
    let element = |value: Value| match &defaults.element {
        Some(inner) if !value.is_null() => filled(value, inner),
        _ => value,
    };
    let result = match value.data() {
        Data::Object(entries) | Data::Map(_, entries)
            if !defaults.values.is_empty() || !defaults.children.is_empty() =>
        {
            let mut attributes = entries.as_ref().clone();
            for (name, default) in &defaults.values {
                let given = attributes.get(name).filter(|v| !v.is_null());
                if given.is_none() {
                    attributes.insert(Arc::clone(name), default.clone());
                }
            }
            let attributes = attributes.into_iter().map(|(k, v)| {
                let v = child(&k, v);
                (k, v)
            });
            Value::object(attributes.collect::<Vec<_>>())
        }
        Data::Object(entries) | Data::Map(_, entries) if defaults.element.is_some() => {
            let entries = entries
                .iter()
                .map(|(k, v)| (Arc::clone(k), element(v.clone())));
            Value::object(entries.collect::<Vec<_>>())
        }
        Data::Tuple(items) if !defaults.children.is_empty() => {
            let items = items.iter().enumerate();
            Value::tuple(items.map(|(i, v)| child(&i.to_string(), v.clone())))
        }
        Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items)
            if defaults.element.is_some() =>
        {
            Value::tuple(items.iter().map(|v| element(v.clone())))
        }
        _ => return value,
    };
    result.with_marks(marks)
}

const SUMMARY: &str = "Invalid type specification";

/// Reads a type constraint: `string`, `list(any)`, `object({ a = optional(number, 1) })`.
///
/// # Errors
/// When the expression is not one.
pub fn type_constraint(expr: &Expr) -> Result<TypeConstraint, Diagnostics> {
    let mut reader = Reader::default();
    let (ty, defaults) = reader.read(expr, false);
    let constraint = TypeConstraint {
        ty,
        defaults: defaults.and_then(Defaults::some),
    };
    reader.diagnostics.into_result(constraint)
}

#[derive(Default)]
struct Reader {
    diagnostics: Diagnostics,
}

type Read = (Type, Option<Defaults>);

impl Reader {
    fn fail(&mut self, expr: &Expr, detail: impl Into<String>) -> Read {
        self.diagnostics
            .push(Diagnostic::error(SUMMARY, detail).at(expr.span));
        (Type::Dynamic, None)
    }

    fn read(&mut self, expr: &Expr, exact: bool) -> Read {
        match &expr.kind {
            ExprKind::Traversal(t) if t.steps.is_empty() => self.keyword(expr, &t.root, exact),
            ExprKind::Call(call) => self.constructor(expr, call, exact),
            ExprKind::Literal(value) if value.as_str().is_some() => {
                let word = value.as_str().unwrap_or_default();
                self.fail(
                    expr,
                    format!(
                        "Quoted type constraints are not supported. Write {word} without the \
                         quotes."
                    ),
                )
            }
            _ => self.fail(
                expr,
                "A type specification is either a primitive type keyword (bool, number, string) \
                 or a complex type constructor call, like list(string).",
            ),
        }
    }

    fn keyword(&mut self, expr: &Expr, word: &str, exact: bool) -> Read {
        let ty = match word {
            "bool" => Type::Bool,
            "string" => Type::String,
            "number" => Type::Number,
            "any" if exact => {
                let detail = "The keyword \"any\" cannot be used in this type specification: an \
                              exact type is required.";
                return self.fail(expr, detail);
            }
            "any" => Type::Dynamic,
            "list" | "map" | "set" => {
                let detail = format!(
                    "The {word} type constructor requires one argument specifying the element type."
                );
                return self.fail(expr, detail);
            }
            "object" => {
                return self.fail(
                    expr,
                    "The object type constructor requires one argument specifying the attribute \
                     types and values as a map.",
                );
            }
            "tuple" => {
                return self.fail(
                    expr,
                    "The tuple type constructor requires one argument specifying the element \
                     types as a list.",
                );
            }
            word => {
                let detail = format!(
                    "The keyword {} is not a valid type specification.",
                    quoted(word)
                );
                return self.fail(expr, detail);
            }
        };
        (ty, None)
    }

    fn constructor(&mut self, expr: &Expr, call: &Call, exact: bool) -> Read {
        let name = call.name.as_ref();
        let argument = match call.arguments.as_slice() {
            [argument] => Ok(argument),
            other => Err(other.len()),
        };
        match (name, argument) {
            ("bool" | "string" | "number" | "any", _) => {
                let detail = format!(
                    "Primitive type keyword {} does not expect arguments.",
                    quoted(name)
                );
                self.fail(expr, detail)
            }
            ("optional", _) => self.fail(
                expr,
                "Keyword \"optional\" is valid only as a modifier for object type attributes.",
            ),
            ("list" | "set" | "map", Ok(element)) => {
                let (ty, defaults) = self.read(element, exact);
                let ty = match name {
                    "list" => Type::list(ty),
                    "set" => Type::set(ty),
                    _ => Type::map(ty),
                };
                (ty, Defaults::in_element(defaults))
            }
            ("list" | "set" | "map", Err(_)) => {
                let detail = format!(
                    "The {name} type constructor requires one argument specifying the element type."
                );
                self.fail(expr, detail)
            }
            ("object", Ok(argument)) => match &argument.kind {
                ExprKind::Object(items) => self.object(items, exact),
                _ => self.fail(
                    argument,
                    "Object type constructor requires a map whose keys are attribute names and \
                     whose values are the corresponding attribute types.",
                ),
            },
            ("object", Err(_)) => self.fail(
                expr,
                "The object type constructor requires one argument specifying the attribute \
                 types and values as a map.",
            ),
            ("tuple", Ok(argument)) => match &argument.kind {
                ExprKind::Tuple(items) => self.tuple(items, exact),
                _ => self.fail(
                    argument,
                    "Tuple type constructor requires a list of element types.",
                ),
            },
            ("tuple", Err(_)) => self.fail(
                expr,
                "The tuple type constructor requires one argument specifying the element types \
                 as a list.",
            ),
            (name, _) => {
                let detail = format!("Keyword {} is not a valid type constructor.", quoted(name));
                self.fail(expr, detail)
            }
        }
    }

    fn tuple(&mut self, items: &[Expr], exact: bool) -> Read {
        let mut defaults = Defaults::default();
        let mut types = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let (ty, inner) = self.read(item, exact);
            types.push(ty);
            if let Some(inner) = inner {
                defaults.children.insert(i.to_string().into(), inner);
            }
        }
        (Type::tuple(types), defaults.some())
    }

    fn object(&mut self, items: &[ObjectItem], exact: bool) -> Read {
        let mut object = ObjectType::default();
        let mut defaults = Defaults::default();
        for item in items {
            let Some(name) = item.key.as_literal().and_then(Value::as_str) else {
                self.fail(
                    &item.key,
                    "Object constructor map keys must be attribute names.",
                );
                continue;
            };
            let name: Arc<str> = name.into();
            let (ty, inner) = match &item.value.kind {
                ExprKind::Call(call) if &*call.name == "optional" => {
                    object.optional.insert(Arc::clone(&name));
                    self.optional(&item.value, call, &name, exact, &mut defaults)
                }
                _ => self.read(&item.value, exact),
            };
            object.attributes.insert(Arc::clone(&name), ty);
            if let Some(inner) = inner {
                defaults.children.insert(name, inner);
            }
        }
        (Type::Object(Arc::new(object)), defaults.some())
    }

    fn optional(
        &mut self,
        expr: &Expr,
        call: &Call,
        name: &Arc<str>,
        exact: bool,
        defaults: &mut Defaults,
    ) -> Read {
        let (ty_expr, default) = match call.arguments.as_slice() {
            [ty] => (ty, None),
            [ty, default] => (ty, Some(default)),
            [] => {
                return self.fail(
                    expr,
                    "Optional attribute modifier requires the attribute type as its argument.",
                );
            }
            _ => {
                return self.fail(
                    expr,
                    "Optional attribute modifier expects at most two arguments: the attribute \
                     type, and a default value.",
                );
            }
        };
        let (ty, inner) = self.read(ty_expr, exact);
        if let Some(default) = default {
            match evaluate(default, &NoScope::default()) {
                Ok(value) => self.note_default(default, value, name, (&ty, &inner), defaults),
                Err(errors) => self.diagnostics.extend(errors),
            }
        }
        (ty, inner)
    }

    fn note_default(
        &mut self,
        expr: &Expr,
        value: Value,
        name: &Arc<str>,
        (ty, inner): (&Type, &Option<Defaults>),
        defaults: &mut Defaults,
    ) {
        let constraint = TypeConstraint {
            ty: ty.clone(),
            defaults: inner.clone(),
        };
        match constraint.apply(value) {
            Ok(value) => {
                defaults.values.insert(Arc::clone(name), value);
            }
            Err(error) => self.diagnostics.push(
                Diagnostic::error(
                    "Invalid default value for optional attribute",
                    format!(
                        "This default value is not compatible with the attribute's type \
                         constraint: {}.",
                        error.located()
                    ),
                )
                .at(expr.span),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::parse::parse_expression;
    use crate::source::Sources;

    fn constraint(text: &str) -> Result<TypeConstraint, Diagnostics> {
        let mut sources = Sources::default();
        let source = sources.add("x", None, text);
        type_constraint(&parse_expression(source, &sources).unwrap())
    }

    #[test]
    fn defaults_fill_in_what_is_left_out_at_every_depth() {
        let c = constraint(
            "list(object({ a = string, b = optional(number, 1), c = optional(object({ d = \
             optional(bool, true) }), {}) }))",
        )
        .unwrap();
        let given = Value::tuple([Value::object([("a", Value::from("x"))])]);
        let value = c.apply(given).unwrap();
        let first = &value.elements().unwrap()[0];
        assert_eq!(first.get("b"), Some(&Value::from(1i64)));
        assert_eq!(first.get("c").unwrap().get("d"), Some(&Value::from(true)));
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in [
            "strng",
            "list",
            "list(string, string)",
            "\"string\"",
            "optional(string)",
            "1",
        ] {
            assert!(constraint(text).is_err(), "{text}");
        }
    }
}
