//! Why the server cannot start.

use std::net::SocketAddr;

use crate::library::LibraryError;
use crate::settings::SettingsError;

/// Why the server cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The settings contradict themselves.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// ONNX Runtime cannot be loaded.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address} (--listen)")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The metrics cannot be set up.
    #[error("cannot set up the metrics")]
    Metrics(#[from] prometheus::Error),
    /// Serving broke off.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}
