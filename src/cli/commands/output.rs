//! `mlinfra output`: shows the values of outputs.

use std::process::ExitCode;

use clap::Args;
use mlinfra_sdk::value::TypeJson;

use crate::cli::context::Context;
use crate::cli::operation;
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
        None if arguments.json => match all_json(&snapshot) {
            Ok(json) => {
                cx.print(&format!("{json}\n"));
                ExitCode::SUCCESS
            }
            Err(e) => cx.fail_with(Diagnostic::error(
                "It has no JSON form",
                format!("An output cannot be written as JSON: {e}."),
            )),
        },
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
            cx.print(&render(&snapshot, cx));
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
    let value = output.value.clone().unmark_deep().0;
    if arguments.json {
        let text = serde_json::to_string(&value).unwrap_or_default();
        cx.print(&format!("{text}\n"));
        return ExitCode::SUCCESS;
    }
    if !arguments.raw {
        cx.print(&format!("{}\n", crate::lang::display::value(&value)));
        return ExitCode::SUCCESS;
    }
    match crate::lang::convert(&value, &mlinfra_sdk::Type::String) {
        Ok(text) if text.as_str().is_some() => {
            cx.print(text.as_str().unwrap_or_default());
            ExitCode::SUCCESS
        }
        _ => cx.fail_with(Diagnostic::error(
            "Unsupported value for raw output",
            format!("The -raw option only supports strings, numbers, and boolean values, but output value {name:?} is {}.", value.ty().friendly()),
        )),
    }
}

#[derive(serde::Serialize)]
struct OutputJson {
    sensitive: bool,
    #[serde(rename = "type")]
    ty: Box<serde_json::value::RawValue>,
    value: mlinfra_sdk::Value,
}

/// All outputs with their types.
///
/// # Errors
/// When a value has no JSON form.
pub fn all_json(snapshot: &Snapshot) -> Result<String, serde_json::Error> {
    let mut outputs = std::collections::BTreeMap::new();
    for (name, output) in &snapshot.outputs {
        let value = output.value.clone().unmark_deep().0;
        let json = OutputJson {
            sensitive: output.sensitive,
            ty: serde_json::value::to_raw_value(&TypeJson(&value.ty()))?,
            value,
        };
        outputs.insert(name, json);
    }
    serde_json::to_string_pretty(&outputs)
}

/// All outputs for people.
pub fn render(snapshot: &Snapshot, cx: &Context) -> String {
    let lines = snapshot.outputs.iter().map(|(name, output)| {
        let value = if output.sensitive {
            "<sensitive>".to_owned()
        } else {
            crate::lang::display::value(&output.value)
        };
        format!("{name} = {value}\n")
    });
    lines.collect()
}
