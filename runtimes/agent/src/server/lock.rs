//! A lock that only one process holds and that its death releases.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

/// A held lock.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock; `None` when another process holds it.
    pub(super) fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(path)?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            let lock = Self {
                file,
                path: path.to_path_buf(),
            };
            // The holder before may have removed the file meanwhile; then this lock is on a file that no one else finds.
            if lock.is_in_place()? {
                return Ok(Some(lock));
            }
        }
    }

    /// Whether the path still leads to the locked file.
    pub(super) fn is_in_place(&self) -> io::Result<bool> {
        let held = self.file.metadata()?;
        match std::fs::metadata(&self.path) {
            Ok(found) => Ok((found.dev(), found.ino()) == (held.dev(), held.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::try_acquire(&path).unwrap().unwrap();
        assert!(Lock::try_acquire(&path).unwrap().is_none());
        drop(held);
        assert!(Lock::try_acquire(&path).unwrap().is_some());
    }

    #[test]
    fn a_removed_lock_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::try_acquire(&path).unwrap().unwrap();
        assert!(held.is_in_place().unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(!held.is_in_place().unwrap());
        let other = Lock::try_acquire(&path).unwrap().unwrap();
        assert!(other.is_in_place().unwrap());
        assert!(
            !held.is_in_place().unwrap(),
            "another file of the same name is not the locked one"
        );
    }
}
