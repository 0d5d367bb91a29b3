//! Functions on sets, and the product of several collections.

use mlinfra_sdk::{Data, Marks, Type, Value};

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};
use crate::lang::convert::convert;
use crate::lang::unify::unify;

const OTHER_SETS: Parameter = Parameter::new("other_sets", Kind::Set).dynamic();

fn any_set() -> Type {
    Type::set(Type::Dynamic)
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "setintersection",
        "The elements that all sets have.",
        &[Parameter::new("first_set", Kind::Set).dynamic()],
        Returns::From(common_type, any_set),
        |a| {
            combine(a, |sets| {
                let (first, rest) = sets.split_first()?;
                let everywhere = |item: &&Value| rest.iter().all(|set| set.contains(item));
                Some(first.iter().filter(everywhere).cloned().collect())
            })
        },
    )
    .variadic(OTHER_SETS),
    Function::new(
        "setproduct",
        "All combinations of an element of each collection, the first varying slowest.",
        &[],
        Returns::From(product_type, || Type::Dynamic),
        product,
    )
    .variadic(Parameter::new("sets", Kind::Any).marked()),
    Function::new(
        "setsubtract",
        "The elements of one set that another does not have.",
        &[
            Parameter::new("a", Kind::Set).dynamic(),
            Parameter::new("b", Kind::Set).dynamic(),
        ],
        Returns::From(common_type, any_set),
        |a| {
            combine(a, |sets| match sets {
                [a, b] => Some(a.iter().filter(|item| !b.contains(item)).cloned().collect()),
                _ => None,
            })
        },
    ),
    Function::new(
        "setunion",
        "The elements that any of the sets has.",
        &[Parameter::new("first_set", Kind::Set).dynamic()],
        Returns::From(common_type, any_set),
        |a| combine(a, |sets| Some(sets.concat())),
    )
    .variadic(OTHER_SETS),
];

fn common_type(values: &[Value]) -> Result<Type, CallError> {
    // An empty set of nothing in particular fits any other.
    let is_blank = |v: &&Value| {
        let blank = v.ty().element() == Some(&Type::Dynamic);
        !(blank && v.elements().is_some_and(<[Value]>::is_empty))
    };
    let elements: Vec<Type> = values
        .iter()
        .filter(is_blank)
        .map(|v| v.ty().element().cloned().unwrap_or(Type::Dynamic))
        .collect();
    if elements.is_empty() {
        return Ok(any_set());
    }
    let several = elements.iter().any(|t| *t != Type::Dynamic);
    unify(&elements)
        .filter(|common| !(several && *common == Type::Dynamic))
        .map(Type::set)
        .ok_or_else(|| CallError::new("given sets must all have compatible element types"))
}

fn combine(
    a: &Arguments<'_>,
    operation: impl FnOnce(&[Vec<Value>]) -> Option<Vec<Value>>,
) -> Result<Value, CallError> {
    let ty = common_type(a.values())?;
    if a.values().iter().any(|set| !set.is_wholly_known()) {
        return Ok(Value::unknown(ty).never_null());
    }
    let mut sets = Vec::with_capacity(a.values().len());
    for set in a.values() {
        let set = convert(set, &ty).map_err(|e| CallError::new(e.message))?;
        sets.push(set.elements().unwrap_or_default().to_vec());
    }
    let element = ty.element().cloned().unwrap_or(Type::Dynamic);
    Ok(Value::set(element, operation(&sets).unwrap_or_default()))
}

fn product_type(values: &[Value]) -> Result<Type, CallError> {
    if values.len() < 2 {
        return Err(CallError::new("at least two arguments are required"));
    }
    let mut elements = Vec::with_capacity(values.len());
    let mut ordered = false;
    for (i, value) in values.iter().enumerate() {
        match value.ty() {
            Type::Set(t) => elements.push(t.as_ref().clone()),
            Type::List(t) => {
                ordered = true;
                elements.push(t.as_ref().clone());
            }
            Type::Tuple(types) => {
                ordered = true;
                elements.push(if types.is_empty() {
                    Type::Dynamic
                } else {
                    unify(&types).ok_or_else(|| {
                        CallError::argument(i, "all elements must be of the same type")
                    })?
                });
            }
            _ => {
                return Err(CallError::argument(i, "a set or a list is required"));
            }
        }
    }
    // Where any has an order, so has the product.
    let any_set = values.iter().any(|v| matches!(v.ty(), Type::Set(_)));
    let tuple = Type::tuple(elements);
    Ok(if any_set || !ordered {
        Type::set(tuple)
    } else {
        Type::list(tuple)
    })
}

fn product(a: &Arguments<'_>) -> Result<Value, CallError> {
    let ty = product_type(a.values())?;
    let Some(Type::Tuple(elements)) = ty.element() else {
        return Ok(Value::unknown(ty));
    };
    let mut marks = Marks::NONE;
    let mut unknown_length = false;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for (value, element) in a.values().iter().zip(elements.iter()) {
        marks |= value.marks();
        unknown_length |= matches!(value.data(), Data::Set(..)) && !value.is_wholly_known();
        let items = value.elements().unwrap_or_default();
        let mut next = Vec::with_capacity(rows.len() * items.len());
        for row in &rows {
            for item in items {
                let item = convert(item, element).map_err(|e| CallError::new(e.message))?;
                let mut row = row.clone();
                row.push(item);
                next.push(row);
            }
        }
        rows = next;
    }
    if unknown_length {
        return Ok(Value::unknown(ty).never_null().with_marks(marks));
    }
    let tuples = rows.into_iter().map(Value::tuple);
    let element = Type::Tuple(elements.clone());
    let value = match &ty {
        Type::Set(_) => Value::set(element, tuples),
        _ => Value::list(element, tuples),
    };
    Ok(value.with_marks(marks))
}
