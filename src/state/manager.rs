//! A state that is open for writing: what is in memory is what the journal says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::journal::{self, Header};
use super::load::{self, Found};
use super::lock::{self, Holder};
use super::store::Store;
use super::writer::{Append, Request, Writer};
use super::{
    Change, Error, InstanceState, Intent, Object, Outcome, OutputValue, ProviderRef, Record,
    Snapshot, Token, codec, laws,
};
use crate::addr::ResourceInstance;

/// How a state is opened for writing.
#[derive(Clone, Debug)]
pub enum Access {
    /// Under its lock, waiting for it that long.
    Locked(Holder, Duration),
    /// Without taking the lock, because the user said so.
    Unlocked,
}

/// How closing came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed {
    /// The serial of the snapshot that is there now.
    pub serial: u64,
    /// Whether one was written; not when nothing changed.
    pub written: bool,
}

/// A state that is open for writing. Shared by reference: every method may be called by many tasks
/// at once, and those that are share one write to the disk.
///
/// What a method answered `Ok` to is durable. Dropped without [`State::close`], nothing is lost:
/// whoever opens the state next finds it in the journal.
#[derive(Debug)]
pub struct State {
    store: Arc<dyn Store>,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    /// The snapshot on disk.
    base: Arc<Snapshot>,
    /// What it became.
    now: Arc<Snapshot>,
    /// To the writer; `None` once the state is closed.
    requests: Option<mpsc::UnboundedSender<Request>>,
}

impl State {
    /// Reads a state without locking or changing anything. A state that was not closed is read
    /// with what its journal adds; its serial is the one that closing would give it.
    ///
    /// # Errors
    /// When the store fails or a file is damaged. A state that was never written is empty.
    pub async fn read(store: &dyn Store) -> Result<Arc<Snapshot>, Error> {
        Ok(Arc::new(load::load(store).await?.now))
    }

    /// Opens a state for writing. One that was not closed is closed first.
    ///
    /// # Errors
    /// When someone else holds the lock, the store fails, or a file is damaged.
    pub async fn open(store: Arc<dyn Store>, access: Access) -> Result<State, Error> {
        let lock = match access {
            Access::Locked(holder, wait) => Some(lock::acquire(&*store, &holder, wait).await?),
            Access::Unlocked => None,
        };
        let loaded = load::load(&*store).await?;
        let now = Arc::new(loaded.now);
        match loaded.journal {
            Found::None => {}
            Found::Committed => store.retire_journal().await?,
            Found::Beyond if now.same_content(&loaded.base) => store.discard_journal().await?,
            Found::Beyond => store.commit(next(&loaded.base, now.clone()).await?).await?,
        }
        let memory = Memory {
            base: now.clone(),
            now,
            requests: Some(Writer::start(store.clone(), lock)),
        };
        Ok(State {
            store,
            memory: Mutex::new(memory),
        })
    }

    /// Its name in messages.
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// Removes a state in which nothing is remembered any more, with its backup and lock; answers
    /// whether it did.
    ///
    /// # Errors
    /// When someone else holds the lock, the store fails, or a file is damaged.
    pub async fn remove_if_empty(store: Arc<dyn Store>, holder: &Holder) -> Result<bool, Error> {
        let _lock = lock::acquire(&*store, holder, Duration::ZERO).await?;
        let empty = load::load(&*store).await?.now.is_empty();
        if empty {
            store.remove().await?;
        }
        Ok(empty)
    }

