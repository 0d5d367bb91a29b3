//! Finds the type that values of several types can all be converted to.

use std::cmp::Ordering;

use mlinfra_sdk::Type;

use super::convert::{Safety, convertible};

/// The type that all of these can be converted to, if there is one. Objects of different shape
/// become maps, tuples of different length lists.
pub fn unify(types: &[Type]) -> Option<Type> {
    unify_with(types, Safety::MayFail)
}

/// How many of the types are of each kind.
#[derive(Default)]
struct Kinds {
    maps: usize,
    lists: usize,
    sets: usize,
    objects: usize,
    tuples: usize,
    dynamic: usize,
}

pub(super) fn unify_with(types: &[Type], safety: Safety) -> Option<Type> {
    let (first, rest) = types.split_first()?;
    if rest.iter().all(|t| t == first) {
        return Some(first.clone());
    }
    let mut kinds = Kinds::default();
    for ty in types {
        match ty {
            Type::Map(_) => kinds.maps += 1,
            Type::List(_) => kinds.lists += 1,
            Type::Set(_) => kinds.sets += 1,
            Type::Object(_) => kinds.objects += 1,
            Type::Tuple(_) => kinds.tuples += 1,
            Type::Dynamic => kinds.dynamic += 1,
            Type::Bool | Type::Number | Type::String | Type::Type => {}
        }
    }
    let Kinds {
        maps,
        lists,
        sets,
        objects,
        tuples,
        dynamic,
    } = kinds;
    let all = |n: usize| n + dynamic == types.len();
    if maps > 0 && all(maps) || lists > 0 && all(lists) || sets > 0 && all(sets) {
        return collections(types, dynamic > 0, safety);
    }
    if maps > 0 && all(maps + objects) {
        let objects_as_map = objects_to_map(only(types, |t| matches!(t, Type::Object(_))), safety);
        let unified = with_each(types, objects_as_map, safety, |t| {
            matches!(t, Type::Object(_))
        });
        if let Some(map @ Type::Map(_)) = unified {
            return Some(map);
        }
    } else if lists > 0 && all(lists + tuples) {
        let tuples_as_list = tuples_to_list(only(types, |t| matches!(t, Type::Tuple(_))), safety);
        let unified = with_each(types, tuples_as_list, safety, |t| {
            matches!(t, Type::Tuple(_))
        });
        if let Some(list @ Type::List(_)) = unified {
            return Some(list);
        }
    } else if objects > 0 && all(objects) {
        return structures(types, dynamic > 0, safety, object_types);
    } else if tuples > 0 && all(tuples) {
        return structures(types, dynamic > 0, safety, tuple_types);
    } else if objects > 0 && tuples > 0 {
        return None;
    }
    preferred(types, safety)
}

fn only(types: &[Type], is: impl Fn(&Type) -> bool) -> Vec<Type> {
    types.iter().filter(|t| is(t)).cloned().collect()
}

/// Unifies with `stand_in` where `is` says so.
fn with_each(
    types: &[Type],
    stand_in: Option<Type>,
    safety: Safety,
    is: impl Fn(&Type) -> bool,
) -> Option<Type> {
    let stand_in = stand_in?;
    let types: Vec<Type> = types
        .iter()
        .map(|t| if is(t) { &stand_in } else { t })
        .cloned()
        .collect();
    unify_with(&types, safety)
}

fn collections(types: &[Type], dynamic: bool, safety: Safety) -> Option<Type> {
    if dynamic {
        return Some(Type::Dynamic);
    }
    let elements: Vec<Type> = types.iter().filter_map(Type::element).cloned().collect();
    let element = unify_with(&elements, safety)?;
    Some(match types.first()? {
        Type::List(_) => Type::list(element),
        Type::Set(_) => Type::set(element),
        _ => Type::map(element),
    })
}

fn structures(
    types: &[Type],
    dynamic: bool,
    safety: Safety,
    unify: fn(&[Type], Safety) -> Option<Type>,
) -> Option<Type> {
    if dynamic {
        // What the unknown ones turn out to be may lead elsewhere.
        return Some(Type::Dynamic);
    }
    unify(types, safety)
}

fn object_types(types: &[Type], safety: Safety) -> Option<Type> {
    let objects: Vec<_> = types
        .iter()
        .filter_map(|t| match t {
            Type::Object(o) => Some(o),
            _ => None,
        })
        .collect();
    let (first, rest) = objects.split_first()?;
    if !rest
        .iter()
        .all(|o| o.attributes.keys().eq(first.attributes.keys()))
    {
        return objects_to_map(types.to_vec(), safety);
    }
    let mut attributes = Vec::new();
    for name in first.attributes.keys() {
        let across: Vec<Type> = objects
            .iter()
            .filter_map(|o| o.attributes.get(name))
            .cloned()
            .collect();
        attributes.push((name.clone(), unify_with(&across, safety)?));
    }
    Some(Type::object(attributes))
}

