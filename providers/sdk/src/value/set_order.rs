//! The order of a set's elements: that of Terraform, so that lists made of sets are the same.
//!
//! Texts, numbers and truth values have their natural order. Anything else is ordered by a text
//! that stands for it, which means nothing but is the same each time.

use std::cmp::Ordering;
use std::fmt::Write;

use super::{Data, Value};

/// Sorts the elements of a set: known ones, then null, then unknown ones.
pub(super) fn sort(items: &mut [Value]) {
    let structured = items.iter().any(|item| {
        !matches!(
            item.data,
            Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Null(_) | Data::Unknown(..)
        )
    });
    if structured {
        items.sort_by_cached_key(|item| {
            let mut text = String::new();
            write_key(item, &mut text);
            (rank(&item.data), text)
        });
    } else {
        items.sort_by(natural);
    }
}

fn natural(a: &Value, b: &Value) -> Ordering {
    match (&a.data, &b.data) {
        (Data::Bool(a), Data::Bool(b)) => a.cmp(b),
        (Data::Number(a), Data::Number(b)) => a.cmp(b),
        (Data::String(a), Data::String(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

fn rank(data: &Data) -> u8 {
    match data {
        Data::Null(_) => 1,
        Data::Unknown(..) => 2,
        _ => 0,
    }
}

fn write_key(value: &Value, out: &mut String) {
    match &value.data {
        Data::Unknown(..) => out.push('?'),
        Data::Null(_) => out.push('~'),
        Data::Bool(b) => out.push(if *b { 'T' } else { 'F' }),
        // Writing to a string cannot fail.
        Data::Number(n) => drop(write!(out, "{}", n.in_ten_digits())),
        Data::String(text) => drop(write!(out, "{text:?}")),
        Data::Type(ty) => drop(write!(out, "{ty}")),
        Data::Map(_, entries) => {
            out.push('{');
            for (key, item) in entries.iter() {
                let _ = write!(out, "{key:?}:");
                write_key(item, out);
                out.push(';');
            }
            out.push('}');
        }
        Data::List(_, items) | Data::Set(_, items) => write_items(items.iter(), "[]", out),
        Data::Tuple(items) => write_items(items.iter(), "<>", out),
        Data::Object(entries) => write_items(entries.values(), "<>", out),
    }
}

fn write_items<'v>(items: impl Iterator<Item = &'v Value>, around: &str, out: &mut String) {
    out.push_str(&around[..1]);
    for item in items {
        write_key(item, out);
        out.push(';');
    }
    out.push_str(&around[1..]);
}

#[cfg(test)]
mod tests {
    use crate::{Type, Value};

    #[test]
    fn numbers_are_ordered_by_size_and_lists_by_their_text() {
        let numbers = [10i64, 9, 100].map(Value::from);
        let set = Value::set(Type::Number, numbers);
        assert_eq!(set.elements().unwrap(), [9i64, 10, 100].map(Value::from));
        let lists = [[2i64, 1], [1, 2], [10, 0]]
            .map(|items| Value::list(Type::Number, items.map(Value::from)));
        let set = Value::set(Type::list(Type::Number), lists.clone());
        let [a, b, c] = lists;
        // The text of 10 goes before that of 1 and what follows it.
        assert_eq!(set.elements().unwrap(), [c, b, a]);
    }
}
