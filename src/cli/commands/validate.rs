//! `mlinfra validate`: checks a configuration without looking at the world.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;

use crate::cli::configuration::Configuration;
use crate::cli::context::Context;
use crate::cli::providers;
use crate::diag::json::DiagnosticJson;
use crate::diag::{Diagnostic, Diagnostics};
use crate::plan;

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Examples:
  mlinfra validate          say what is wrong, with places and remedies
  mlinfra validate -json    the same for an editor
")]
pub struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Checks the configuration.
pub async fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    let configuration = Configuration::load(&cx.root);
    let mut diagnostics = configuration.diagnostics.clone();
    if configuration.is_empty() && !diagnostics.has_errors() {
        diagnostics.push(Diagnostic::error(
            "No configuration files",
            format!(
                "The directory {} has no file whose name ends in .hcl or .tf.",
                cx.root.display()
            ),
        ));
    }
    if !diagnostics.has_errors() {
        let mut expand = configuration.expand(&cx.root, BTreeMap::new());
        expand.abstractly = true;
        let host = providers::host(&cx.root);
        let (tree, nodes) = (&configuration.tree, &configuration.nodes);
        diagnostics.extend(plan::validate(tree, nodes, &expand, &host).await);
    }
    if arguments.json {
        return as_json(cx, &configuration, &diagnostics);
    }
    cx.report(&diagnostics, &configuration.sources);
    if diagnostics.has_errors() {
        return ExitCode::from(1);
    }
    let success = if diagnostics.is_empty() {
        "Success! The configuration is valid.\n\n"
    } else {
        "Success! The configuration is valid, but there were some validation warnings as shown above.\n\n"
    };
    cx.print(success);
    ExitCode::SUCCESS
}

fn as_json(cx: &Context, configuration: &Configuration, diagnostics: &Diagnostics) -> ExitCode {
    let errors = diagnostics.0.iter().filter(|d| d.is_error()).count();
    let json = serde_json::json!({
        "format_version": "1.0",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": diagnostics.0.len() - errors,
        "diagnostics": DiagnosticJson::all(diagnostics, &configuration.sources),
    });
    cx.print(&format!("{json:#}\n"));
    ExitCode::from(u8::from(errors > 0))
}
