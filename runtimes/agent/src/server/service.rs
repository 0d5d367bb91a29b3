//! Keeps one service running.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::backoff::Backoff;
use super::context::Context;
use super::run::{Found, Run};
use super::shim::{Pids, Process};
use super::store::Record;
use super::{health, locked, logs};
use crate::messages::{Exit, Secrets, ServiceSpec, ServiceStatus, ServiceView};
use crate::port;

/// A service that ran this long is sound, and its next failure is its first.
const STABLE: Duration = Duration::from_secs(10);

/// How long to wait before stopping is tried again.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// What is kept of a service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceRecord {
    pub(super) token: String,
    pub(super) spec: ServiceSpec,
    pub(super) secret_env_names: Vec<String>,
    pub(super) port: u16,
    pub(super) created: Timestamp,
    /// Which run is the present one; none before the first.
    run: u64,
    started: Option<Timestamp>,
    restarts: u64,
    last_exit: Option<Exit>,
    /// Set before a service is stopped for good, so that a kill does not bring it back.
    pub(super) deleting: bool,
}

impl ServiceRecord {
    /// A service that has never run. The spec comes without its secrets.
    pub(super) fn new(
        token: String,
        spec: ServiceSpec,
        secret_env_names: Vec<String>,
        port: u16,
    ) -> Self {
        Self {
            token,
            spec,
            secret_env_names,
            port,
            created: Timestamp::now(),
            run: 0,
            started: None,
            restarts: 0,
            last_exit: None,
            deleting: false,
        }
    }
}

impl Record for ServiceRecord {
    const KIND: &'static str = "service";

    fn name(&self) -> &str {
        &self.spec.name
    }
}

/// What is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Run,
    Stop,
}

/// What is, as far as it is not kept.
#[derive(Debug, Clone)]
struct Live {
    status: ServiceStatus,
    pids: Option<Pids>,
    last_error: Option<String>,
    /// The spec changed, and the task that keeps the service has not seen it yet.
    changed: bool,
}

/// A service and the task that keeps it running.
pub(super) struct Service {
    context: Arc<Context>,
    record: Mutex<ServiceRecord>,
    live: Mutex<Live>,
    goal: watch::Sender<Goal>,
    /// How stopping went, once it is over.
    stopped: watch::Sender<Option<Result<(), String>>>,
}

/// Why a running service needs something done.
enum Turn {
    /// Its process ended.
    Ended(io::Result<Exit>),
    /// It does not answer well.
    Unhealthy(String),
    /// The spec or the goal changed.
    Changed,
}

impl Service {
    /// Begins to keep a service running; what an earlier agent started is found and kept.
    pub(super) fn start(context: Arc<Context>, record: ServiceRecord) -> Arc<Self> {
        let goal = if record.deleting {
            Goal::Stop
        } else {
            Goal::Run
        };
        let live = Live {
            status: ServiceStatus::Starting,
            pids: None,
            last_error: None,
            changed: false,
        };
        let service = Arc::new(Self {
            context,
            record: Mutex::new(record),
            live: Mutex::new(live),
            goal: watch::Sender::new(goal),
            stopped: watch::Sender::new(None),
        });
        tokio::spawn(Arc::clone(&service).supervise());
        service
    }

    /// What is kept of it.
    pub(super) fn record(&self) -> ServiceRecord {
        locked(&self.record).clone()
    }

    /// How it is, for callers.
    pub(super) fn view(&self, with_log: bool) -> ServiceView {
        let (record, live) = (self.record(), locked(&self.live).clone());
        let log = self.log(&record);
        let pid = live
            .pids
            .and_then(|pids| pids.command)
            .map(|command| command.pid);
        ServiceView {
            log_tail: if with_log {
                logs::tail(&log)
            } else {
                Vec::new()
            },
            log,
            token: record.token,
            // What was healthy is not what is asked for now.
            status: if live.changed {
                ServiceStatus::Starting
            } else {
                live.status
            },
            port: record.port,
            pid,
            restarts: record.restarts,
            last_exit: record.last_exit,
            last_error: live.last_error,
            started: record.started.filter(|_| pid.is_some()),
            secret_env_names: record.secret_env_names,
            spec: record.spec,
        }
    }

