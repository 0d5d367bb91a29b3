//! Saved plans: written by `plan -out`, shown by `show`, done by `apply`.

use std::path::Path;
use std::process::ExitCode;

use super::arguments::PlanArguments;
use super::context::Context;
use super::operation::Operation;
use crate::cli::view::state::StateView;
use crate::diag::Diagnostic;
use crate::plan::{Plan, Planned};

/// Writes a plan.
pub fn write(_: &Path, _: &Context, _: &Operation, _: &Planned) -> Result<(), Diagnostic> {
    Err(Diagnostic::error("Saved plans", "in work"))
}

/// Reads a plan to be shown, with the state it was made from.
pub fn read(_: &Path, _: &Context) -> Result<(Plan, StateView), Diagnostic> {
    Err(Diagnostic::error("Saved plans", "in work"))
}

/// A plan in Terraform's JSON form.
pub fn json((plan, prior): &(Plan, StateView)) -> Result<String, serde_json::Error> {
    crate::cli::view::json::plan::render(&crate::cli::view::json::plan::PlanDocument {
        plan,
        prior: Some(prior),
        configuration: None,
        relevant_attributes: &[],
        timestamp: "",
        errored: false,
        targeted: false,
    })
}

/// Reads a plan to be done.
pub async fn open(
    _: &Path,
    cx: &Context,
    _: &PlanArguments,
) -> Result<(Operation, Planned), ExitCode> {
    Err(cx.fail_with(Diagnostic::error("Saved plans", "in work")))
}
