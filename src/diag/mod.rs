//! Errors and warnings: one value, composed once, rendered for terminal, JSON and markdown.

pub mod codes;
mod diagnostic;
mod excerpt;
pub mod json;
mod style;
mod suggest;
pub mod terminal;

pub use diagnostic::{Diagnostic, Diagnostics, Severity, ValueNote};
pub use style::{Ink, Style, wrap};
pub use suggest::{did_you_mean, nearest};
