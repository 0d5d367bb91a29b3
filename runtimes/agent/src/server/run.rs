//! One run of a command under a shim, as the agent sees it: begin, find again, wait, stop.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::Signal;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

use super::durable;
use super::lock::Lock;
use super::shim::{self, Pids, Process};
use crate::messages::Exit;
use crate::process::{ProcessId, Stat};

/// How long a shim may take to say that it began, and a killed process to vanish.
const DEADLINE: Duration = Duration::from_secs(20);

/// How long to wait between two looks at what changes at once.
const LOOK: Duration = Duration::from_millis(5);

/// The folder of one run.
#[derive(Debug, Clone)]
pub(super) struct Run {
    folder: PathBuf,
}

/// What is known of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// There is no such run.
    Absent,
    /// It is to be begun, or a shim is about to.
    Prepared,
    /// Its command runs.
    Running(Pids),
    /// Its command has ended.
    Ended(Exit),
}

impl Run {
    /// The run in this folder, whatever there is.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes down what to run.
    pub(super) fn prepare(&self, process: &Process) -> io::Result<()> {
        durable::make_folder(&self.folder)?;
        if let Some(folder) = process.log.parent() {
            durable::make_folder(folder)?;
        }
        durable::write_json(&self.folder.join(shim::PROCESS), process)
    }

    /// What it was told to run; `None` when that cannot be told any more.
    pub(super) fn process(&self) -> Option<Process> {
        durable::read_json(&self.folder.join(shim::PROCESS))
            .ok()
            .flatten()
    }

    /// A file of this run.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Looks how it is. Finds a shim that was killed, ends what it left, and counts the run as ended.
    pub(super) async fn found(&self) -> io::Result<Found> {
        if let Some(exit) = durable::read_json(&self.folder.join(shim::EXIT))? {
            return Ok(Found::Ended(exit));
        }
        let pids: Option<Pids> = durable::read_json(&self.folder.join(shim::PIDS))?;
        match pids {
            None if self.folder.join(shim::PROCESS).exists() => Ok(Found::Prepared),
            None => Ok(Found::Absent),
            Some(pids) if pids.shim.is_alive() => Ok(if pids.command.is_some() {
                Found::Running(pids)
            } else {
                Found::Prepared
            }),
            Some(pids) => self.lost(&pids).await.map(Found::Ended),
        }
    }

    /// The shim is no more; it may have written the exit just before.
    async fn lost(&self, pids: &Pids) -> io::Result<Exit> {
        if let Some(exit) = durable::read_json(&self.folder.join(shim::EXIT))? {
            return Ok(exit);
        }
        kill_session(&pids.shim).await?;
        let error =
            Some("the process that watched it was killed, so how it ended is not known".to_owned());
        let exit = Exit {
            code: None,
            signal: None,
            error,
            at: Timestamp::now(),
        };
        durable::write_json(&self.folder.join(shim::EXIT), &exit)?;
        Ok(exit)
    }

