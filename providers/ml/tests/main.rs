//! The provider as the engine calls it, with a real agent, a real runner and a real registry.

#![allow(clippy::unwrap_used)]

mod dataset;
mod harness;
mod registry;
mod run;
