//! Tensors into ONNX Runtime's values and back.

use ort::value::{DynMapValueType, DynValue, Tensor as OnnxTensor, ValueType};

use crate::signature;
use crate::tensor::{Data, Tensor, count, make_elements, with_elements};

/// A value that ONNX Runtime takes.
pub(crate) fn into_value(tensor: Tensor) -> ort::Result<DynValue> {
    let Tensor { shape, data } = tensor;
    with_elements!(
        data,
        elements => Ok(OnnxTensor::from_array((shape, elements))?.into_dyn()),
        texts => Ok(OnnxTensor::from_string_array((shape, texts.as_slice()))?.into_dyn())
    )
}

/// The tensor that a value is, or as which it is served.
pub(crate) fn from_value(value: &DynValue) -> Result<Tensor, String> {
    match value.dtype() {
        ValueType::Tensor { ty, .. } => {
            let datatype =
                signature::datatype(*ty).ok_or_else(|| format!("its elements are {ty}"))?;
            tensor(datatype, value).map_err(|e| e.to_string())
        }
        ValueType::Sequence(_) => probabilities(value),
        other => Err(format!("it is {other}")),
    }
}

fn tensor(datatype: crate::datatype::Datatype, value: &DynValue) -> ort::Result<Tensor> {
    let (shape, data) = make_elements!(
        datatype,
        variant => {
            let (shape, elements) = value.try_extract_tensor()?;
            (shape, variant(elements.to_vec()))
        },
        {
            let (shape, texts) = value.try_extract_strings()?;
            (shape, Data::Bytes(texts))
        }
    );
    let shape = shape
        .iter()
        .map(|dimension| usize::try_from(*dimension).unwrap_or(0))
        .collect();
    Ok(Tensor { shape, data })
}

/// A list of maps from class to probability as a matrix, classes in ascending order.
fn probabilities(value: &DynValue) -> Result<Tensor, String> {
    let rows = value
        .try_extract_sequence::<DynMapValueType>()
        .map_err(|e| e.to_string())?;
    let mut columns = None;
    let mut elements = Vec::new();
    for row in &rows {
        let row = match row.try_extract_key_values::<i64, f32>() {
            Ok(pairs) => pairs
                .into_iter()
                .map(|(class, p)| (Class::Number(class), p))
                .collect::<Vec<_>>(),
            Err(_) => {
                let pairs = row
                    .try_extract_key_values::<String, f32>()
                    .map_err(|e| e.to_string())?;
                pairs
                    .into_iter()
                    .map(|(class, p)| (Class::Name(class), p))
                    .collect()
            }
        };
        let row: std::collections::BTreeMap<_, _> = row.into_iter().collect();
        if *columns.get_or_insert(row.len()) != row.len() {
            return Err("its maps differ in their classes".to_owned());
        }
        elements.extend(row.into_values());
    }
    let shape = vec![rows.len(), columns.unwrap_or(0)];
    debug_assert_eq!(count(&shape), Some(elements.len()));
    Ok(Tensor {
        shape,
        data: Data::Fp32(elements),
    })
}

/// A class of a classifier.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Number(i64),
    Name(String),
}
