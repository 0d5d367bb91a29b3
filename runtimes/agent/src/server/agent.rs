//! The life of the agent: one per directory, back after every death, gone without a trace when told to.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::time::Instant;

use super::collection::internal;
use super::context::Context;
use super::jobs::Jobs;
use super::lock::Lock;
use super::schedules::Schedules;
use super::services::Services;
use super::{api, durable, locked, logs, run};
use crate::layout::Layout;
use crate::messages::{AgentInfo, Failure, FailureKind, PROTOCOL};
use crate::process::ProcessId;

/// How often logs are rotated and the agent's own folder is looked at.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// How long open connections may take to end at the very end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// How long a started guard may take to show itself.
const GUARD_DEADLINE: Duration = Duration::from_secs(2);

/// The agent of a directory.
pub(super) struct Agent {
    context: Arc<Context>,
    pub(super) services: Services,
    pub(super) jobs: Arc<Jobs>,
    pub(super) schedules: Schedules,
    started: Timestamp,
    guard: Mutex<Option<ProcessId>>,
    /// Nothing is begun any more.
    stopping: watch::Sender<bool>,
    /// Everything has ended but the agent itself.
    stopped: watch::Sender<bool>,
}

/// Runs the agent until it is told to shut down, or at once to the end when another one runs.
pub(super) async fn run(directory: &Path) -> io::Result<()> {
    let layout = Layout::new(directory);
    durable::make_folder(layout.root())?;
    let Some(lock) = Lock::try_acquire(&layout.agent_lock())? else {
        return Ok(());
    };
    durable::write_json(&layout.agent_pid(), &ProcessId::current()?)?;
    let context = Arc::new(Context::open(directory)?);
    finish_cut_shutdown(&context).await?;
    let agent = Agent::load(context)?;
    let listener = listen(&layout)?;
    let guard = tokio::spawn(Arc::clone(&agent).keep_guard());
    tokio::spawn(Arc::clone(&agent).resume_deletions());
    let mut stopped = agent.stopped.subscribe();
    let serving = axum::serve(listener, api::router(Arc::clone(&agent))).with_graceful_shutdown({
        let mut stopped = agent.stopped.subscribe();
        async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    });
    let over = async {
        let _ = stopped.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        result = serving.into_future() => result?,
        () = over => {}
        () = agent.keep_house(&lock) => {
            agent.abandon();
            return Ok(());
        }
    }
    guard.abort();
    durable::remove_folder(layout.root())
}

/// A shutdown that was cut short is brought to its end before anything new begins.
async fn finish_cut_shutdown(context: &Context) -> io::Result<()> {
    let layout = &context.layout;
    if !layout.stopping().exists() {
        return Ok(());
    }
    context.end_all_runs().await?;
    for part in ["objects", "secrets", "runs", "logs"] {
        durable::remove_folder(&layout.root().join(part))?;
    }
    durable::remove(&layout.stopping())
}

