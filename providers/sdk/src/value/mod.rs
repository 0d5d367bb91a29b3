//! A value of the language: known, null or unknown, with marks, at any depth.
//!
//! A value carries its type: collections carry that of their elements, so that an empty list is
//! still a list of something. Marks (sensitive, ephemeral) sit on any value at any depth and
//! follow it through every operator and function.

mod json;
mod marks;
mod number;
mod refinement;
mod set_order;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use json::{DecodeError, TypeJson};
pub use marks::Marks;
pub use number::{ArithmeticError, NotANumber, Number};
pub use refinement::Refinement;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::ty::{ObjectType, Type};

/// Elements under string keys: the entries of a map or the attributes of an object.
pub type Entries = BTreeMap<Arc<str>, Value>;

/// A value with its marks. Cheap to clone.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    data: Data,
    marks: Marks,
}

/// What a value is, apart from its marks.
#[derive(Clone, PartialEq, Debug)]
pub enum Data {
    /// Not known until something was done; of this type, and perhaps refined.
    Unknown(Type, Option<Arc<Refinement>>),
    /// Nothing, of this type.
    Null(Type),
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text in normal form C.
    String(Arc<str>),
    /// Elements of the given type, in order.
    List(Type, Arc<Vec<Value>>),
    /// Elements of the given type, sorted, each once.
    Set(Type, Arc<Vec<Value>>),
    /// Entries whose values have the given type.
    Map(Type, Arc<Entries>),
    /// Elements, each of its own type.
    Tuple(Arc<Vec<Value>>),
    /// Attributes, each of its own type.
    Object(Arc<Entries>),
    /// A type as a value.
    Type(Type),
}

impl From<Data> for Value {
    fn from(data: Data) -> Value {
        Value {
            data,
            marks: Marks::NONE,
        }
    }
}

/// Constructors.
impl Value {
    /// Null of no particular type.
    pub const NULL: Value = Value {
        data: Data::Null(Type::Dynamic),
        marks: Marks::NONE,
    };

    /// Unknown of no particular type.
    pub const UNKNOWN: Value = Value {
        data: Data::Unknown(Type::Dynamic, None),
        marks: Marks::NONE,
    };

    /// Null of the given type.
    pub fn null(ty: Type) -> Value {
        Data::Null(ty).into()
    }

    /// Unknown of the given type.
    pub fn unknown(ty: Type) -> Value {
        Data::Unknown(ty, None).into()
    }

    /// Text, brought into normal form C.
    pub fn string(text: &str) -> Value {
        let text: Arc<str> = match is_nfc_quick(text.chars()) {
            IsNormalized::Yes => text.into(),
            _ => text.nfc().collect::<String>().into(),
        };
        Data::String(text).into()
    }

    /// A list; the elements must have the type `element`.
    pub fn list(element: Type, items: impl IntoIterator<Item = Value>) -> Value {
        Data::List(element, Arc::new(items.into_iter().collect())).into()
    }

    /// A set; the elements must have the type `element`. Sorts them and drops repetitions; marks
    /// of elements move to the set, because an element of a set is told from others by its value.
    pub fn set(element: Type, items: impl IntoIterator<Item = Value>) -> Value {
        let mut marks = Marks::NONE;
        let mut items: Vec<Value> = items
            .into_iter()
            .map(|item| {
                let (item, deep) = item.unmark_deep();
                marks |= deep;
                item
            })
            .collect();
        set_order::sort(&mut items);
        // Two unknown elements may turn out to differ.
        items.dedup_by(|b, a| a == b && a.is_wholly_known());
        Value::from(Data::Set(element, Arc::new(items))).with_marks(marks)
    }

    /// A map; the elements must have the type `element`.
    pub fn map<K: Into<Arc<str>>>(
        element: Type,
        entries: impl IntoIterator<Item = (K, Value)>,
    ) -> Value {
        let entries = entries.into_iter().map(|(k, v)| (k.into(), v)).collect();
        Data::Map(element, Arc::new(entries)).into()
    }

    /// A tuple.
    pub fn tuple(items: impl IntoIterator<Item = Value>) -> Value {
        Data::Tuple(Arc::new(items.into_iter().collect())).into()
    }

    /// An object.
    pub fn object<K: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (K, Value)>) -> Value {
        let attributes = attributes.into_iter().map(|(k, v)| (k.into(), v)).collect();
        Data::Object(Arc::new(attributes)).into()
    }

    /// A type as a value.
    pub fn ty_value(ty: Type) -> Value {
        Data::Type(ty).into()
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Data::Bool(b).into()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::string(&text)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Data::Number(Number::from(n)).into()
    }
}

impl From<usize> for Value {
    fn from(n: usize) -> Value {
        Data::Number(Number::from(n)).into()
    }
}

impl From<Number> for Value {
    fn from(n: Number) -> Value {
        Data::Number(n).into()
    }
}

/// Looking inside. The accessors answer `None` for null, unknown and values of another type; they
/// look through marks, so whoever shows what they answer asks [`Value::marks`] first.
impl Value {
    /// What the value is.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// What the value is, taken out.
    pub fn into_data(self) -> Data {
        self.data
    }

