//! Desired + prior + live -> a plan: data that people and tools are shown, and a graph that apply
//! executes.

mod model;

pub use model::{
    Action, ActionReason, CheckResult, CheckStatus, Mode, OutputChange, Plan, ResourceChange,
};
