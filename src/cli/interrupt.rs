//! Ctrl-C: the first asks the run to end in an orderly way, the second ends the program.

use mlinfra_sdk::CancellationToken;

/// A token that the first interrupt sets. What is recorded is durable, so that the second may end
/// the program at any moment.
pub fn token() -> CancellationToken {
    let token = CancellationToken::new();
    let set = token.clone();
    tokio::spawn(async move {
        if wait().await.is_err() {
            return;
        }
        eprintln!(
            "\nInterrupt received.\nPlease wait for mlinfra to exit or data loss may occur in what is being made.\nGracefully shutting down...\n"
        );
        set.cancel();
        if wait().await.is_ok() {
            eprintln!(
                "\nTwo interrupts received. Exiting immediately. What was begun is in the journal and is found by the next run.\n"
            );
            std::process::exit(130);
        }
    });
    token
}

async fn wait() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}
