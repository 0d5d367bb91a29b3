//! The way back from a damaged state: the last good snapshot, and every journal that leads on.

use std::sync::Arc;

use super::journal::{self, Journal};
use super::load::{self, Failed};
use super::lock;
use super::store::{Store, Stored};
use super::{Access, Damage, Error, Snapshot, codec, laws};

/// What can be recovered of a damaged state.
#[derive(Clone, PartialEq, Debug)]
pub struct Survey {
    /// The state.
    pub snapshot: Arc<Snapshot>,
    /// What it is made of.
    pub sources: Vec<Source>,
    /// What cannot be had back. Empty when nothing is missing.
    pub losses: Vec<Loss>,
}

/// A part of a recovered state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A snapshot.
    Snapshot {
        /// Where it is.
        place: String,
        /// Its serial.
        serial: u64,
    },
    /// The changes of a journal.
    Journal {
        /// Which of them: the live one, or the one that led to the lost snapshot.
        place: String,
        /// The serial it leads on from.
        extends: u64,
        /// How many records of it are good.
        records: usize,
    },
}

/// Something that cannot be had back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Loss {
    /// What this file held beyond its good part.
    Damaged {
        /// Which file.
        place: String,
        /// What is wrong with it.
        damage: Damage,
    },
    /// What came after this serial, because no journal leads on from it.
    After(u64),
}

/// Looks what can be recovered; changes nothing.
///
/// # Errors
/// When the state is whole, when there is nothing to recover from, or when the store fails.
pub async fn survey(store: &dyn Store) -> Result<Survey, Error> {
    let pieces = Pieces {
        place: store.place(),
        journal_place: store.journal_place(),
        backup_place: store.backup_place(),
        live: store.read().await?,
        backup: store.read_backup().await?,
    };
    load::blocking(move || pieces.survey()).await
}

/// Recovers a damaged state. Answers what it is made of and where the damaged files are now.
///
/// # Errors
/// As for [`survey`], and when someone else holds the lock.
pub async fn restore(store: &dyn Store, access: Access) -> Result<(Survey, Vec<String>), Error> {
    let _lock = match access {
        Access::Locked(holder, wait) => Some(lock::acquire(store, &holder, wait).await?),
        Access::Unlocked => None,
    };
    let survey = survey(store).await?;
    let snapshot = survey.snapshot.clone();
    let bytes = load::blocking(move || codec::encode(&snapshot)).await?;
    let aside = store.restore(bytes).await?;
    Ok((survey, aside))
}

struct Pieces {
    place: String,
    journal_place: String,
    backup_place: String,
    live: Stored,
    backup: Stored,
}

impl Pieces {
    fn survey(self) -> Result<Survey, Error> {
        let missing = self.live.snapshot.is_none() && self.backup != Stored::default();
        let wrong = match load::read(&self.live) {
            Ok(_) if !missing => return Err(Error::Whole { place: self.place }),
            Ok(_) => Failed::Snapshot(Damage::Missing),
            Err(wrong) => wrong,
        };
        // What a newer version wrote is whole: that version reads it.
        if let Failed::Snapshot(damage @ Damage::Version { .. })
        | Failed::Journal(damage @ Damage::Version { .. }) = wrong
        {
            return Err(Error::Damaged {
                place: self.place,
                damage,
                backup: None,
            });
        }
        let mut trail = Trail {
            at: Snapshot::default(),
            sources: Vec::new(),
            losses: Vec::new(),
        };
        let live = self.live.snapshot.as_deref().map(good);
        let backup = self.backup.snapshot.as_deref().map(good);
        let lost_live = !matches!(live, Some(Ok(_)));
        trail.begin(&self.place, live);
        if lost_live {
            trail.begin(&self.backup_place, backup);
        }
        let begun = trail.sources.len();
        let beside = format!("{} (its journal)", self.backup_place);
        for (place, bytes) in [
            (&beside, &self.backup.journal),
            (&self.journal_place, &self.live.journal),
        ] {
            if let Some(bytes) = bytes {
                trail.follow(place, journal::read(bytes));
            }
        }
        if trail.sources.is_empty() {
            return Err(Error::Unrecoverable { place: self.place });
        }
        // A lost snapshot came from the one before it through a journal.
        if lost_live && trail.sources.len() == begun {
            trail.losses.push(Loss::After(trail.at.serial));
        }
        // One more than anything that was ever written, so that no saved plan fits by chance.
        let step = if trail.sources.len() == begun { 2 } else { 1 };
        trail.at.serial += step;
        Ok(Survey {
            snapshot: Arc::new(trail.at),
            sources: trail.sources,
            losses: trail.losses,
        })
    }
}

fn good(bytes: &[u8]) -> Result<Snapshot, Damage> {
    let snapshot = codec::decode(bytes)?;
    match laws::check(&snapshot) {
        violations if violations.is_empty() => Ok(snapshot),
        violations => Err(Damage::Laws(violations)),
    }
}

/// The state as far as it was followed.
struct Trail {
    at: Snapshot,
    sources: Vec<Source>,
    losses: Vec<Loss>,
}

impl Trail {
    fn begin(&mut self, place: &str, snapshot: Option<Result<Snapshot, Damage>>) {
        // Whether one that is damaged is a loss depends on what else there is; see `Loss::After`.
        if let Some(Ok(snapshot)) = snapshot {
            self.sources.push(Source::Snapshot {
                place: place.to_owned(),
                serial: snapshot.serial,
            });
            self.at = snapshot;
        }
    }

    /// Goes on with a journal, if it leads on from here.
    fn follow(&mut self, place: &str, journal: Result<Journal, Damage>) {
        let place = place.to_owned();
        let journal = match journal {
            Ok(journal) => journal,
            Err(damage) => {
                self.losses.push(Loss::Damaged { place, damage });
                return;
            }
        };
        let extends = journal.header.serial;
        if extends < self.at.serial {
            return;
        }
        let present = !self.sources.is_empty();
        if let Err(damage) = load::extends(&journal, &self.at, present) {
            self.losses.push(Loss::Damaged { place, damage });
            return;
        }
        let (mut records, mut damage) = (journal.records.len(), journal.damage.clone());
        self.at = match load::replay(&self.at, &journal) {
            Ok(now) => now,
            Err(cut) => {
                records = cut.good;
                damage = Some(cut.damage);
                cut.now
            }
        };
        self.sources.push(Source::Journal {
            place: place.clone(),
            extends,
            records,
        });
        if let Some(damage) = damage {
            self.losses.push(Loss::Damaged { place, damage });
        }
    }
}
