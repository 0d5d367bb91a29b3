//! `mlinfra state`: lists and shows the objects in the state.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::addr::{ResourceInstance, Target};
use crate::cli::context::Context;
use crate::cli::{environment, operation, providers, stored, view};
use crate::diag::Diagnostic;
use crate::state::{Access, Holder, Loss, Snapshot, Source, State, Survey, restore, survey};

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
    /// Bring a damaged state back from its backup and journal.
    Recover {
        /// Only say what would be recovered.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show the attributes of an object.
    Show {
        /// Its address.
        address: String,
    },
}

/// Lists or shows.
pub async fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    if let StateCommand::Recover { dry_run } = arguments.command {
        return recover(dry_run, cx).await;
    }
    let snapshot = match State::read(&*operation::store(&cx.root)).await {
        Ok(snapshot) => snapshot,
        Err(e) => return cx.fail_with(e),
    };
    match &arguments.command {
        StateCommand::List { addresses } => list(addresses, &snapshot, cx),
        StateCommand::Show { address } => show(address, &snapshot, cx),
        StateCommand::Recover { .. } => ExitCode::SUCCESS,
    }
}

async fn recover(dry_run: bool, cx: &Context) -> ExitCode {
    let store = operation::store(&cx.root);
    let recovered = if dry_run {
        survey(&*store).await.map(|survey| (survey, Vec::new()))
    } else {
        let holder = Holder::new("state recover", &environment::who());
        restore(&*store, Access::Locked(holder, Duration::ZERO)).await
    };
    match recovered {
        Ok((survey, aside)) => {
            cx.print(&recovery(&survey, &aside, dry_run));
            ExitCode::SUCCESS
        }
        Err(e) => cx.fail_with(e),
    }
}

fn recovery(survey: &Survey, aside: &[String], dry_run: bool) -> String {
    let mut text = String::new();
    for source in &survey.sources {
        text.push_str(&match source {
            Source::Snapshot { place, serial } => {
                format!("From {place}: the state of serial {serial}.\n")
            }
            Source::Journal { place, records, .. } => {
                format!("From {place}: {records} changes after that.\n")
            }
        });
    }
    for loss in &survey.losses {
        text.push_str(&match loss {
            Loss::Damaged { place, damage } => {
                format!("Lost: what else {place} held ({damage}).\n")
            }
            Loss::After(serial) => format!("Lost: what came after serial {serial}.\n"),
        });
    }
    if survey.losses.is_empty() {
        text.push_str("Nothing is lost.\n");
    }
    for place in aside {
        text.push_str(&format!("The damaged file is kept as {place}.\n"));
    }
    let objects = survey.snapshot.resources.len();
    let verb = if dry_run { "would hold" } else { "holds" };
    text.push_str(&format!("The state {verb} {objects} objects.\n"));
    text
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
