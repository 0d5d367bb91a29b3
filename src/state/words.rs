//! The words for what goes wrong with a state.

use super::{Damage, Error, Holder, LockError, StoreError};
use crate::diag::{Diagnostic, Diagnostics};

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Diagnostic {
        match &error {
            Error::Store(error) => store(error),
            Error::Lock(error) => lock(error),
            Error::Damaged {
                place,
                damage,
                backup,
            } => {
                let (summary, remedy) = damaged(damage);
                let mut detail = format!("{place}: {}.", damage);
                match backup {
                    Some(backup) => detail.push_str(&match backup.serial {
                        Some(serial) => format!(
                            "\n\nThe snapshot before it, serial {serial}, is in {}.",
                            backup.place
                        ),
                        None => format!(
                            "\n\nThe snapshot before it, {}, cannot be read either.",
                            backup.place
                        ),
                    }),
                    None if matches!(damage, Damage::Version { .. } | Damage::Terraform) => {}
                    None => detail.push_str("\n\nThere is no backup beside it."),
                }
                Diagnostic::error(summary, detail).hint(remedy)
            }
            Error::Conflict(conflict) => Diagnostic::error(
                "The change does not fit the state",
                format!("{}.", upper(&conflict.to_string())),
            ),
            Error::Laws(violations) => {
                let mut detail =
                    "The change was refused; the state is what it was before:".to_owned();
                for violation in violations {
                    detail.push_str(&format!("\n  - {violation}"));
                }
                detail.push_str("\n\nThis is a bug in mlinfra or in a provider.");
                Diagnostic::error("The state would be inconsistent", detail)
            }
            Error::Malformed(malformed) => Diagnostic::error(
                "Failed to save state",
                format!(
                    "A value cannot be written: {malformed}. This is a bug in mlinfra or in a \
                     provider."
                ),
            ),
            Error::Closed => Diagnostic::error(
                "The state is closed",
                "It was closed before this change came; the change was not recorded.",
            ),
            Error::Unrecoverable { place } => Diagnostic::error(
                "Nothing to recover from",
                format!(
                    "Neither a snapshot nor a journal that begins with an empty state was found \
                     for {place}."
                ),
            )
            .hint("copy a version of the state from elsewhere to its place"),
            Error::Whole { place } => Diagnostic::error(
                "Nothing to recover",
                format!("{place} is whole; it was left as it is."),
            ),
        }
    }
}

impl From<Error> for Diagnostics {
    fn from(error: Error) -> Diagnostics {
        Diagnostic::from(error).into()
    }
}

fn store(error: &StoreError) -> Diagnostic {
    let summary = match error.doing {
        super::Doing::Read => "Failed to load state",
        _ => "Failed to save state",
    };
    let detail = format!("{}: {}.", upper(&error.to_string()), error.cause);
    let diagnostic = Diagnostic::error(summary, detail);
    match error.cause.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => diagnostic.hint(
            "make room on the disk and run the command again: what was recorded so far is kept",
        ),
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            diagnostic.hint("make the directory and its files writable for the user who runs this")
        }
        _ => diagnostic,
    }
}

fn damaged(damage: &Damage) -> (&'static str, &'static str) {
    match damage {
        Damage::Version { .. } => (
            "Unsupported state file version",
            "use the version of mlinfra that wrote it, or a newer one",
        ),
        Damage::Terraform => (
            "Unsupported state file format",
            "mlinfra keeps its own state; bring existing objects in with import blocks",
        ),
        Damage::Foreign => (
            "Unsupported state file format",
            "move the file away, or name another one",
        ),
        Damage::Missing => (
            "The state file is missing",
            "run `mlinfra state recover` to get it back; to begin anew, move the backup away",
        ),
        _ => (
            "The state is damaged",
            "run `mlinfra state recover`: it shows what can be had back before it changes anything",
        ),
    }
}

fn lock(error: &LockError) -> Diagnostic {
    const ACQUIRING: &str = "Error acquiring the state lock";
    match error {
        LockError::Taken { place, holder } => {
            let info = match holder {
                Some(holder) => info(place, holder),
                None => format!("Lock Info:\n  Path:      {place}"),
            };
            let detail = format!(
                "Error message: the state is locked by another operation\n{info}\n\n\
                 mlinfra acquires a state lock to protect the state from being written by \
                 multiple users at the same time. Please resolve the issue above and try again. \
                 For most commands, you can disable locking with the \"-lock=false\" flag, but \
                 this is not recommended."
            );
            Diagnostic::error(ACQUIRING, detail)
                .hint("wait for it with -lock-timeout=5m; a holder that dies lets go by itself")
        }
        LockError::NotLocked { place } => {
            Diagnostic::error("Failed to unlock state", format!("{place} is not locked."))
        }
        LockError::OtherId { given, holder } => Diagnostic::error(
            "Failed to unlock state",
            format!(
                "The lock has the ID {}, not {given}. It was taken by {} for {}.",
                holder.id, holder.who, holder.operation
            ),
        ),
        LockError::Io { place, cause } => {
            Diagnostic::error(ACQUIRING, format!("{place}: {cause}.")).hint(
                "the lock is a file beside the state: its directory must be writable; reading \
                 commands work with -lock=false",
            )
        }
    }
}

/// As Terraform shows it.
fn info(place: &str, holder: &Holder) -> String {
    let Holder {
        id,
        operation,
        who,
        pid,
        since,
        version,
    } = holder;
    format!(
        "Lock Info:\n  ID:        {id}\n  Path:      {place}\n  Operation: {operation}\n  \
         Who:       {who}\n  Process:   {pid}\n  Version:   {version}\n  Created:   {since}"
    )
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
