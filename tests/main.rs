//! The program from outside, by scenario, and the structure of the code.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod architecture;
mod engine;
mod examples;
mod support;