    /// The whole state as it is now. Cheap; the first change after it costs a copy of the index.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.memory().now.clone()
    }

    /// What is known of an instance.
    pub fn instance(&self, address: &ResourceInstance) -> Option<InstanceState> {
        self.memory().now.resources.get(address).cloned()
    }

    /// The current object of an instance, or the deposed one of that key.
    pub fn object(&self, address: &ResourceInstance, deposed: Option<&str>) -> Option<Arc<Object>> {
        self.memory().now.object(address, deposed).cloned()
    }

    /// Operations that were begun and not finished, by a command that was killed or by this one.
    /// They may have happened: the provider finds by the token what was made, and
    /// [`State::finish`] settles them.
    pub fn open_intents(&self) -> Vec<Arc<Intent>> {
        self.memory().now.intents.values().cloned().collect()
    }

    /// Records an operation before the provider is asked to do it.
    ///
    /// # Errors
    /// When it is not recorded; then the operation must not be done.
    pub async fn begin(&self, intent: Intent) -> Result<Token, Error> {
        let token = intent.token.clone();
        let written = self.record(Record::Intent(Arc::new(intent))).await;
        if let Err(Error::Store(_)) = written {
            self.withdraw(&token);
        }
        written.map(|()| token)
    }

    /// Records how an operation came out: of this command or of one that was killed.
    ///
    /// # Errors
    /// When it is not durable. It is remembered all the same, and written with the next record or
    /// by [`State::close`]; if neither comes to pass, the operation stays open on disk.
    pub async fn finish(&self, token: &Token, outcome: Outcome) -> Result<(), Error> {
        let token = token.clone();
        self.record(Record::Done { token, outcome }).await
    }

    /// Changes what is remembered: all of it or nothing. Changes that say what is so already are
    /// not written.
    ///
    /// # Errors
    /// When a change does not fit or breaks a law (nothing was changed), or is not durable.
    pub async fn change(&self, changes: Vec<Change>) -> Result<(), Error> {
        let changes = self.snapshot().news(changes);
        if changes.is_empty() {
            return Ok(());
        }
        self.record(Record::Changed(changes)).await
    }

    /// An object is this: read, refreshed, imported, tainted.
    ///
    /// # Errors
    /// As for [`State::change`].
    pub async fn put(
        &self,
        address: &ResourceInstance,
        deposed: Option<Arc<str>>,
        provider: &ProviderRef,
        object: Arc<Object>,
    ) -> Result<(), Error> {
        let change = Change::Put {
            address: address.clone(),
            deposed,
            provider: provider.clone(),
            object,
        };
        self.change(vec![change]).await
    }

    /// Makes room for the successor of the current object; answers the key it has from now on.
    ///
    /// # Errors
    /// As for [`State::change`].
    pub async fn depose(&self, address: &ResourceInstance) -> Result<Arc<str>, Error> {
        let taken = self
            .instance(address)
            .map(|i| i.deposed)
            .unwrap_or_default();
        let key = loop {
            let id = uuid::Uuid::new_v4().simple().to_string();
            let key: Arc<str> = id.get(..8).unwrap_or_default().into();
            if !taken.contains_key(&key) {
                break key;
            }
        };
        let change = Change::Depose {
            address: address.clone(),
            key: key.clone(),
        };
        self.change(vec![change]).await.map(|()| key)
    }

    /// The successor was not made: the deposed object is current again.
    ///
    /// # Errors
    /// As for [`State::change`].
    pub async fn restore(&self, address: &ResourceInstance, key: &Arc<str>) -> Result<(), Error> {
        let change = Change::Restore {
            address: address.clone(),
            key: key.clone(),
        };
        self.change(vec![change]).await
    }

    /// The outputs of the root module, all of them.
    ///
    /// # Errors
    /// As for [`State::change`].
    pub async fn set_outputs(&self, outputs: BTreeMap<Arc<str>, OutputValue>) -> Result<(), Error> {
        self.change(vec![Change::Outputs(outputs)]).await
    }

    /// Writes the next snapshot, if anything changed, and ends the session. The lock is free when
    /// this answers, unless it failed: then it may be tried again, and nothing is lost.
    ///
    /// # Errors
    /// When the snapshot cannot be written, or breaks a law.
    pub async fn close(&self) -> Result<Closed, Error> {
        let (base, now, requests) = {
            let mut memory = self.memory();
            let requests = memory.requests.take().ok_or(Error::Closed)?;
            (memory.base.clone(), memory.now.clone(), requests)
        };
        let closed = self.commit(&base, now, &requests).await;
        if closed.is_err() {
            self.memory().requests = Some(requests);
        }
        closed
    }

    async fn commit(
        &self,
        base: &Snapshot,
        now: Arc<Snapshot>,
        requests: &mpsc::UnboundedSender<Request>,
    ) -> Result<Closed, Error> {
        let written = !now.same_content(base);
        let mut serial = base.serial;
        let mut snapshot = None;
        if written {
            let mut numbered = Snapshot::clone(&now);
            numbered.serial = base.serial + 1;
            serial = numbered.serial;
            snapshot = Some(next(base, Arc::new(numbered)).await?);
        }
        let (done, answer) = oneshot::channel();
        requests
            .send(Request::Commit { snapshot, done })
            .map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)??;
        Ok(Closed { serial, written })
    }

    /// Applies a record in memory and waits until it is durable.
    async fn record(&self, record: Record) -> Result<(), Error> {
        let json = journal::encode(&record)?;
        let keep = !matches!(record, Record::Intent(_));
        let answer = {
            // Under one lock, so that the journal has the order of the memory.
            let mut memory = self.memory();
            let violations = laws::check_record(&record, &memory.now);
            if !violations.is_empty() {
                return Err(Error::Laws(violations));
            }
            let requests = memory.requests.clone().ok_or(Error::Closed)?;
            let base = memory.base.clone();
            let now = Arc::make_mut(&mut memory.now);
            now.apply(&record)?;
            if now.lineage.is_empty() {
                now.lineage = uuid::Uuid::new_v4().to_string();
            }
            let header = Header {
                lineage: now.lineage.clone(),
                serial: base.serial,
            };
            let (done, answer) = oneshot::channel();
            let append = Append {
                json,
                keep,
                header,
                done,
            };
            requests
                .send(Request::Append(append))
                .map_err(|_| Error::Closed)?;
            answer
        };
        Ok(answer.await.map_err(|_| Error::Closed)??)
    }

    /// Takes back an intent that was not recorded.
    fn withdraw(&self, token: &Token) {
        let mut memory = self.memory();
        if memory.now.intents.contains_key(token) {
            Arc::make_mut(&mut memory.now).intents.remove(token);
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of the snapshot that follows `base`, after all laws were checked.
async fn next(base: &Snapshot, now: Arc<Snapshot>) -> Result<Vec<u8>, Error> {
    let mut violations = laws::check_succession(base, &now);
    load::blocking(move || {
        violations.extend(laws::check(&now));
        if !violations.is_empty() {
            return Err(Error::Laws(violations));
        }
        codec::encode(&now).map_err(Error::Malformed)
    })
    .await
}
