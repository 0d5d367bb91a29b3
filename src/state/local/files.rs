//! What is done with the files of a state, one step after the other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StatePaths;
use crate::state::{Doing, StoreError};

/// The files, and the journal as long as it is written.
#[derive(Debug)]
pub(in crate::state) struct Files {
    pub paths: StatePaths,
    journal: Mutex<Option<Journal>>,
    #[cfg(test)]
    pub faults: faults::Faults,
}

#[derive(Debug)]
struct Journal {
    file: File,
    /// How much of it was written whole.
    length: u64,
    /// A write failed in a way that leaves open what is on the disk.
    broken: bool,
}

/// One step towards a durable change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::state) enum Step {
    Write,
    Sync,
    Link,
    Rename,
    Remove,
    SyncDirectory,
}

impl Files {
    pub fn new(paths: StatePaths) -> Files {
        Files {
            paths,
            journal: Mutex::new(None),
            #[cfg(test)]
            faults: faults::Faults::default(),
        }
    }

    /// What a file holds; `None` when there is none.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let read = || -> io::Result<Option<Vec<u8>>> {
            let mut file = match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                file => file?,
            };
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        };
        read().map_err(failed(Doing::Read, path))
    }

    /// See [`crate::state::Store::start_journal`].
    pub fn start_journal(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let path = &self.paths.journal;
        let start = || -> io::Result<File> {
            let (temporary, file) = self.write_temporary(path, bytes)?;
            self.rename(&temporary, path)?;
            self.sync_directory()?;
            Ok(file)
        };
        let file = start().map_err(failed(Doing::WriteJournal, path))?;
        *self.journal() = Some(Journal {
            file,
            length: bytes.len() as u64,
            broken: false,
        });
        Ok(())
    }

    /// See [`crate::state::Store::append`].
    pub fn append(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let mut journal = self.journal();
        let mut append = || -> io::Result<()> {
            let Some(journal) = journal.as_mut().filter(|j| !j.broken) else {
                return Err(io::Error::other("an earlier write failed"));
            };
            if let Err(error) = self.write(&mut journal.file, bytes) {
                // What was written of it must not stand before the next record.
                journal.broken = journal.file.set_len(journal.length).is_err();
                return Err(error);
            }
            if let Err(error) = self.sync(&journal.file) {
                // After a failed fsync nobody knows what is on the disk, nor will another tell.
                journal.broken = true;
                return Err(error);
            }
            journal.length += bytes.len() as u64;
            Ok(())
        };
        append().map_err(failed(Doing::WriteJournal, &self.paths.journal))
    }

    /// See [`crate::state::Store::commit`].
    pub fn commit(&self, snapshot: &[u8]) -> Result<(), StoreError> {
        let path = &self.paths.snapshot;
        let write = failed(Doing::WriteSnapshot, path);
        let (temporary, _) = self.write_temporary(path, snapshot).map_err(&write)?;
        self.link(path, &self.paths.backup)
            .map_err(failed(Doing::WriteBackup, &self.paths.backup))?;
        self.rename(&temporary, path).map_err(&write)?;
        // The journal must not leave before its snapshot has come for certain.
        self.sync_directory().map_err(&write)?;
        self.retire_journal()
    }

    /// See [`crate::state::Store::retire_journal`].
    pub fn retire_journal(&self) -> Result<(), StoreError> {
        *self.journal() = None;
        let retire = || match self.rename(&self.paths.journal, &self.paths.backup_journal) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.sync_directory(),
        };
        retire().map_err(failed(Doing::WriteBackup, &self.paths.backup_journal))
    }

    /// See [`crate::state::Store::discard_journal`].
    pub fn discard_journal(&self) -> Result<(), StoreError> {
        *self.journal() = None;
        let discard = || {
            self.step(Step::Remove)?;
            match fs::remove_file(&self.paths.journal) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
                Ok(()) => self.sync_directory(),
            }
        };
        discard().map_err(failed(Doing::WriteJournal, &self.paths.journal))
    }

    /// See [`crate::state::Store::remove`].
    pub fn remove(&self) -> Result<(), StoreError> {
        let paths = &self.paths;
        // Without its backup an absent snapshot is no loss, so the backup goes first.
        for path in [
            &paths.backup_journal,
            &paths.backup,
            &paths.journal,
            &paths.snapshot,
            &paths.lock,
        ] {
            let removed = self.step(Step::Remove).and_then(|()| remove_if_there(path));
            removed.map_err(failed(Doing::WriteSnapshot, path))?;
        }
        let synced = self.sync_directory();
        synced.map_err(failed(Doing::WriteSnapshot, &paths.snapshot))
    }

    /// See [`crate::state::Store::restore`].
    pub fn restore(&self, snapshot: &[u8]) -> Result<Vec<String>, StoreError> {
        let path = &self.paths.snapshot;
        let write = failed(Doing::WriteSnapshot, path);
        let mut aside = Vec::new();
        let (temporary, _) = self.write_temporary(path, snapshot).map_err(&write)?;
        if path.exists() {
            let to = free_name(path);
            self.link(path, &to)
                .map_err(failed(Doing::SetAside, path))?;
            aside.push(to.display().to_string());
        }
        self.rename(&temporary, path).map_err(&write)?;
        self.sync_directory().map_err(&write)?;
        let path = &self.paths.journal;
        if path.exists() {
            let to = free_name(path);
            let put = || -> io::Result<()> {
                self.rename(path, &to)?;
                self.sync_directory()
            };
            put().map_err(failed(Doing::SetAside, path))?;
            aside.push(to.display().to_string());
        }
        Ok(aside)
    }

    fn journal(&self) -> MutexGuard<'_, Option<Journal>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a file beside its final place. The lock sees to it that nobody else does.
    fn write_temporary(&self, path: &Path, bytes: &[u8]) -> io::Result<(PathBuf, File)> {
        let temporary = with_ending(path, "tmp");
        remove_if_there(&temporary)?;
        let mut file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        let written = self.write(&mut file, bytes).and_then(|()| self.sync(&file));
        if let Err(error) = written {
            // It takes room that may be missed elsewhere; the next write removes it otherwise.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        Ok((temporary, file))
    }

    /// Gives a file a second name, in place of what had it. Nothing happens without the file.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Step::Link)?;
        let temporary = with_ending(to, "tmp");
        remove_if_there(&temporary)?;
        match fs::hard_link(from, &temporary) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // Not every file system has hard links.
            Err(_) => {
                let bytes = fs::read(from)?;
                self.write_temporary(to, &bytes)?;
            }
            Ok(()) => {}
        }
        self.rename(&temporary, to)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        if let Some(beginning) = self.faults.cuts(Step::Write, bytes) {
            file.write_all(beginning)?;
        }
        self.step(Step::Write)?;
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step(Step::Sync)?;
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Step::Rename)?;
        fs::rename(from, to)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.step(Step::SyncDirectory)?;
        let dir = match self.paths.snapshot.parent() {
            Some(dir) if dir.as_os_str().is_empty() => Path::new("."),
            Some(dir) => dir,
            None => Path::new("/"),
        };
        File::open(dir)?.sync_all()
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    fn step(&self, _step: Step) -> io::Result<()> {
        Ok(())
    }

    /// Tests count steps and let them fail.
    #[cfg(test)]
    fn step(&self, step: Step) -> io::Result<()> {
        self.faults.take(step)
    }
}

