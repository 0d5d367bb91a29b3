//! The runtime program as its users see it: started, killed, started again.
#![allow(clippy::unwrap_used)]

mod agent;
mod runner;
mod world;
