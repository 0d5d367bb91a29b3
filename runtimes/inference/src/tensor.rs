//! A tensor outside of ONNX Runtime: a shape and its elements, row by row.

use half::f16;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::datatype::{Datatype, Fixed};

/// The elements of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Bool(Vec<bool>),
    Uint8(Vec<u8>),
    Uint16(Vec<u16>),
    Uint32(Vec<u32>),
    Uint64(Vec<u64>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Fp16(Vec<f16>),
    Fp32(Vec<f32>),
    Fp64(Vec<f64>),
    Bytes(Vec<String>),
}

/// A tensor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    /// Its dimensions; their product is the number of elements.
    pub(crate) shape: Vec<usize>,
    /// Its elements.
    pub(crate) data: Data,
}

/// Does the same with the elements of any fixed width; `$bytes` with strings.
macro_rules! with_elements {
    ($data:expr, $elements:ident => $fixed:expr, $strings:ident => $bytes:expr) => {
        match $data {
            $crate::tensor::Data::Bool($elements) => $fixed,
            $crate::tensor::Data::Uint8($elements) => $fixed,
            $crate::tensor::Data::Uint16($elements) => $fixed,
            $crate::tensor::Data::Uint32($elements) => $fixed,
            $crate::tensor::Data::Uint64($elements) => $fixed,
            $crate::tensor::Data::Int8($elements) => $fixed,
            $crate::tensor::Data::Int16($elements) => $fixed,
            $crate::tensor::Data::Int32($elements) => $fixed,
            $crate::tensor::Data::Int64($elements) => $fixed,
            $crate::tensor::Data::Fp16($elements) => $fixed,
            $crate::tensor::Data::Fp32($elements) => $fixed,
            $crate::tensor::Data::Fp64($elements) => $fixed,
            $crate::tensor::Data::Bytes($strings) => $bytes,
        }
    };
}

/// Makes data of a datatype from an expression over its variant and, for strings, another one.
macro_rules! make_elements {
    ($datatype:expr, $variant:ident => $fixed:expr, $bytes:expr) => {{
        use $crate::datatype::Datatype;
        use $crate::tensor::Data;
        macro_rules! arm {
            ($v:expr) => {{
                let $variant = $v;
                $fixed
            }};
        }
        match $datatype {
            Datatype::Bool => arm!(Data::Bool),
            Datatype::Uint8 => arm!(Data::Uint8),
            Datatype::Uint16 => arm!(Data::Uint16),
            Datatype::Uint32 => arm!(Data::Uint32),
            Datatype::Uint64 => arm!(Data::Uint64),
            Datatype::Int8 => arm!(Data::Int8),
            Datatype::Int16 => arm!(Data::Int16),
            Datatype::Int32 => arm!(Data::Int32),
            Datatype::Int64 => arm!(Data::Int64),
            Datatype::Fp16 => arm!(Data::Fp16),
            Datatype::Fp32 => arm!(Data::Fp32),
            Datatype::Fp64 => arm!(Data::Fp64),
            Datatype::Bytes => $bytes,
        }
    }};
}

pub(crate) use {make_elements, with_elements};

impl Data {
    pub(crate) fn datatype(&self) -> Datatype {
        match self {
            Self::Bool(_) => Datatype::Bool,
            Self::Uint8(_) => Datatype::Uint8,
            Self::Uint16(_) => Datatype::Uint16,
            Self::Uint32(_) => Datatype::Uint32,
            Self::Uint64(_) => Datatype::Uint64,
            Self::Int8(_) => Datatype::Int8,
            Self::Int16(_) => Datatype::Int16,
            Self::Int32(_) => Datatype::Int32,
            Self::Int64(_) => Datatype::Int64,
            Self::Fp16(_) => Datatype::Fp16,
            Self::Fp32(_) => Datatype::Fp32,
            Self::Fp64(_) => Datatype::Fp64,
            Self::Bytes(_) => Datatype::Bytes,
        }
    }

    /// Whether no element is infinite or not a number.
    pub(crate) fn is_finite(&self) -> bool {
        match self {
            Self::Fp16(elements) => elements.iter().all(|e| e.is_finite()),
            Self::Fp32(elements) => elements.iter().all(|e| e.is_finite()),
            Self::Fp64(elements) => elements.iter().all(|e| e.is_finite()),
            _ => true,
        }
    }

    /// Reads the binary form: little-endian elements; strings as a four-byte length and UTF-8 each.
    pub(crate) fn from_binary(
        datatype: Datatype,
        count: usize,
        bytes: &[u8],
    ) -> Result<Self, String> {
        make_elements!(datatype, variant => Ok(variant(fixed_elements(count, bytes)?)), Ok(Data::Bytes(strings(count, bytes)?)))
    }

    /// Appends the binary form and gives its length.
    pub(crate) fn write_binary(&self, bytes: &mut Vec<u8>) -> usize {
        let before = bytes.len();
        with_elements!(self, elements => Fixed::write_all(elements, bytes), texts => {
            for text in texts {
                // A text of four gigabytes cannot have come out of a model's string tensor.
                let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                bytes.extend_from_slice(&length.to_le_bytes());
                bytes.extend(text.bytes().take(length as usize));
            }
        });
        bytes.len() - before
    }
}

