//! The guard: a tiny process that brings the agent back when it dies. The agent does the same for it.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use super::durable;
use super::lock::Lock;
use crate::layout::Layout;
use crate::process::ProcessId;

/// The first wait before an agent that ended is started again.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The longest such wait, for agents that were killed.
const LONGEST_WAIT: Duration = Duration::from_millis(1_000);

/// The longest wait for agents that end by themselves, as when the disk is full.
const LONGEST_WAIT_AFTER_ERROR: Duration = Duration::from_secs(30);

/// An agent that lived this long counts as sound.
const SOUND_AFTER: Duration = Duration::from_secs(5);

/// The log of agent and guard is cut when it has grown beyond this.
const LONGEST_LOG: u64 = 1 << 20;

/// The guard itself. Returns when another guard is there, or when the agent's folder is gone.
pub(super) fn run(directory: &Path) -> io::Result<()> {
    let _ = rustix::process::setsid();
    let layout = Layout::new(directory);
    let Some(lock) = Lock::try_acquire(&layout.guard_lock())? else {
        return Ok(());
    };
    durable::write_json(&layout.guard_pid(), &ProcessId::current()?)?;
    let mut wait = FIRST_WAIT;
    while lock.is_in_place()? {
        let begun = Instant::now();
        let killed = match durable::read_json::<ProcessId>(&layout.agent_pid()) {
            Ok(Some(agent)) if agent.is_alive() => {
                await_end(&agent)?;
                true
            }
            _ => spawn_agent(&layout)?,
        };
        if begun.elapsed() >= SOUND_AFTER {
            wait = FIRST_WAIT;
        }
        std::thread::sleep(wait);
        wait = (wait * 2).min(if killed {
            LONGEST_WAIT
        } else {
            LONGEST_WAIT_AFTER_ERROR
        });
    }
    Ok(())
}

/// Waits for an agent that is not our child.
fn await_end(agent: &ProcessId) -> io::Result<()> {
    let Some(fd) = agent.pidfd()? else {
        return Ok(());
    };
    loop {
        match rustix::event::poll(&mut [PollFd::new(&fd, PollFlags::IN)], None) {
            Err(rustix::io::Errno::INTR) => {}
            result => return result.map(drop).map_err(Into::into),
        }
    }
}

/// Starts the agent and waits for its end; says whether it was killed.
fn spawn_agent(layout: &Layout) -> io::Result<bool> {
    let path = layout.agent_log();
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)?;
    if log.metadata()?.len() > LONGEST_LOG {
        std::fs::copy(&path, path.with_extension("log.1"))?;
        log.set_len(0)?;
    }
    let mut command = Command::new(super::own_path());
    command
        .arg0(super::PROGRAM)
        .arg("agent")
        .arg("--dir")
        .arg(layout.directory());
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command.status()?.code().is_none())
}
