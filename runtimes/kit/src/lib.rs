//! What the runtimes share: logging, shutdown, durable files. It knows none of them.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod durable;
pub mod logging;
pub mod shutdown;