impl Tensor {
    /// A tensor of zeros, `false` or empty texts.
    pub(crate) fn zeros(datatype: Datatype, shape: Vec<usize>) -> Self {
        let count = shape.iter().product();
        let data = make_elements!(datatype, variant => variant(vec![Default::default(); count]), Data::Bytes(vec![String::new(); count]));
        Self { shape, data }
    }
}

/// The number of elements of a shape, unless it is beyond counting.
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1_usize, |count, dimension| count.checked_mul(*dimension))
}

fn fixed_elements<T: Fixed>(count: usize, bytes: &[u8]) -> Result<Vec<T>, String> {
    let expected = count.checked_mul(T::WIDTH);
    if expected != Some(bytes.len()) {
        let expected =
            expected.map_or_else(|| "more than there can be".to_owned(), |n| n.to_string());
        return Err(format!(
            "its shape takes {expected} bytes, and there are {}",
            bytes.len()
        ));
    }
    Ok(T::read_all(bytes))
}

fn strings(count: usize, mut bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let (text, rest) = rest
            .split_at_checked(length)
            .ok_or_else(|| format!("element {} is longer than the data", texts.len()))?;
        let text = std::str::from_utf8(text)
            .map_err(|_| format!("element {} is not UTF-8", texts.len()))?;
        if text.contains('\0') {
            return Err(format!(
                "element {} contains a NUL, which ONNX Runtime cannot take",
                texts.len()
            ));
        }
        texts.push(text.to_owned());
        bytes = rest;
    }
    if !bytes.is_empty() {
        return Err(format!(
            "{} bytes are left over after element {}",
            bytes.len(),
            texts.len()
        ));
    }
    if texts.len() != count {
        return Err(format!(
            "its shape takes {count} elements, and there are {}",
            texts.len()
        ));
    }
    Ok(texts)
}

/// As JSON, data is one flat list. JSON has no word for infinities and NaN: they are written `null`, and a client that
/// needs them asks for binary outputs.
impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fp16(elements) => {
                let mut list = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    list.serialize_element(&element.to_f32())?;
                }
                list.end()
            }
            Self::Bool(elements) => elements.serialize(serializer),
            Self::Uint8(elements) => elements.serialize(serializer),
            Self::Uint16(elements) => elements.serialize(serializer),
            Self::Uint32(elements) => elements.serialize(serializer),
            Self::Uint64(elements) => elements.serialize(serializer),
            Self::Int8(elements) => elements.serialize(serializer),
            Self::Int16(elements) => elements.serialize(serializer),
            Self::Int32(elements) => elements.serialize(serializer),
            Self::Int64(elements) => elements.serialize(serializer),
            Self::Fp32(elements) => elements.serialize(serializer),
            Self::Fp64(elements) => elements.serialize(serializer),
            Self::Bytes(elements) => elements.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_data_comes_back() {
        let all = [
            Data::Bool(vec![true, false]),
            Data::Uint64(vec![u64::MAX, 0]),
            Data::Int16(vec![-1, 300]),
            Data::Fp16(vec![f16::from_f32(1.5), f16::NEG_INFINITY]),
            Data::Fp64(vec![0.1, f64::INFINITY]),
            Data::Bytes(vec![String::new(), "grüße".into()]),
        ];
        for data in all {
            let mut bytes = vec![9];
            let length = data.write_binary(&mut bytes);
            assert_eq!(length, bytes.len() - 1);
            assert_eq!(Data::from_binary(data.datatype(), 2, &bytes[1..]), Ok(data));
        }
    }

    #[test]
    fn binary_data_that_does_not_fit_is_refused() {
        assert!(Data::from_binary(Datatype::Fp32, 2, &[0; 7]).is_err());
        assert!(Data::from_binary(Datatype::Fp32, usize::MAX, &[0; 8]).is_err());
        let texts = |bytes: &[u8]| Data::from_binary(Datatype::Bytes, 1, bytes);
        assert!(texts(&[1, 0, 0, 0, b'a']).is_ok());
        for wrong in [
            &[][..],
            &[1, 0],
            &[2, 0, 0, 0, b'a'],
            &[0xff; 4],
            &[1, 0, 0, 0, 0xff],
            &[1, 0, 0, 0, 0],
            &[0; 8],
            &[0; 5],
        ] {
            assert!(texts(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn shapes_beyond_counting_are_noticed() {
        assert_eq!(count(&[]), Some(1));
        assert_eq!(count(&[2, 0, 3]), Some(0));
        assert_eq!(count(&[usize::MAX, 2]), None);
    }

    #[test]
    fn json_is_flat_and_exact() {
        assert_eq!(
            serde_json::to_string(&Data::Fp32(vec![0.1, 2.0])).unwrap(),
            "[0.1,2.0]"
        );
        assert_eq!(
            serde_json::to_string(&Data::Fp16(vec![f16::from_f32(0.5)])).unwrap(),
            "[0.5]"
        );
        assert_eq!(
            serde_json::to_string(&Data::Fp32(vec![f32::NAN])).unwrap(),
            "[null]"
        );
        assert!(!Data::Fp32(vec![f32::NAN]).is_finite());
    }
}
