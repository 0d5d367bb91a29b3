//! How the agent says no.

use serde::{Deserialize, Serialize};

/// A request that the agent did not fulfil.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure it is, for programs.
    pub kind: FailureKind,
    /// Place, cause and remedy, for people.
    pub message: String,
}

/// The kinds of failure that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The request itself is wrong.
    Invalid,
    /// There is no object of that name.
    NotFound,
    /// An object of that name exists and was made by another request.
    Exists,
    /// The port is in use by someone else.
    PortTaken,
    /// The object's file cannot be read.
    Damaged,
    /// The agent is shutting down.
    Stopping,
    /// The agent could not do it, and it is not the request's fault.
    Internal,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The request itself is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Invalid, message)
    }
}
