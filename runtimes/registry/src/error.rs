//! What can go wrong in a registry, with the facts a reader needs to act.

use std::path::PathBuf;

use crate::digest::Digest;
use crate::promote::RuleError;

/// Why the registry refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The location cannot be read as one the registry knows.
    #[error("`{url}` is no location of a registry: {reason}")]
    Location {
        /// The location as it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing marks the location as a registry.
    #[error(
        "{location} is not a model registry: it has no `registry.json`; create the registry first"
    )]
    NotARegistry {
        /// Where one was looked for.
        location: String,
    },
    /// The location holds something else where the registry's folders would be.
    #[error(
        "{location} cannot become a model registry: it holds `{found}` but no `registry.json`; choose an empty place"
    )]
    Occupied {
        /// Where the registry was to be.
        location: String,
        /// The object or folder in the way.
        found: String,
    },
    /// A record was written by a newer release.
    #[error(
        "{object} is written in format `{found}`, which this release does not read; it reads up to `{known}`: upgrade mlinfra"
    )]
    NewerFormat {
        /// The record.
        object: String,
        /// Its schema word.
        found: String,
        /// The newest schema word known here.
        known: String,
    },
    /// A record is truncated, not what its name says, or missing amid its log.
    #[error("{object} is damaged: {reason}; restore it from a copy")]
    Damaged {
        /// The record.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A blob's bytes are not those of its name.
    #[error(
        "the artefact {digest} at {object} is damaged: its bytes give {found}; delete it and store it again"
    )]
    DamagedBlob {
        /// The blob.
        object: String,
        /// What its bytes should give.
        digest: Digest,
        /// What they give.
        found: Digest,
    },
    /// A name has characters or a length that a record's path may not have.
    #[error("`{name}` cannot name a {what}: {reason}")]
    Name {
        /// Model, alias, run or artifact.
        what: &'static str,
        /// The name as given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The thing asked for is not in the registry.
    #[error("the registry at {location} has no {what}")]
    NotFound {
        /// The registry.
        location: String,
        /// What was looked for, such as "version 3 of model `classifier`".
        what: String,
    },
    /// Someone else changed the thing since it was read.
    #[error(
        "{what} has changed meanwhile: expected {expected}, found {found}; read it again and decide anew"
    )]
    Conflict {
        /// What was to be changed.
        what: String,
        /// The revision the writer had seen.
        expected: String,
        /// The revision that stands.
        found: String,
    },
    /// A run that has ended was reported to have ended otherwise.
    #[error(
        "run `{run}` of model `{model}` has already ended as {recorded}; it cannot end as {reported} too"
    )]
    AlreadyFinished {
        /// The model.
        model: String,
        /// The run.
        run: String,
        /// The status on record.
        recorded: String,
        /// The status now reported.
        reported: String,
    },
    /// A version names an artefact whose bytes are not in the registry, or of another size.
    #[error(
        "artefact `{name}` ({digest}) of model `{model}` {reason}; store its bytes before the version"
    )]
    Artifact {
        /// The model.
        model: String,
        /// The artefact's name.
        name: String,
        /// Its digest.
        digest: Digest,
        /// What is wrong.
        reason: String,
    },
    /// A promotion rule that cannot be followed.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A file changed while it was being stored.
    #[error("{} changed while it was being stored; try again when nothing writes to it", path.display())]
    FileChanged {
        /// The file.
        path: PathBuf,
    },
    /// Reading or writing a file of this machine failed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried: "read", "create".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The object store failed.
    #[error("cannot {action} {object}")]
    Store {
        /// What was tried: "read", "write", "list".
        action: &'static str,
        /// The object.
        object: String,
        /// Why it failed.
        source: object_store::Error,
    },
}

impl Error {
    /// Whether a race was lost: reading again and deciding anew may succeed.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    pub(crate) fn file(
        action: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}
