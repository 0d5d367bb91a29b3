//! What people and tools see: plans, state, outputs and progress, as text, JSON and Markdown.
//!
//! Nothing here looks at the environment, the terminal or the clock: the caller passes a
//! [`Style`], sizes and times.

mod diff;
pub mod json;
pub mod outputs;
pub mod plan;
pub mod state;
pub mod style;
pub mod value;

pub use style::Style;
