//! Desired + prior + live -> a plan: data that people and tools are shown, and a graph that apply
//! executes.
//!
//! Planning walks the configuration in the order of its references. Each resource instance is
//! read from the world, its configuration evaluated, and its provider asked what would become of
//! it; what comes out is the value that others refer to. What is in state and not in the
//! configuration is deleted. Nothing in the world is changed here.

mod bookkeeping;
mod data;
mod execution;
pub mod file;
mod ignore;
mod imports;
mod instance;
mod model;
mod moves;
mod options;
mod orphans;
mod outputs;
mod planner;
mod removed;
mod targets;
mod validate;

pub use crate::module::{CheckResult, CheckStatus};
pub use bookkeeping::Bookkeeping;
pub use execution::{Execution, Step};
pub use ignore::ignore_changes;
pub use model::{Action, ActionReason, Mode, OutputChange, Plan, ResourceChange};
pub use options::Options;
pub use planner::{Planned, configure, plan, provider_ref};
pub use targets::Targeted;
pub use validate::validate;
