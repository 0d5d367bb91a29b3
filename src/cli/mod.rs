//! The command line.

pub mod view;
