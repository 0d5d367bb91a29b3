//! What a model takes and gives, in the protocol's words.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use crate::datatype::Datatype;
use crate::tensor::Tensor;

/// A tensor that a model takes or gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) datatype: Datatype,
    /// Its dimensions, -1 where any length is taken. Empty where the model does not say.
    pub(crate) shape: Vec<i64>,
}

/// A model's inputs and outputs, in its own order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Signature {
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
}

impl Signature {
    /// Reads a session's signature; says everything that the protocol has no form for.
    pub(crate) fn of(session: &Session) -> Result<Self, String> {
        let mut problems = Vec::new();
        let mut ports = |outlets: &[Outlet], what: &str, port: fn(&ValueType) -> Option<Form>| {
            let mut found = Vec::new();
            for outlet in outlets {
                match port(outlet.dtype()) {
                    Some((datatype, shape)) => found.push(Port {
                        name: outlet.name().to_owned(),
                        datatype,
                        shape,
                    }),
                    None => problems.push(format!(
                        "{what} `{}` is {}, which the protocol cannot carry",
                        outlet.name(),
                        outlet.dtype()
                    )),
                }
            }
            found
        };
        let inputs = ports(session.inputs(), "its input", tensor_port);
        let outputs = ports(session.outputs(), "its output", |dtype| {
            tensor_port(dtype).or_else(|| probabilities_port(dtype))
        });
        if problems.is_empty() {
            Ok(Self { inputs, outputs })
        } else {
            Err(problems.join("; "))
        }
    }

    pub(crate) fn input(&self, name: &str) -> Option<&Port> {
        self.inputs.iter().find(|port| port.name == name)
    }

    pub(crate) fn output(&self, name: &str) -> Option<&Port> {
        self.outputs.iter().find(|port| port.name == name)
    }
}

impl Port {
    /// Whether a shape fits; otherwise what was expected.
    pub(crate) fn accepts(&self, shape: &[usize]) -> bool {
        // ONNX writes an unknown rank as a scalar's, so that ONNX Runtime itself must judge then.
        self.shape.is_empty()
            || (self.shape.len() == shape.len()
                && self
                    .shape
                    .iter()
                    .zip(shape)
                    .all(|(want, have)| *want < 0 || u64::try_from(*want) == Ok(*have as u64)))
    }

    /// A tensor of zeros that fits, each open dimension being 1.
    pub(crate) fn zeros(&self) -> Tensor {
        let shape = self
            .shape
            .iter()
            .map(|dimension| usize::try_from(*dimension).unwrap_or(1))
            .collect();
        Tensor::zeros(self.datatype, shape)
    }
}

/// A datatype and a shape.
type Form = (Datatype, Vec<i64>);

fn tensor_port(dtype: &ValueType) -> Option<Form> {
    let ValueType::Tensor { ty, shape, .. } = dtype else {
        return None;
    };
    Some((datatype(*ty)?, shape.to_vec()))
}

/// A list of maps from class to probability, as skl2onnx gives by default, is served as a matrix: a row for each map,
/// a column for each class in ascending order.
fn probabilities_port(dtype: &ValueType) -> Option<Form> {
    let ValueType::Sequence(item) = dtype else {
        return None;
    };
    let ValueType::Map {
        key: TensorElementType::Int64 | TensorElementType::String,
        value: TensorElementType::Float32,
    } = **item
    else {
        return None;
    };
    Some((Datatype::Fp32, vec![-1, -1]))
}

/// The protocol's word for ONNX Runtime's type, where it has one.
pub(crate) fn datatype(element: TensorElementType) -> Option<Datatype> {
    Some(match element {
        TensorElementType::Bool => Datatype::Bool,
        TensorElementType::Uint8 => Datatype::Uint8,
        TensorElementType::Uint16 => Datatype::Uint16,
        TensorElementType::Uint32 => Datatype::Uint32,
        TensorElementType::Uint64 => Datatype::Uint64,
        TensorElementType::Int8 => Datatype::Int8,
        TensorElementType::Int16 => Datatype::Int16,
        TensorElementType::Int32 => Datatype::Int32,
        TensorElementType::Int64 => Datatype::Int64,
        TensorElementType::Float16 => Datatype::Fp16,
        TensorElementType::Float32 => Datatype::Fp32,
        TensorElementType::Float64 => Datatype::Fp64,
        TensorElementType::String => Datatype::Bytes,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(shape: &[i64]) -> Port {
        Port {
            name: "x".into(),
            datatype: Datatype::Fp32,
            shape: shape.to_vec(),
        }
    }

    #[test]
    fn open_dimensions_take_any_length() {
        let open = port(&[-1, 2]);
        assert!(open.accepts(&[0, 2]) && open.accepts(&[9, 2]));
        assert!(!open.accepts(&[2]) && !open.accepts(&[1, 3]) && !open.accepts(&[1, 2, 1]));
        assert!(port(&[]).accepts(&[3, 4]), "the rank is unknown");
        assert_eq!(open.zeros().shape, [1, 2]);
    }
}
