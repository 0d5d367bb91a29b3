//! `mlinfra plan`: shows what applying would change.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::arguments::PlanArguments;
use crate::cli::context::Context;
use crate::cli::operation::Operation;
use crate::cli::{interrupt, saved_plan, view};

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Examples:
  mlinfra plan                         show what would change
  mlinfra plan -out=change.mlplan      keep the plan, to apply exactly that
  mlinfra plan -destroy                show what destroying would take away
  mlinfra plan -detailed-exitcode      exit with 2 when something would change
")]
pub struct Arguments {
    /// What to plan.
    #[command(flatten)]
    plan: PlanArguments,

    /// Keep the plan in this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Exit with 0 when nothing would change, 1 on an error, 2 when something would.
    #[arg(long)]
    detailed_exitcode: bool,
}

/// Makes a plan and shows it.
pub async fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    let operation = match Operation::open(cx, &arguments.plan, "plan").await {
        Ok(operation) => operation,
        Err(code) => return code,
    };
    let cancel = interrupt::token();
    let planned = match operation.plan(cx, &cancel).await {
        Ok(planned) => planned,
        Err(code) => return operation.close(cx, code).await,
    };
    cx.print(&view::plan::render(&planned.plan, &cx.style));
    cx.report(&planned.diagnostics, &operation.configuration.sources);
    if let Some(path) = &arguments.out {
        if let Err(diagnostic) = saved_plan::write(path, cx, &operation, &planned).await {
            let code = cx.fail_with(diagnostic);
            return operation.close(cx, code).await;
        }
        if planned.plan.is_applyable() {
            cx.print(&format!(
                "\nSaved the plan to: {}\n\nTo perform exactly these actions, run the following command to apply:\n    mlinfra apply {:?}\n",
                path.display(),
                path.display().to_string()
            ));
        }
    } else if planned.plan.is_applyable() {
        cx.print("\nNote: You didn't use the -out option to save this plan, so mlinfra can't guarantee to take exactly these actions if you run \"mlinfra apply\" now.\n");
    }
    let changed = arguments.detailed_exitcode && planned.plan.is_applyable();
    let code = ExitCode::from(if changed { 2 } else { 0 });
    operation.close(cx, code).await
}
