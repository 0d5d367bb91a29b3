//! Differences between objects under a schema: a resource, or a block nested in one.

use std::sync::Arc;

use mlinfra_sdk::schema::{Block, Nesting};
use mlinfra_sdk::{Schema, Value};

use super::attribute::{attribute, present};
use super::dynamic::{keys, sequence};
use super::{Change, Forced, Kind, NestedChange, Shape, Side, guarded, kind_of_parts, pairs};

/// The difference between two objects of a schema.
pub fn block(before: Side<'_>, after: Side<'_>, schema: &Schema, forced: &Forced<'_>) -> Change {
    guarded(before, after, forced, true, &|before, after| {
        compare(present(before), present(after), schema, forced)
    })
}

fn compare(before: Side<'_>, after: Side<'_>, schema: &Schema, forced: &Forced<'_>) -> Change {
    let mut attributes = Vec::new();
    for (name, described) in &schema.attributes {
        let of = |side: Side<'_>| {
            let value = present(side.and_then(|v| v.get(name))).cloned();
            value.map(|v| {
                if described.sensitive {
                    v.sensitive()
                } else {
                    v
                }
            })
        };
        let (old, new) = (of(before), of(after));
        if old.is_some() || new.is_some() {
            let forced = forced.named(name);
            let change = attribute(old.as_ref(), new.as_ref(), &described.ty, &forced);
            attributes.push((name.clone(), change));
        }
    }
    let mut blocks = Vec::new();
    for (name, nested) in &schema.blocks {
        let old = before.and_then(|v| v.get(name));
        let new = after.and_then(|v| v.get(name));
        nested_blocks(&mut blocks, name, old, new, nested, &forced.named(name));
    }
    let parts = attributes.iter().map(|(_, c)| c);
    let parts = parts.chain(blocks.iter().map(|(_, _, c)| c));
    let kind = kind_of_parts(before.is_some(), after.is_some(), parts);
    Change::new(kind, forced, Shape::Block { attributes, blocks })
}

/// All blocks of one name.
fn nested_blocks(
    out: &mut Vec<NestedChange>,
    name: &Arc<str>,
    before: Side<'_>,
    after: Side<'_>,
    nested: &Block,
    forced: &Forced<'_>,
) {
    let (before, after) = (present(before), present(after));
    if after.is_some_and(|v| !v.is_known()) {
        // How many there will be is not known, so they stand for one.
        let empty = |v: &Value| v.elements().is_some_and(<[Value]>::is_empty);
        let kind = match before {
            Some(blocks) if !empty(blocks) => Kind::Update,
            _ => Kind::Create,
        };
        out.push((
            name.clone(),
            None,
            Change::new(kind, forced, Shape::Unknown(None)),
        ));
        return;
    }
    // What hides all blocks of a name hides each.
    let parts = |side: Side<'_>| -> Vec<Value> {
        let Some(value) = side else { return Vec::new() };
        let items = value.elements().unwrap_or_default().iter();
        items.map(|v| v.clone().with_marks(value.marks())).collect()
    };
    let (old, new) = (parts(before), parts(after));
    let one = |b: Side<'_>, a: Side<'_>, pair: pairs::Pair| {
        let mut change = block(b, a, &nested.schema, &forced.element(&pair, &old, &new));
        // A path that ends at the blocks of a name means each of them that changes.
        change.forces_replacement |= forced.here() && change.kind != Kind::NoOp;
        change
    };
    match nested.nesting {
        Nesting::Single => {
            if before.is_some() || after.is_some() {
                let change = block(before, after, &nested.schema, forced);
                out.push((name.clone(), None, change));
            }
        }
        Nesting::List => {
            let changes = sequence(&old, &new, &|_| true, &one);
            out.extend(changes.into_iter().map(|c| (name.clone(), None, c)));
        }
        Nesting::Set => {
            let keys = |items: &[Value]| items.iter().map(pairs::key).collect::<Vec<_>>();
            for pair in pairs::unordered(&keys(&old), &keys(&new)) {
                let b = pair.before.and_then(|i| old.get(i));
                let a = pair.after.and_then(|i| new.get(i));
                out.push((name.clone(), None, one(b, a, pair)));
            }
        }
        Nesting::Map => {
            for label in keys(before, after) {
                let old = before.and_then(|v| v.get(&label));
                let new = after.and_then(|v| v.get(&label));
                let change = block(old, new, &nested.schema, &forced.named(&label));
                out.push((name.clone(), Some(label), change));
            }
        }
    }
}