/// Opens the socket, mode 0600.
fn listen(layout: &Layout) -> io::Result<UnixListener> {
    durable::remove(&layout.root().join(Layout::SOCKET))?;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let root = rustix::fs::open(layout.root(), flags, Mode::empty())?;
    // The address of a socket holds 107 bytes at most; the way through the descriptor is short whatever the path is.
    let path = PathBuf::from(format!("/proc/self/fd/{}", root.as_raw_fd())).join(Layout::SOCKET);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

impl Agent {
    fn load(context: Arc<Context>) -> io::Result<Arc<Self>> {
        let jobs = Arc::new(Jobs::load(Arc::clone(&context))?);
        Ok(Arc::new(Self {
            services: Services::load(Arc::clone(&context))?,
            schedules: Schedules::load(Arc::clone(&context), Arc::clone(&jobs))?,
            jobs,
            context,
            started: Timestamp::now(),
            guard: Mutex::new(None),
            stopping: watch::Sender::new(false),
            stopped: watch::Sender::new(false),
        }))
    }

    /// How it introduces itself.
    pub(super) fn info(&self) -> AgentInfo {
        let damaged = [
            self.services.all.damaged(),
            self.jobs.all.damaged(),
            self.schedules.all.damaged(),
        ];
        AgentInfo {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: i32::try_from(std::process::id()).unwrap_or_default(),
            guard: locked(&self.guard)
                .as_ref()
                .filter(|guard| guard.is_alive())
                .map(|guard| guard.pid),
            directory: self.context.layout.directory().to_path_buf(),
            started: self.started,
            damaged: damaged.concat(),
        }
    }

    /// A failure while it shuts down: nothing may be changed any more.
    pub(super) fn accepts_changes(&self) -> Result<(), Failure> {
        if *self.stopping.borrow() {
            return Err(Failure::new(
                FailureKind::Stopping,
                "the agent is shutting down: try again in a moment",
            ));
        }
        Ok(())
    }

    /// Ends everything but the agent itself.
    pub(super) async fn shut_down(&self) -> Result<(), Failure> {
        let marked = durable::write(&self.context.layout.stopping(), b"");
        marked.map_err(|error| internal("the shutdown cannot be written down", &error))?;
        self.stopping.send_replace(true);
        for schedule in self.schedules.all.list() {
            schedule.stop();
        }
        let jobs = self.jobs.all.list();
        let services = self.services.all.list();
        let (jobs, services) = futures::join!(
            join_all(jobs.iter().map(|job| job.cancel())),
            join_all(services.iter().map(|service| service.stop()))
        );
        let ended = jobs.into_iter().chain(services).collect::<io::Result<()>>();
        ended.map_err(|error| internal("something cannot be stopped", &error))?;
        let ended = self.context.end_all_runs().await;
        ended.map_err(|error| internal("something cannot be stopped", &error))?;
        self.end_guard()
            .await
            .map_err(|error| internal("the guard cannot be stopped", &error))?;
        self.stopped.send_replace(true);
        Ok(())
    }

    async fn end_guard(&self) -> io::Result<()> {
        // A guard that cannot be found leaves by itself once the folder is gone.
        let Some(guard) = self.living_guard() else {
            return Ok(());
        };
        guard.signal(Signal::KILL)?;
        run::ended(&guard).await
    }

    /// The guard that has written itself down. An unreadable file is replaced by the next guard.
    fn living_guard(&self) -> Option<ProcessId> {
        let guard: io::Result<Option<ProcessId>> =
            durable::read_json(&self.context.layout.guard_pid());
        guard.ok().flatten().filter(ProcessId::is_alive)
    }

    /// Watches the guard and starts another one when it dies.
    async fn keep_guard(self: Arc<Self>) {
        let mut wait = Duration::from_millis(50);
        loop {
            let begun = Instant::now();
            if let Err(error) = self.watch_guard().await {
                tracing::warn!(%error, "the guard cannot be kept");
            }
            if *self.stopping.borrow() {
                return;
            }
            wait = if begun.elapsed() > HOUSEKEEPING {
                Duration::from_millis(50)
            } else {
                wait * 2
            };
            tokio::time::sleep(wait.min(Duration::from_secs(1))).await;
        }
    }

    /// Returns when the guard has ended, after having made sure that there was one.
    async fn watch_guard(&self) -> io::Result<()> {
        let mut guard = self.living_guard();
        if guard.is_none() {
            self.start_guard()?;
            let deadline = Instant::now() + GUARD_DEADLINE;
            while guard.is_none() && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(10)).await;
                guard = self.living_guard();
            }
        }
        *locked(&self.guard) = guard.clone();
        match guard {
            Some(guard) => run::ended(&guard).await,
            None => Err(io::Error::other("it was started and did not show itself")),
        }
    }

    fn start_guard(&self) -> io::Result<()> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.context.layout.agent_log())?;
        let mut command = super::own_program();
        command
            .arg("guard")
            .arg("--dir")
            .arg(self.context.layout.directory());
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        // Dropping the child leaves it running; tokio buries it when it ends.
        command.spawn().map(drop)
    }

    /// Rotates logs; returns when the agent's own folder has been taken away.
    async fn keep_house(&self, lock: &Lock) {
        loop {
            tokio::time::sleep(HOUSEKEEPING).await;
            if matches!(lock.is_in_place(), Ok(false)) {
                return;
            }
            for service in self.services.all.list() {
                let record = service.record();
                if let Err(error) = logs::rotate(&service.log(&record)) {
                    tracing::warn!(service = record.spec.name, %error, "a log cannot be rotated");
                }
            }
        }
    }

    /// Its folder is gone, and with it what was to be: what still runs belongs to no one.
    fn abandon(&self) {
        for job in self.jobs.all.list() {
            job.kill();
        }
        for service in self.services.all.list() {
            service.kill();
        }
    }

    /// Goes on with deletions that a kill cut short.
    async fn resume_deletions(self: Arc<Self>) {
        for name in self.schedules.half_deleted() {
            report("schedule", &name, self.schedules.delete(&name).await);
        }
        for name in self.jobs.half_deleted() {
            report("job", &name, self.jobs.delete(&name).await);
        }
        for name in self.services.half_deleted() {
            report("service", &name, self.services.delete(&name).await);
        }
    }
}

fn report(kind: &str, name: &str, outcome: Result<(), Failure>) {
    if let Err(failure) = outcome {
        tracing::warn!(kind, name, %failure, "a deletion cannot be finished");
    }
}
