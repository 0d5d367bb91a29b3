//! A few sessions and many requests: who computes, who waits, and who is turned away. It knows not what a session is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

/// Sessions of one model, and a queue of limited length before them.
pub(crate) struct Pool<S> {
    idle: Mutex<Vec<S>>,
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

impl<S: Send + 'static> Pool<S> {
    pub(crate) fn new(sessions: Vec<S>, queue: usize) -> Self {
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
        work: impl FnOnce(&mut S) -> R + Send + 'static,
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
    pub(crate) fn with_idle<R>(&self, work: impl FnOnce(&mut S) -> R) -> Option<R> {
        let session = self.idle().pop();
        let mut lent = Returned {
            pool: self,
            session,
        };
        lent.session.as_mut().map(work)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<S>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a session back when it is dropped, be it by a panic.
struct Returned<'a, S: Send + 'static> {
    pool: &'a Pool<S>,
    session: Option<S>,
}

impl<S: Send + 'static> Drop for Returned<'_, S> {
    fn drop(&mut self) {
        self.pool.idle().extend(self.session.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Work that takes until it is told to end, and says when it has begun.
    fn gate() -> (
        tokio::sync::oneshot::Receiver<()>,
        mpsc::Sender<()>,
        impl FnOnce(&mut u32) -> u32 + Send + 'static,
    ) {
        let (begin, begun) = tokio::sync::oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let work = move |session: &mut u32| {
            let _ = begin.send(());
            let _ = ended.recv();
            *session
        };
        (begun, end, work)
    }

    #[tokio::test]
    async fn beyond_sessions_and_queue_requests_are_turned_away() {
        let pool = Arc::new(Pool::new(vec![7], 1));
        let (begun, end, work) = gate();
        let first = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(work).await }
        });
        begun.await.unwrap();
        let mut waiting = Box::pin(pool.run(|session| *session + 1));
        assert!(is_waiting(&mut waiting).await, "it waits in the queue");
        assert!(matches!(pool.run(|_| ()).await, Err(Refused::Full)));
        drop(waiting);
        let mut waiting = Box::pin(pool.run(|session| *session + 1));
        assert!(
            is_waiting(&mut waiting).await,
            "who went away has left the queue"
        );
        drop(end);
        assert_eq!(first.await.unwrap().unwrap(), 7);
        assert_eq!(waiting.await.unwrap(), 8);
    }

    #[tokio::test]
    async fn a_session_survives_a_panic() {
        let pool = Arc::new(Pool::new(vec![7], 0));
        for _ in 0..3 {
            assert!(matches!(
                pool.run(|_| panic!("in the work")).await,
                Err(Refused::Broken(_))
            ));
        }
        assert_eq!(pool.run(|session| *session).await.unwrap(), 7);
        assert_eq!(pool.with_idle(|session| *session), Some(7));
    }

    /// Whether a future is not done when it is polled once.
    async fn is_waiting<F: Future + Unpin>(future: &mut F) -> bool {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending())
        })
        .await
    }
}
