//! The shim: starts one command, waits for it, writes down how it ended, and leaves nothing of it behind.
//!
//! It knows nothing of services and jobs. It stands between the agent and the command so that the death of the agent
//! costs neither the process nor its exit status. A folder tells it what to run, and holds what it has to say:
//!
//! | file | content |
//! |---|---|
//! | `process.json` | the [`Process`] to start; locked by the shim that runs it |
//! | `pid.json` | the [`Pids`] of shim and command, first without the command |
//! | `exit.json` | how the command ended, written after everything it started is gone |
//!
//! The command of one folder is started at most once, however many shims are started for it.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, Signal, WaitOptions};
use serde::{Deserialize, Serialize};

use super::durable;
use super::lock::Lock;
use crate::messages::Exit;
use crate::process::{ProcessId, Stat};

/// The file with the [`Process`].
pub(super) const PROCESS: &str = "process.json";
/// The file with the [`Pids`].
pub(super) const PIDS: &str = "pid.json";
/// The file with the [`Exit`].
pub(super) const EXIT: &str = "exit.json";

/// How often orphans that the command left to the shim are looked for while it runs.
const REAP_INTERVAL: Duration = Duration::from_secs(30);

/// What to start.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Process {
    /// Program and arguments.
    pub(super) command: Vec<String>,
    /// The whole environment.
    pub(super) env: BTreeMap<String, String>,
    /// The folder to start in.
    pub(super) working_dir: PathBuf,
    /// The file that its output is appended to.
    pub(super) log: PathBuf,
}

/// Who runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pids {
    /// The shim, which leads the session of all that the command starts.
    pub(super) shim: ProcessId,
    /// The command, which leads a process group; absent just before it is started.
    pub(super) command: Option<ProcessId>,
}

/// The shim itself. Returns at once when another shim runs, or has run, this folder's command.
pub(super) fn run(folder: &Path) -> io::Result<()> {
    // A session of its own keeps terminals away and marks everything that the command starts.
    let _ = rustix::process::setsid();
    let me = ProcessId::current()?;
    rustix::process::set_child_subreaper(Pid::from_raw(me.pid))?;
    let Some(lock) = Lock::try_acquire(&folder.join(PROCESS))? else {
        return Ok(());
    };
    if folder.join(PIDS).exists() || folder.join(EXIT).exists() {
        return Ok(());
    }
    let process: Process =
        durable::read_json(&folder.join(PROCESS))?.ok_or(io::ErrorKind::NotFound)?;
    durable::write_json(
        &folder.join(PIDS),
        &Pids {
            shim: me.clone(),
            command: None,
        },
    )?;
    let exit = match start(&process) {
        Ok(mut child) => {
            let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
            // A command that has ended already has no identity any more, and needs none.
            let command = ProcessId::of(pid).ok();
            durable::write_json(
                &folder.join(PIDS),
                &Pids {
                    shim: me.clone(),
                    command,
                },
            )?;
            wait(&mut child, pid, me.pid)?
        }
        Err(error) => Exit {
            code: None,
            signal: None,
            error: Some(error),
            at: Timestamp::now(),
        },
    };
    clear(me.pid)?;
    durable::write_json(&folder.join(EXIT), &exit)?;
    drop(lock);
    Ok(())
}

fn start(process: &Process) -> Result<Child, String> {
    let (program, arguments) = process
        .command
        .split_first()
        .ok_or("the command is empty")?;
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&process.log);
    let log =
        log.map_err(|error| format!("cannot open the log {}: {error}", process.log.display()))?;
    let errors = log
        .try_clone()
        .map_err(|error| format!("cannot open the log twice: {error}"))?;
    if !process.working_dir.is_dir() {
        return Err(format!(
            "the working directory {} does not exist",
            process.working_dir.display()
        ));
    }
    Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(&process.env)
        .current_dir(&process.working_dir)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                let path = process.env.get("PATH").map_or("", String::as_str);
                format!("cannot start `{program}`: there is no such program (PATH is {path:?})")
            }
            _ => format!("cannot start `{program}`: {error}"),
        })
}

/// Waits for the command, and meanwhile buries orphans that it left to the shim.
fn wait(child: &mut Child, pid: i32, me: i32) -> io::Result<Exit> {
    let target = Pid::from_raw(pid).ok_or(io::ErrorKind::NotFound)?;
    let fd = rustix::process::pidfd_open(target, rustix::process::PidfdFlags::empty())?;
    let interval = Timespec::try_from(REAP_INTERVAL).map_err(io::Error::other)?;
    loop {
        match rustix::event::poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&interval)) {
            Ok(0) => reap(me, pid)?,
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let status = child.wait()?;
    Ok(Exit {
        code: status.code(),
        signal: status.signal(),
        error: None,
        at: Timestamp::now(),
    })
}

/// Buries children that have ended, except the command.
fn reap(me: i32, command: i32) -> io::Result<()> {
    for stat in Stat::all()? {
        if stat.parent == me && stat.zombie && stat.pid != command {
            rustix::process::waitpid(Pid::from_raw(stat.pid), WaitOptions::NOHANG)?;
        }
    }
    Ok(())
}

/// Kills what the command left running. As a killed process leaves its children to the shim, this goes on until the
/// shim has none.
fn clear(me: i32) -> io::Result<()> {
    loop {
        let children: Vec<i32> = Stat::all()?
            .iter()
            .filter(|stat| stat.parent == me)
            .map(|stat| stat.pid)
            .collect();
        if children.is_empty() {
            return Ok(());
        }
        for pid in children.into_iter().filter_map(Pid::from_raw) {
            // A child of ours keeps its pid until we have waited for it, so these two cannot hit another process.
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            match rustix::process::waitpid(Some(pid), WaitOptions::empty()) {
                Ok(_) | Err(rustix::io::Errno::CHILD | rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
