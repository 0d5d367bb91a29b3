//! `mlinfra show`: shows the state, or a saved plan.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::{operation, providers, saved_plan, view};
use crate::diag::Diagnostic;
use crate::state::{Snapshot, State};

/// Arguments.
#[derive(Args, Debug)]
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
            Ok((plan, snapshot)) => {
                let text = if arguments.json {
                    format!("{}\n", view::json::plan(&plan, &snapshot))
                } else {
                    view::plan::render(&plan, &cx.style)
                };
                cx.print(&text);
                ExitCode::SUCCESS
            }
            Err(diagnostic) => cx.fail_with(diagnostic),
        };
    }
    let snapshot = match State::read(&*operation::store(&cx.root)).await {
        Ok(snapshot) => snapshot,
        Err(e) => return cx.fail_with(e),
    };
    let shown = if arguments.json {
        state_json(&snapshot, cx)
    } else {
        state_text(&snapshot, cx)
    };
    match shown {
        Ok(text) => {
            cx.print(&text);
            ExitCode::SUCCESS
        }
        Err(diagnostic) => cx.fail_with(diagnostic),
    }
}

fn state_text(_: &Snapshot, _: &Context) -> Result<String, Diagnostic> {
    let _ = providers::host;
    Ok(String::new())
}

fn state_json(_: &Snapshot, _: &Context) -> Result<String, Diagnostic> {
    Ok(String::new())
}
