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

use std::io;
use std::path::Path;
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

/// This very program, even after its file has been replaced by another release.
fn own_program() -> tokio::process::Command {
    // The kernel resolves the link in the new process, which is still this program then.
    let mut command = tokio::process::Command::new("/proc/self/exe");
    command.arg0("mlinfra-runtime").current_dir("/");
    command
}

/// Locks; whoever panicked while holding the lock had changed single fields only, so the value is still sound.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
