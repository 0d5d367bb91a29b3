//! A log of numbered records in a folder: 1, 2, 3, without gaps; the newest one counts.
//!
//! Appending is a create-if-absent under the next number, so of any number of racing writers exactly one wins.

use std::marker::PhantomData;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;

use crate::error::Error;
use crate::record::{self, Record};
use crate::store::{Created, Store};

/// How many records are read at a time.
const READS: usize = 16;

pub(crate) struct Log<'a, T> {
    store: &'a Store,
    folder: Path,
    records: PhantomData<T>,
}

impl<'a, T: Record> Log<'a, T> {
    pub(crate) fn new(store: &'a Store, folder: Path) -> Self {
        Self {
            store,
            folder,
            records: PhantomData,
        }
    }

    fn path(&self, number: u64) -> Path {
        self.folder.clone().join(format!("{number:08}.json"))
    }

    /// The number of the newest record, 0 for an empty log. A missing number below it is damage.
    pub(crate) async fn newest_number(&self) -> Result<u64, Error> {
        let mut numbers = Vec::new();
        for path in self.store.list(&self.folder).await? {
            let Some(stem) = path.filename().and_then(|name| name.strip_suffix(".json")) else {
                continue;
            };
            let number = stem
                .parse::<u64>()
                .ok()
                .filter(|n| *n > 0 && self.path(*n) == path);
            numbers
                .push(number.ok_or_else(|| self.damaged(&path, "its name is no number of a log"))?);
        }
        numbers.sort_unstable();
        for (number, expected) in numbers.iter().zip(1..) {
            if *number != expected {
                return Err(self.damaged(
                    &self.path(expected),
                    "it is missing, though later ones are there",
                ));
            }
        }
        Ok(numbers.last().copied().unwrap_or(0))
    }

    /// One record; `None` when the log does not reach that far.
    pub(crate) async fn get(&self, number: u64) -> Result<Option<T>, Error> {
        let path = self.path(number);
        let Some(bytes) = self.store.read(&path).await? else {
            return Ok(None);
        };
        record::decode(&self.store.object(&path), &bytes).map(Some)
    }

    /// The newest record and its number.
    pub(crate) async fn newest(&self) -> Result<Option<(u64, T)>, Error> {
        match self.newest_number().await? {
            0 => Ok(None),
            number => Ok(Some((number, self.must_get(number).await?))),
        }
    }

    /// The records after `number`, oldest first.
    pub(crate) async fn after(&self, number: u64) -> Result<Vec<T>, Error> {
        let newest = self.newest_number().await?;
        futures::stream::iter(number + 1..=newest)
            .map(|n| self.must_get(n))
            .buffered(READS)
            .try_collect()
            .await
    }

    /// Appends under `number`, which the caller knows to be the next one.
    pub(crate) async fn append(&self, number: u64, record: &T) -> Result<Created, Error> {
        let path = self.path(number);
        self.store
            .create(&path, record::encode(&self.store.object(&path), record)?)
            .await
    }

    /// An error about a record whose content contradicts its place.
    pub(crate) fn misplaced(&self, number: u64, reason: &str) -> Error {
        self.damaged(&self.path(number), reason)
    }

    async fn must_get(&self, number: u64) -> Result<T, Error> {
        let found = self.get(number).await?;
        found.ok_or_else(|| self.damaged(&self.path(number), "it has vanished while it was read"))
    }

    fn damaged(&self, path: &Path, reason: &str) -> Error {
        Error::Damaged {
            object: self.store.object(path),
            reason: reason.to_owned(),
        }
    }
}
