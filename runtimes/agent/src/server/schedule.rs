//! Fires one schedule.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::context::Context;
use super::job::{Job, JobRecord};
use super::jobs::{Jobs, runs};
use super::locked;
use super::store::Record;
use crate::cron::Cadence;
use crate::messages::{
    CatchUp, Create, Failure, Firing, JobSpec, Overlap, ScheduleSpec, ScheduleView, Secrets,
};

/// A firing that is later than this was missed.
const PUNCTUAL: SignedDuration = SignedDuration::from_secs(5);

/// The clock is looked at this often, as it may be set or the machine may have slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How long to wait after the disk refused.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// How many firings are remembered.
const REMEMBERED: usize = 20;

/// What is kept of a schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScheduleRecord {
    pub(super) token: String,
    pub(super) spec: ScheduleSpec,
    pub(super) secret_env_names: Vec<String>,
    pub(super) created: Timestamp,
    /// All that was due until then has been dealt with.
    pub(super) considered: Timestamp,
    last_skipped: Option<Timestamp>,
    pub(super) deleting: bool,
}

impl ScheduleRecord {
    /// A schedule that has never fired. The spec comes without its secrets.
    pub(super) fn new(token: String, spec: ScheduleSpec, secret_env_names: Vec<String>) -> Self {
        let now = Timestamp::now();
        Self {
            token,
            spec,
            secret_env_names,
            created: now,
            considered: now,
            last_skipped: None,
            deleting: false,
        }
    }

    /// When it fires.
    pub(super) fn cadence(&self) -> Result<Cadence, Failure> {
        let cadence = Cadence::parse(&self.spec.cron, self.spec.timezone.as_deref(), self.created);
        cadence.map_err(|error| Failure::invalid(error.to_string()))
    }
}

impl Record for ScheduleRecord {
    const KIND: &'static str = "schedule";

    fn name(&self) -> &str {
        &self.spec.name
    }
}

/// A schedule and the task that fires it.
pub(super) struct Schedule {
    context: Arc<Context>,
    jobs: Arc<Jobs>,
    record: Mutex<ScheduleRecord>,
    last_error: Mutex<Option<String>>,
    stopped: watch::Sender<bool>,
}

impl Schedule {
    /// Begins to fire a schedule.
    pub(super) fn start(
        context: Arc<Context>,
        jobs: Arc<Jobs>,
        record: ScheduleRecord,
    ) -> Arc<Self> {
        let schedule = Arc::new(Self {
            context,
            jobs,
            stopped: watch::Sender::new(record.deleting),
            record: Mutex::new(record),
            last_error: Mutex::new(None),
        });
        tokio::spawn(Arc::clone(&schedule).keep_time());
        schedule
    }

    /// What is kept of it.
    pub(super) fn record(&self) -> ScheduleRecord {
        locked(&self.record).clone()
    }

    /// How it is, for callers.
    pub(super) fn view(&self) -> ScheduleView {
        let record = self.record();
        let next = record.cadence().ok().filter(|_| !record.spec.paused);
        let firings = self.jobs.of_schedule(record.name());
        ScheduleView {
            next: next.and_then(|cadence| cadence.next(record.considered.max(Timestamp::now()))),
            firings: firings.iter().map(|job| firing(&job.record())).collect(),
            last_skipped: record.last_skipped,
            last_error: locked(&self.last_error).clone(),
            token: record.token,
            created: record.created,
            secret_env_names: record.secret_env_names,
            spec: record.spec,
        }
    }

    /// Changes what is kept, on disk first, and looks at the clock anew.
    pub(super) fn change(&self, change: impl FnOnce(&mut ScheduleRecord)) -> io::Result<()> {
        let mut record = locked(&self.record);
        let mut changed = record.clone();
        change(&mut changed);
        self.context.store.save(&changed)?;
        *record = changed;
        drop(record);
        self.stopped.send_modify(|_| {});
        Ok(())
    }

    /// Fires no more.
    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Runs the job now, because someone said so.
    pub(super) fn fire_now(&self) -> Result<Arc<Job>, Failure> {
        self.fire(Timestamp::now(), "manual")
    }

