//! The command lines of the agent, its guard and its shims.

use std::io;
use std::path::PathBuf;

use clap::Args;

/// Runs the local orchestrator of a configuration directory in the foreground.
///
/// mlinfra starts it by itself when something is applied to target `local`; it is rarely started by hand.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  mlinfra-runtime agent --dir .")]
pub struct AgentArgs {
    /// The configuration directory; the agent's files lie in .mlinfra/agent below it.
    #[arg(long, value_name = "DIRECTORY")]
    pub dir: PathBuf,
}

/// Restarts the agent of a configuration directory when it dies. Started by mlinfra.
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// The configuration directory.
    #[arg(long, value_name = "DIRECTORY")]
    pub dir: PathBuf,
}

/// Runs one command and writes down how it ended. Started by the agent.
#[derive(Debug, Args)]
pub struct ShimArgs {
    /// The folder that describes the run.
    #[arg(long, value_name = "FOLDER")]
    pub run: PathBuf,
}

impl AgentArgs {
    /// Runs the agent to its end.
    ///
    /// # Errors
    /// When its folder or its socket cannot be used.
    pub fn run(self) -> io::Result<()> {
        mlinfra_kit::logging::init(mlinfra_kit::logging::Format::Text);
        let directory = std::fs::canonicalize(self.dir)?;
        // One thread is enough for what the agent does, and takes the least memory.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(crate::server::agent(&directory))
    }
}

impl GuardArgs {
    /// Runs the guard to its end.
    ///
    /// # Errors
    /// When the agent's folder cannot be used.
    pub fn run(self) -> io::Result<()> {
        crate::server::guard(&self.dir)
    }
}

impl ShimArgs {
    /// Runs the shim to its end.
    ///
    /// # Errors
    /// When the run's folder cannot be used.
    pub fn run(self) -> io::Result<()> {
        crate::server::shim(&self.run)
    }
}
