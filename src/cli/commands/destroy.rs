//! `mlinfra destroy`: destroys what the configuration made.

use std::process::ExitCode;

use clap::Args;

use super::apply;
use crate::cli::context::Context;

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
What holds data (registries, buckets, databases) is kept, and stays in the state. With
-destroy-data it goes, too.

Examples:
  mlinfra destroy                  show what would go, ask, and do it
  mlinfra destroy -auto-approve    without asking
  mlinfra destroy -destroy-data    with the data
")]
pub struct Arguments {
    /// As for apply.
    #[command(flatten)]
    apply: apply::Arguments,
}

/// Plans a destruction and applies it.
pub async fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    let mut plan = arguments.apply.plan.clone();
    plan.destroy = true;
    let arguments = apply::Arguments {
        plan,
        auto_approve: arguments.apply.auto_approve,
        json: arguments.apply.json,
        // A plan says by itself what is to be done; it is refused together with -destroy.
        saved: arguments.apply.saved.clone(),
    };
    apply::run(&arguments, cx).await
}
