//! Group commit: one task writes; whatever waits when it comes round shares one write and one
//! `fsync`.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::journal::{Framer, Header};
use super::store::{Lock, Store};
use super::{Doing, StoreError};

/// What the writer is asked.
pub(super) enum Request {
    /// Append a record.
    Append(Append),
    /// Write a snapshot in place of the journal, if it differs from the last one.
    Commit {
        /// The bytes of the next snapshot; `None` when nothing changed.
        snapshot: Option<Vec<u8>>,
        /// Where to answer.
        done: oneshot::Sender<Result<(), StoreError>>,
    },
}

/// A record to append.
pub(super) struct Append {
    /// Its JSON.
    pub json: Vec<u8>,
    /// What it tells has happened and is not undone when it cannot be written: it is written with
    /// the next record that can be. An intent is not kept: its operation will not be done.
    pub keep: bool,
    /// What the journal extends.
    pub header: Header,
    /// Where to answer.
    pub done: oneshot::Sender<Result<(), StoreError>>,
}

/// The one task that writes to a store.
pub(super) struct Writer {
    store: Arc<dyn Store>,
    /// The journal's checksum so far; `None` as long as there is no journal.
    journal: Option<Framer>,
    /// Records that could not be written yet.
    unwritten: Vec<Vec<u8>>,
    /// A commit failed, perhaps half-way: the snapshot may be there that the journal led to, and a
    /// record that came after it would not count. Only another commit helps.
    spent: bool,
    /// Held until the last write is over, whoever gave up waiting for it.
    lock: Option<Box<dyn Lock>>,
}

impl Writer {
    /// Starts the task. It ends when nobody can send any more.
    pub fn start(
        store: Arc<dyn Store>,
        lock: Option<Box<dyn Lock>>,
    ) -> mpsc::UnboundedSender<Request> {
        let (sender, requests) = mpsc::unbounded_channel();
        let writer = Writer {
            store,
            journal: None,
            unwritten: Vec::new(),
            spent: false,
            lock,
        };
        tokio::spawn(writer.run(requests));
        sender
    }

    async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        let mut next = requests.recv().await;
        while let Some(request) = next.take() {
            match request {
                Request::Commit { snapshot, done } => {
                    let answer = self.commit(snapshot).await;
                    let over = answer.is_ok();
                    if over {
                        // Before the answer, so that whoever gets it can take the lock again.
                        self.lock = None;
                    }
                    // Whoever asked may have given up; then there is nobody to tell.
                    let _ = done.send(answer);
                    if over {
                        return;
                    }
                }
                Request::Append(first) => {
                    let mut waiting = vec![first];
                    while let Ok(request) = requests.try_recv() {
                        match request {
                            Request::Append(append) => waiting.push(append),
                            commit => {
                                next = Some(commit);
                                break;
                            }
                        }
                    }
                    self.append(waiting).await;
                }
            }
            if next.is_none() {
                next = requests.recv().await;
            }
        }
    }

    async fn append(&mut self, waiting: Vec<Append>) {
        let Some(header) = waiting.first().map(|a| a.header.clone()) else {
            return;
        };
        let answer = self.write(&header, &waiting).await;
        match answer {
            Ok(()) => self.unwritten.clear(),
            Err(_) => {
                let kept = waiting.iter().filter(|a| a.keep).map(|a| a.json.clone());
                self.unwritten.extend(kept);
            }
        }
        for append in waiting {
            let _ = append.done.send(answer.clone());
        }
    }

    async fn write(&mut self, header: &Header, waiting: &[Append]) -> Result<(), StoreError> {
        if self.spent {
            return Err(self.failed("the state could not be closed before"));
        }
        let mut framer = self.journal.unwrap_or_default();
        let mut bytes = Vec::new();
        if self.journal.is_none() {
            framer
                .header(header, &mut bytes)
                .map_err(|e| self.failed(e))?;
        }
        let new = waiting.iter().map(|append| &append.json);
        for json in self.unwritten.iter().chain(new) {
            framer.line(json, &mut bytes);
        }
        if self.journal.is_none() {
            self.store.start_journal(bytes).await?;
        } else {
            self.store.append(bytes).await?;
        }
        self.journal = Some(framer);
        Ok(())
    }

    async fn commit(&mut self, snapshot: Option<Vec<u8>>) -> Result<(), StoreError> {
        self.spent = true;
        match snapshot {
            Some(bytes) => self.store.commit(bytes).await,
            // A journal whose start failed may be there all the same.
            None => self.store.discard_journal().await,
        }
    }

    fn failed(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
        StoreError {
            doing: Doing::WriteJournal,
            place: self.store.journal_place(),
            cause: Arc::new(std::io::Error::other(cause)),
        }
    }
}
