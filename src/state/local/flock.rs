//! The lock of a local state: one of the operating system on a file that says who holds it.
//!
//! The system frees it when its holder dies, however that happens, and never before. So the file
//! stays, and what it says counts only while it is locked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::StatePaths;
use crate::state::lock::{Holder, LockError};
use crate::state::store::Lock;

/// A lock that this process holds.
#[derive(Debug)]
pub(super) struct Held {
    file: File,
    holder: Holder,
}

impl Lock for Held {
    fn holder(&self) -> &Holder {
        &self.holder
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // What it says no longer counts; it would only puzzle whoever looks.
        let _ = self.file.set_len(0);
        // Closing the file is not enough: a process that is being started this very moment has a
        // copy of it until it runs its own program.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// Takes the lock.
pub(super) fn take(paths: &StatePaths, holder: Holder) -> Result<Held, LockError> {
    let failed = |cause| LockError::Io {
        place: paths.lock.display().to_string(),
        cause,
    };
    let Some(file) = try_lock(&paths.lock, true).map_err(failed)? else {
        return Err(taken(paths));
    };
    let mut held = Held { file, holder };
    say(&mut held).map_err(failed)?;
    Ok(held)
}

/// Removes what a dead holder left behind.
pub(super) fn force(paths: &StatePaths, id: &str) -> Result<Holder, LockError> {
    let failed = |cause| LockError::Io {
        place: paths.lock.display().to_string(),
        cause,
    };
    let nothing = || LockError::NotLocked {
        place: paths.snapshot.display().to_string(),
    };
    let mut file = match try_lock(&paths.lock, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(nothing()),
        Err(error) => return Err(failed(error)),
        Ok(None) => return Err(taken(paths)),
        Ok(Some(file)) => file,
    };
    let holder = said(&mut file).map_err(failed)?.ok_or_else(nothing)?;
    if holder.id != id {
        return Err(LockError::OtherId {
            given: id.to_owned(),
            holder: Box::new(holder),
        });
    }
    file.set_len(0).map_err(failed)?;
    Ok(holder)
}

/// The locked file; `None` when someone else has it.
fn try_lock(path: &Path, create: bool) -> io::Result<Option<File>> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(create)
            .mode(0o600)
            .open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // Someone may have removed the file meanwhile: then the lock is on no file anyone finds.
        let here = file.metadata()?;
        match fs::metadata(path) {
            Ok(there) if (there.dev(), there.ino()) == (here.dev(), here.ino()) => {
                return Ok(Some(file));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

fn say(held: &mut Held) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(&held.holder)?;
    held.file.set_len(0)?;
    held.file.rewind()?;
    held.file.write_all(&text)
}

fn said(file: &mut File) -> io::Result<Option<Holder>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes).ok())
}

/// Who has the lock. They may be about to write it down: that is a matter of microseconds.
fn taken(paths: &StatePaths) -> LockError {
    let deadline = Instant::now() + Duration::from_millis(100);
    let mut holder = None;
    while holder.is_none() && Instant::now() < deadline {
        holder = File::open(&paths.lock)
            .and_then(|mut file| said(&mut file))
            .ok()
            .flatten();
        if holder.is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    LockError::Taken {
        place: paths.snapshot.display().to_string(),
        holder: holder.map(Box::new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_being_started_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let paths = StatePaths::in_dir(dir.path());
        let held = take(&paths, Holder::new("apply", "ada@example")).unwrap();
        // What a child has between being forked and running its program.
        let copy = held.file.try_clone().unwrap();
        drop(held);
        take(&paths, Holder::new("plan", "ada@example")).unwrap();
        drop(copy);
    }
}
