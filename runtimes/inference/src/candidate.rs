//! A version on its way into service: fetched from the registry, loaded, and tried.

use std::path::{Path, PathBuf};

use mlinfra_registry::{Artifact, Registry, Version};

use crate::examples;
use crate::model::Model;

/// A version's files on this machine, verified.
#[derive(Debug)]
pub(crate) struct Candidate {
    version: u64,
    model: PathBuf,
    examples: Option<PathBuf>,
}

/// Why there is no candidate.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// The registry did not give it: another time it may.
    Registry(mlinfra_registry::Error),
    /// The version is nothing that can be served.
    Unfit(String),
}

impl From<mlinfra_registry::Error> for FetchError {
    fn from(error: mlinfra_registry::Error) -> Self {
        Self::Registry(error)
    }
}

impl Candidate {
    pub(crate) async fn fetch(
        registry: &Registry,
        model: &str,
        number: u64,
        cache: &Path,
    ) -> Result<Self, FetchError> {
        let version = registry.version(model, number).await?;
        let artifact = onnx_artifact(&version).map_err(FetchError::Unfit)?;
        let file = registry.get_blob(&artifact.digest, cache).await?;
        let examples = match &version.content.examples {
            Some(digest) => Some(registry.get_blob(digest, cache).await?),
            None => None,
        };
        Ok(Self {
            version: number,
            model: file,
            examples,
        })
    }

    /// Loads the version and tries it on its examples. Blocks.
    pub(crate) fn load(&self, sessions: usize, queue: usize) -> Result<Model, String> {
        let model = Model::load(&self.model, self.version.to_string(), sessions, queue)?;
        if let Some(file) = &self.examples {
            model.try_out(|session, signature| examples::check(session, signature, file))?;
        }
        Ok(model)
    }
}

/// The model among a version's files: the only `.onnx`, or of several the one named `model.onnx`.
fn onnx_artifact(version: &Version) -> Result<&Artifact, String> {
    let found: Vec<_> = version
        .content
        .artifacts
        .iter()
        .filter(|a| a.name.ends_with(".onnx"))
        .collect();
    match found.as_slice() {
        [] => Err("it has no `.onnx` file".to_owned()),
        [only] => Ok(only),
        several => several
            .iter()
            .copied()
            .find(|a| a.name == "model.onnx")
            .ok_or_else(|| {
                let names: Vec<_> = several.iter().map(|a| a.name.as_str()).collect();
                format!(
                    "it has several `.onnx` files ({}) and none is named `model.onnx`",
                    names.join(", ")
                )
            }),
    }
}
