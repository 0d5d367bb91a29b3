//! Executes a plan: does what its graph says, records each thing before and after it is done, and
//! derives nothing anew. What is left of a killed run is settled first.

mod change;
mod destroy;
mod events;
mod executor;
mod settle;

pub use events::{Event, Happening, Sink};
pub use executor::{Applied, Counts, apply};
pub use settle::settle;
