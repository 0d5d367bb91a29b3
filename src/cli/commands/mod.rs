//! One file per command: its arguments and its function.

pub mod apply;
pub mod console;
pub mod destroy;
pub mod explain;
pub mod fmt;
pub mod force_unlock;
pub mod graph;
pub mod init;
pub mod output;
pub mod plan;
pub mod show;
pub mod state;
pub mod validate;
pub mod version;

use std::process::ExitCode;

use super::arguments::Command;
use super::context::Context;

/// Runs a command.
pub async fn run(command: &Command, cx: &Context) -> ExitCode {
    match command {
        Command::Init(arguments) => init::run(arguments, cx),
        Command::Validate(arguments) => validate::run(arguments, cx).await,
        Command::Plan(arguments) => plan::run(arguments, cx).await,
        Command::Apply(arguments) => apply::run(arguments, cx).await,
        Command::Destroy(arguments) => destroy::run(arguments, cx).await,
        Command::Show(arguments) => show::run(arguments, cx).await,
        Command::Output(arguments) => output::run(arguments, cx).await,
        Command::State(arguments) => state::run(arguments, cx).await,
        Command::Console(arguments) => console::run(arguments, cx).await,
        Command::Fmt(arguments) => fmt::run(arguments, cx),
        Command::ForceUnlock(arguments) => force_unlock::run(arguments, cx).await,
        Command::Graph(arguments) => graph::run(arguments, cx),
        Command::Explain(arguments) => explain::run(arguments, cx),
        Command::Version(arguments) => version::run(arguments),
    }
}
