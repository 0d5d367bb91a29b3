//! What goes over the agent's socket: specs that callers send, views that the agent answers, failures.

mod failure;
mod job;
mod schedule;
mod secrets;
mod service;

pub use failure::{Failure, FailureKind};
pub use job::{
    Cursor, Event, EventBody, JobFailure, JobFailureCause, JobSpec, JobStatus, JobView, Progress,
};
pub use schedule::{CatchUp, Firing, JobTemplate, Overlap, ScheduleSpec, ScheduleView};
pub use secrets::Secrets;
pub use service::{HealthCheck, ServiceSpec, ServiceStatus, ServiceView};

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of these messages. A client and an agent of different versions do not talk.
pub const PROTOCOL: u32 = 1;

/// How an agent introduces itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// [`PROTOCOL`] of the agent.
    pub protocol: u32,
    /// The release of the agent's program.
    pub version: String,
    /// Its process id.
    pub pid: i32,
    /// The process id of its guard, when one lives.
    pub guard: Option<i32>,
    /// The configuration directory that it serves.
    pub directory: PathBuf,
    /// When it started.
    pub started: Timestamp,
    /// Files of objects that could not be read; those objects are neither run nor taken for absent.
    pub damaged: Vec<Damaged>,
}

/// A file of the agent that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damaged {
    /// The kind of the object: `service`, `job` or `schedule`.
    pub kind: String,
    /// The name of the object.
    pub name: String,
    /// What is wrong with its file.
    pub error: String,
}

/// Asks for a new object. The same name with the same token is the same request: it is answered, not done again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create<S> {
    /// The idempotency token of the caller.
    pub token: String,
    /// What to make.
    pub spec: S,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    /// The exit code, when it exited by itself.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Why there is neither: the command could not be started, or whoever watched it was killed.
    pub error: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Exit {
    /// Whether the process ended with code 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code, self.signal, &self.error) {
            (Some(code), _, _) => write!(f, "exit code {code}"),
            (_, Some(signal), _) => write!(f, "killed by signal {signal}"),
            (_, _, Some(error)) => f.write_str(error),
            _ => f.write_str("ended for an unknown reason"),
        }
    }
}
