//! A dependency graph, and the bounded concurrent walk over it. Knows nothing of what the nodes are.

mod order;
mod walk;

pub use order::Graph;
pub use walk::{Outcome, Visit, walk};
