//! The style shared by everything that renders for people; `diag` has it, because its renderers
//! know no `cli`.

pub use crate::diag::{Ink, Style, wrap};