    async fn keep_time(self: Arc<Self>) {
        let mut changed = self.stopped.subscribe();
        while !*changed.borrow_and_update() {
            let wait = match self.consider(Timestamp::now()) {
                Ok(next) => {
                    let left = next.map(|next| {
                        next.duration_since(Timestamp::now())
                            .max(SignedDuration::ZERO)
                    });
                    left.map_or(LONGEST_SLEEP, |left| left.unsigned_abs().min(LONGEST_SLEEP))
                }
                Err(error) => {
                    *locked(&self.last_error) = Some(error);
                    AFTER_ERROR
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = changed.changed() => {}
            }
        }
    }

    /// Deals with what is due; answers when the next firing is.
    fn consider(&self, now: Timestamp) -> Result<Option<Timestamp>, String> {
        let record = self.record();
        if record.spec.paused {
            return Ok(None);
        }
        let cadence = record.cadence().map_err(|failure| failure.message)?;
        let Some(due) = cadence.latest(record.considered, now) else {
            return Ok(cadence.next(now));
        };
        let missed = now.duration_since(due) > PUNCTUAL;
        let busy = self
            .jobs
            .of_schedule(record.name())
            .iter()
            .any(|job| runs(job));
        let mut skipped = None;
        if busy && record.spec.overlap == Overlap::Skip {
            skipped = Some(due);
        } else if !(missed && record.spec.catch_up == CatchUp::None) {
            // The name of the job holds the time, so that a kill right after this does not make it run twice.
            let fired = self.fire(due, "schedule");
            *locked(&self.last_error) = fired.err().map(|failure| failure.message);
        }
        let mut kept = locked(&self.record);
        let mut changed = kept.clone();
        changed.considered = due;
        changed.last_skipped = skipped.or(changed.last_skipped);
        self.context
            .store
            .save(&changed)
            .map_err(|error| format!("the firing cannot be written down: {error}"))?;
        *kept = changed;
        drop(kept);
        self.forget_old();
        Ok(cadence.next(now))
    }

    fn fire(&self, at: Timestamp, trigger: &str) -> Result<Arc<Job>, Failure> {
        let record = self.record();
        let job = &record.spec.job;
        let secrets = self.context.store.secrets::<ScheduleRecord>(record.name());
        let secrets: Secrets = secrets.map_err(|error| {
            super::collection::internal("the schedule's secrets cannot be read", &error)
        })?;
        let mut env = job.env.clone();
        env.extend(BTreeMap::from([
            ("MLINFRA_TRIGGER".to_owned(), trigger.to_owned()),
            ("MLINFRA_FIRED_AT".to_owned(), at.to_string()),
        ]));
        let name = format!("{}-{}", record.name(), at.strftime("%Y%m%dT%H%M%S%.fZ"));
        let spec = JobSpec {
            name: name.clone(),
            command: job.command.clone(),
            env,
            secret_env: secrets,
            working_dir: job.working_dir.clone(),
            spec: job.spec.clone(),
            timeout_ms: job.timeout_ms,
            stop_grace_ms: 10_000,
            run_id: None,
        };
        self.jobs.begin(
            Create {
                token: format!("schedule:{name}"),
                spec,
            },
            Some(record.name().to_owned()),
        )
    }

    /// Forgets the oldest firings beyond those that are remembered.
    fn forget_old(&self) {
        let jobs = self.jobs.of_schedule(locked(&self.record).name());
        let surplus = jobs.len().saturating_sub(REMEMBERED);
        for job in jobs.into_iter().filter(|job| !runs(job)).take(surplus) {
            let jobs = Arc::clone(&self.jobs);
            tokio::spawn(async move {
                let record = job.record();
                if let Err(failure) = jobs.delete(record.name()).await {
                    tracing::warn!(job = record.name(), %failure, "an old firing cannot be forgotten");
                }
            });
        }
    }
}

fn firing(record: &JobRecord) -> Firing {
    let at = record
        .spec
        .env
        .get("MLINFRA_FIRED_AT")
        .and_then(|at| at.parse().ok());
    Firing {
        at: at.unwrap_or(record.created),
        job: record.name().to_owned(),
        status: record.status.clone(),
    }
}
