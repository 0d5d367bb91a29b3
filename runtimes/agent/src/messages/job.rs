//! A job: a command that runs to its end once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Exit, Secrets};

/// A command that runs to its end once. A job never changes: what differs is another job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// Letters, digits, `.`, `_` and `-`; unique among jobs.
    pub name: String,
    /// Passed as `MLINFRA_RUN_ID`; the agent makes one up when absent.
    #[serde(default)]
    pub run_id: Option<String>,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Environment variables that are never shown.
    #[serde(default, skip_serializing_if = "Secrets::is_empty")]
    pub secret_env: Secrets,
    /// An absolute folder; the configuration directory when absent.
    #[serde(default)]
    pub working_dir: Option<PathBuf>,
    /// Written to a file of mode 0600 whose path is passed as `MLINFRA_SPEC`.
    #[serde(default)]
    pub spec: Option<serde_json::Value>,
    /// Time after which it is stopped and counts as failed.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// How long it may take to stop after SIGTERM, before SIGKILL.
    #[serde(default = "default_stop_grace_ms")]
    pub stop_grace_ms: u64,
}

fn default_stop_grace_ms() -> u64 {
    10_000
}

/// How a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum JobStatus {
    /// It has not ended.
    Running,
    /// It ended with code 0, and its result, if it wrote one, is sound.
    Succeeded,
    /// It ended otherwise.
    Failed(JobFailure),
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// The cause, for programs.
    pub cause: JobFailureCause,
    /// How its process ended, when that is known.
    pub exit: Option<Exit>,
    /// The same for people.
    pub message: String,
}

/// The causes that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobFailureCause {
    /// The process ended with another code than 0 or by a signal.
    Exited,
    /// The command could not be started.
    NotStarted,
    /// Someone cancelled it.
    Cancelled,
    /// It took longer than its timeout.
    TimedOut,
    /// It ended and nobody saw how: its shim was killed or the machine restarted.
    Lost,
    /// It ended with code 0 and its result is not JSON or too large.
    BadResult,
}

/// A job as the agent sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// As asked for, without the secrets; `run_id` is always set.
    pub spec: JobSpec,
    /// The names of the secret environment variables.
    pub secret_env_names: Vec<String>,
    /// The idempotency token it was created with.
    pub token: String,
    /// The schedule that fired it.
    pub schedule: Option<String>,
    /// How it is.
    #[serde(flatten)]
    pub status: JobStatus,
    /// What it wrote to `MLINFRA_RESULT`.
    pub result: Option<serde_json::Value>,
    /// The process id of its command, while that runs.
    pub pid: Option<i32>,
    /// When it was created.
    pub created: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The file with its output.
    pub log: PathBuf,
    /// The last lines of that file; only filled when one job is asked for.
    #[serde(default)]
    pub log_tail: Vec<String>,
}

/// Where a reader of a job's events stands; the next event is the first after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// Bytes of the log that have been read.
    #[serde(default)]
    pub log: u64,
    /// Bytes of the progress file that have been read.
    #[serde(default)]
    pub progress: u64,
}

/// One thing that happened in a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Where to go on reading after this event.
    pub cursor: Cursor,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened in a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventBody {
    /// The process wrote a line.
    Log {
        /// The line, without its end; a very long one comes in parts.
        line: String,
    },
    /// The job reported progress.
    Progress(Progress),
    /// The job ended; nothing follows.
    End(JobStatus),
}

/// What a job may append, one JSON object a line, to the file named by `MLINFRA_EVENTS`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The stage that is running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// A step within the stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// Values measured at this step.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metrics: serde_json::Map<String, serde_json::Value>,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
