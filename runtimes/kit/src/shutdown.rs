//! The wish to stop: SIGTERM and SIGINT as a future.
//!
//! PID 1 of a container gets no default action for signals, so every server must wait for this one.

use tokio::signal::unix::{SignalKind, signal as listen};

/// Which signal asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: an orchestrator.
    Terminate,
    /// SIGINT: a person at a terminal.
    Interrupt,
}

/// Starts to listen for SIGTERM and SIGINT now, and gives a future of the first one that comes. A signal that comes
/// before the future is polled is not lost.
pub fn signal() -> std::io::Result<impl Future<Output = Signal> + Send + 'static> {
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => Signal::Terminate,
            _ = interrupt.recv() => Signal::Interrupt,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_before_the_first_poll_is_not_lost() {
        let asked = signal().unwrap();
        let me = rustix::process::getpid();
        rustix::process::kill_process(me, rustix::process::Signal::TERM).unwrap();
        assert_eq!(asked.await, Signal::Terminate);
    }
}
