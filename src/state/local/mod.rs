//! A state in local files.

pub(super) mod files;
mod flock;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use self::files::Files;
use super::StoreError;
use super::load::blocking;
use super::lock::{Holder, LockError};
use super::store::{Lock, Store, Stored};

/// The files of a state. All lie in one directory, because they take each other's places.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatePaths {
    /// The snapshot.
    pub snapshot: PathBuf,
    /// The journal that extends it.
    pub journal: PathBuf,
    /// The snapshot before it.
    pub backup: PathBuf,
    /// The journal that led from the snapshot before it to this one.
    pub backup_journal: PathBuf,
    /// The lock.
    pub lock: PathBuf,
}

impl StatePaths {
    /// The files by their usual names.
    pub fn in_dir(dir: &Path) -> StatePaths {
        StatePaths::beside(&dir.join("mlinfra.state.json"))
    }

    /// The files of the snapshot of that name: `a.json`, `a.journal`, `a.backup.json`,
    /// `a.backup.journal`, `a.lock`.
    pub fn beside(snapshot: &Path) -> StatePaths {
        let name = snapshot.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.strip_suffix(".json").unwrap_or(&name);
        let file = |ending: &str| snapshot.with_file_name(format!("{stem}.{ending}"));
        StatePaths {
            snapshot: snapshot.to_owned(),
            journal: file("journal"),
            backup: file("backup.json"),
            backup_journal: file("backup.journal"),
            lock: file("lock"),
        }
    }
}

/// A state in local files, readable by their owner alone. The lock is one of the operating system,
/// so that a process that dies lets go of it.
#[derive(Clone, Debug)]
pub struct LocalStore {
    files: Arc<Files>,
}

impl LocalStore {
    /// A state in these files; none needs to be there.
    pub fn new(paths: StatePaths) -> LocalStore {
        LocalStore {
            files: Arc::new(Files::new(paths)),
        }
    }

    #[cfg(test)]
    pub(super) fn faults(&self) -> &files::faults::Faults {
        &self.files.faults
    }

    /// Does one thing with the files, on a thread that may wait for the disk.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let files = self.files.clone();
        blocking(move || work(&files)).await
    }
}

#[async_trait]
impl Store for LocalStore {
    fn place(&self) -> String {
        self.files.paths.snapshot.display().to_string()
    }

    fn journal_place(&self) -> String {
        self.files.paths.journal.display().to_string()
    }

    fn backup_place(&self) -> String {
        self.files.paths.backup.display().to_string()
    }

    async fn lock(&self, holder: &Holder) -> Result<Box<dyn Lock>, LockError> {
        let (files, holder) = (self.files.clone(), holder.clone());
        let held = blocking(move || flock::take(&files.paths, holder)).await?;
        Ok(Box::new(held))
    }

    async fn force_unlock(&self, id: &str) -> Result<Holder, LockError> {
        let (files, id) = (self.files.clone(), id.to_owned());
        blocking(move || flock::force(&files.paths, &id)).await
    }

    async fn read(&self) -> Result<Stored, StoreError> {
        self.with(|files| {
            let journal = files.read(&files.paths.journal)?;
            let snapshot = files.read(&files.paths.snapshot)?;
            Ok(Stored { snapshot, journal })
        })
        .await
    }

    async fn read_backup(&self) -> Result<Stored, StoreError> {
        self.with(|files| {
            let journal = files.read(&files.paths.backup_journal)?;
            let snapshot = files.read(&files.paths.backup)?;
            Ok(Stored { snapshot, journal })
        })
        .await
    }

    async fn remove(&self) -> Result<(), StoreError> {
        self.with(Files::remove).await
    }

    async fn start_journal(&self, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.with(move |files| files.start_journal(&bytes)).await
    }

    async fn append(&self, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.with(move |files| files.append(&bytes)).await
    }

    async fn commit(&self, snapshot: Vec<u8>) -> Result<(), StoreError> {
        self.with(move |files| files.commit(&snapshot)).await
    }

    async fn retire_journal(&self) -> Result<(), StoreError> {
        self.with(Files::retire_journal).await
    }

    async fn discard_journal(&self) -> Result<(), StoreError> {
        self.with(Files::discard_journal).await
    }

    async fn restore(&self, snapshot: Vec<u8>) -> Result<Vec<String>, StoreError> {
        self.with(move |files| files.restore(&snapshot)).await
    }
}
