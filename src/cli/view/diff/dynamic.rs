//! Differences between values of any type: compared as JSON, because that is all their reader
//! would see of their types. Outputs, attributes of dynamic type and JSON inside strings.

use std::collections::BTreeSet;
use std::sync::Arc;

use mlinfra_sdk::{Data, Value};

use super::{Change, Forced, Kind, Shape, Side, guarded, kind_of_parts, pairs};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Json {
    Null,
    Scalar(u8),
    Text,
    Array,
    Object,
}

fn json(value: &Value) -> Json {
    match value.data() {
        Data::Null(_) | Data::Unknown(..) => Json::Null,
        Data::Bool(_) => Json::Scalar(0),
        Data::Number(_) => Json::Scalar(1),
        Data::Type(_) => Json::Scalar(2),
        Data::String(_) => Json::Text,
        Data::List(..) | Data::Set(..) | Data::Tuple(_) => Json::Array,
        Data::Map(..) | Data::Object(_) => Json::Object,
    }
}

/// The difference between two values of any type.
pub fn dynamic(before: Side<'_>, after: Side<'_>, forced: &Forced<'_>) -> Change {
    guarded(before, after, forced, false, &|before, after| {
        compare(before, after, forced)
    })
}

fn compare(before: Side<'_>, after: Side<'_>, forced: &Forced<'_>) -> Change {
    match (before, after) {
        (Some(b), Some(a)) if json(b) != json(a) => {
            let old = compare(Some(b), None, &Forced::default());
            let new = compare(None, Some(a), &Forced::default());
            let shape = Shape::Retyped(Box::new(old), Box::new(new));
            Change::new(Kind::Update, forced, shape)
        }
        (Some(one), _) | (None, Some(one)) => match json(one) {
            Json::Text => text(before, after, forced),
            Json::Array => array(before, after, forced),
            Json::Object => object(before, after, forced),
            Json::Null | Json::Scalar(_) => scalar(before, after, forced),
        },
        (None, None) => scalar(None, None, forced),
    }
}

/// The difference between two values of which neither has parts.
pub(super) fn scalar(before: Side<'_>, after: Side<'_>, forced: &Forced<'_>) -> Change {
    let show = |side: Side<'_>| side.map_or_else(|| "null".to_owned(), plain);
    let (old, new) = (show(before), show(after));
    let kind = match (before, after) {
        (None, Some(_)) => Kind::Create,
        (Some(_), None) => Kind::Delete,
        _ if old == new => Kind::NoOp,
        _ => Kind::Update,
    };
    let shape = Shape::Scalar {
        before: old,
        after: new,
    };
    Change::new(kind, forced, shape)
}

fn plain(value: &Value) -> String {
    match value.data() {
        Data::Bool(b) => b.to_string(),
        Data::Number(n) => n.to_string(),
        Data::Type(t) => t.to_string(),
        _ => "null".to_owned(),
    }
}

/// The difference between two strings, or a string and nothing.
pub(super) fn text(before: Side<'_>, after: Side<'_>, forced: &Forced<'_>) -> Change {
    let read = |side: Side<'_>| side.and_then(Value::as_str).map(Arc::from);
    let (old, new): (Option<Arc<str>>, Option<Arc<str>>) = (read(before), read(after));
    let kind = match (before, after) {
        (None, Some(_)) => Kind::Create,
        (Some(_), None) => Kind::Delete,
        _ if old == new => Kind::NoOp,
        _ => Kind::Update,
    };
    let shape = Shape::Text {
        before: old,
        after: new,
    };
    Change::new(kind, forced, shape)
}

fn array(before: Side<'_>, after: Side<'_>, forced: &Forced<'_>) -> Change {
    let items = |side: Side<'_>| {
        let items = side.and_then(Value::elements);
        items.map(<[Value]>::to_vec).unwrap_or_default()
    };
    let (old, new) = (items(before), items(after));
    let is_object = |pair: pairs::Pair| {
        let of = |i: Option<usize>, items: &[Value]| {
            i.and_then(|i| items.get(i)).map(json) == Some(Json::Object)
        };
        of(pair.before, &old) && of(pair.after, &new)
    };
    let items = sequence(&old, &new, &is_object, &|b, a, pair| {
        dynamic(b, a, &forced.element(&pair, &old, &new))
    });
    let kind = kind_of_parts(before.is_some(), after.is_some(), &items);
    let shape = Shape::Sequence {
        items,
        ordered: true,
    };
    Change::new(kind, forced, shape)
}

/// Compares the elements of two sequences in order.
pub(super) fn sequence(
    before: &[Value],
    after: &[Value],
    is_object: &dyn Fn(pairs::Pair) -> bool,
    compare: &dyn Fn(Side<'_>, Side<'_>, pairs::Pair) -> Change,
) -> Vec<Change> {
    let keys = |items: &[Value]| items.iter().map(pairs::key).collect::<Vec<_>>();
    pairs::ordered(&keys(before), &keys(after), is_object)
        .into_iter()
        .map(|pair| {
            let old = pair.before.and_then(|i| before.get(i));
            let new = pair.after.and_then(|i| after.get(i));
            compare(old, new, pair)
        })
        .collect()
}

fn object(before: Side<'_>, after: Side<'_>, forced: &Forced<'_>) -> Change {
    let entries: Vec<(Arc<str>, Change)> = keys(before, after)
        .into_iter()
        .map(|key| {
            let old = before.and_then(|v| v.get(&key));
            let new = after.and_then(|v| v.get(&key));
            let change = dynamic(old, new, &forced.named(&key));
            (key, change)
        })
        .collect();
    let parts = entries.iter().map(|(_, change)| change);
    let kind = kind_of_parts(before.is_some(), after.is_some(), parts);
    Change::new(kind, forced, Shape::Object(entries))
}

/// The keys of both sides, sorted.
pub(super) fn keys(before: Side<'_>, after: Side<'_>) -> BTreeSet<Arc<str>> {
    [before, after]
        .into_iter()
        .flatten()
        .filter_map(Value::entries)
        .flat_map(|entries| entries.keys().cloned())
        .collect()
}
