//! The host of providers: knows which there are, calls them, and guards every answer.

mod builtin;
mod guard;
mod host;
mod words;

pub use builtin::builtin;
pub use guard::Call;
pub(crate) use guard::differing;
pub use host::{Host, Sessions};
pub use words::{failure_diagnostic, problem_diagnostic};
