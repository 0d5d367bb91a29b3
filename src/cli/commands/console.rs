//! `mlinfra console`: evaluates expressions, one a line, from standard input.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use mlinfra_sdk::Context as OperationContext;

use crate::cli::arguments::{LockArguments, PlanArguments, VariableArguments};
use crate::cli::context::Context;
use crate::cli::operation::Operation;
use crate::lang::{self, display};
use crate::module::{Expand, Repetition, Values};
use crate::plan::{self, Mode};

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Examples:
  mlinfra console                                  one expression a line; ends with exit or Ctrl-D
  echo 'join(\"-\", [\"a\", \"b\"])' | mlinfra console
  echo 'terraform_data.a.output' | mlinfra console -plan
")]
pub struct Arguments {
    /// Variables.
    #[command(flatten)]
    variables: VariableArguments,

    /// The lock.
    #[command(flatten)]
    lock: LockArguments,

    /// Evaluate against what a plan would make, instead of what there is.
    #[arg(long)]
    plan: bool,
}

/// Evaluates what it reads.
pub async fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    let plan = PlanArguments::new(arguments.variables.clone(), arguments.lock.clone());
    let mut operation = match Operation::open(cx, &plan, "console").await {
        Ok(operation) => operation,
        Err(code) => return code,
    };
    // What is there is what a plan that only takes note of the world ends with.
    operation.options.mode = if arguments.plan {
        Mode::Normal
    } else {
        Mode::RefreshOnly
    };
    operation.options.refresh = false;
    let snapshot = operation.state.snapshot();
    let mut expand = operation.expand(cx);
    let planned = plan::plan(
        &operation.configuration.tree,
        &operation.configuration.nodes,
        &expand,
        &operation.host,
        &snapshot,
        &operation.options,
        OperationContext::quiet(),
    )
    .await;
    if planned.diagnostics.has_errors() {
        let code = cx.fail(&planned.diagnostics, &operation.configuration.sources);
        return operation.close(cx, code).await;
    }
    expand.settings.console = true;
    expand.settings.pure_only = arguments.plan;
    let code = read(cx, &operation, &expand);
    drop(expand);
    operation.close(cx, code).await
}

/// At a terminal each line is answered at once. From a pipe, as Terraform has it, the answer to
/// the last line is printed, and the first error ends it.
fn read(cx: &Context, operation: &Operation, expand: &Expand<'_>) -> ExitCode {
    let interactive = std::io::stdin().is_terminal();
    let mut last = None;
    let mut lines = std::io::stdin().lock().lines();
    loop {
        if interactive {
            print!("> ");
            let _ = std::io::stdout().flush();
        }
        let Some(Ok(line)) = lines.next() else {
            break;
        };
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if matches!(line, "exit" | "quit") {
            break;
        }
        match answer(cx, operation, expand, line) {
            Ok(text) if interactive => cx.print(&format!("{text}\n")),
            Ok(text) => last = Some(text),
            Err(()) if interactive => {}
            Err(()) => return ExitCode::from(1),
        }
    }
    if let Some(text) = last {
        cx.print(&format!("{text}\n"));
    }
    ExitCode::SUCCESS
}

fn answer(
    cx: &Context,
    operation: &Operation,
    expand: &Expand<'_>,
    line: &str,
) -> Result<String, ()> {
    let mut sources = operation.configuration.sources.clone();
    let source = sources.add("<console-input>", None, Arc::<str>::from(line));
    let value = lang::syntax::parse_expression(source, &sources).and_then(|expr| {
        expand.with_scope(Values::ROOT, &Repetition::default(), None, |scope| {
            lang::evaluate(&expr, scope)
        })
    });
    match value {
        Ok(value) => Ok(display::value(&value)),
        Err(diagnostics) => {
            cx.report(&diagnostics, &sources);
            Err(())
        }
    }
}
