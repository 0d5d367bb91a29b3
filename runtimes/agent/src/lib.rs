//! The local orchestrator: supervises services, runs jobs, fires schedules; and the client that talks to it.
//!
//! One agent serves one configuration directory and keeps everything it has below
//! `<directory>/.mlinfra/agent`. It speaks HTTP and JSON over a Unix socket there.
//!
//! | module | what it is |
//! |---|---|
//! | [`messages`] | what goes over the socket: specs, views, failures |
//! | [`client`] | finds the agent, starts it when needed, calls it |
//! | [`name`], [`port`], `cron` (feature `cron`) | what the agent will say of a name, a port, a schedule, for those who ask before |
//! | `server` | the orchestrator itself (feature `server`): agent, guard, shim |
//!
//! Three programs keep each other's work alive, and any one of them may be killed at any moment:
//! the **agent** decides, the **guard** restarts the agent (and the agent restarts the guard), and one **shim**
//! per process starts the command, waits for it and writes its exit status down, so that neither the process nor
//! its exit status depends on the agent being there.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod client;
#[cfg(feature = "cron")]
pub mod cron;
mod environment;
pub mod layout;
pub mod messages;
pub mod name;
pub mod port;
pub mod process;

#[cfg(feature = "server")]
pub mod args;
#[cfg(feature = "server")]
pub mod server;

pub use client::{Client, ClientError, ensure_running};