    /// Takes a changed spec, which has been written down.
    pub(super) fn update(&self, change: impl FnOnce(&mut ServiceRecord)) -> io::Result<()> {
        self.change(change)?;
        locked(&self.live).changed = true;
        self.goal.send_modify(|_| {});
        Ok(())
    }

    /// Stops it and waits until nothing of it runs.
    pub(super) async fn stop(&self) -> io::Result<()> {
        self.goal.send_replace(Goal::Stop);
        let mut stopped = self.stopped.subscribe();
        let outcome = stopped
            .wait_for(Option::is_some)
            .await
            .map_err(io::Error::other)?
            .clone();
        outcome.unwrap_or(Ok(())).map_err(io::Error::other)
    }

    /// Kills what runs of it, without a look at the disk.
    pub(super) fn kill(&self) {
        let command = locked(&self.live)
            .pids
            .clone()
            .and_then(|pids| pids.command);
        let _ = command.map(|command| command.signal_group(Signal::KILL));
    }

    /// Removes what a stopped service left.
    pub(super) fn remove(&self) -> io::Result<()> {
        let record = self.record();
        super::durable::remove_folder(
            &self.context.layout.runs(ServiceRecord::KIND, record.name()),
        )?;
        logs::remove(&self.log(&record))?;
        self.context.store.remove::<ServiceRecord>(record.name())
    }

    /// Its log.
    pub(super) fn log(&self, record: &ServiceRecord) -> PathBuf {
        self.context.layout.log(ServiceRecord::KIND, record.name())
    }

    fn change(&self, change: impl FnOnce(&mut ServiceRecord)) -> io::Result<()> {
        let mut record = locked(&self.record);
        let mut changed = record.clone();
        change(&mut changed);
        self.context.store.save(&changed)?;
        *record = changed;
        Ok(())
    }

    fn set(&self, status: ServiceStatus, pids: Option<&Pids>) {
        let mut live = locked(&self.live);
        (live.status, live.pids) = (status, pids.cloned());
    }

    fn complain(&self, error: impl Into<String>) {
        locked(&self.live).last_error = Some(error.into());
    }

    /// Until the changed spec has been looked at, nothing is known of how the service is under it.
    fn take_change(&self) {
        let mut live = locked(&self.live);
        if std::mem::take(&mut live.changed) {
            (live.status, live.last_error) = (ServiceStatus::Starting, None);
        }
    }

    async fn supervise(self: Arc<Self>) {
        let mut goal = self.goal.subscribe();
        let mut backoff = Backoff::new();
        loop {
            let wanted = *goal.borrow_and_update();
            self.take_change();
            if wanted == Goal::Stop {
                self.finish().await;
                return;
            }
            match self.bring_up().await {
                Ok((run, pids)) => match self.keep(&run, &pids, &mut goal, &mut backoff).await {
                    Turn::Changed => continue,
                    Turn::Ended(Ok(exit)) => self.complain(format!("its process ended: {exit}")),
                    Turn::Ended(Err(error)) => {
                        self.complain(format!("its process cannot be watched: {error}"))
                    }
                    Turn::Unhealthy(reason) => self.put_down(&run, &pids, reason).await,
                },
                Err(error) => self.complain(error.to_string()),
            }
            self.set(ServiceStatus::BackingOff, None);
            tokio::select! {
                () = tokio::time::sleep(backoff.after_failure()) => {}
                _ = goal.changed() => {}
            }
        }
    }

