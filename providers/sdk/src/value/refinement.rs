//! What is known of an unknown value before it is known.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;

use super::{Data, Number, Value};
use crate::ty::Type;

/// Facts about an unknown value. Each holds whatever the value turns out to be.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Refinement {
    /// The value will not be null.
    pub not_null: bool,
    /// Text: it will start with this.
    pub prefix: Option<Arc<str>>,
    /// Number: the lower bound, and whether the bound itself is possible.
    pub lower: Option<(Number, bool)>,
    /// Number: the upper bound, and whether the bound itself is possible.
    pub upper: Option<(Number, bool)>,
    /// Collection: the least number of elements.
    pub least_length: Option<usize>,
    /// Collection: the greatest number of elements.
    pub greatest_length: Option<usize>,
}

impl Refinement {
    /// The value will not be null.
    pub fn not_null() -> Refinement {
        Refinement {
            not_null: true,
            ..Refinement::default()
        }
    }

    /// The value is text that starts with `prefix`, less a last character that might still combine
    /// with what follows.
    pub fn prefix(prefix: &str) -> Refinement {
        const NEVER_COMBINE: &str = "-_:;/\\,.(){}[]|?!~ \t@#$%^&*+\"'";
        let (last, cluster) = prefix.grapheme_indices(true).next_back().unwrap_or((0, ""));
        let mut characters = cluster.chars();
        let ends = match (characters.next(), characters.next()) {
            (Some(c), None) => NEVER_COMBINE.contains(c),
            _ => false,
        };
        let kept = if ends { prefix } else { &prefix[..last] };
        Refinement {
            not_null: true,
            prefix: (!kept.is_empty()).then(|| kept.into()),
            ..Refinement::default()
        }
    }

    /// The value is a collection of so many elements.
    pub fn length(least: usize, greatest: Option<usize>) -> Refinement {
        Refinement {
            not_null: true,
            least_length: Some(least),
            greatest_length: greatest,
            ..Refinement::default()
        }
    }
}

impl Value {
    /// Unknown of the given type with what is known of it all the same; where that determines the
    /// value, the value.
    pub fn unknown_refined(ty: Type, refinement: Refinement) -> Value {
        if ty == Type::Dynamic || refinement == Refinement::default() {
            return Value::unknown(ty);
        }
        if refinement.not_null
            && let Some(value) = determined(&ty, &refinement)
        {
            return value;
        }
        Data::Unknown(ty, Some(Arc::new(refinement))).into()
    }

    /// What is known of the value although it is unknown.
    pub fn refinement(&self) -> Option<&Refinement> {
        match self.data() {
            Data::Unknown(_, refinement) => refinement.as_deref(),
            _ => None,
        }
    }

    /// Whether the value is not null and never will be.
    pub fn is_never_null(&self) -> bool {
        match self.data() {
            Data::Null(_) => false,
            Data::Unknown(_, refinement) => refinement.as_ref().is_some_and(|r| r.not_null),
            _ => true,
        }
    }

    /// The value, or when it is unknown, with the fact that it will not be null.
    #[must_use]
    pub fn never_null(self) -> Value {
        let marks = self.marks();
        match self.data() {
            Data::Unknown(ty, refinement) if !self.is_never_null() => {
                let mut refined = refinement.as_deref().cloned().unwrap_or_default();
                refined.not_null = true;
                Value::unknown_refined(ty.clone(), refined).with_marks(marks)
            }
            _ => self,
        }
    }

    /// The least and the greatest number of elements that a collection has or will have.
    pub fn length_bounds(&self) -> (usize, Option<usize>) {
        match self.data() {
            Data::Set(_, items) if !items.iter().all(Value::is_wholly_known) => {
                // Unknown elements may turn out to be equal to others.
                let known = items.iter().filter(|item| item.is_wholly_known()).count();
                (known.max(1), Some(items.len()))
            }
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
                (items.len(), Some(items.len()))
            }
            Data::Map(_, entries) | Data::Object(entries) => (entries.len(), Some(entries.len())),
            Data::Unknown(Type::Tuple(types), _) => (types.len(), Some(types.len())),
            Data::Unknown(Type::Object(o), _) => (o.attributes.len(), Some(o.attributes.len())),
            Data::Unknown(_, Some(r)) => (r.least_length.unwrap_or(0), r.greatest_length),
            _ => (0, None),
        }
    }
}

fn determined(ty: &Type, refinement: &Refinement) -> Option<Value> {
    if let (Some((lower, true)), Some((upper, true))) = (&refinement.lower, &refinement.upper)
        && lower == upper
    {
        return Some(Value::from(lower.clone()));
    }
    let length = refinement
        .greatest_length
        .filter(|n| refinement.least_length == Some(*n))?;
    match ty {
        Type::List(t) => {
            let unknown = std::iter::repeat_n(Value::unknown(t.as_ref().clone()), length);
            Some(Value::list(t.as_ref().clone(), unknown))
        }
        Type::Set(t) if length <= 1 => {
            let unknown = std::iter::repeat_n(Value::unknown(t.as_ref().clone()), length);
            Some(Value::set(t.as_ref().clone(), unknown))
        }
        Type::Map(t) if length == 0 => Some(Value::map::<Arc<str>>(t.as_ref().clone(), [])),
        _ => None,
    }
}
