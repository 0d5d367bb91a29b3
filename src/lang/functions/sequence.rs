//! Functions on lists, tuples and sets as sequences.

use mlinfra_sdk::{Data, Marks, Number, Refinement, Type, Value};

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};
use super::text;
use crate::lang::convert::convert;
use crate::lang::eval::equal;
use crate::lang::names::type_name;
use crate::lang::unify::unify;

const LIST: Parameter = Parameter::new("list", Kind::Any);

fn any() -> Type {
    Type::Dynamic
}

fn any_list() -> Type {
    Type::list(Type::Dynamic)
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "alltrue",
        "Whether all elements are true; so it is for an empty list.",
        &[Parameter::new("list", Kind::Bools)],
        Returns::Bool,
        |a| all_or_any(a, true),
    ),
    Function::new(
        "anytrue",
        "Whether any element is true.",
        &[Parameter::new("list", Kind::Bools)],
        Returns::Bool,
        |a| all_or_any(a, false),
    ),
    Function::new(
        "chunklist",
        "The elements of a list in lists of at most so many elements.",
        &[
            Parameter::new("list", Kind::List).marked(),
            Parameter::new("size", Kind::Number).marked(),
        ],
        Returns::From(
            |v| Ok(Type::list(v.first().map_or(Type::Dynamic, Value::ty))),
            || Type::list(any_list()),
        ),
        chunk_list,
    ),
    Function::new(
        "coalesce",
        "The first argument that is neither null nor an empty text.",
        &[],
        Returns::From(coalesce_type, any),
        coalesce,
    )
    .variadic(Parameter::new("vals", Kind::Any).null().unknown().dynamic()),
    Function::new(
        "coalescelist",
        "The first list or tuple that is not empty.",
        &[],
        Returns::Any,
        coalesce_list,
    )
    .variadic(Parameter::new("vals", Kind::Any).null().unknown().dynamic()),
    Function::new(
        "compact",
        "The list without null and empty texts.",
        &[Parameter::new("list", Kind::Texts)],
        Returns::Texts,
        |a| {
            if !a.value(0).is_wholly_known() {
                return Ok(Value::unknown(Type::list(Type::String)).never_null());
            }
            let items = a.elements(0).iter();
            let kept = items.filter(|v| v.as_str().is_some_and(|s| !s.is_empty()));
            Ok(Value::list(Type::String, kept.cloned()))
        },
    ),
    Function::new(
        "concat",
        "The elements of all lists or tuples, one after the other.",
        &[],
        Returns::From(concat_type, any),
        concat,
    )
    .variadic(Parameter::new("seqs", Kind::Any).marked().unknown()),
    Function::new(
        "contains",
        "Whether a list, tuple or set has an element equal to a value.",
        &[LIST, Parameter::new("value", Kind::Any).dynamic()],
        Returns::Bool,
        contains,
    ),
    Function::new(
        "distinct",
        "The elements of a list, each only where it occurs first.",
        &[Parameter::new("list", Kind::List)],
        Returns::From(|v| Ok(v.first().map_or_else(any_list, Value::ty)), any_list),
        distinct,
    ),
    Function::new(
        "element",
        "The element at an index, which starts over at the end of the list.",
        &[
            Parameter::new("list", Kind::Any).marked(),
            Parameter::new("index", Kind::Number),
        ],
        Returns::From(element_type, any),
        element,
    )
    .nullable(),
    Function::new(
        "flatten",
        "The elements of a list and of all lists within it.",
        &[Parameter::new("list", Kind::Any).marked()],
        Returns::Any,
        flatten,
    ),
    Function::new(
        "index",
        "The index of the first element equal to a value.",
        &[LIST, Parameter::new("value", Kind::Any)],
        Returns::Number,
        index_of,
    ),
    Function::new(
        "length",
        "The number of elements, or of the characters of a text.",
        &[Parameter::new("value", Kind::Any)
            .unknown()
            .dynamic()
            .marked()],
        Returns::Number,
        length,
    ),
    Function::new(
        "matchkeys",
        "The values at those positions where the key is in a list of keys.",
        &[
            Parameter::new("values", Kind::List),
            Parameter::new("keys", Kind::List),
            Parameter::new("searchset", Kind::List),
        ],
        Returns::From(|v| Ok(v.first().map_or_else(any_list, Value::ty)), any_list),
        match_keys,
    ),
    Function::new(
        "one",
        "The only element, or null when there is none.",
        &[LIST],
        Returns::From(one_type, any),
        one,
    )
    .nullable(),
    Function::new(
        "reverse",
        "The elements from the last to the first.",
        &[Parameter::new("list", Kind::Any).marked()],
        Returns::From(reverse_type, any),
        reverse,
    ),
    Function::new(
        "slice",
        "The elements from a start up to but not including an end.",
        &[
            Parameter::new("list", Kind::Any).marked(),
            Parameter::new("start_index", Kind::Number),
            Parameter::new("end_index", Kind::Number),
        ],
        Returns::From(slice_type, any),
        slice,
    ),
    Function::new(
        "sort",
        "The texts in the order of their characters.",
        &[Parameter::new("list", Kind::Texts)],
        Returns::Texts,
        sort,
    ),
];

