//! The protocol's datatypes, and how their elements look in bytes and in JSON.

use std::fmt;
use std::str::FromStr;

use half::f16;

/// A datatype in the protocol's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Datatype {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Fp32,
    Fp64,
    Bytes,
}

const WORDS: [(Datatype, &str); 13] = [
    (Datatype::Bool, "BOOL"),
    (Datatype::Uint8, "UINT8"),
    (Datatype::Uint16, "UINT16"),
    (Datatype::Uint32, "UINT32"),
    (Datatype::Uint64, "UINT64"),
    (Datatype::Int8, "INT8"),
    (Datatype::Int16, "INT16"),
    (Datatype::Int32, "INT32"),
    (Datatype::Int64, "INT64"),
    (Datatype::Fp16, "FP16"),
    (Datatype::Fp32, "FP32"),
    (Datatype::Fp64, "FP64"),
    (Datatype::Bytes, "BYTES"),
];

impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS
            .iter()
            .find(|(datatype, _)| datatype == self)
            .map_or("", |(_, word)| word);
        f.write_str(word)
    }
}

impl FromStr for Datatype {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = WORDS.iter().find(|(_, word)| *word == text);
        found.map(|(datatype, _)| *datatype).ok_or_else(|| {
            let words: Vec<_> = WORDS.iter().map(|(_, word)| *word).collect();
            let text: String = text.chars().take(32).collect();
            format!(
                "`{text}` is no datatype; the protocol has {}",
                words.join(", ")
            )
        })
    }
}

/// A JSON scalar, as it stands in a tensor's data.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(&'a str),
}

/// An element that JSON data can hold.
pub(crate) trait Element: Sized {
    /// The element, if the scalar is one of its kind and in its range.
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self>;
}

/// An element of fixed width in binary data.
pub(crate) trait Fixed: Copy + Default {
    /// Its size in bytes.
    const WIDTH: usize;
    /// The elements of little-endian bytes, whose length is a multiple of the width.
    fn read_all(bytes: &[u8]) -> Vec<Self>;
    /// Appends elements as little-endian bytes.
    fn write_all(elements: &[Self], bytes: &mut Vec<u8>);
}

macro_rules! fixed_numbers {
    ($($number:ty),*) => { $(
        impl Fixed for $number {
            const WIDTH: usize = size_of::<$number>();

            fn read_all(bytes: &[u8]) -> Vec<Self> {
                let (elements, _) = bytes.as_chunks();
                elements.iter().map(|element| Self::from_le_bytes(*element)).collect()
            }

            fn write_all(elements: &[Self], bytes: &mut Vec<u8>) {
                bytes.reserve(elements.len() * Self::WIDTH);
                elements.iter().for_each(|element| bytes.extend_from_slice(&element.to_le_bytes()));
            }
        }
    )* };
}

macro_rules! integers {
    ($($integer:ty),*) => { $(
        impl Element for $integer {
            fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
                match scalar {
                    Scalar::Unsigned(n) => n.try_into().ok(),
                    Scalar::Signed(n) => n.try_into().ok(),
                    _ => None,
                }
            }
        }
    )* };
}

fixed_numbers!(u8, u16, u32, u64, i8, i16, i32, i64, f16, f32, f64);
integers!(u8, u16, u32, u64, i8, i16, i32, i64);

impl Fixed for bool {
    const WIDTH: usize = 1;

    fn read_all(bytes: &[u8]) -> Vec<Self> {
        bytes.iter().map(|byte| *byte != 0).collect()
    }

    fn write_all(elements: &[Self], bytes: &mut Vec<u8>) {
        bytes.extend(elements.iter().map(|element| u8::from(*element)));
    }
}

impl Element for bool {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Bool(value) => Some(value),
            _ => None,
        }
    }
}

impl Element for String {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            // ONNX Runtime takes strings that end with NUL, so that none may hold one.
            Scalar::Text(text) if !text.contains('\0') => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl Element for f64 {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Unsigned(n) => Some(n as f64),
            Scalar::Signed(n) => Some(n as f64),
            Scalar::Float(n) => Some(n),
            Scalar::Bool(_) | Scalar::Text(_) => None,
        }
    }
}

impl Element for f32 {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        f64::from_scalar(scalar)
            .map(|n| n as f32)
            .filter(|n| n.is_finite())
    }
}

impl Element for f16 {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        f64::from_scalar(scalar)
            .map(f16::from_f64)
            .filter(|n| n.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_both_ways() {
        for (datatype, word) in WORDS {
            assert_eq!(word.parse(), Ok(datatype));
            assert_eq!(datatype.to_string(), word);
        }
        assert!(
            "FP8"
                .parse::<Datatype>()
                .is_err_and(|e| e.contains("INT64"))
        );
    }

    #[test]
    fn numbers_keep_to_their_kind_and_range() {
        assert_eq!(u8::from_scalar(Scalar::Unsigned(255)), Some(255));
        assert_eq!(u8::from_scalar(Scalar::Unsigned(256)), None);
        assert_eq!(u64::from_scalar(Scalar::Signed(-1)), None);
        assert_eq!(i64::from_scalar(Scalar::Float(1.0)), None);
        assert_eq!(f32::from_scalar(Scalar::Signed(-3)), Some(-3.0));
        assert_eq!(
            f32::from_scalar(Scalar::Float(1e39)),
            None,
            "out of range is not infinite"
        );
        assert_eq!(f64::from_scalar(Scalar::Text("1")), None);
        assert_eq!(bool::from_scalar(Scalar::Unsigned(1)), None);
        assert_eq!(String::from_scalar(Scalar::Text("a\0b")), None);
    }

    #[test]
    fn bytes_are_little_endian() {
        let mut bytes = Vec::new();
        i32::write_all(&[1, -2], &mut bytes);
        assert_eq!(bytes, [1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
        assert_eq!(i32::read_all(&bytes), [1, -2]);
        assert_eq!(bool::read_all(&[0, 1, 7]), [false, true, true]);
    }
}
