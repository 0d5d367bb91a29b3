//! `mlinfra show`: shows the state, or a saved plan.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::{operation, providers, saved_plan, stored, view};
use crate::diag::Diagnostic;
use crate::state::State;

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Examples:
  mlinfra show                        the state
  mlinfra show change.mlplan          a saved plan
  mlinfra show -json change.mlplan    the same in Terraform's plan format, for policies and tools
")]
pub struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,

    /// A saved plan.
    #[arg(value_name = "PLAN")]
    saved: Option<PathBuf>,
}

/// Shows.
pub async fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    if let Some(path) = &arguments.saved {
        return match saved_plan::read(path, cx) {
            Ok(saved) if arguments.json => print_json(saved_plan::json(&saved), cx),
            Ok(saved) => {
                cx.print(&view::plan::render(&saved.plan, &cx.style));
                ExitCode::SUCCESS
            }
            Err(diagnostic) => cx.fail_with(diagnostic),
        };
    }
    let snapshot = match State::read(&*operation::store(&cx.root)).await {
        Ok(snapshot) => snapshot,
        Err(e) => return cx.fail_with(e),
    };
    let view = match stored::view(&snapshot, &providers::host(&cx.root)) {
        Ok(view) => view,
        Err(diagnostic) => return cx.fail_with(diagnostic),
    };
    if !arguments.json {
        cx.print(&view::state::render(&view, &cx.style));
        return ExitCode::SUCCESS;
    }
    print_json(view::json::values::render(Some(&view)), cx)
}

fn print_json(json: Result<String, serde_json::Error>, cx: &Context) -> ExitCode {
    match json {
        Ok(json) => {
            cx.print(&format!("{json}\n"));
            ExitCode::SUCCESS
        }
        Err(e) => cx.fail_with(Diagnostic::error(
            "It has no JSON form",
            format!("A value cannot be written as JSON: {e}."),
        )),
    }
}
