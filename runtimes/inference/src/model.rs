//! A loaded model: sessions of ONNX Runtime over one file.

use std::path::Path;
use std::sync::Arc;

use ort::session::builder::GraphOptimizationLevel;
use ort::session::{OutputSelector, RunOptions, Session};

use crate::onnx;
use crate::pool::{Pool, Refused};
use crate::signature::Signature;
use crate::tensor::Tensor;
use crate::weights::Weights;

/// A version of a model, ready to compute.
pub(crate) struct Model {
    /// The version's number; 1 for a plain file.
    pub(crate) version: String,
    pub(crate) signature: Arc<Signature>,
    pool: Arc<Pool<Session>>,
}

/// Why a model did not compute.
#[derive(Debug)]
pub(crate) enum RunError {
    /// What it was given does not suit it.
    Input(String),
    /// It failed all the same.
    Model(String),
}

impl Model {
    /// Loads a model and runs it once on zeros, so that the first request need not wait for what is done lazily.
    /// Blocks.
    pub(crate) fn load(
        file: &Path,
        version: String,
        sessions: usize,
        queue: usize,
    ) -> Result<Self, String> {
        let environment = crate::library::environment().map_err(|e| e.to_string())?;
        // With one session there is nobody to share with.
        let weights = if sessions > 1 {
            Weights::read(file)
        } else {
            Weights::none()
        };
        let mut loaded = Vec::new();
        for _ in 0..sessions.max(1) {
            let session = open(&environment, file, &weights)
                .map_err(|e| format!("ONNX Runtime refuses it: {e}"))?;
            loaded.push(session);
        }
        let first = loaded.first().ok_or("no session was asked for")?;
        let signature = Signature::of(first)?;
        for session in &mut loaded {
            warm_up(session, &signature);
        }
        Ok(Self {
            version,
            signature: Arc::new(signature),
            pool: Arc::new(Pool::new(loaded, queue)),
        })
    }

    /// Tries the model before it serves. Blocks.
    pub(crate) fn try_out<R>(
        &self,
        attempt: impl FnOnce(&mut Session, &Signature) -> Result<R, String>,
    ) -> Result<R, String> {
        let tried = self
            .pool
            .with_idle(|session| attempt(session, &self.signature));
        tried.unwrap_or_else(|| Err("no session is idle".to_owned()))
    }

    /// Does work with a session of the model when it is its turn.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> R + Send + 'static,
    ) -> Result<R, Refused> {
        self.pool.run(work).await
    }
}

pub(crate) fn open(
    environment: &ort::environment::Environment,
    file: &Path,
    weights: &Weights,
) -> ort::Result<Session> {
    // One thread a session, which is the caller's: parallelism comes from the number of requests.
    let builder = Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?;
    weights.share(builder)?.commit_from_file(file)
}

/// Zeros need not suit a model (a length of 1 may be too short), so that a failure means nothing.
fn warm_up(session: &mut Session, signature: &Signature) {
    let inputs = signature
        .inputs
        .iter()
        .map(|port| (port.name.clone(), port.zeros()))
        .collect();
    if let Err(e) = compute(session, inputs, None) {
        tracing::debug!("the model does not take zeros to warm up: {e:?}");
    }
}

/// Computes outputs: those named, or all, in that order.
pub(crate) fn compute(
    session: &mut Session,
    inputs: Vec<(String, Tensor)>,
    outputs: Option<&[String]>,
) -> Result<Vec<(String, Tensor)>, RunError> {
    let mut values = Vec::with_capacity(inputs.len());
    for (name, tensor) in inputs {
        let value = onnx::into_value(tensor)
            .map_err(|e| RunError::Input(format!("input `{name}`: {e}")))?;
        values.push((name, value));
    }
    let all: Vec<String>;
    let wanted = match outputs {
        Some(names) => names,
        None => {
            all = session
                .outputs()
                .iter()
                .map(|output| output.name().to_owned())
                .collect();
            &all
        }
    };
    let selector = wanted
        .iter()
        .fold(OutputSelector::no_default(), |selector, name| {
            selector.with(name)
        });
    let options = RunOptions::new().map_err(failed)?.with_outputs(selector);
    let computed = session.run_with_options(values, &options).map_err(failed)?;
    let mut found = Vec::with_capacity(wanted.len());
    for name in wanted {
        let value = computed
            .get(name)
            .ok_or_else(|| RunError::Model(format!("it gave no output `{name}`")))?;
        let tensor = onnx::from_value(value)
            .map_err(|e| RunError::Model(format!("its output `{name}` cannot be read: {e}")))?;
        found.push((name.clone(), tensor));
    }
    Ok(found)
}

fn failed(error: ort::Error) -> RunError {
    match error.code() {
        ort::ErrorCode::InvalidArgument => RunError::Input(error.to_string()),
        _ => RunError::Model(error.to_string()),
    }
}
