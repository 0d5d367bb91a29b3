//! A few sessions and many requests: who computes, who waits, and who is turned away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ort::session::Session;
use tokio::sync::Semaphore;

/// Sessions of one model, and a queue of limited length before them.
pub(crate) struct Pool {
    idle: Mutex<Vec<Session>>,
    /// A permit for each session.
    turns: Arc<Semaphore>,
    /// A permit for each session and each place in the queue.
    places: Arc<Semaphore>,
}

/// Why work was not done.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The queue is full.
    Full,
    /// The work panicked or the server is going down.
    Broken(String),
}

impl Pool {
    pub(crate) fn new(sessions: Vec<Session>, queue: usize) -> Self {
        let count = sessions.len();
        let places = count.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Self {
            idle: Mutex::new(sessions),
            turns: Arc::new(Semaphore::new(count)),
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// Does work with a session, away from the threads that serve connections, when it is its turn.
    ///
    /// A caller that goes away while it waits leaves the queue; one that goes away later cannot stop the work.
    pub(crate) async fn run<R: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Session) -> R + Send + 'static,
    ) -> Result<R, Refused> {
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| Refused::Full)?;
        let turn = self
            .turns
            .clone()
            .acquire_owned()
            .await
            .map_err(|e| Refused::Broken(e.to_string()))?;
        let pool = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Declared before the session, so that whoever gets the permits next finds the session in its place.
            let _permits = (place, turn);
            pool.with_idle(work)
        });
        match done.await {
            Ok(Some(result)) => Ok(result),
            Ok(None) => Err(Refused::Broken("no session was idle".to_owned())),
            Err(e) => Err(Refused::Broken(e.to_string())),
        }
    }

    /// Does work with an idle session here and now; `None` when there is none. Blocks.
    pub(crate) fn with_idle<R>(&self, work: impl FnOnce(&mut Session) -> R) -> Option<R> {
        let session = self.idle().pop();
        let mut lent = Returned {
            pool: self,
            session,
        };
        lent.session.as_mut().map(work)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a session back when it is dropped, be it by a panic.
struct Returned<'a> {
    pool: &'a Pool,
    session: Option<Session>,
}

impl Drop for Returned<'_> {
    fn drop(&mut self) {
        self.pool.idle().extend(self.session.take());
    }
}
