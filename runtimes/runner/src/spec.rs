//! What to run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mlinfra_registry::{Digest, Goal, PromotionRule, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::RunError;

/// The version of [`Spec`] that this release reads.
pub const VERSION: u32 = 1;

/// A training run, as it is handed over in the file named by `MLINFRA_SPEC`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// [`VERSION`].
    pub version: u32,
    /// The training job.
    pub job: String,
    /// The model whose version it makes.
    pub model: String,
    /// The folder with the code, absolute.
    pub source: PathBuf,
    /// Program and arguments, started in a copy of the source folder.
    pub command: Vec<String>,
    /// What it reads, by name.
    #[serde(default)]
    pub inputs: BTreeMap<String, Input>,
    /// Its parameters.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// The metric that says how good the outcome is.
    #[serde(default)]
    pub objective: Option<Objective>,
    /// Where the model registry is.
    pub registry: String,
    /// When the new version becomes the champion; the registry's rule for the model when absent, then `better`.
    #[serde(default)]
    pub promote: Option<PromotionRule>,
    /// What made it start.
    pub trigger: Trigger,
    /// Whether to train although the same has been trained before.
    #[serde(default)]
    pub force: bool,
    /// Whether a schedule's firing trains only when something has changed since the last.
    #[serde(default)]
    pub skip_unchanged: bool,
    /// Seconds after which it is stopped and counts as failed.
    #[serde(default)]
    pub timeout_s: Option<u64>,
    /// The folder that keeps what has been computed.
    pub cache_dir: PathBuf,
}

/// Something a run reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// A `file://` URL of a file or folder.
    pub uri: String,
    /// What its content must be.
    #[serde(default)]
    pub digest: Option<Digest>,
}

/// The metric that says how good a model is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// Its name among the metrics.
    pub metric: String,
    /// Which way it is good.
    #[serde(default)]
    pub goal: Goal,
}

impl Spec {
    /// Reads a spec.
    ///
    /// # Errors
    /// When it is of another version or not a spec.
    pub fn parse(bytes: &[u8]) -> Result<Self, RunError> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| RunError::Spec(error.to_string()))?;
        match value.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(RunError::Spec(format!(
                    "it is of version {version}, and this release reads version {VERSION}: use one release for both sides"
                )));
            }
            None => return Err(RunError::Spec("it does not say its version".to_owned())),
        }
        let spec: Self =
            serde_json::from_value(value).map_err(|error| RunError::Spec(error.to_string()))?;
        spec.check()?;
        Ok(spec)
    }

    /// Everything that can be seen to be wrong before anything is done.
    fn check(&self) -> Result<(), RunError> {
        let mut problems = Vec::new();
        if self.command.first().is_none_or(String::is_empty) {
            problems.push("the command is empty".to_owned());
        }
        for (what, path) in [("source", &self.source), ("cache_dir", &self.cache_dir)] {
            if !path.is_absolute() {
                problems.push(format!("{what} {} is not absolute", path.display()));
            }
        }
        for (what, name) in [("model", &self.model)]
            .into_iter()
            .chain(self.inputs.keys().map(|name| ("input", name)))
        {
            if let Err(error) = mlinfra_registry::check_name(what, name) {
                problems.push(error.to_string());
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(RunError::Spec(problems.join("; ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn minimal() -> Value {
        json!({
            "version": 1, "job": "j", "model": "m", "source": "/s", "command": ["python", "train.py"],
            "registry": "file:///r", "trigger": "apply", "cache_dir": "/c",
        })
    }

    fn parse(value: &Value) -> Result<Spec, String> {
        Spec::parse(value.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let spec = parse(&minimal()).unwrap();
        assert!(!spec.force && spec.inputs.is_empty() && spec.promote.is_none());
    }

    #[test]
    fn unknown_versions_and_fields_are_refused() {
        let mut newer = minimal();
        newer["version"] = json!(2);
        newer["stages"] = json!([]);
        assert!(
            parse(&newer).unwrap_err().contains("version 2"),
            "the version is judged before the fields"
        );
        let mut misspelt = minimal();
        misspelt["parms"] = json!({});
        assert!(parse(&misspelt).unwrap_err().contains("parms"));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let mut wrong = minimal();
        wrong["command"] = json!([]);
        wrong["source"] = json!("relative");
        wrong["inputs"] = json!({"../x": {"uri": "file:///x"}});
        let error = parse(&wrong).unwrap_err();
        for part in ["command", "relative", "../x"] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }
}