fn tuple_types(types: &[Type], safety: Safety) -> Option<Type> {
    let tuples: Vec<_> = types
        .iter()
        .filter_map(|t| match t {
            Type::Tuple(elements) => Some(elements),
            _ => None,
        })
        .collect();
    let (first, rest) = tuples.split_first()?;
    if !rest.iter().all(|t| t.len() == first.len()) {
        return tuples_to_list(types.to_vec(), safety);
    }
    let mut elements = Vec::new();
    for i in 0..first.len() {
        let across: Vec<Type> = tuples.iter().filter_map(|t| t.get(i)).cloned().collect();
        elements.push(unify_with(&across, safety)?);
    }
    Some(Type::tuple(elements))
}

fn objects_to_map(types: Vec<Type>, safety: Safety) -> Option<Type> {
    let mut elements = Vec::new();
    for ty in &types {
        if let Type::Object(o) = ty {
            elements.extend(o.attributes.values().cloned());
        }
    }
    collection_of(&types, Type::map(unify_with(&elements, safety)?), safety)
}

fn tuples_to_list(types: Vec<Type>, safety: Safety) -> Option<Type> {
    let mut elements = Vec::new();
    for ty in &types {
        if let Type::Tuple(ts) = ty {
            elements.extend(ts.iter().cloned());
        }
    }
    collection_of(&types, Type::list(unify_with(&elements, safety)?), safety)
}

fn collection_of(types: &[Type], collection: Type, safety: Safety) -> Option<Type> {
    types
        .iter()
        .all(|t| convertible(t, &collection, safety))
        .then_some(collection)
}

/// The first of the types, in the order of preference, that all others can be converted to.
fn preferred(types: &[Type], safety: Safety) -> Option<Type> {
    let mut order: Vec<&Type> = Vec::new();
    // An insertion sort, because the preference is no total order.
    for ty in types {
        let at = order
            .iter()
            .position(|other| preference(ty, other).is_lt())
            .unwrap_or(order.len());
        order.insert(at, ty);
    }
    order
        .into_iter()
        .find(|wanted| types.iter().all(|t| convertible(t, wanted, safety)))
        .cloned()
}

/// Which of two types is preferred as the result: less means the first.
fn preference(a: &Type, b: &Type) -> Ordering {
    match (a, b) {
        (Type::Dynamic, Type::Dynamic) => Ordering::Equal,
        (Type::Dynamic, _) => Ordering::Greater,
        (_, Type::Dynamic) => Ordering::Less,
        (Type::String, b) if b.is_primitive() && *b != Type::String => Ordering::Less,
        (a, Type::String) if a.is_primitive() && *a != Type::String => Ordering::Greater,
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => preference(a, b),
        (Type::Tuple(_) | Type::List(_), Type::Set(_)) => Ordering::Less,
        (Type::Set(_), Type::Tuple(_) | Type::List(_)) => Ordering::Greater,
        (Type::List(_), Type::Tuple(_)) | (Type::Map(_), Type::Object(_)) => Ordering::Less,
        (Type::Tuple(_), Type::List(_)) | (Type::Object(_), Type::Map(_)) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primitives_meet_in_strings() {
        assert_eq!(unify(&[Type::Number, Type::String]), Some(Type::String));
        assert_eq!(unify(&[Type::Bool, Type::Number]), None);
        assert_eq!(
            unify(&[Type::Bool, Type::Number, Type::String]),
            Some(Type::String)
        );
    }

    #[test]
    fn objects_of_other_shape_become_maps_and_tuples_lists() {
        let a = Type::object([("a", Type::Number)]);
        let b = Type::object([("b", Type::String)]);
        assert_eq!(unify(&[a.clone(), b]), Some(Type::map(Type::String)));
        let c = Type::object([("a", Type::String)]);
        assert_eq!(unify(&[a, c.clone()]), Some(c));
        let one = Type::tuple([Type::Number]);
        let two = Type::tuple([Type::Number, Type::String]);
        assert_eq!(unify(&[one.clone(), two]), Some(Type::list(Type::String)));
        assert_eq!(
            unify(&[Type::list(Type::String), one]),
            Some(Type::list(Type::String))
        );
    }

    #[test]
    fn objects_and_tuples_have_nothing_in_common() {
        let object = Type::object([("a", Type::Number)]);
        assert_eq!(unify(&[object, Type::tuple([Type::Number])]), None);
    }
}
