//! Why a run did not come to its end.

use std::io;
use std::path::{Path, PathBuf};

use mlinfra_registry::Digest;

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The spec cannot be used.
    #[error("the run's spec cannot be used: {0}")]
    Spec(String),
    /// The source folder cannot be read.
    #[error("the source folder {} cannot be read: {cause}", path.display())]
    Source {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The source folder changed while it was being copied.
    #[error("the source folder {} changed while it was being copied: run again", path.display())]
    SourceChanged {
        /// The folder.
        path: PathBuf,
    },
    /// Inputs cannot be used; one line for each.
    #[error("{}", .0.join("\n"))]
    Inputs(Vec<String>),
    /// An input changed since it was digested.
    #[error("input `{name}` at {} is {found} and not {expected}: it has changed since it was planned; plan again", path.display())]
    InputChanged {
        /// The input.
        name: String,
        /// Where it is.
        path: PathBuf,
        /// What it must be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// There is no Python.
    #[error(
        "{program} cannot be asked for its version: {cause}; install Python 3 or put it on PATH"
    )]
    NoPython {
        /// The program that was tried.
        program: String,
        /// What happened.
        cause: String,
    },
    /// The Python environment cannot be made.
    #[error(
        "the Python environment cannot be made: `{step}` ended with {ended}{}",
        tail(log)
    )]
    Environment {
        /// The command that failed.
        step: String,
        /// How it ended.
        ended: String,
        /// Its last lines.
        log: Vec<String>,
    },
    /// The command could not be started.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// The command ended otherwise than well.
    #[error("`{command}` ended with {ended}{}", tail(log))]
    Command {
        /// The command.
        command: String,
        /// How it ended.
        ended: String,
        /// Its last lines.
        log: Vec<String>,
    },
    /// The command took too long.
    #[error(
        "`{command}` was stopped because it took longer than {seconds} s{}",
        tail(log)
    )]
    TimedOut {
        /// The command.
        command: String,
        /// What it was given.
        seconds: u64,
        /// Its last lines.
        log: Vec<String>,
    },
    /// Someone asked the run to stop.
    #[error("the run was cancelled")]
    Cancelled,
    /// The command wrote no model.
    #[error("the run finished but wrote no model: put one *.onnx into $MLINFRA_OUTPUT{}", held(.found))]
    NoModel {
        /// What it wrote instead.
        found: Vec<String>,
    },
    /// The command wrote several models.
    #[error("the run wrote several models ({}): name the one that counts model.onnx", models.join(", "))]
    SeveralModels {
        /// Their names.
        models: Vec<String>,
    },
    /// Reading or writing a file failed.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The registry refused or failed.
    #[error("the model registry failed: {}", chain(.0))]
    Registry(#[from] mlinfra_registry::Error),
}

impl RunError {
    pub(crate) fn file(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}

/// The last lines of a log, for the end of a sentence.
fn tail(log: &[String]) -> String {
    if log.is_empty() {
        String::from("; it wrote nothing")
    } else {
        format!("; its last lines:\n{}", log.join("\n"))
    }
}

fn held(found: &[String]) -> String {
    if found.is_empty() {
        String::from(" (it is empty)")
    } else {
        format!(" (it holds {})", found.join(", "))
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}
