//! What can go wrong with a state, as facts. The words for people are in `words.rs`.

use std::io;
use std::sync::Arc;

use super::laws::Violation;
use super::lock::LockError;
use super::{Conflict, Malformed};

/// What is wrong with a file of the state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Damage {
    /// It has no bytes, which a state that was written always has.
    #[error("the file is empty")]
    Empty,
    /// It ends too early.
    #[error("the file ends before its seal")]
    Cut,
    /// Its bytes are not those that were written.
    #[error("the file does not match its seal: its bytes were changed after they were written")]
    Changed,
    /// It is not there, although what it left behind is.
    #[error("the file is gone, but its backup is there")]
    Missing,
    /// It is a state of Terraform or OpenTofu.
    #[error("the file is a state of Terraform")]
    Terraform,
    /// It is something else.
    #[error("the file is not a state")]
    Foreign,
    /// A newer version of the program wrote it.
    #[error("the file has format version {found}, and this program knows up to {known}")]
    Version {
        /// The file's version.
        found: u32,
        /// The newest version that is known.
        known: u32,
    },
    /// It is whole, and yet does not say what it should.
    #[error("{0}")]
    Contents(String),
    /// A record of the journal is damaged, and not the last one half-written.
    #[error("the record at byte {offset} is damaged: {reason}")]
    Record {
        /// Where the record begins.
        offset: usize,
        /// What is wrong.
        reason: String,
    },
    /// The journal belongs to another state.
    #[error("the journal extends the state of lineage {found}, not {lineage}")]
    Lineage {
        /// The snapshot's.
        lineage: String,
        /// The journal's.
        found: String,
    },
    /// The journal extends a snapshot that is not there.
    #[error("the journal extends serial {extends}, and the snapshot has {}", serial(.found))]
    Serial {
        /// What the journal extends.
        extends: u64,
        /// The snapshot's serial; `None` without one.
        found: Option<u64>,
    },
    /// It does not keep the laws.
    #[error("the state breaks its laws: {}", violations(.0))]
    Laws(Vec<Violation>),
}

fn serial(found: &Option<u64>) -> String {
    found.map_or_else(|| "none".to_owned(), |n| format!("serial {n}"))
}

fn violations(violations: &[Violation]) -> String {
    let texts: Vec<String> = violations.iter().map(Violation::to_string).collect();
    texts.join("; ")
}

impl Damage {
    pub(super) fn contents(reason: impl ToString) -> Damage {
        Damage::Contents(reason.to_string())
    }
}

/// What a store was doing when it failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    /// Reading.
    Read,
    /// Writing the snapshot.
    WriteSnapshot,
    /// Keeping the previous snapshot.
    WriteBackup,
    /// Writing the journal.
    WriteJournal,
    /// Putting files out of the way.
    SetAside,
}

impl Doing {
    fn verb(self) -> &'static str {
        match self {
            Doing::Read => "read",
            Doing::WriteSnapshot => "write the snapshot",
            Doing::WriteBackup => "keep the previous snapshot",
            Doing::WriteJournal => "write the journal",
            Doing::SetAside => "put aside",
        }
    }
}

/// A store could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {} {place}", doing.verb())]
pub struct StoreError {
    /// What it was doing.
    pub doing: Doing,
    /// With which file or object.
    pub place: String,
    /// Why not.
    #[source]
    pub cause: Arc<io::Error>,
}

/// The snapshot that stood before the present one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    /// Where it is.
    pub place: String,
    /// Its serial; `None` when it cannot be read either.
    pub serial: Option<u64>,
}

/// A state cannot be opened, changed or closed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lock is not to be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file is damaged.
    #[error("{place}: {damage}")]
    Damaged {
        /// Which.
        place: String,
        /// How.
        damage: Damage,
        /// What stood before it.
        backup: Option<Backup>,
    },
    /// A change does not fit the state.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// A change would break the laws; it was not made.
    #[error("the change breaks the laws of the state: {}", violations(.0))]
    Laws(Vec<Violation>),
    /// A change has no JSON form; it was not made.
    #[error("the change cannot be written: {0}")]
    Malformed(#[from] Malformed),
    /// The state was closed before.
    #[error("the state is closed")]
    Closed,
    /// There is nothing to recover from.
    #[error("{place}: nothing to recover from")]
    Unrecoverable {
        /// The state.
        place: String,
    },
    /// The state is whole: there is nothing to recover.
    #[error("{place}: the state is whole")]
    Whole {
        /// The state.
        place: String,
    },
}
