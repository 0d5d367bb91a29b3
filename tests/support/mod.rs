//! What every scenario needs: a directory of its own, and the program to run in it.

mod directory;
pub mod http;
mod wait;

pub use directory::{Directory, Run};
pub use wait::until;