    /// Watches the running process until something has to be done.
    async fn keep(
        &self,
        run: &Run,
        pids: &Pids,
        goal: &mut watch::Receiver<Goal>,
        backoff: &mut Backoff,
    ) -> Turn {
        let record = self.record();
        let health = async {
            match &record.spec.health {
                Some(check) => {
                    self.set(ServiceStatus::Starting, Some(pids));
                    let well = || {
                        self.set(ServiceStatus::Healthy, Some(pids));
                        locked(&self.live).last_error = None;
                    };
                    health::watch(check, record.port, well, |reason| self.complain(reason)).await
                }
                None => {
                    self.set(ServiceStatus::Healthy, Some(pids));
                    std::future::pending().await
                }
            }
        };
        let stable = async {
            tokio::time::sleep(STABLE).await;
            backoff.reset();
            std::future::pending().await
        };
        tokio::select! {
            exit = run.wait(pids) => Turn::Ended(exit),
            reason = health => Turn::Unhealthy(reason),
            _ = goal.changed() => Turn::Changed,
            () = stable => Turn::Changed,
        }
    }

    /// Stops a process that does not answer well.
    async fn put_down(&self, run: &Run, pids: &Pids, reason: String) {
        self.complain(&reason);
        self.set(ServiceStatus::Unhealthy, Some(pids));
        let grace = Duration::from_millis(self.record().spec.stop_grace_ms);
        if let Err(error) = run.stop(pids, grace).await {
            self.complain(format!("{reason}; and it cannot be stopped: {error}"));
        }
    }

    /// The run that is to be: the present one when it runs what the spec says, else a new one.
    async fn bring_up(&self) -> io::Result<(Run, Pids)> {
        let record = self.record();
        let desired = self.process(&record)?;
        let errors = self.context.layout.agent_log();
        let present = self.run(record.run);
        let same = present.process().is_some_and(|process| process == desired);
        if same {
            let found = match present.found().await? {
                Found::Prepared => present.begin(&errors).await?,
                found => found,
            };
            if let Found::Running(pids) = found {
                return Ok((present, pids));
            }
        }
        let exit = present
            .end(Duration::from_millis(record.spec.stop_grace_ms), &errors)
            .await?;
        if let Err(taken) = port::check(record.port)? {
            return Err(io::Error::other(taken.to_string()));
        }
        present.remove()?;
        self.change(|record| {
            // A run that was ended because the spec changed is not a restart.
            record.restarts += u64::from(exit.is_some() && same);
            record.last_exit = exit.or_else(|| record.last_exit.take());
            record.run += 1;
            record.started = Some(Timestamp::now());
        })?;
        let run = self.run(record.run + 1);
        run.prepare(&desired)?;
        match run.begin(&errors).await? {
            Found::Running(pids) => Ok((run, pids)),
            Found::Ended(exit) => Err(io::Error::other(exit.to_string())),
            other => Err(io::Error::other(format!(
                "the run is {other:?} after it began"
            ))),
        }
    }

    /// Stops whatever runs, for good. Who waits hears of a failure, and it is tried again all the same.
    async fn finish(&self) {
        let record = self.record();
        let grace = Duration::from_millis(record.spec.stop_grace_ms);
        let errors = self.context.layout.agent_log();
        while let Err(error) = self.run(record.run).end(grace, &errors).await {
            self.complain(error.to_string());
            self.stopped.send_replace(Some(Err(error.to_string())));
            tokio::time::sleep(AFTER_ERROR).await;
        }
        self.set(ServiceStatus::Stopped, None);
        self.stopped.send_replace(Some(Ok(())));
    }

    fn run(&self, number: u64) -> Run {
        let folder = self
            .context
            .layout
            .runs(ServiceRecord::KIND, locked(&self.record).name());
        Run::at(folder.join(number.to_string()))
    }

    /// What the spec says is to run.
    fn process(&self, record: &ServiceRecord) -> io::Result<Process> {
        let secrets: Secrets = self.context.store.secrets::<ServiceRecord>(record.name())?;
        let port = record.port.to_string();
        let fill = |text: &String| text.replace("{port}", &port);
        let env: BTreeMap<String, String> = record
            .spec
            .env
            .iter()
            .map(|(name, value)| (name.clone(), fill(value)))
            .collect();
        Ok(Process {
            command: record.spec.command.iter().map(fill).collect(),
            env: self.context.environment([&env, secrets.reveal()]),
            working_dir: self.context.working_dir(record.spec.working_dir.as_ref()),
            log: self.log(record),
        })
    }
}
