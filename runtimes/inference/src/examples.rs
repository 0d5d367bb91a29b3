//! Recorded examples: what a version must be able to answer before it may serve.
//!
//! The file is a JSON list of inference requests in the protocol's own form. An entry of a request's `outputs` may add
//! the `shape` and `datatype` that the output had when the example was recorded.

use std::path::Path;

use ort::session::Session;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{RunError, compute};
use crate::request;
use crate::signature::Signature;

#[derive(Deserialize)]
struct Recorded {
    #[serde(default)]
    outputs: Vec<RecordedOutput>,
}

#[derive(Deserialize)]
struct RecordedOutput {
    name: String,
    #[serde(default)]
    shape: Option<Vec<usize>>,
    #[serde(default)]
    datatype: Option<String>,
}

/// Runs every example; the first that goes wrong is the error. Outputs must be finite, and of the recorded shapes and
/// datatypes. Blocks.
pub(crate) fn check(
    session: &mut Session,
    signature: &Signature,
    file: &Path,
) -> Result<(), String> {
    let text =
        std::fs::read(file).map_err(|e| format!("its recorded examples cannot be read: {e}"))?;
    let examples: Vec<Box<RawValue>> = serde_json::from_slice(&text)
        .map_err(|e| format!("its recorded examples are not a JSON list of requests: {e}"))?;
    for (number, example) in examples.iter().enumerate() {
        check_one(session, signature, example.get())
            .map_err(|e| format!("its recorded example {number} fails: {e}"))?;
    }
    Ok(())
}

fn check_one(session: &mut Session, signature: &Signature, example: &str) -> Result<(), String> {
    let request = request::parse(example.as_bytes(), None, signature)?;
    let recorded: Recorded = serde_json::from_str(example).map_err(|e| e.to_string())?;
    let names: Vec<_> = request
        .outputs
        .into_iter()
        .map(|output| output.name)
        .collect();
    let computed = compute(session, request.inputs, Some(&names)).map_err(|e| match e {
        RunError::Input(reason) | RunError::Model(reason) => reason,
    })?;
    for (name, tensor) in computed {
        if !tensor.data.is_finite() {
            return Err(format!("output `{name}` is not finite"));
        }
        let Some(expected) = recorded.outputs.iter().find(|output| output.name == name) else {
            continue;
        };
        if let Some(shape) = expected
            .shape
            .as_ref()
            .filter(|shape| **shape != tensor.shape)
        {
            return Err(format!(
                "output `{name}` has the shape {:?}, recorded was {shape:?}",
                tensor.shape
            ));
        }
        let datatype = tensor.data.datatype().to_string();
        if let Some(recorded) = expected
            .datatype
            .as_ref()
            .filter(|recorded| **recorded != datatype)
        {
            return Err(format!(
                "output `{name}` is {datatype}, recorded was {recorded}"
            ));
        }
    }
    Ok(())
}
