//! Waits for its turn: one process at a time computes what has one address.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::error::RunError;

/// How often the lock is tried.
const LOOK: Duration = Duration::from_millis(100);

/// A held lock; it is released when this is dropped, or when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, after `waiting` has been told once that another process holds it.
    pub(crate) async fn acquire(path: &Path, waiting: impl FnOnce()) -> Result<Self, RunError> {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let file = opened.map_err(RunError::file("open", path))?;
        let mut waiting = Some(waiting);
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(Errno::WOULDBLOCK) => {
                    if let Some(waiting) = waiting.take() {
                        waiting();
                    }
                    tokio::time::sleep(LOOK).await;
                }
                Err(error) => return Err(RunError::file("lock", path)(error.into())),
            }
        }
    }
}