fn all_or_any(a: &Arguments<'_>, wanted: bool) -> Result<Value, CallError> {
    let mut unknown = false;
    for element in a.elements(0) {
        match (element.is_known(), element.as_bool()) {
            (false, _) => unknown = true,
            (true, truth) => {
                if truth.unwrap_or(false) != wanted {
                    return Ok(Value::from(!wanted));
                }
            }
        }
    }
    Ok(if unknown {
        Value::unknown(Type::Bool).never_null()
    } else {
        Value::from(wanted)
    })
}

fn chunk_list(a: &Arguments<'_>) -> Result<Value, CallError> {
    let list = a.value(0);
    let marks = list.marks() | a.value(1).marks();
    let size = a
        .integer(1)
        .map_err(|e| CallError::new(format!("invalid size: {e}")))?;
    if size < 0 {
        return Err(CallError::new("the size argument must be positive"));
    }
    let ty = list.ty();
    let element = ty.element().cloned().unwrap_or(Type::Dynamic);
    let items = a.elements(0);
    // A size of zero means no limit.
    let size = match usize::try_from(size) {
        Ok(0) | Err(_) => items.len().max(1),
        Ok(size) => size,
    };
    let chunks = items
        .chunks(size)
        .map(|chunk| Value::list(element.clone(), chunk.iter().cloned()));
    Ok(Value::list(ty, chunks).with_marks(marks))
}

fn coalesce_type(values: &[Value]) -> Result<Type, CallError> {
    let types: Vec<Type> = values.iter().map(Value::ty).collect();
    unify(&types).ok_or_else(|| CallError::new("all arguments must have the same type"))
}

fn coalesce(a: &Arguments<'_>) -> Result<Value, CallError> {
    let ty = coalesce_type(a.values())?;
    for value in a.values() {
        if value.is_null() {
            continue;
        }
        if !value.is_known() {
            return Ok(Value::unknown(ty).never_null());
        }
        let value = convert(value, &ty).map_err(|e| CallError::new(e.message))?;
        if value.as_str() != Some("") {
            return Ok(value);
        }
    }
    Err(CallError::new("no non-null, non-empty-string arguments"))
}

fn coalesce_list(a: &Arguments<'_>) -> Result<Value, CallError> {
    if a.values().is_empty() {
        return Err(CallError::new("at least one argument is required"));
    }
    for value in a.values() {
        if !value.is_known() {
            return Ok(Value::UNKNOWN);
        }
        if !matches!(value.ty(), Type::List(_) | Type::Tuple(_)) {
            return Err(CallError::new(
                "coalescelist arguments must be lists or tuples",
            ));
        }
    }
    for value in a.values() {
        match value.length_bounds() {
            _ if value.is_null() => {}
            (0, _) => {}
            _ => return Ok(value.clone()),
        }
    }
    Err(CallError::new("no non-null arguments"))
}

fn concat_type(values: &[Value]) -> Result<Type, CallError> {
    if values.is_empty() {
        return Err(CallError::new("at least one argument is required"));
    }
    let mut types = Vec::new();
    for (i, value) in values.iter().enumerate() {
        match value.ty() {
            ty @ (Type::List(_) | Type::Tuple(_)) => types.push(ty),
            Type::Dynamic => return Ok(Type::Dynamic),
            ty => {
                return Err(CallError::argument(
                    i,
                    format!(
                        "all arguments must be lists or tuples; got {}",
                        type_name(&ty)
                    ),
                ));
            }
        }
    }
    // Lists of one kind of element stay a list.
    if types.iter().all(|t| matches!(t, Type::List(_)))
        && let Some(list) = unify(&types)
    {
        return Ok(list);
    }
    let mut elements = Vec::new();
    for (value, ty) in values.iter().zip(&types) {
        match ty {
            Type::Tuple(ts) => elements.extend(ts.iter().cloned()),
            _ if !value.is_known() => return Ok(Type::Dynamic),
            ty => {
                let element = ty.element().cloned().unwrap_or(Type::Dynamic);
                let count = value.elements().map_or(0, <[Value]>::len);
                elements.extend(std::iter::repeat_n(element, count));
            }
        }
    }
    Ok(Type::tuple(elements))
}

