//! A tensor's data in JSON: one flat list, or lists nested as the shape says.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::datatype::{Datatype, Element, Scalar};
use crate::tensor::{Data, make_elements};

/// Reads the data of a tensor whose shape is known to be countable.
pub(crate) fn parse(
    datatype: Datatype,
    shape: &[usize],
    count: usize,
    text: &RawValue,
) -> Result<Data, String> {
    make_elements!(
        datatype,
        variant => Ok(variant(elements(datatype, shape, count, text)?)),
        Ok(Data::Bytes(elements(datatype, shape, count, text)?))
    )
}

fn elements<T: Element>(
    datatype: Datatype,
    shape: &[usize],
    count: usize,
    text: &RawValue,
) -> Result<Vec<T>, String> {
    // Every element takes two characters with its comma: what a client claims beyond that gets no memory.
    let mut found = Vec::with_capacity(count.min(text.get().len() / 2 + 1));
    let level = Level {
        found: &mut found,
        datatype,
        shape,
        count,
        depth: 0,
    };
    let mut json = serde_json::Deserializer::from_str(text.get());
    match level.deserialize(&mut json) {
        Ok(Item::List) => Ok(found),
        Ok(Item::Scalar) => Err("its data must be a list".to_owned()),
        Err(e) => Err(without_position(&e.to_string())),
    }
}

/// The position would be that within this tensor's data, which tells a client nothing.
fn without_position(message: &str) -> String {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(text, _)| text)
        .to_owned()
}

#[derive(Clone, Copy, PartialEq)]
enum Item {
    Scalar,
    List,
}

/// One level of nesting.
struct Level<'a, T> {
    found: &'a mut Vec<T>,
    datatype: Datatype,
    shape: &'a [usize],
    count: usize,
    depth: usize,
}

impl<T: Element> Level<'_, T> {
    fn scalar<E: serde::de::Error>(self, scalar: Scalar<'_>) -> Result<Item, E> {
        let Some(element) = T::from_scalar(scalar) else {
            return Err(E::custom(format!(
                "element {} is not of {}: {}",
                self.found.len(),
                self.datatype,
                shown(scalar)
            )));
        };
        self.found.push(element);
        Ok(Item::Scalar)
    }

    /// How many items a list at this depth must have, given what they are.
    fn expected(&self, items: Option<Item>) -> Result<usize, String> {
        let innermost = self.depth + 1 >= self.shape.len();
        match items {
            Some(Item::Scalar) if self.depth == 0 => Ok(self.count),
            Some(Item::Scalar) if !innermost => Err(format!(
                "its data is nested less deep than the shape {:?}",
                self.shape
            )),
            Some(Item::List) if innermost => Err(format!(
                "its data is nested deeper than the shape {:?}",
                self.shape
            )),
            None if self.depth == 0 && self.count == 0 => Ok(0),
            _ => Ok(self.shape.get(self.depth).copied().unwrap_or(self.count)),
        }
    }
}

fn shown(scalar: Scalar<'_>) -> String {
    match scalar {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Unsigned(value) => value.to_string(),
        Scalar::Signed(value) => value.to_string(),
        Scalar::Float(value) => format!("{value:?}"),
        Scalar::Text(text) => format!("{:?}", text.chars().take(32).collect::<String>()),
    }
}

impl<'de, T: Element> DeserializeSeed<'de> for Level<'_, T> {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Element> Visitor<'de> for Level<'_, T> {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "elements of {}", self.datatype)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Item, A::Error> {
        let mut items = None;
        let mut length = 0;
        loop {
            let level = Level {
                found: &mut *self.found,
                datatype: self.datatype,
                shape: self.shape,
                count: self.count,
                depth: self.depth + 1,
            };
            let Some(item) = list.next_element_seed(level)? else {
                break;
            };
            if *items.get_or_insert(item) != item {
                return Err(A::Error::custom("its data mixes lists and elements"));
            }
            length += 1;
        }
        let expected = self.expected(items).map_err(A::Error::custom)?;
        if length != expected {
            let (shape, what) = (
                self.shape,
                if items == Some(Item::List) {
                    "lists"
                } else {
                    "elements"
                },
            );
            return Err(A::Error::custom(format!(
                "its shape {shape:?} takes {expected} {what} here, and there are {length}"
            )));
        }
        Ok(Item::List)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Item, E> {
        self.scalar(Scalar::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Item, E> {
        self.scalar(Scalar::Unsigned(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Item, E> {
        self.scalar(Scalar::Signed(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Item, E> {
        self.scalar(Scalar::Float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Item, E> {
        self.scalar(Scalar::Text(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(datatype: &str, shape: &[usize], text: &str) -> Result<Data, String> {
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        parse(
            datatype.parse().unwrap(),
            shape,
            shape.iter().product(),
            &raw,
        )
    }

    #[test]
    fn flat_and_nested_data_are_the_same() {
        let expected = Ok(Data::Int64(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(read("INT64", &[2, 3], "[1,2,3,4,5,6]"), expected);
        assert_eq!(read("INT64", &[2, 3], "[[1,2,3],[4,5,6]]"), expected);
        assert_eq!(read("INT64", &[1, 2, 3], "[[[1,2,3],[4,5,6]]]"), expected);
        assert_eq!(read("INT64", &[], "[7]"), Ok(Data::Int64(vec![7])));
        assert_eq!(
            read("BYTES", &[2], r#"["a","b\n"]"#),
            Ok(Data::Bytes(vec!["a".into(), "b\n".into()]))
        );
    }

    #[test]
    fn empty_tensors_are_data() {
        assert_eq!(read("FP32", &[0], "[]"), Ok(Data::Fp32(vec![])));
        assert_eq!(read("FP32", &[2, 0], "[]"), Ok(Data::Fp32(vec![])));
        assert_eq!(read("FP32", &[2, 0], "[[],[]]"), Ok(Data::Fp32(vec![])));
    }

    #[test]
    fn data_of_another_shape_is_refused_though_it_has_as_many_elements() {
        let wrong = [
            "[[1,2],[3,4],[5,6]]",
            "[[1,2,3],[4,5],[6]]",
            "[1,2,3,4,5]",
            "[1,2,3,4,5,6,7]",
            "[[1,2,3],4,5,6]",
            "[[[1,2,3],[4,5,6]]]",
            "[]",
            "5",
            "null",
            "[[1,2,3],[4,5,6],[]]",
        ];
        for text in wrong {
            assert!(read("INT64", &[2, 3], text).is_err(), "{text}");
        }
        assert!(
            read("INT64", &[1, 2, 3], "[[1,2,3],[4,5,6]]").is_err_and(|e| e.contains("2")),
            "one level is missing"
        );
    }

    #[test]
    fn elements_of_another_kind_are_named() {
        for (datatype, text) in [
            ("INT8", "[1,200]"),
            ("UINT64", "[1,-1]"),
            ("INT64", "[1,1.5]"),
            ("FP32", "[1,\"x\"]"),
            ("BOOL", "[true,1]"),
            ("FP32", "[1,1e39]"),
            ("FP64", "[1,null]"),
        ] {
            let error = read(datatype, &[2], text).unwrap_err();
            assert!(
                error.contains("element") || error.contains(datatype),
                "{datatype} {text}: {error}"
            );
            assert!(!error.contains(" line "), "{error}");
        }
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let raw = serde_json::from_str::<Box<RawValue>>(&deep);
        let read = raw
            .map_err(|e| e.to_string())
            .and_then(|raw| parse(Datatype::Fp32, &[1], 1, &raw));
        assert!(read.unwrap_err().contains("recursion limit"));
    }
}
