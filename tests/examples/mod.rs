//! The examples, run as a user runs them.

mod faults;
mod quickstart;