fn concat(a: &Arguments<'_>) -> Result<Value, CallError> {
    let ty = concat_type(a.values())?;
    let mut marks = Marks::NONE;
    let mut items = Vec::new();
    let mut known = true;
    for value in a.values() {
        marks |= value.marks();
        match value.data() {
            Data::List(_, more) | Data::Tuple(more) => items.extend(more.iter().cloned()),
            // A tuple that is not known has as many elements as its type says.
            Data::Unknown(Type::Tuple(types), _) => {
                items.extend(types.iter().cloned().map(Value::unknown));
            }
            _ => known = false,
        }
    }
    if !known {
        return Ok(Value::unknown(ty).never_null().with_marks(marks));
    }
    let value = match &ty {
        Type::List(t) => {
            let converted = items.iter().map(|item| convert(item, t));
            let items = converted.collect::<Result<Vec<_>, _>>();
            Value::list(
                t.as_ref().clone(),
                items.map_err(|e| CallError::new(e.message))?,
            )
        }
        _ => Value::tuple(items),
    };
    Ok(value.with_marks(marks))
}

fn contains(a: &Arguments<'_>) -> Result<Value, CallError> {
    let list = a.value(0);
    let Some(items) = list.elements() else {
        return Err(CallError::new("argument must be list, tuple, or set"));
    };
    let wanted = a.value(1);
    let mut unknown = false;
    for item in items {
        match equal(item, wanted).as_bool() {
            Some(true) => return Ok(Value::from(true)),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown {
        Value::unknown(Type::Bool).never_null()
    } else {
        Value::from(false)
    })
}

fn distinct(a: &Arguments<'_>) -> Result<Value, CallError> {
    let list = a.value(0);
    let ty = list.ty();
    if !list.is_wholly_known() {
        return Ok(Value::unknown(ty).never_null());
    }
    let mut seen: Vec<Value> = Vec::new();
    for item in a.elements(0) {
        if !seen.contains(item) {
            seen.push(item.clone());
        }
    }
    Ok(Value::list(
        ty.element().cloned().unwrap_or(Type::Dynamic),
        seen,
    ))
}

const EMPTY_LIST: &str = "cannot use element function with an empty list";

fn element_type(values: &[Value]) -> Result<Type, CallError> {
    let [list, index] = values else {
        return Ok(Type::Dynamic);
    };
    match list.ty() {
        Type::List(t) => Ok(t.as_ref().clone()),
        Type::Tuple(types) => match index.as_number() {
            None => Ok(Type::Dynamic),
            Some(index) => {
                let at = wrapped(index, types.len())?;
                Ok(types.get(at).cloned().unwrap_or(Type::Dynamic))
            }
        },
        ty => Err(CallError::new(format!(
            "cannot read elements from {}",
            type_name(&ty)
        ))),
    }
}

/// The position that an index stands for, which starts over at the end.
fn wrapped(index: &Number, length: usize) -> Result<usize, CallError> {
    let index = index.as_i64().ok_or_else(|| {
        CallError::new(format!(
            "invalid index: value must be a whole number, between {} and {}",
            i64::MIN,
            i64::MAX
        ))
    })?;
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let position = index
        .checked_rem(length)
        .ok_or_else(|| CallError::new(EMPTY_LIST))?;
    usize::try_from(position)
        .map_err(|_| CallError::new("cannot use element function with a negative index"))
}

fn element(a: &Arguments<'_>) -> Result<Value, CallError> {
    element_type(a.values())?;
    let items = a.elements(0);
    let at = wrapped(&a.number(1), items.len())?;
    let item = items.get(at).cloned().unwrap_or(Value::UNKNOWN);
    Ok(item.with_marks(a.value(0).marks()))
}

fn flatten(a: &Arguments<'_>) -> Result<Value, CallError> {
    let mut list = a.value(0).clone();
    if list.elements().is_none() {
        // What is not known in full is not refused for its type.
        let values = list.entries().filter(|_| !list.is_wholly_known());
        let values = values
            .ok_or_else(|| CallError::new("can only flatten lists, sets and tuples"))?
            .values();
        list = Value::tuple(values.cloned().collect::<Vec<_>>()).with_marks(list.marks());
    }
    let mut marks = Marks::NONE;
    let mut items = Vec::new();
    let known = flatten_into(&list, &mut items, &mut marks);
    let value = if known {
        Value::tuple(items)
    } else {
        Value::UNKNOWN
    };
    Ok(value.with_marks(marks))
}

/// Adds the elements at any depth; whether their number is known.
fn flatten_into(list: &Value, items: &mut Vec<Value>, marks: &mut Marks) -> bool {
    *marks |= list.marks();
    let mut known = true;
    for item in list.elements().unwrap_or_default() {
        match item.data() {
            Data::List(..) | Data::Set(..) | Data::Tuple(_) => {
                known &= flatten_into(item, items, marks);
            }
            // These may turn out to be lists of any length.
            Data::Unknown(Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_), _) => {
                *marks |= item.marks();
                known = false;
            }
            _ => items.push(item.clone()),
        }
    }
    known
}

