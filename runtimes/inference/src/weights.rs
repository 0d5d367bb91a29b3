//! One copy of a model's weights for all of its sessions.
//!
//! ONNX Runtime shares a weight between sessions when the caller hands it the memory, and shares its packed form when
//! the sessions have a container for such forms in common. Weights are therefore read out of the file once here. A weight
//! that optimization replaces is each session's own; so is all that is not plain data of the file.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ort::session::builder::{PrepackedWeights, SessionBuilder};
use ort::value::DynValue;
use prost::Message;

use crate::datatype::Datatype;
use crate::onnx;
use crate::tensor::{Data, Tensor, count};

/// The part of ONNX's `ModelProto` that leads to the weights.
#[derive(Message)]
struct ModelProto {
    #[prost(message, optional, tag = "7")]
    graph: Option<GraphProto>,
}

#[derive(Message)]
struct GraphProto {
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<TensorProto>,
}

#[derive(Message)]
struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "bytes", tag = "9")]
    raw_data: Bytes,
    /// 1 where the data is in another file.
    #[prost(int32, tag = "14")]
    data_location: i32,
}

/// Weights that several sessions share.
pub(crate) struct Weights {
    tensors: Vec<(String, Arc<DynValue>)>,
    packed: PrepackedWeights,
}

impl Weights {
    /// Nothing to share.
    pub(crate) fn none() -> Self {
        Self {
            tensors: Vec::new(),
            packed: PrepackedWeights::new(),
        }
    }

    /// Reads what can be shared. A file that cannot be read shares nothing: what is wrong with it, ONNX Runtime says.
    pub(crate) fn read(file: &Path) -> Self {
        let bytes = std::fs::read(file).map(Bytes::from).unwrap_or_default();
        let graph = ModelProto::decode(bytes)
            .ok()
            .and_then(|model| model.graph)
            .unwrap_or_default();
        let tensors = graph.initializer.into_iter().filter_map(|weight| {
            let name = weight.name.clone();
            Some((name, Arc::new(onnx::into_value(weight.tensor()?).ok()?)))
        });
        Self {
            tensors: tensors.collect(),
            packed: PrepackedWeights::new(),
        }
    }

    /// Lets a session take part.
    pub(crate) fn share(&self, mut builder: SessionBuilder) -> ort::Result<SessionBuilder> {
        for (name, value) in &self.tensors {
            builder = builder.with_initializer(name, value.clone())?;
        }
        Ok(builder.with_prepacked_weights(&self.packed)?)
    }
}

impl TensorProto {
    /// The weight, if it is plain data in the file.
    fn tensor(&self) -> Option<Tensor> {
        let datatype = match self.data_type {
            1 => Datatype::Fp32,
            2 => Datatype::Uint8,
            3 => Datatype::Int8,
            6 => Datatype::Int32,
            7 => Datatype::Int64,
            10 => Datatype::Fp16,
            11 => Datatype::Fp64,
            _ => return None,
        };
        if self.raw_data.is_empty() || self.data_location != 0 {
            return None;
        }
        let shape: Vec<usize> = self
            .dims
            .iter()
            .map(|d| usize::try_from(*d))
            .collect::<Result<_, _>>()
            .ok()?;
        let data = Data::from_binary(datatype, count(&shape)?, &self.raw_data).ok()?;
        Some(Tensor { shape, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{compute, open};

    fn model(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/models/{name}.onnx"))
    }

    #[test]
    fn sessions_that_share_weights_compute_what_one_alone_computes() {
        let environment = crate::library::environment().unwrap();
        let (file, shared) = (model("fused"), Weights::read(&model("fused")));
        assert_eq!(shared.tensors.len(), 13);
        let elements: Vec<f32> = (0..2 * 3 * 64_u16)
            .map(|n| (f32::from(n) * 0.37).sin())
            .collect();
        let x = Tensor {
            shape: vec![2, 3, 8, 8],
            data: Data::Fp32(elements),
        };
        let answer = |weights: &Weights| {
            let mut session = open(&environment, &file, weights).unwrap();
            compute(&mut session, vec![("x".to_owned(), x.clone())], None).unwrap()
        };
        let alone = answer(&Weights::none());
        let Data::Fp32(values) = &alone[0].1.data else {
            panic!("{alone:?}")
        };
        assert!(
            values.len() == 8 && values.iter().all(|v| v.abs() > 1e-3),
            "the comparison is of something: {values:?}"
        );
        for _ in 0..3 {
            assert_eq!(answer(&shared), alone);
        }
    }

    #[test]
    fn what_is_no_model_shares_nothing() {
        assert!(Weights::read(Path::new("/nowhere.onnx")).tensors.is_empty());
        assert!(Weights::read(Path::new(file!())).tensors.is_empty());
        assert!(Weights::read(&model("text")).tensors.is_empty());
    }
}
