//! The orchestrator: the agent itself, its guard, and the shims that its processes run under.

mod agent;
mod api;
mod backoff;
mod collection;
mod context;
mod durable;
mod events;
mod guard;
mod health;
mod job;
mod jobs;
mod lock;
mod logs;
mod run;
mod schedule;
mod schedules;
mod service;
mod services;
mod shim;
mod store;
mod verdict;

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs the agent of a configuration directory until it is told to shut down. Returns at once when one runs already.
///
/// # Errors
/// When its folder or its socket cannot be used.
pub async fn agent(directory: &Path) -> io::Result<()> {
    agent::run(directory).await
}

/// Runs the guard of a configuration directory. Returns at once when one runs already.
///
/// # Errors
/// When its folder cannot be used.
pub fn guard(directory: &Path) -> io::Result<()> {
    guard::run(directory)
}

/// Runs the command that a run's folder describes. Returns at once when it has been run already.
///
/// # Errors
/// When the folder cannot be used.
pub fn shim(run: &Path) -> io::Result<()> {
    shim::run(run)
}

/// The name that processes of this program go by.
const PROGRAM: &str = "mlinfra-runtime";

/// The kernel's link to the running program; in a new process it still leads to the program that started it.
const RUNNING: &str = "/proc/self/exe";

/// The path of this very program: its own while that still leads there, because a process is listed under it.
fn own_path() -> PathBuf {
    let identity = |path: &Path| {
        let found = std::fs::metadata(path)?;
        io::Result::Ok((found.dev(), found.ino()))
    };
    let running = Path::new(RUNNING);
    let own = std::fs::read_link(running).ok().filter(|own| {
        identity(own).is_ok_and(|found| identity(running).is_ok_and(|running| running == found))
    });
    own.unwrap_or_else(|| running.to_path_buf())
}

/// This very program, even after its file has been replaced by another release.
fn own_program() -> tokio::process::Command {
    let mut command = tokio::process::Command::new(own_path());
    command.arg0(PROGRAM).current_dir("/");
    command
}

/// Locks; whoever panicked while holding the lock had changed single fields only, so the value is still sound.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
