//! `mlinfra init`: checks that the directory can be worked in.

use std::process::ExitCode;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::operation;

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
There is nothing to download: kinds and providers come with the program, and modules are read
where they are. So init only checks that the configuration can be loaded; no other command needs
it first.

Example:
  mlinfra init
")]
pub struct Arguments {
    /// Accepted and ignored, as for Terraform.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    input: bool,

    /// Accepted and ignored, as for Terraform.
    #[arg(long)]
    upgrade: bool,

    /// Accepted and ignored, as for Terraform.
    #[arg(long)]
    reconfigure: bool,
}

/// Checks the directory.
pub fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    let _ = (arguments.input, arguments.upgrade, arguments.reconfigure);
    match operation::load(cx) {
        Ok(configuration) => {
            cx.report(&configuration.diagnostics, &configuration.sources);
            cx.print("mlinfra has been successfully initialized!\n\nTry \"mlinfra plan\" to see what would be made.\n");
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}