    /// The type of the value.
    pub fn ty(&self) -> Type {
        match &self.data {
            Data::Unknown(t, _) | Data::Null(t) => t.clone(),
            Data::Bool(_) => Type::Bool,
            Data::Number(_) => Type::Number,
            Data::String(_) => Type::String,
            Data::List(t, _) => Type::list(t.clone()),
            Data::Set(t, _) => Type::set(t.clone()),
            Data::Map(t, _) => Type::map(t.clone()),
            Data::Tuple(items) => Type::tuple(items.iter().map(Value::ty)),
            Data::Object(attributes) => Type::Object(Arc::new(ObjectType {
                attributes: attributes
                    .iter()
                    .map(|(k, v)| (k.clone(), v.ty()))
                    .collect(),
                optional: Default::default(),
            })),
            Data::Type(_) => Type::Type,
        }
    }

    /// Whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null(_))
    }

    /// Whether the value itself is known; what lies inside may still be unknown.
    pub fn is_known(&self) -> bool {
        !matches!(self.data, Data::Unknown(..))
    }

    /// Whether nothing at any depth is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match &self.data {
            Data::Unknown(..) => false,
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
                items.iter().all(Value::is_wholly_known)
            }
            Data::Map(_, entries) | Data::Object(entries) => {
                entries.values().all(Value::is_wholly_known)
            }
            _ => true,
        }
    }

    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self.data {
            Data::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// The number.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.data {
            Data::Number(n) => Some(n),
            _ => None,
        }
    }

    /// The text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(s) => Some(s),
            _ => None,
        }
    }

    /// The elements of a list, set or tuple.
    pub fn elements(&self) -> Option<&[Value]> {
        match &self.data {
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a map or object.
    pub fn entries(&self) -> Option<&Entries> {
        match &self.data {
            Data::Map(_, entries) | Data::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entry or attribute `key` of a map or object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries().and_then(|entries| entries.get(key))
    }

    /// The text of the attribute `key`; `None` when it is null, unknown or absent.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// This object with the attribute `key` set to `value`; any other value unchanged.
    pub fn with_attribute(mut self, key: &str, value: Value) -> Value {
        if let Data::Object(attributes) | Data::Map(_, attributes) = &mut self.data {
            Arc::make_mut(attributes).insert(key.into(), value);
        }
        self
    }
}

/// Marks.
impl Value {
    /// The marks of the value itself, not of what lies inside.
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// The value with these marks added.
    pub fn with_marks(mut self, marks: Marks) -> Value {
        self.marks |= marks;
        self
    }

    /// The value marked sensitive.
    pub fn sensitive(self) -> Value {
        self.with_marks(Marks::SENSITIVE)
    }

    /// The value without its own marks, and what they were.
    pub fn unmark(mut self) -> (Value, Marks) {
        let marks = std::mem::replace(&mut self.marks, Marks::NONE);
        (self, marks)
    }

    /// The marks at every depth together.
    pub fn marks_deep(&self) -> Marks {
        let inside = match &self.data {
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => items
                .iter()
                .fold(Marks::NONE, |marks, item| marks | item.marks_deep()),
            Data::Map(_, entries) | Data::Object(entries) => entries
                .values()
                .fold(Marks::NONE, |marks, item| marks | item.marks_deep()),
            _ => Marks::NONE,
        };
        self.marks | inside
    }

    /// The value without marks at any depth, and what they were together.
    pub fn unmark_deep(self) -> (Value, Marks) {
        let marks = self.marks_deep();
        if marks.is_none() {
            return (self, marks);
        }
        (self.strip_marks(), marks)
    }

    fn strip_marks(self) -> Value {
        let strip_all = |items: Arc<Vec<Value>>| {
            Arc::new(
                items
                    .iter()
                    .cloned()
                    .map(Value::strip_marks)
                    .collect::<Vec<_>>(),
            )
        };
        let strip_entries = |entries: Arc<Entries>| {
            Arc::new(
                entries
                    .iter()
                    .map(|(k, v)| (k.clone(), v.clone().strip_marks()))
                    .collect::<Entries>(),
            )
        };
        match self.data {
            Data::List(t, items) => Data::List(t, strip_all(items)),
            Data::Set(t, items) => Data::Set(t, strip_all(items)),
            Data::Tuple(items) => Data::Tuple(strip_all(items)),
            Data::Map(t, entries) => Data::Map(t, strip_entries(entries)),
            Data::Object(entries) => Data::Object(strip_entries(entries)),
            other => other,
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sorted_deduplicated_and_take_the_marks_of_their_elements() {
        let set = Value::set(
            Type::String,
            [
                Value::from("b"),
                Value::from("a").sensitive(),
                Value::from("b"),
            ],
        );
        assert!(set.marks().is_sensitive());
        assert_eq!(
            set.elements().unwrap(),
            [Value::from("a"), Value::from("b")]
        );
    }

    #[test]
    fn strings_are_brought_into_normal_form_c() {
        assert_eq!(Value::from("e\u{301}"), Value::from("é"));
    }

    #[test]
    fn deep_marks_are_found_and_removed() {
        let value = Value::object([("a", Value::tuple([Value::from("x").sensitive()]))]);
        let (plain, marks) = value.unmark_deep();
        assert!(marks.is_sensitive());
        assert!(plain.marks_deep().is_none());
    }
}