    /// Begins the prepared run, unless it has begun. What an earlier agent began is found, not begun again.
    pub(super) async fn begin(&self, errors: &Path) -> io::Result<Found> {
        let deadline = Instant::now() + DEADLINE;
        let mut shim: Option<tokio::task::JoinHandle<()>> = None;
        loop {
            match self.found().await? {
                Found::Prepared if Instant::now() < deadline => {}
                Found::Prepared => return Err(io::Error::other("the shim did not begin in time")),
                found => return Ok(found),
            }
            if shim
                .as_ref()
                .is_none_or(tokio::task::JoinHandle::is_finished)
            {
                shim = Some(self.spawn_shim(errors)?);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn spawn_shim(&self, errors: &Path) -> io::Result<tokio::task::JoinHandle<()>> {
        let errors = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(errors)?;
        let mut command = super::own_program();
        command.arg("shim").arg("--run").arg(&self.folder);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors);
        let mut child = command.spawn()?;
        Ok(tokio::spawn(async move {
            // Waiting only buries it: how the command ended stands in a file.
            let _ = child.wait().await;
        }))
    }

    /// Waits for the end of a running run.
    pub(super) async fn wait(&self, pids: &Pids) -> io::Result<Exit> {
        ended(&pids.shim).await?;
        match self.found().await? {
            Found::Ended(exit) => Ok(exit),
            other => Err(io::Error::other(format!(
                "the shim ended and left its run {other:?}"
            ))),
        }
    }

    /// Ends a running run: SIGTERM to the command's group, after `grace` SIGKILL.
    pub(super) async fn stop(&self, pids: &Pids, grace: Duration) -> io::Result<Exit> {
        let Some(command) = &pids.command else {
            return self.wait(pids).await;
        };
        command.signal_group(Signal::TERM)?;
        if let Ok(exit) = tokio::time::timeout(grace, self.wait(pids)).await {
            return exit;
        }
        command.signal_group(Signal::KILL)?;
        match tokio::time::timeout(DEADLINE, self.wait(pids)).await {
            Ok(exit) => exit,
            Err(_) => Err(io::Error::other(format!(
                "process {} does not end, even by SIGKILL",
                command.pid
            ))),
        }
    }

    /// Ends the run whatever state it is in.
    pub(super) async fn end(&self, grace: Duration, errors: &Path) -> io::Result<Option<Exit>> {
        let found = match self.found().await? {
            Found::Prepared => self.forestall()?,
            found => found,
        };
        let found = match found {
            // A shim is about to start the command: what is begun can be stopped.
            Found::Prepared => self.begin(errors).await?,
            found => found,
        };
        match found {
            Found::Running(pids) => self.stop(&pids, grace).await.map(Some),
            Found::Ended(exit) => Ok(Some(exit)),
            Found::Absent | Found::Prepared => Ok(None),
        }
    }

    /// Ends a run that no shim has taken up, so that none ever will.
    fn forestall(&self) -> io::Result<Found> {
        let Some(_lock) = Lock::try_acquire(&self.folder.join(shim::PROCESS))? else {
            return Ok(Found::Prepared);
        };
        if self.folder.join(shim::PIDS).exists() {
            return Ok(Found::Prepared);
        }
        let error = Some("it was stopped before it began".to_owned());
        let exit = Exit {
            code: None,
            signal: None,
            error,
            at: Timestamp::now(),
        };
        durable::write_json(&self.folder.join(shim::EXIT), &exit)?;
        Ok(Found::Ended(exit))
    }

    /// Forgets the run.
    pub(super) fn remove(&self) -> io::Result<()> {
        durable::remove_folder(&self.folder)
    }
}

/// Waits until this very process has ended.
#[expect(
    deprecated,
    reason = "the safe constructor; an owned descriptor keeps what the unsafe one asks for"
)]
pub(super) async fn ended(process: &ProcessId) -> io::Result<()> {
    if let Some(fd) = process.pidfd()? {
        AsyncFd::with_interest(fd, tokio::io::Interest::READABLE)?
            .readable()
            .await?
            .retain_ready();
    }
    Ok(())
}

/// Kills all that is left of the session that a dead shim led.
async fn kill_session(shim: &ProcessId) -> io::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let all = Stat::all()?;
        // The number of a session is not given to a new process while the session has members. So where the number
        // has been given away, or the machine has been started anew, nothing is left of the session.
        let reused = all
            .iter()
            .any(|stat| stat.pid == shim.pid && stat.start != shim.start);
        let members = all
            .iter()
            .filter(|stat| stat.session == shim.pid && stat.start >= shim.start && !stat.zombie);
        let members: Vec<ProcessId> = members
            .filter_map(|stat| ProcessId::of(stat.pid).ok())
            .collect();
        let members: Vec<ProcessId> = members
            .into_iter()
            .filter(|member| member.boot == shim.boot)
            .collect();
        if reused || members.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(io::Error::other(format!(
                "process {} does not end, even by SIGKILL",
                shim.pid
            )));
        }
        for member in members {
            member.signal(Signal::KILL)?;
        }
        tokio::time::sleep(LOOK).await;
    }
}
