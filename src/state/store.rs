//! Where a state is kept: what every store can do, in bytes.

use std::fmt;

use async_trait::async_trait;

use super::StoreError;
use super::lock::{Holder, LockError};

/// What a store holds, as it was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stored {
    /// The snapshot.
    pub snapshot: Option<Vec<u8>>,
    /// The journal that extends it.
    pub journal: Option<Vec<u8>>,
}

/// A place for a state: local files, an object store.
///
/// A method that answers `Ok` has made its effect durable. One that fails, or is killed, has either
/// had its whole effect or none, except [`Store::append`], which may leave a beginning of the bytes.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// The state's name in messages: its path or URL.
    fn place(&self) -> String;

    /// The journal's name in messages.
    fn journal_place(&self) -> String;

    /// The backup's name in messages.
    fn backup_place(&self) -> String;

    /// Takes the lock, without waiting for it.
    async fn lock(&self, holder: &Holder) -> Result<Box<dyn Lock>, LockError>;

    /// Removes a lock that nobody alive holds; answers what it said.
    async fn force_unlock(&self, id: &str) -> Result<Holder, LockError>;

    /// What is there. Reads the journal before the snapshot: then a writer that replaces both in
    /// the meantime leaves a journal older than the snapshot, which is ignored, and never the
    /// other way round.
    async fn read(&self) -> Result<Stored, StoreError>;

    /// What [`Store::commit`] put aside: the previous snapshot with the journal that led on.
    async fn read_backup(&self) -> Result<Stored, StoreError>;

    /// Begins a journal, which appears with these bytes or not at all.
    async fn start_journal(&self, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// Appends to the journal. A failed append does not stand in the way of the next one.
    async fn append(&self, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// Replaces the snapshot: the old one becomes the backup, then the new one takes its place,
    /// then the journal becomes the backup's. Killed in between, a snapshot is there all the
    /// same, and so is the journal that extends it or its predecessor.
    async fn commit(&self, snapshot: Vec<u8>) -> Result<(), StoreError>;

    /// Finishes a commit that was killed before its last step: the journal becomes the backup's.
    async fn retire_journal(&self) -> Result<(), StoreError>;

    /// Removes the journal, because what it says changed nothing.
    async fn discard_journal(&self) -> Result<(), StoreError>;

    /// Removes a state that nobody needs any more, its backup before itself, the lock last.
    ///
    /// # Errors
    /// When something cannot be removed; what is left is a state that can be read.
    async fn remove(&self) -> Result<(), StoreError>;

    /// Replaces a damaged snapshot or journal by a recovered snapshot. What was there is put
    /// aside, never lost; answers where it is. The backup stays as it is.
    async fn restore(&self, snapshot: Vec<u8>) -> Result<Vec<String>, StoreError>;
}

/// A lock that is held until it is dropped.
pub trait Lock: fmt::Debug + Send + Sync {
    /// What it says.
    fn holder(&self) -> &Holder;
}
