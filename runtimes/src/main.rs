//! `mlinfra-runtime`: the programs that live on what was provisioned.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mlinfra_agent::args::{AgentArgs, GuardArgs, ShimArgs};

/// The programs that live on what mlinfra provisioned.
#[derive(Debug, Parser)]
#[command(name = "mlinfra-runtime", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    program: Program,
}

#[derive(Debug, Subcommand)]
enum Program {
    Agent(AgentArgs),
    #[command(hide = true)]
    Guard(GuardArgs),
    #[command(hide = true)]
    Shim(ShimArgs),
}

fn main() -> ExitCode {
    let result = match Cli::parse().program {
        Program::Agent(args) => args.run(),
        Program::Guard(args) => args.run(),
        Program::Shim(args) => args.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mlinfra-runtime: {error}");
            ExitCode::FAILURE
        }
    }
}
