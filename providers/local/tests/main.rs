//! The provider as the engine drives it: plan, create, read, update, delete, find; with the real agent.
//!
//! The agent is the program `mlinfra-runtime`. The environment variable `MLINFRA_RUNTIME` names one; without it the
//! first test has cargo build it.
#![allow(clippy::unwrap_used)]

mod bucket;
mod file;
mod job;
mod platform;
mod schedule;
mod service;
mod world;
