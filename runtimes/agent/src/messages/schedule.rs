//! A schedule: a job that is run at given times.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{JobStatus, Secrets};

/// A job that is run at given times.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSpec {
    /// Letters, digits, `.`, `_` and `-`; unique among schedules.
    pub name: String,
    /// Five or six fields of cron (six: seconds first), a nickname such as `@daily`, or `@every 5s`.
    pub cron: String,
    /// An IANA time zone; UTC when absent.
    #[serde(default)]
    pub timezone: Option<String>,
    /// What to run.
    pub job: JobTemplate,
    /// What to do when the last one still runs.
    #[serde(default)]
    pub overlap: Overlap,
    /// What to do about firings that were missed while the agent was away.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// Whether nothing is fired until this is false again.
    #[serde(default)]
    pub paused: bool,
}

/// What a schedule runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobTemplate {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Environment variables; `MLINFRA_TRIGGER` and `MLINFRA_FIRED_AT` are added.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Environment variables that are never shown.
    #[serde(default, skip_serializing_if = "Secrets::is_empty")]
    pub secret_env: Secrets,
    /// An absolute folder; the configuration directory when absent.
    #[serde(default)]
    pub working_dir: Option<PathBuf>,
    /// Written to a file whose path is passed as `MLINFRA_SPEC`.
    #[serde(default)]
    pub spec: Option<serde_json::Value>,
    /// Time after which a run is stopped and counts as failed.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

/// What to do when a schedule fires and its last job still runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// Do not fire.
    #[default]
    Skip,
    /// Fire beside it.
    Allow,
}

/// What to do about firings that were missed while the agent was away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Forget them.
    None,
    /// Fire once for all of them.
    #[default]
    Once,
}

/// A schedule as the agent sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleView {
    /// As asked for, without the secrets.
    pub spec: ScheduleSpec,
    /// The names of the secret environment variables.
    pub secret_env_names: Vec<String>,
    /// The idempotency token it was created with.
    pub token: String,
    /// When it was created.
    pub created: Timestamp,
    /// When it fires next; `None` while paused, or when the cron expression has no further time.
    pub next: Option<Timestamp>,
    /// The firings that are remembered, newest last.
    pub firings: Vec<Firing>,
    /// The last time it was due and its last job still ran.
    pub last_skipped: Option<Timestamp>,
    /// Why the last firing could not be run.
    pub last_error: Option<String>,
}

/// One firing of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Firing {
    /// The time it was due.
    pub at: Timestamp,
    /// The job it ran.
    pub job: String,
    /// How that job is.
    #[serde(flatten)]
    pub status: JobStatus,
}
