//! Functions that convert, and those that tell of types and marks.

use mlinfra_sdk::{Data, Marks, Type, Value};

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};
use crate::lang::convert::{Safety, convert, convertible};
use crate::lang::names::constraint_name;
use crate::lang::names::type_name;
use crate::lang::quote::quoted;

const V: Parameter = Parameter::new("v", Kind::Any).null().dynamic().marked();
const VALUE: Parameter = Parameter::new("value", Kind::Any)
    .null()
    .unknown()
    .dynamic()
    .marked();

fn any() -> Type {
    Type::Dynamic
}

macro_rules! conversion {
    ($name:literal, $description:literal, $ty:expr) => {
        Function::new(
            $name,
            $description,
            &[V],
            Returns::From(|v| conversion_type(v, &$ty), || $ty),
            |a| to(a, &$ty),
        )
        .nullable()
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    conversion!("tobool", "The value as a truth value.", Type::Bool),
    conversion!("tonumber", "The value as a number.", Type::Number),
    conversion!("tostring", "The value as text.", Type::String),
    conversion!(
        "tolist",
        "The elements as a list of one type.",
        Type::list(Type::Dynamic)
    ),
    conversion!(
        "toset",
        "The elements as a set of one type.",
        Type::set(Type::Dynamic)
    ),
    conversion!(
        "tomap",
        "The attributes as a map to one type.",
        Type::map(Type::Dynamic)
    ),
    Function::new(
        "can",
        "Whether an expression can be evaluated without an error.",
        &[Parameter::new("expression", Kind::Any)],
        Returns::Bool,
        |_| Ok(Value::from(true)),
    ),
    Function::new(
        "try",
        "The value of the first expression that can be evaluated without an error.",
        &[],
        Returns::Any,
        |a| Ok(a.value(0).clone()),
    )
    .variadic(Parameter::new("expressions", Kind::Any)),
    Function::new(
        "sensitive",
        "The value, marked so that it is not shown.",
        &[VALUE],
        Returns::From(|v| Ok(v.first().map_or(Type::Dynamic, Value::ty)), any),
        |a| Ok(a.value(0).clone().sensitive()),
    )
    .nullable(),
    Function::new(
        "nonsensitive",
        "The value without the mark that keeps it from being shown.",
        &[VALUE],
        Returns::From(|v| Ok(v.first().map_or(Type::Dynamic, Value::ty)), any),
        |a| {
            let (value, marks) = a.value(0).clone().unmark();
            Ok(value.with_marks(marks.without(Marks::SENSITIVE)))
        },
    ),
    Function::new(
        "issensitive",
        "Whether the value is marked so that it is not shown.",
        &[VALUE],
        Returns::Bool,
        |a| {
            let value = a.value(0);
            Ok(match (value.marks().is_sensitive(), value.is_known()) {
                (true, _) => Value::from(true),
                // It may come with a mark when it is known.
                (false, false) => Value::unknown(Type::Bool),
                (false, true) => Value::from(false),
            })
        },
    ),
    Function::new(
        "ephemeralasnull",
        "The value with null in place of what is ephemeral.",
        &[VALUE],
        Returns::From(|v| Ok(v.first().map_or(Type::Dynamic, Value::ty)), any),
        |a| Ok(ephemeral_as_null(a.value(0))),
    ),
    Function::new(
        "type",
        "The type of a value; in a console only.",
        &[VALUE],
        Returns::Any,
        |a| Ok(Value::ty_value(a.value(0).ty())),
    ),
];

fn conversion_type(values: &[Value], wanted: &Type) -> Result<Type, CallError> {
    let given = values.first().map_or(Type::Dynamic, Value::ty);
    if convertible(&given, wanted, Safety::MayFail) {
        return Ok(wanted.clone());
    }
    Err(cannot_convert(&type_name(&given), wanted))
}

fn cannot_convert(what: &str, wanted: &Type) -> CallError {
    CallError::argument(
        0,
        format!("cannot convert {what} to {}", constraint_name(wanted)),
    )
}

fn to(a: &Arguments<'_>, wanted: &Type) -> Result<Value, CallError> {
    let value = a.value(0);
    conversion_type(a.values(), wanted)?;
    convert(value, wanted).map_err(|_| {
        let given = value.ty();
        if value.marks_deep().is_sensitive() {
            let what = format!("this sensitive {}", type_name(&given));
            return cannot_convert(&what, wanted);
        }
        match (value.data(), wanted) {
            (Data::String(text), Type::Bool) => CallError::argument(
                0,
                format!(
                    "cannot convert {} to bool; only the strings \"true\" or \"false\" are allowed",
                    quoted(text)
                ),
            ),
            (Data::String(text), Type::Number) => CallError::argument(
                0,
                format!(
                    "cannot convert {} to number; given string must be a decimal representation of \
                     a number",
                    quoted(text)
                ),
            ),
            _ => cannot_convert(&type_name(&given), wanted),
        }
    })
}

fn ephemeral_as_null(value: &Value) -> Value {
    if !value.marks_deep().is_ephemeral() {
        return value.clone();
    }
    let marks = value.marks();
    if marks.is_ephemeral() {
        let marks = marks.without(Marks::EPHEMERAL);
        return Value::null(value.ty()).with_marks(marks);
    }
    let inside = match value.data() {
        Data::List(t, items) => Value::list(t.clone(), items.iter().map(ephemeral_as_null)),
        Data::Tuple(items) => Value::tuple(items.iter().map(ephemeral_as_null)),
        Data::Map(t, entries) => Value::map(
            t.clone(),
            entries
                .iter()
                .map(|(k, v)| (k.clone(), ephemeral_as_null(v))),
        ),
        Data::Object(entries) => Value::object(
            entries
                .iter()
                .map(|(k, v)| (k.clone(), ephemeral_as_null(v)))
                .collect::<Vec<_>>(),
        ),
        _ => value.clone(),
    };
    inside.with_marks(marks)
}
