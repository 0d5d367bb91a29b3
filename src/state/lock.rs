//! Who holds a state, and waiting for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::StoreError;
use super::store::{Lock, Store};

/// Who holds a lock and what for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Holder {
    /// Tells this lock from every other one; a UUID.
    pub id: String,
    /// What is done under it: `apply`.
    pub operation: String,
    /// The user at the machine: `ada@example`.
    pub who: String,
    /// The process.
    pub pid: u32,
    /// Since when.
    pub since: jiff::Timestamp,
    /// The version of the program.
    pub version: String,
}

impl Holder {
    /// This process, from now on.
    pub fn new(operation: &str, who: &str) -> Holder {
        Holder {
            id: uuid::Uuid::new_v4().to_string(),
            operation: operation.to_owned(),
            who: who.to_owned(),
            pid: std::process::id(),
            since: jiff::Timestamp::now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// A lock cannot be taken or removed.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Someone else has it.
    #[error("the state is locked{}", by(.holder))]
    Taken {
        /// The state.
        place: String,
        /// Who; `None` while they are still writing it down.
        holder: Option<Box<Holder>>,
    },
    /// It is not locked.
    #[error("the state is not locked")]
    NotLocked {
        /// The state.
        place: String,
    },
    /// It is locked under another id.
    #[error("the lock has the id {}, not {given}", holder.id)]
    OtherId {
        /// The id that was given.
        given: String,
        /// The lock that is there.
        holder: Box<Holder>,
    },
    /// The store failed.
    #[error("cannot lock {place}")]
    Io {
        /// The lock.
        place: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

fn by(holder: &Option<Box<Holder>>) -> String {
    holder.as_ref().map_or_else(String::new, |h| {
        format!(" by {} (process {}) for {}", h.who, h.pid, h.operation)
    })
}

impl From<StoreError> for LockError {
    fn from(error: StoreError) -> LockError {
        let cause = std::io::Error::new(error.cause.kind(), error.cause.to_string());
        LockError::Io {
            place: error.place,
            cause,
        }
    }
}

/// How long to wait between two tries; grows to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Takes the lock, waiting for it up to `wait`.
///
/// # Errors
/// When someone else holds it until the end of that time.
pub async fn acquire(
    store: &dyn Store,
    holder: &Holder,
    wait: Duration,
) -> Result<Box<dyn Lock>, LockError> {
    let deadline = Instant::now() + wait;
    let mut pause = FIRST_PAUSE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match store.lock(holder).await {
            Err(LockError::Taken { .. }) if !left.is_zero() => {}
            answer => return answer,
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
