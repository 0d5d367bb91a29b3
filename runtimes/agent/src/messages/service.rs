//! A service: a command that is kept running.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Exit, Secrets};

/// A command that is kept running, with a port of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSpec {
    /// Letters, digits, `.`, `_` and `-`; unique among services.
    pub name: String,
    /// Program and arguments; `{port}` stands for the port.
    pub command: Vec<String>,
    /// Environment variables; `{port}` in a value stands for the port.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Environment variables that are never shown.
    #[serde(default, skip_serializing_if = "Secrets::is_empty")]
    pub secret_env: Secrets,
    /// An absolute folder; the configuration directory when absent.
    #[serde(default)]
    pub working_dir: Option<PathBuf>,
    /// The loopback port; when absent the agent picks a free one once and keeps it.
    #[serde(default)]
    pub port: Option<u16>,
    /// How to tell that it works; without it a running process counts as healthy.
    #[serde(default)]
    pub health: Option<HealthCheck>,
    /// How long it may take to stop after SIGTERM, before SIGKILL.
    #[serde(default = "default_stop_grace_ms")]
    pub stop_grace_ms: u64,
}

fn default_stop_grace_ms() -> u64 {
    10_000
}

/// A check by HTTP GET on the service's port: any 2xx answer is healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// The path, beginning with `/`.
    pub http_path: String,
    /// Time between two checks.
    #[serde(default = "default_interval_ms")]
    pub interval_ms: u64,
    /// Time within which the answer must have come.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// Good answers in a row after which the service is healthy.
    #[serde(default = "default_healthy_threshold")]
    pub healthy_threshold: u32,
    /// Bad answers in a row after which a healthy service is restarted.
    #[serde(default = "default_unhealthy_threshold")]
    pub unhealthy_threshold: u32,
    /// Time from its start within which the service must have become healthy.
    #[serde(default = "default_start_deadline_ms")]
    pub start_deadline_ms: u64,
}

fn default_interval_ms() -> u64 {
    1_000
}

fn default_timeout_ms() -> u64 {
    2_000
}

fn default_healthy_threshold() -> u32 {
    1
}

fn default_unhealthy_threshold() -> u32 {
    3
}

fn default_start_deadline_ms() -> u64 {
    60_000
}

impl HealthCheck {
    /// A check of this path with the usual times.
    pub fn new(http_path: impl Into<String>) -> Self {
        Self {
            http_path: http_path.into(),
            interval_ms: default_interval_ms(),
            timeout_ms: default_timeout_ms(),
            healthy_threshold: default_healthy_threshold(),
            unhealthy_threshold: default_unhealthy_threshold(),
            start_deadline_ms: default_start_deadline_ms(),
        }
    }
}

/// How a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceStatus {
    /// Its process runs and has not been seen healthy yet.
    Starting,
    /// Its process runs and answers well, or has no health check.
    Healthy,
    /// Its process runs and stopped answering well; it is being restarted.
    Unhealthy,
    /// It failed and is started again after a while.
    BackingOff,
    /// It does not run and is not to run.
    Stopped,
}

/// A service as the agent sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// As asked for, without the secrets.
    pub spec: ServiceSpec,
    /// The names of the secret environment variables.
    pub secret_env_names: Vec<String>,
    /// The idempotency token it was created with.
    pub token: String,
    /// How it is.
    pub status: ServiceStatus,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// The process id of its command, while that runs.
    pub pid: Option<i32>,
    /// How often it was started again since it was created, updates not counted.
    pub restarts: u64,
    /// How its last process ended.
    pub last_exit: Option<Exit>,
    /// Why it is not healthy.
    pub last_error: Option<String>,
    /// When the present process was started.
    pub started: Option<Timestamp>,
    /// The file with its output.
    pub log: PathBuf,
    /// The last lines of that file; only filled when one service is asked for.
    #[serde(default)]
    pub log_tail: Vec<String>,
}

impl ServiceView {
    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