fn index_of(a: &Arguments<'_>) -> Result<Value, CallError> {
    let list = a.value(0);
    if !matches!(list.data(), Data::List(..) | Data::Tuple(_)) {
        return Err(CallError::new("argument must be a list or tuple"));
    }
    let items = a.elements(0);
    if items.is_empty() {
        return Err(CallError::new("cannot search an empty list"));
    }
    for (i, item) in items.iter().enumerate() {
        let same = equal(item, a.value(1));
        if !same.is_known() {
            return Ok(Value::unknown(Type::Number).never_null());
        }
        if same.as_bool() == Some(true) {
            return Ok(Value::from(i));
        }
    }
    Err(CallError::new("item not found"))
}

fn length(a: &Arguments<'_>) -> Result<Value, CallError> {
    let value = a.value(0);
    let length = match value.ty() {
        Type::Dynamic => Value::unknown(Type::Number).never_null(),
        Type::String => text::length(value),
        Type::Bool | Type::Number | Type::Type => {
            return Err(CallError::new(
                "argument must be a string, a collection type, or a structural type",
            ));
        }
        _ => {
            let (least, greatest) = value.length_bounds();
            let refinement = Refinement {
                lower: Some((Number::from(least), true)),
                upper: greatest.map(|n| (Number::from(n), true)),
                ..Refinement::not_null()
            };
            Value::unknown_refined(Type::Number, refinement)
        }
    };
    Ok(length.with_marks(value.marks()))
}

fn match_keys(a: &Arguments<'_>) -> Result<Value, CallError> {
    let types = [a.value(1).ty(), a.value(2).ty()];
    let keys_type = unify(&types)
        .ok_or_else(|| CallError::new("keys and searchset must be of the same type"))?;
    let list_of = |i: usize| convert(a.value(i), &keys_type).map_err(|e| CallError::new(e.message));
    let (values, keys, wanted) = (a.value(0), list_of(1)?, list_of(2)?);
    let ty = values.ty();
    let items = a.elements(0);
    let keys = keys.elements().unwrap_or_default();
    let wanted = wanted.elements().unwrap_or_default();
    if items.len() != keys.len() {
        return Err(CallError::new("length of keys and values should be equal"));
    }
    let mut matched = Vec::new();
    for (key, item) in keys.iter().zip(items) {
        for candidate in wanted {
            match equal(key, candidate).as_bool() {
                Some(true) => {
                    matched.push(item.clone());
                    break;
                }
                Some(false) => {}
                None => return Ok(Value::unknown(ty).never_null()),
            }
        }
    }
    Ok(Value::list(
        ty.element().cloned().unwrap_or(Type::Dynamic),
        matched,
    ))
}

const ONE: &str = "must be a list, set, or tuple value with either zero or one elements";

fn one_type(values: &[Value]) -> Result<Type, CallError> {
    match values.first().map(Value::ty) {
        Some(Type::List(t) | Type::Set(t)) => Ok(t.as_ref().clone()),
        Some(Type::Tuple(types)) if types.len() <= 1 => {
            Ok(types.first().cloned().unwrap_or(Type::Dynamic))
        }
        _ => Err(CallError::argument(0, ONE)),
    }
}

fn one(a: &Arguments<'_>) -> Result<Value, CallError> {
    let ty = one_type(a.values())?;
    let list = a.value(0);
    match a.elements(0) {
        _ if !list.is_known() => Ok(Value::unknown(ty)),
        [] => Ok(Value::null(ty)),
        [item] => Ok(item.clone()),
        _ => match list.length_bounds() {
            // Elements of a set that are not known may turn out to be one.
            (0 | 1, _) => Ok(Value::unknown(ty)),
            _ => Err(CallError::argument(0, ONE)),
        },
    }
}

