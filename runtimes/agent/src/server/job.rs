//! Runs one job to its end.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::context::Context;
use super::run::{Found, Run};
use super::shim::{Pids, Process};
use super::store::Record;
use super::verdict::{self, End, Verdict};
use super::{durable, locked, logs};
use crate::messages::{Exit, JobFailureCause, JobSpec, JobStatus, JobView, Secrets};

/// The file that `MLINFRA_SPEC` names.
const SPEC: &str = "spec.json";
/// The file that `MLINFRA_RESULT` names.
const RESULT: &str = "result.json";
/// The file that `MLINFRA_EVENTS` names.
pub(super) const EVENTS: &str = "events.jsonl";

/// What is kept of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobRecord {
    pub(super) token: String,
    pub(super) spec: JobSpec,
    pub(super) secret_env_names: Vec<String>,
    pub(super) schedule: Option<String>,
    pub(super) created: Timestamp,
    pub(super) status: JobStatus,
    pub(super) ended: Option<Timestamp>,
    result: Option<serde_json::Value>,
    /// Set before a job is stopped, so that a kill of the agent does not let it go on.
    stopping: Option<JobFailureCause>,
    /// Set before a job is forgotten.
    pub(super) deleting: bool,
}

impl JobRecord {
    /// A job that has not begun. The spec comes without its secrets.
    pub(super) fn new(
        token: String,
        spec: JobSpec,
        secret_env_names: Vec<String>,
        schedule: Option<String>,
    ) -> Self {
        Self {
            token,
            spec,
            secret_env_names,
            schedule,
            created: Timestamp::now(),
            status: JobStatus::Running,
            ended: None,
            result: None,
            stopping: None,
            deleting: false,
        }
    }
}

impl Record for JobRecord {
    const KIND: &'static str = "job";

    fn name(&self) -> &str {
        &self.spec.name
    }
}

/// A job and the task that sees it through.
pub(super) struct Job {
    context: Arc<Context>,
    record: Mutex<JobRecord>,
    pids: Mutex<Option<Pids>>,
    stop: watch::Sender<Option<JobFailureCause>>,
    ended: watch::Sender<bool>,
}

impl Job {
    /// Begins a job, or goes on with one that an earlier agent began.
    pub(super) fn start(context: Arc<Context>, record: JobRecord) -> Arc<Self> {
        let ended = record.status != JobStatus::Running;
        let job = Arc::new(Self {
            context,
            pids: Mutex::new(None),
            stop: watch::Sender::new(record.stopping),
            ended: watch::Sender::new(ended),
            record: Mutex::new(record),
        });
        if !ended {
            tokio::spawn(Arc::clone(&job).see_through());
        }
        job
    }

    /// What is kept of it.
    pub(super) fn record(&self) -> JobRecord {
        locked(&self.record).clone()
    }

    /// How it is, for callers.
    pub(super) fn view(&self, with_log: bool) -> JobView {
        let record = self.record();
        let log = self.log();
        JobView {
            log_tail: if with_log {
                logs::tail(&log)
            } else {
                Vec::new()
            },
            log,
            token: record.token,
            schedule: record.schedule,
            status: record.status,
            result: record.result,
            pid: locked(&self.pids)
                .as_ref()
                .and_then(|pids| pids.command.as_ref())
                .map(|command| command.pid),
            created: record.created,
            ended: record.ended,
            secret_env_names: record.secret_env_names,
            spec: record.spec,
        }
    }

    /// Its status alone.
    pub(super) fn status(&self) -> JobStatus {
        locked(&self.record).status.clone()
    }

    /// Its log.
    pub(super) fn log(&self) -> PathBuf {
        self.context
            .layout
            .log(JobRecord::KIND, locked(&self.record).name())
    }

    /// The file of its progress events.
    pub(super) fn progress(&self) -> PathBuf {
        self.run().file(EVENTS)
    }

    /// Becomes true when it has ended.
    pub(super) fn ended(&self) -> watch::Receiver<bool> {
        self.ended.subscribe()
    }

    /// Stops it and waits for its end; a job that has ended stays as it is.
    pub(super) async fn cancel(&self) -> io::Result<()> {
        if self.status() == JobStatus::Running {
            self.change(|record| {
                record.stopping.get_or_insert(JobFailureCause::Cancelled);
            })?;
            self.stop.send_replace(Some(JobFailureCause::Cancelled));
        }
        self.ended()
            .wait_for(|ended| *ended)
            .await
            .map_err(io::Error::other)?;
        Ok(())
    }

    /// Kills what runs of it, without a look at the disk.
    pub(super) fn kill(&self) {
        let command = locked(&self.pids).clone().and_then(|pids| pids.command);
        let _ = command.map(|command| command.signal_group(Signal::KILL));
    }

    /// Writes down that it is to be forgotten.
    pub(super) fn mark_deleting(&self) -> io::Result<()> {
        self.change(|record| record.deleting = true)
    }

    /// Removes what an ended job left.
    pub(super) fn remove(&self) -> io::Result<()> {
        self.run().remove()?;
        logs::remove(&self.log())?;
        self.context
            .store
            .remove::<JobRecord>(locked(&self.record).name())
    }

