//! From what a store holds to a state: the snapshot, and what the journal adds to it.

use super::journal::{self, Journal};
use super::store::{Store, Stored};
use super::{Backup, Damage, Error, Snapshot, codec, laws};

/// A state as it was found.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// The last snapshot; empty when there was none.
    pub base: Snapshot,
    /// What it is with the journal; its serial is the one it will be written under.
    pub now: Snapshot,
    /// What there was of a journal.
    pub journal: Found,
}

/// What there was of a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Found {
    /// Nothing.
    #[default]
    None,
    /// One that the snapshot holds already: a commit was killed before its last step.
    Committed,
    /// One that goes beyond the snapshot.
    Beyond,
}

/// Which of the two files is damaged, and how.
pub(super) enum Failed {
    Snapshot(Damage),
    Journal(Damage),
}

/// Reads a state.
pub(super) async fn load(store: &dyn Store) -> Result<Loaded, Error> {
    let mut stored = store.read().await?;
    if stored.snapshot.is_none() && store.read_backup().await? != Stored::default() {
        // The first snapshot may have come between the two looks; after a backup it must be there.
        stored = store.read().await?;
        if stored.snapshot.is_none() {
            return Err(damaged(store, store.place(), Damage::Missing).await);
        }
    }
    let read = blocking(move || read(&stored)).await;
    match read {
        Ok(loaded) => Ok(loaded),
        Err(Failed::Snapshot(damage)) => Err(damaged(store, store.place(), damage).await),
        Err(Failed::Journal(damage)) => Err(damaged(store, store.journal_place(), damage).await),
    }
}

/// Does what takes the processor for long without holding up the others.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // It panicked, or the runtime is going away and this task with it.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

pub(super) async fn damaged(store: &dyn Store, place: String, damage: Damage) -> Error {
    let backup = match store.read_backup().await {
        Ok(Stored {
            snapshot: Some(bytes),
            ..
        }) => Some(Backup {
            place: store.backup_place(),
            serial: blocking(move || codec::decode(&bytes))
                .await
                .ok()
                .map(|s| s.serial),
        }),
        _ => None,
    };
    Error::Damaged {
        place,
        damage,
        backup,
    }
}

/// The state that the bytes are.
pub(super) fn read(stored: &Stored) -> Result<Loaded, Failed> {
    let base = match &stored.snapshot {
        Some(bytes) => codec::decode(bytes).map_err(Failed::Snapshot)?,
        None => Snapshot::default(),
    };
    let violations = laws::check(&base);
    if !violations.is_empty() {
        return Err(Failed::Snapshot(Damage::Laws(violations)));
    }
    let Some(bytes) = &stored.journal else {
        return Ok(Loaded {
            now: base.clone(),
            base,
            journal: Found::None,
        });
    };
    let journal = journal::read(bytes).map_err(Failed::Journal)?;
    if stored.snapshot.is_some() && journal.header.serial < base.serial {
        belongs(&journal, &base).map_err(Failed::Journal)?;
        return Ok(Loaded {
            now: base.clone(),
            base,
            journal: Found::Committed,
        });
    }
    extends(&journal, &base, stored.snapshot.is_some()).map_err(Failed::Journal)?;
    let now = replay(&base, &journal).map_err(|cut| Failed::Journal(cut.damage))?;
    if let Some(damage) = journal.damage {
        return Err(Failed::Journal(damage));
    }
    Ok(Loaded {
        base,
        now,
        journal: Found::Beyond,
    })
}

fn belongs(journal: &Journal, base: &Snapshot) -> Result<(), Damage> {
    if !base.lineage.is_empty() && journal.header.lineage != base.lineage {
        return Err(Damage::Lineage {
            lineage: base.lineage.clone(),
            found: journal.header.lineage.clone(),
        });
    }
    Ok(())
}

/// Whether a journal extends exactly this snapshot.
pub(super) fn extends(journal: &Journal, base: &Snapshot, present: bool) -> Result<(), Damage> {
    belongs(journal, base)?;
    if journal.header.serial != base.serial {
        return Err(Damage::Serial {
            extends: journal.header.serial,
            found: present.then_some(base.serial),
        });
    }
    Ok(())
}

/// A journal could be followed only so far.
pub(super) struct CutShort {
    /// The state after the records that fit.
    pub now: Snapshot,
    /// How many these are.
    pub good: usize,
    /// What is wrong with the next one.
    pub damage: Damage,
}

/// The snapshot with the journal's records.
pub(super) fn replay(base: &Snapshot, journal: &Journal) -> Result<Snapshot, Box<CutShort>> {
    let mut now = base.clone();
    now.lineage.clone_from(&journal.header.lineage);
    for (good, record) in journal.records.iter().enumerate() {
        let applied = match laws::check_record(record, &now) {
            violations if !violations.is_empty() => Err(Damage::Laws(violations)),
            _ => now
                .apply(record)
                .map_err(|e| Damage::Contents(format!("record {}: {e}", good + 1))),
        };
        if let Err(damage) = applied {
            return Err(Box::new(CutShort {
                now: number(base, now),
                good,
                damage,
            }));
        }
    }
    Ok(number(base, now))
}

/// Gives the state the serial it will be written under: the base's when nothing changed.
fn number(base: &Snapshot, mut now: Snapshot) -> Snapshot {
    if now.same_content(base) {
        now.lineage.clone_from(&base.lineage);
    } else {
        now.serial = base.serial + 1;
    }
    now
}
