//! Differences between values of a known type: the attributes of a schema.

use std::sync::Arc;

use mlinfra_sdk::ty::ObjectType;
use mlinfra_sdk::{Type, Value};

use super::dynamic::{dynamic, keys, scalar, sequence, text};
use super::{Change, Forced, Shape, Side, guarded, kind_of_parts, pairs};

/// The difference between two values of type `ty`.
pub(super) fn attribute(
    before: Side<'_>,
    after: Side<'_>,
    ty: &Type,
    forced: &Forced<'_>,
) -> Change {
    match ty {
        Type::Dynamic | Type::Type => dynamic(before, after, forced),
        _ => guarded(before, after, forced, false, &|before, after| {
            compare(before, after, ty, forced)
        }),
    }
}

fn compare(before: Side<'_>, after: Side<'_>, ty: &Type, forced: &Forced<'_>) -> Change {
    match ty {
        Type::Dynamic | Type::Type => dynamic(before, after, forced),
        Type::Bool | Type::Number => scalar(before, after, forced),
        Type::String => text(before, after, forced),
        Type::List(element) => list(before, after, element, forced),
        Type::Set(element) => set(before, after, element, forced),
        Type::Tuple(elements) => tuple(before, after, elements, forced),
        Type::Map(element) => map(before, after, element, forced),
        Type::Object(object) => self::object(before, after, object, forced),
    }
}

/// A value that is there and not null.
pub(super) fn present(side: Side<'_>) -> Side<'_> {
    side.filter(|v| !v.is_null())
}

fn elements(side: Side<'_>) -> &[Value] {
    side.and_then(Value::elements).unwrap_or_default()
}

fn list(before: Side<'_>, after: Side<'_>, element: &Type, forced: &Forced<'_>) -> Change {
    let (old, new) = (elements(before), elements(after));
    let is_object = matches!(element, Type::Object(_));
    let items = sequence(old, new, &|_| is_object, &|b, a, pair| {
        attribute(b, a, element, &forced.element(&pair, old, new))
    });
    collection(before, after, items, true, forced)
}

fn set(before: Side<'_>, after: Side<'_>, element: &Type, forced: &Forced<'_>) -> Change {
    let (old, new) = (elements(before), elements(after));
    let keys = |items: &[Value]| items.iter().map(pairs::key).collect::<Vec<_>>();
    let items = pairs::unordered(&keys(old), &keys(new))
        .into_iter()
        .map(|pair| {
            let b = pair.before.and_then(|i| old.get(i));
            let a = pair.after.and_then(|i| new.get(i));
            attribute(b, a, element, &forced.element(&pair, old, new))
        })
        .collect();
    collection(before, after, items, false, forced)
}

fn tuple(before: Side<'_>, after: Side<'_>, types: &[Type], forced: &Forced<'_>) -> Change {
    let (old, new) = (elements(before), elements(after));
    let items = (0..old.len().max(new.len()))
        .map(|i| {
            let ty = types.get(i).unwrap_or(&Type::Dynamic);
            let pair = pairs::Pair {
                before: Some(i),
                after: Some(i),
            };
            attribute(old.get(i), new.get(i), ty, &forced.element(&pair, old, new))
        })
        .collect();
    collection(before, after, items, true, forced)
}

fn collection(
    before: Side<'_>,
    after: Side<'_>,
    items: Vec<Change>,
    ordered: bool,
    forced: &Forced<'_>,
) -> Change {
    let (before, after) = (present(before), present(after));
    let kind = kind_of_parts(before.is_some(), after.is_some(), &items);
    Change::new(kind, forced, Shape::Sequence { items, ordered })
}

fn map(before: Side<'_>, after: Side<'_>, element: &Type, forced: &Forced<'_>) -> Change {
    let entries: Vec<(Arc<str>, Change)> = keys(before, after)
        .into_iter()
        .map(|key| {
            let old = before.and_then(|v| v.get(&key));
            let new = after.and_then(|v| v.get(&key));
            let change = attribute(old, new, element, &forced.named(&key));
            (key, change)
        })
        .collect();
    let (before, after) = (present(before), present(after));
    let parts = entries.iter().map(|(_, change)| change);
    let kind = kind_of_parts(before.is_some(), after.is_some(), parts);
    Change::new(kind, forced, Shape::Map(entries))
}

fn object(before: Side<'_>, after: Side<'_>, object: &ObjectType, forced: &Forced<'_>) -> Change {
    let named = object.attributes.iter().filter_map(|(name, ty)| {
        let old = present(before.and_then(|v| v.get(name)));
        let new = present(after.and_then(|v| v.get(name)));
        // What is null before and after is not worth a word.
        (old.is_some() || new.is_some())
            .then(|| (name.clone(), attribute(old, new, ty, &forced.named(name))))
    });
    let entries: Vec<(Arc<str>, Change)> = named.collect();
    let (before, after) = (present(before), present(after));
    let parts = entries.iter().map(|(_, change)| change);
    let kind = kind_of_parts(before.is_some(), after.is_some(), parts);
    Change::new(kind, forced, Shape::Object(entries))
}