    fn run(&self) -> Run {
        Run::at(
            self.context
                .layout
                .runs(JobRecord::KIND, locked(&self.record).name()),
        )
    }

    fn change(&self, change: impl FnOnce(&mut JobRecord)) -> io::Result<()> {
        let mut record = locked(&self.record);
        let mut changed = record.clone();
        change(&mut changed);
        self.context.store.save(&changed)?;
        *record = changed;
        Ok(())
    }

    async fn see_through(self: Arc<Self>) {
        let run = self.run();
        let status = match self.execute(&run).await {
            Ok(exit) => self.judge(&run, exit),
            Err(error) => (
                verdict::failed(JobFailureCause::NotStarted, None, error.to_string()),
                None,
            ),
        };
        *locked(&self.pids) = None;
        // What the disk does not take now is tried again: an end that nobody hears of would keep callers waiting.
        while let Err(error) = self.settle(&run, &status) {
            tracing::warn!(job = locked(&self.record).name(), %error, "cannot write down the end of a job");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        self.ended.send_replace(true);
    }

    /// Writes the end down, then removes the files that may hold secrets.
    fn settle(&self, run: &Run, (status, result): &Verdict) -> io::Result<()> {
        self.change(|record| {
            record.status = status.clone();
            record.result = result.clone();
            record.ended = Some(Timestamp::now());
        })?;
        durable::remove(&run.file(super::shim::PROCESS))?;
        durable::remove(&run.file(SPEC))
    }

    /// Begins the job or finds it again, and waits for its end.
    async fn execute(&self, run: &Run) -> io::Result<Exit> {
        let record = self.record();
        let errors = self.context.layout.agent_log();
        let found = match run.found().await? {
            Found::Absent => {
                self.prepare(run, &record)?;
                run.begin(&errors).await?
            }
            Found::Prepared => run.begin(&errors).await?,
            found => found,
        };
        match found {
            Found::Running(pids) => self.attend(run, &pids, &record).await,
            Found::Ended(exit) => Ok(exit),
            other => Err(io::Error::other(format!(
                "the run is {other:?} after it began"
            ))),
        }
    }

    /// Waits for the end of the running job, or brings it about.
    async fn attend(&self, run: &Run, pids: &Pids, record: &JobRecord) -> io::Result<Exit> {
        *locked(&self.pids) = Some(pids.clone());
        let mut stop = self.stop.subscribe();
        let deadline = async {
            match record.spec.timeout_ms {
                Some(timeout) => sleep_until(record.created, timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            exit = run.wait(pids) => return exit,
            _ = stop.wait_for(Option::is_some) => {}
            () = deadline => self.change(|record| {
                record.stopping.get_or_insert(JobFailureCause::TimedOut);
            })?,
        }
        run.stop(pids, Duration::from_millis(record.spec.stop_grace_ms))
            .await
    }

    /// Writes down all that the job needs to begin.
    fn prepare(&self, run: &Run, record: &JobRecord) -> io::Result<()> {
        let folder = self.context.layout.runs(JobRecord::KIND, record.name());
        durable::make_folder(&folder)?;
        let path = |name: &str| run.file(name).to_string_lossy().into_owned();
        let mut given = BTreeMap::from([
            (
                "MLINFRA_RUN_ID".to_owned(),
                record.spec.run_id.clone().unwrap_or_default(),
            ),
            ("MLINFRA_RESULT".to_owned(), path(RESULT)),
            ("MLINFRA_EVENTS".to_owned(), path(EVENTS)),
        ]);
        if let Some(spec) = &record.spec.spec {
            durable::write_json(&run.file(SPEC), spec)?;
            given.insert("MLINFRA_SPEC".to_owned(), path(SPEC));
        }
        let secrets: Secrets = self.context.store.secrets::<JobRecord>(record.name())?;
        run.prepare(&Process {
            command: record.spec.command.clone(),
            env: self
                .context
                .environment([&record.spec.env, secrets.reveal(), &given]),
            working_dir: self.context.working_dir(record.spec.working_dir.as_ref()),
            log: self.log(),
        })
    }

    /// What an end means.
    fn judge(&self, run: &Run, exit: Exit) -> Verdict {
        let record = self.record();
        let end = End {
            stopping: record.stopping,
            timeout: Duration::from_millis(record.spec.timeout_ms.unwrap_or_default()),
            began: self.began(run),
            exit,
        };
        end.judge(verdict::read_result(&run.file(RESULT)))
    }

    /// Whether a process of the command ever existed.
    fn began(&self, run: &Run) -> bool {
        let pids: io::Result<Option<Pids>> = durable::read_json(&run.file(super::shim::PIDS));
        pids.ok()
            .flatten()
            .is_some_and(|pids| pids.command.is_some())
    }
}

/// Sleeps until `millis` after `start` by the clock, which goes on while no agent runs.
async fn sleep_until(start: Timestamp, millis: u64) {
    let limit = SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
    loop {
        let left = limit.saturating_sub(Timestamp::now().duration_since(start));
        if left <= SignedDuration::ZERO {
            return;
        }
        tokio::time::sleep(left.unsigned_abs().min(Duration::from_secs(3600))).await;
    }
}