fn reverse_type(values: &[Value]) -> Result<Type, CallError> {
    match values.first().map(Value::ty) {
        Some(Type::Tuple(types)) => Ok(Type::tuple(types.iter().rev().cloned())),
        Some(Type::List(t) | Type::Set(t)) => Ok(Type::List(t)),
        ty => Err(CallError::argument(
            0,
            format!(
                "can only reverse list or tuple values, not {}",
                type_name(&ty.unwrap_or(Type::Dynamic))
            ),
        )),
    }
}

fn reverse(a: &Arguments<'_>) -> Result<Value, CallError> {
    let ty = reverse_type(a.values())?;
    let list = a.value(0);
    if matches!(list.data(), Data::Set(..)) && !list.is_wholly_known() {
        return Ok(Value::unknown(ty).never_null().with_marks(list.marks()));
    }
    let items = a.elements(0).iter().rev().cloned();
    let value = match &ty {
        Type::List(t) => Value::list(t.as_ref().clone(), items),
        _ => Value::tuple(items),
    };
    Ok(value.with_marks(list.marks()))
}

fn slice_type(values: &[Value]) -> Result<Type, CallError> {
    let [list, start, end] = values else {
        return Ok(Type::Dynamic);
    };
    match list.ty() {
        ty @ Type::List(_) => {
            slice_bounds(start, end, list.elements().map(<[Value]>::len))?;
            Ok(ty)
        }
        Type::Tuple(types) => Ok(match slice_bounds(start, end, Some(types.len()))? {
            Some((start, end)) => Type::tuple(types.get(start..end).unwrap_or_default().to_vec()),
            None => Type::Dynamic,
        }),
        Type::Set(_) => Err(CallError::argument(
            0,
            "cannot slice a set, because its elements do not have indices; explicitly convert to \
             a list if the ordering of the result is not important",
        )),
        _ => Err(CallError::argument(0, "must be a list or tuple value")),
    }
}

/// The positions, when both are known; what is known of them is checked in any case.
fn slice_bounds(
    start: &Value,
    end: &Value,
    length: Option<usize>,
) -> Result<Option<(usize, usize)>, CallError> {
    let start = slice_bound(start, 1, "start", length)?;
    let end = slice_bound(end, 2, "end", length)?;
    let Some((start, end)) = start.zip(end) else {
        return Ok(None);
    };
    if start > end {
        return Err(CallError::argument(
            1,
            "start index must not be greater than end index",
        ));
    }
    Ok(Some((start, end)))
}

fn slice_bound(
    value: &Value,
    argument: usize,
    what: &str,
    length: Option<usize>,
) -> Result<Option<usize>, CallError> {
    let Some(number) = value.as_number() else {
        return Ok(None);
    };
    let fail = |message: String| Err(CallError::argument(argument, message));
    let Some(position) = number.as_i64() else {
        return fail(format!(
            "invalid {what} index: value must be a whole number, between {} and {}",
            i64::MIN,
            i64::MAX
        ));
    };
    match usize::try_from(position) {
        Err(_) => fail(format!("{what} index must not be less than zero")),
        Ok(position) if length.is_some_and(|length| position > length) => fail(format!(
            "{what} index must not be greater than the length of the list"
        )),
        Ok(position) => Ok(Some(position)),
    }
}

fn slice(a: &Arguments<'_>) -> Result<Value, CallError> {
    let ty = slice_type(a.values())?;
    let items = a.elements(0);
    let bounds = slice_bounds(a.value(1), a.value(2), Some(items.len()))?;
    let (start, end) = bounds.unwrap_or_default();
    let part = items.get(start..end).unwrap_or_default().iter().cloned();
    let value = match &ty {
        Type::List(t) => Value::list(t.as_ref().clone(), part),
        _ => Value::tuple(part),
    };
    Ok(value.with_marks(a.value(0).marks()))
}

fn sort(a: &Arguments<'_>) -> Result<Value, CallError> {
    let items = a.elements(0);
    if !a.value(0).is_wholly_known() {
        let unknown = std::iter::repeat_n(Value::unknown(Type::String), items.len());
        return Ok(Value::list(Type::String, unknown));
    }
    let mut texts = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        texts.push(item.as_str().ok_or_else(|| {
            CallError::new(format!(
                "given list element {i} is null; a null string cannot be sorted"
            ))
        })?);
    }
    texts.sort_unstable();
    Ok(text::texts(texts))
}
