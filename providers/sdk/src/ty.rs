//! Types of values: primitives, collections of one element type, structures of many.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The type of a value or the constraint that a value must meet.
///
/// As a constraint, [`Type::Dynamic`] stands for "any type"; as the type of a value it is that of
/// an unknown or null value of which nothing more is known.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Type {
    /// Any type, or not known yet.
    Dynamic,
    /// `true` or `false`.
    Bool,
    /// A number of arbitrary size, see [`crate::Number`].
    Number,
    /// Unicode text in normal form C.
    String,
    /// An ordered sequence whose elements have one type.
    List(Arc<Type>),
    /// A collection without order or repetition whose elements have one type.
    Set(Arc<Type>),
    /// Elements of one type under string keys.
    Map(Arc<Type>),
    /// A sequence of fixed length, a type for each element.
    Tuple(Arc<[Type]>),
    /// Named attributes, a type for each.
    Object(Arc<ObjectType>),
    /// The type of a type, which the function `type` answers.
    Type,
}

/// The attributes of an object type.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ObjectType {
    /// Every attribute with its type.
    pub attributes: BTreeMap<Arc<str>, Type>,
    /// Those that a value to be converted may lack. Empty for the type of a value.
    pub optional: BTreeSet<Arc<str>>,
}

impl Type {
    /// `list(element)`.
    pub fn list(element: Type) -> Type {
        Type::List(Arc::new(element))
    }

    /// `set(element)`.
    pub fn set(element: Type) -> Type {
        Type::Set(Arc::new(element))
    }

    /// `map(element)`.
    pub fn map(element: Type) -> Type {
        Type::Map(Arc::new(element))
    }

    /// `tuple([...])`.
    pub fn tuple(elements: impl IntoIterator<Item = Type>) -> Type {
        Type::Tuple(elements.into_iter().collect())
    }

    /// `object({...})` whose attributes are all required.
    pub fn object<K: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (K, Type)>) -> Type {
        Type::Object(Arc::new(ObjectType {
            attributes: attributes.into_iter().map(|(k, t)| (k.into(), t)).collect(),
            optional: BTreeSet::new(),
        }))
    }

    /// `object({...})` of which the attributes named in `optional` may be left out.
    pub fn object_with_optional<K: Into<Arc<str>>>(
        attributes: impl IntoIterator<Item = (K, Type)>,
        optional: impl IntoIterator<Item = K>,
    ) -> Type {
        Type::Object(Arc::new(ObjectType {
            attributes: attributes.into_iter().map(|(k, t)| (k.into(), t)).collect(),
            optional: optional.into_iter().map(Into::into).collect(),
        }))
    }

    /// Whether this is `bool`, `number` or `string`.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Type::Bool | Type::Number | Type::String)
    }

    /// Whether this is a list, set or map.
    pub fn is_collection(&self) -> bool {
        matches!(self, Type::List(_) | Type::Set(_) | Type::Map(_))
    }

    /// Whether [`Type::Dynamic`] stands anywhere inside.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Type::Dynamic => true,
            Type::Bool | Type::Number | Type::String | Type::Type => false,
            Type::List(t) | Type::Set(t) | Type::Map(t) => t.has_dynamic(),
            Type::Tuple(ts) => ts.iter().any(Type::has_dynamic),
            Type::Object(o) => o.attributes.values().any(Type::has_dynamic),
        }
    }

    /// The element type of a collection.
    pub fn element(&self) -> Option<&Type> {
        match self {
            Type::List(t) | Type::Set(t) | Type::Map(t) => Some(t),
            _ => None,
        }
    }

    /// The type of the object attribute `name`.
    pub fn attribute(&self, name: &str) -> Option<&Type> {
        match self {
            Type::Object(o) => o.attributes.get(name),
            _ => None,
        }
    }

    /// What people call it in a sentence: "string", "list of number", "object", …
    pub fn friendly(&self) -> String {
        match self {
            Type::Dynamic => "dynamic".into(),
            Type::Bool => "bool".into(),
            Type::Number => "number".into(),
            Type::String => "string".into(),
            Type::List(t) => collection_friendly("list", t),
            Type::Set(t) => collection_friendly("set", t),
            Type::Map(t) => collection_friendly("map", t),
            Type::Tuple(_) => "tuple".into(),
            Type::Object(_) => "object".into(),
            Type::Type => "type".into(),
        }
    }
}

fn collection_friendly(kind: &str, element: &Type) -> String {
    match element {
        Type::Dynamic => format!("{kind} of any single type"),
        element => format!("{kind} of {}", element.friendly()),
    }
}

/// As it is written in a type constraint, on one line.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dynamic => f.write_str("any"),
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::Type => f.write_str("type"),
            Type::List(t) => write!(f, "list({t})"),
            Type::Set(t) => write!(f, "set({t})"),
            Type::Map(t) => write!(f, "map({t})"),
            Type::Tuple(ts) => {
                f.write_str("tuple([")?;
                for (i, t) in ts.iter().enumerate() {
                    write!(f, "{}{t}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("])")
            }
            Type::Object(o) => {
                f.write_str("object({")?;
                for (i, (name, t)) in o.attributes.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    if o.optional.contains(name) {
                        write!(f, "{comma}{name} = optional({t})")?;
                    } else {
                        write!(f, "{comma}{name} = {t}")?;
                    }
                }
                f.write_str("})")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_as_constraints() {
        let t = Type::object_with_optional(
            [("a", Type::list(Type::String)), ("b", Type::Dynamic)],
            ["b"],
        );
        assert_eq!(
            t.to_string(),
            "object({a = list(string), b = optional(any)})"
        );
        assert!(t.has_dynamic());
        assert_eq!(Type::map(Type::Number).friendly(), "map of number");
    }
}
