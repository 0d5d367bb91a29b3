//! Errors and warnings: one value, composed once, rendered for terminal, JSON and markdown.

mod diagnostic;

pub use diagnostic::{Diagnostic, Diagnostics, Severity, ValueNote};
mod suggest;
pub use suggest::nearest;
