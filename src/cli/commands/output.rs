//! `mlinfra output`: shows the values of outputs.

use std::process::ExitCode;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::{operation, stored, view};
use crate::diag::Diagnostic;
use crate::state::{Snapshot, State};

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Examples:
  mlinfra output               all outputs
  mlinfra output -raw url      one output as plain text, for scripts
  mlinfra output -json         all outputs with their types
")]
pub struct Arguments {
    /// As JSON.
    #[arg(long, conflicts_with = "raw")]
    json: bool,

    /// As plain text: a string, number or bool only.
    #[arg(long, requires = "name")]
    raw: bool,

    /// The output; all when left out.
    name: Option<String>,
}

/// Shows outputs.
pub async fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    let snapshot = match State::read(&*operation::store(&cx.root)).await {
        Ok(snapshot) => snapshot,
        Err(e) => return cx.fail_with(e),
    };
    match &arguments.name {
        Some(name) => one(arguments, name, &snapshot, cx),
        None if arguments.json => all_json(&snapshot, cx),
        None if snapshot.outputs.is_empty() => {
            cx.report(
                &Diagnostic::warning(
                    "No outputs found",
                    "The state file either has no outputs defined, or all the defined outputs are empty. Please define an output in your configuration with the `output` keyword and run `mlinfra apply` for it to become available.",
                )
                .into(),
                &crate::source::Sources::default(),
            );
            ExitCode::SUCCESS
        }
        None => {
            cx.print(&view::outputs::render(&stored::outputs(&snapshot)));
            ExitCode::SUCCESS
        }
    }
}

fn one(arguments: &Arguments, name: &str, snapshot: &Snapshot, cx: &Context) -> ExitCode {
    let Some(output) = snapshot.outputs.get(name) else {
        let known = snapshot.outputs.keys().map(AsRef::as_ref);
        let diagnostic = Diagnostic::error(
            format!("Output {name:?} not found"),
            "The output variable requested could not be found in the state file. If you recently added this to your configuration, be sure to run `mlinfra apply`, since the state won't be updated with new output variables until that command is run.",
        );
        return cx.fail_with(match crate::diag::did_you_mean(name, known) {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        });
    };
    let view = stored::output(output);
    if arguments.json {
        let value = output.value.clone().unmark_deep().0;
        return match serde_json::to_string(&value) {
            Ok(text) => {
                cx.print(&format!("{text}\n"));
                ExitCode::SUCCESS
            }
            Err(e) => cx.fail_with(Diagnostic::error("It has no JSON form", format!("{e}."))),
        };
    }
    if !arguments.raw {
        cx.print(&view::outputs::render_one(&view));
        return ExitCode::SUCCESS;
    }
    match view::outputs::raw(&view) {
        Ok(text) => {
            cx.print(&text);
            ExitCode::SUCCESS
        }
        Err(e) => cx.fail_with(Diagnostic::error(
            "Unsupported value for raw output",
            format!("The -raw option only supports strings, numbers, and boolean values: {e}."),
        )),
    }
}

/// All outputs with their types.
fn all_json(snapshot: &Snapshot, cx: &Context) -> ExitCode {
    match view::json::values::render_outputs(&stored::outputs(snapshot)) {
        Ok(text) => {
            cx.print(&format!("{text}\n"));
            ExitCode::SUCCESS
        }
        Err(e) => cx.fail_with(Diagnostic::error("It has no JSON form", format!("{e}."))),
    }
}
