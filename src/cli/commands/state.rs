//! `mlinfra state`: lists and shows the objects in the state.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::addr::{ResourceInstance, Target};
use crate::cli::context::Context;
use crate::cli::{operation, providers, stored, view};
use crate::diag::Diagnostic;
use crate::state::{Snapshot, State};

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Examples:
  mlinfra state list                              all objects
  mlinfra state list serving.api                  those of one block
  mlinfra state show serving.api.local_service.this
")]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    command: StateCommand,
}

#[derive(Subcommand, Debug)]
enum StateCommand {
    /// List the addresses of objects.
    List {
        /// Only those that these addresses select.
        addresses: Vec<String>,
    },
    /// Show the attributes of an object.
    Show {
        /// Its address.
        address: String,
    },
}

/// Lists or shows.
pub async fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    let snapshot = match State::read(&*operation::store(&cx.root)).await {
        Ok(snapshot) => snapshot,
        Err(e) => return cx.fail_with(e),
    };
    match &arguments.command {
        StateCommand::List { addresses } => list(addresses, &snapshot, cx),
        StateCommand::Show { address } => show(address, &snapshot, cx),
    }
}

fn list(addresses: &[String], snapshot: &Snapshot, cx: &Context) -> ExitCode {
    let library = crate::vocabulary::Library::bundled();
    let mut targets = Vec::new();
    for text in addresses {
        match Target::parse(text, |name| {
            crate::config::Vocabulary::is_kind(&library, name)
        }) {
            Ok(target) => targets.push(target),
            Err(e) => return cx.fail_with(Diagnostic::error("Invalid address", format!("{e}."))),
        }
    }
    let selected = |address: &ResourceInstance| {
        targets.is_empty() || targets.iter().any(|t| t.selects(address))
    };
    let lines: String = snapshot
        .resources
        .keys()
        .filter(|address| selected(address))
        .map(|address| format!("{address}\n"))
        .collect();
    cx.print(&lines);
    ExitCode::SUCCESS
}

fn show(text: &str, snapshot: &Snapshot, cx: &Context) -> ExitCode {
    let address = match ResourceInstance::parse(text) {
        Ok(address) => address,
        Err(e) => return cx.fail_with(Diagnostic::error("Invalid address", format!("{e}."))),
    };
    let known = snapshot.current(&address).is_some();
    if !known {
        let all: Vec<String> = snapshot.resources.keys().map(ToString::to_string).collect();
        let diagnostic = Diagnostic::error(
            "No instance found for the given address!",
            format!(
                "There is no object {text} in the state. mlinfra state list shows what there is."
            ),
        );
        let near = crate::diag::did_you_mean(text, all.iter().map(String::as_str));
        return cx.fail_with(match near {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        });
    }
    match stored::view(snapshot, &providers::host(&cx.root)) {
        Ok(view) => {
            let objects = view.objects.iter().filter(|o| o.address == address);
            let text: String = objects
                .map(|o| view::state::render_object(o, &cx.style))
                .collect();
            cx.print(&text);
            ExitCode::SUCCESS
        }
        Err(d) => cx.fail_with(d),
    }
}