fn failed(doing: Doing, path: &Path) -> impl Fn(io::Error) -> StoreError {
    let place = path.display().to_string();
    move |cause| StoreError {
        doing,
        place: place.clone(),
        cause: Arc::new(cause),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// A name for a damaged file that nothing has yet.
fn free_name(path: &Path) -> PathBuf {
    let mut name = with_ending(path, "damaged");
    let mut n = 1;
    while name.exists() {
        n += 1;
        name = with_ending(path, &format!("damaged-{n}"));
    }
    name
}

#[cfg(test)]
pub(in crate::state) mod faults {
    //! Steps that are counted, and one that fails.

    use std::io;
    use std::sync::{Mutex, PoisonError};

    use super::Step;

    #[derive(Debug, Default)]
    pub struct Faults(Mutex<Plan>);

    #[derive(Debug, Default)]
    struct Plan {
        taken: Vec<Step>,
        /// The step of this number fails, and all that follow, as if the process was gone.
        end: Option<usize>,
        /// The next writes fail after so many bytes, for this reason.
        full: Option<(usize, io::ErrorKind)>,
    }

    impl Faults {
        fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// Lets everything fail from the step of this number on.
        pub fn end_at(&self, step: usize) {
            let mut plan = self.plan();
            plan.end = Some(plan.taken.len() + step);
        }

        /// Lets writes fail after so many bytes, or no longer.
        pub fn full_after(&self, bytes: Option<(usize, io::ErrorKind)>) {
            self.plan().full = bytes;
        }

        /// How many steps of a kind were taken.
        pub fn count(&self, step: Step) -> usize {
            self.plan().taken.iter().filter(|s| **s == step).count()
        }

        pub(in super::super) fn take(&self, step: Step) -> io::Result<()> {
            let mut plan = self.plan();
            if plan.end.is_some_and(|end| plan.taken.len() >= end) {
                return Err(io::Error::other("the process is gone"));
            }
            plan.taken.push(step);
            match plan.full {
                Some((_, kind)) if step == Step::Write => Err(kind.into()),
                _ => Ok(()),
            }
        }

        /// What of these bytes still fits.
        pub(in super::super) fn cuts<'b>(&self, step: Step, bytes: &'b [u8]) -> Option<&'b [u8]> {
            let (full, _) = self.plan().full.filter(|_| step == Step::Write)?;
            bytes.get(..full.min(bytes.len()))
        }
    }
}
