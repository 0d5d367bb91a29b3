//! Tells how far a run is: JSON lines in the file named by `MLINFRA_EVENTS`.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

/// Where progress is told.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    file: Option<Mutex<File>>,
}

impl Progress {
    /// Tells progress in this file; without one, or when it cannot be opened, nobody is told.
    pub(crate) fn open(path: Option<&Path>) -> Self {
        let file =
            path.and_then(
                |path| match OpenOptions::new().create(true).append(true).open(path) {
                    Ok(file) => Some(Mutex::new(file)),
                    Err(error) => {
                        tracing::warn!(path = %path.display(), %error, "progress cannot be told");
                        None
                    }
                },
            );
        Self { file }
    }

    /// A sentence for people.
    pub(crate) fn say(&self, stage: &str, message: &str) {
        self.write(&json!({"stage": stage, "message": message}));
    }

    /// What was measured.
    pub(crate) fn measured(&self, stage: &str, step: Option<u64>, metrics: &Map<String, Value>) {
        self.write(&json!({"stage": stage, "step": step, "metrics": metrics}));
    }

    fn write(&self, event: &Value) {
        let Some(file) = &self.file else { return };
        let line = format!("{event}\n");
        let written = file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .write_all(line.as_bytes());
        if let Err(error) = written {
            // Progress is a courtesy: a run does not fail for it.
            tracing::warn!(%error, "progress cannot be told");
        }
    }
}
