//! A place inside a value: a chain of attribute names, indexes and keys.

use std::fmt;
use std::sync::Arc;

use crate::value::Value;

/// One step into a value.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// The attribute of an object.
    Attribute(Arc<str>),
    /// The element of a list or tuple.
    Index(usize),
    /// The element of a map.
    Key(Arc<str>),
    /// An element of a set, which has no name but itself.
    Element(Value),
}

/// Steps from a value's root; empty for the value itself.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The value itself.
    pub fn root() -> Path {
        Path::default()
    }

    /// The attribute `name` of the root.
    pub fn attribute(name: impl Into<Arc<str>>) -> Path {
        Path(vec![Step::Attribute(name.into())])
    }

    /// This path, then `step`.
    pub fn then(&self, step: Step) -> Path {
        let mut steps = self.0.clone();
        steps.push(step);
        Path(steps)
    }

    /// The name of the first attribute, which names the schema attribute it lies in.
    pub fn first_attribute(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Attribute(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether `other` is this path or lies below it.
    pub fn contains(&self, other: &Path) -> bool {
        other.0.len() >= self.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }

    /// The value at this path, if there is one.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Attribute(name) | Step::Key(name) => value.get(name),
            Step::Index(i) => value.elements().and_then(|e| e.get(*i)),
            Step::Element(e) => value
                .elements()
                .and_then(|elements| elements.iter().find(|x| *x == e)),
        })
    }
}

/// As it is written in a reference: `.a[0]["k"]`, without a leading dot.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if i == 0 => f.write_str(name)?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Index(n) => write!(f, "[{n}]")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Element(_) => f.write_str("[…]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_value_and_prints_as_a_reference() {
        let value = Value::object([("a", Value::tuple([Value::from("x")]))]);
        let path = Path::attribute("a").then(Step::Index(0));
        assert_eq!(path.get(&value), Some(&Value::from("x")));
        assert_eq!(path.to_string(), "a[0]");
        assert!(Path::attribute("a").contains(&path));
        assert!(!path.contains(&Path::attribute("a")));
    }
}
