//! `mlinfra apply`: makes the configuration real, or does what a saved plan says.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::apply;
use crate::cli::arguments::PlanArguments;
use crate::cli::context::Context;
use crate::cli::operation::Operation;
use crate::cli::view::progress::{self, Done};
use crate::cli::watch::Watch;
use crate::cli::{interrupt, saved_plan, stored, view};
use crate::diag::Diagnostic;
use crate::plan::{Mode, Planned};

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Examples:
  mlinfra apply                    plan, ask, and do it
  mlinfra apply -auto-approve      without asking
  mlinfra apply change.mlplan      do exactly what a saved plan says
")]
pub struct Arguments {
    /// What to plan.
    #[command(flatten)]
    pub plan: PlanArguments,

    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,

    /// Tell of progress as JSON, a line each.
    #[arg(long)]
    pub json: bool,

    /// A saved plan.
    #[arg(value_name = "PLAN")]
    pub saved: Option<PathBuf>,
}

/// Plans and applies.
pub async fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    if let Some(path) = &arguments.saved {
        return saved(arguments, path, cx).await;
    }
    let operation = match Operation::open(cx, &arguments.plan, "apply").await {
        Ok(operation) => operation,
        Err(code) => return code,
    };
    let code = fresh(arguments, cx, &operation).await;
    operation.close(cx, code).await
}

async fn saved(arguments: &Arguments, path: &std::path::Path, cx: &Context) -> ExitCode {
    let (operation, planned) = match saved_plan::open(path, cx, &arguments.plan).await {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let cancel = interrupt::token();
    let watch = Watch::start(cx, arguments.json);
    let code = carry_out(&operation, &planned, &watch, cancel, cx).await;
    operation.close(cx, code).await
}

async fn fresh(arguments: &Arguments, cx: &Context, operation: &Operation) -> ExitCode {
    let cancel = interrupt::token();
    let planned = match operation.plan(cx, &cancel).await {
        Ok(planned) => planned,
        Err(code) => return code,
    };
    let watch = Watch::start(cx, arguments.json);
    watch
        .view()
        .text(&view::plan::render(&planned.plan, &cx.style));
    watch.view().planned(&planned.plan);
    for diagnostic in &planned.diagnostics {
        watch
            .view()
            .diagnostic(diagnostic, &operation.configuration.sources);
    }
    if planned.plan.is_applyable()
        && !arguments.auto_approve
        && let Err(code) = approve(cx, planned.plan.mode)
    {
        return code;
    }
    carry_out(operation, &planned, &watch, cancel, cx).await
}

/// Asks whether to go on.
fn approve(cx: &Context, mode: Mode) -> Result<(), ExitCode> {
    if !std::io::stdin().is_terminal() {
        return Err(cx.fail_with(
            Diagnostic::error(
                "Not approved",
                "There is nobody to ask whether to go on, because standard input is not a terminal.",
            )
            .hint("Use -auto-approve, or apply a saved plan."),
        ));
    }
    let question = match mode {
        Mode::Destroy => {
            "\nDo you really want to destroy all resources?\n  mlinfra will destroy all your managed infrastructure, as shown above.\n  There is no undo. Only 'yes' will be accepted to confirm.\n\n  Enter a value: "
        }
        Mode::RefreshOnly => {
            "\nWould you like to update the mlinfra state to reflect these detected changes?\n  mlinfra will write these changes to the state without modifying any real infrastructure.\n  There is no undo. Only 'yes' will be accepted to confirm.\n\n  Enter a value: "
        }
        Mode::Normal => {
            "\nDo you want to perform these actions?\n  mlinfra will perform the actions described above.\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: "
        }
    };
    cx.print(question);
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    cx.print("\n");
    if read.is_ok() && answer.trim() == "yes" {
        return Ok(());
    }
    let what = if mode == Mode::Destroy {
        "Destroy"
    } else {
        "Apply"
    };
    cx.print(&format!("\n{what} cancelled.\n"));
    Err(ExitCode::from(1))
}

async fn carry_out(
    operation: &Operation,
    planned: &Planned,
    watch: &Watch,
    cancel: mlinfra_sdk::CancellationToken,
    cx: &Context,
) -> ExitCode {
    let configuration = &operation.configuration;
    let applied = apply::apply(
        &configuration.tree,
        &configuration.nodes,
        &operation.expand(cx),
        &operation.host,
        &operation.state,
        planned,
        operation.options.parallelism,
        watch.sink(),
        cancel,
    )
    .await;
    let view = watch.view();
    watch.report(cx, &applied.diagnostics, &configuration.sources);
    if applied.diagnostics.has_errors() {
        return ExitCode::from(1);
    }
    let done = Done {
        imported: Done::planned(&planned.plan).imported,
        added: applied.counts.added,
        changed: applied.counts.changed,
        destroyed: applied.counts.destroyed,
    };
    if planned.plan.mode == Mode::Destroy {
        view.summary(progress::Operation::Destroy, done);
    } else {
        view.summary(progress::Operation::Apply, done);
        view.outputs(&stored::outputs(&operation.state.snapshot()));
    }
    ExitCode::SUCCESS
}
