//! The command line: reads arguments and environment, runs a command, shows what came of it.
//!
//! Terminal, environment variables, exit codes and signals are known here and nowhere below.

mod arguments;
mod commands;
mod configuration;
mod context;
mod environment;
mod interrupt;
mod operation;
mod providers;
mod saved_plan;
mod stored;
pub mod view;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use context::Context;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let given = arguments::usual(std::env::args_os());
    // The version is asked for often by scripts, so nothing else is set up for it.
    let arguments = match Arguments::try_parse_from(given) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(1)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    if let Command::Version(version) = &arguments.command {
        return commands::version::run(version);
    }
    let context = match Context::new(&arguments) {
        Ok(context) => context,
        Err(diagnostic) => return context::report_early(&diagnostic),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let text = format!("Threads cannot be started: {error}.");
            return context::report_early(&crate::diag::Diagnostic::error("Cannot start", text));
        }
    };
    let code = runtime.block_on(commands::run(&arguments.command, &context));
    // A provider that hangs must not keep the command from ending.
    runtime.shutdown_background();
    code
}
