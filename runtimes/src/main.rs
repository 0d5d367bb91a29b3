//! `mlinfra-runtime`: the programs that live on what was provisioned.

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mlinfra_agent::args::{AgentArgs, GuardArgs, ShimArgs};
use mlinfra_inference::InferArgs;
use mlinfra_runner::args::RunArgs;

/// The programs that live on what mlinfra provisioned.
#[derive(Debug, Parser)]
#[command(name = "mlinfra-runtime", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    program: Program,
}

#[derive(Debug, Subcommand)]
enum Program {
    Infer(InferArgs),
    Run(RunArgs),
    Agent(AgentArgs),
    #[command(hide = true)]
    Guard(GuardArgs),
    #[command(hide = true)]
    Shim(ShimArgs),
}

fn main() -> ExitCode {
    match Cli::parse().program {
        Program::Infer(args) => infer(args),
        Program::Run(args) => args.run(),
        Program::Agent(args) => told(args.run()),
        Program::Guard(args) => told(args.run()),
        Program::Shim(args) => told(args.run()),
    }
}

/// Serves models until a signal asks to stop.
fn infer(args: InferArgs) -> ExitCode {
    mlinfra_kit::logging::init(mlinfra_kit::logging::Format::Text);
    let settings = match args.settings() {
        Ok(settings) => settings,
        Err(error) => return told(Err(error)),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return told(Err(error)),
    };
    let served = runtime.block_on(mlinfra_inference::serve(settings));
    // A model that computes holds its thread; the end of the process does not wait for it.
    runtime.shutdown_background();
    told(served)
}

/// Tells an error with its causes.
fn told<E: Error>(result: Result<(), E>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    eprintln!("mlinfra-runtime: {text}");
    ExitCode::FAILURE
}
