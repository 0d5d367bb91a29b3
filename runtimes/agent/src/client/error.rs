//! What can go wrong between a caller and the agent.

use std::io;
use std::path::PathBuf;

use crate::messages::Failure;

/// A call of the agent that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No agent answers for this directory.
    #[error("no agent runs for {}", directory.display())]
    NotRunning {
        /// The configuration directory.
        directory: PathBuf,
    },
    /// The agent speaks another protocol.
    #[error(
        "the agent of {} is of release {version} and speaks protocol {agent}, this program speaks {client}: \
         stop it with the release that started it, or use that release",
        directory.display()
    )]
    Protocol {
        /// The configuration directory.
        directory: PathBuf,
        /// The agent's protocol.
        agent: u32,
        /// The agent's release.
        version: String,
        /// The caller's protocol.
        client: u32,
    },
    /// The agent answered that it cannot or will not.
    #[error(transparent)]
    Refused(#[from] Failure),
    /// The connection failed, so it is not known whether the agent did what was asked.
    #[error("the connection to the agent of {} failed: {cause}", directory.display())]
    Connection {
        /// The configuration directory.
        directory: PathBuf,
        /// What failed.
        cause: String,
    },
    /// The answer is not what this protocol says.
    #[error("the agent of {} gave an answer that cannot be read: {cause}", directory.display())]
    Answer {
        /// The configuration directory.
        directory: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The runtime program could not be started.
    #[error("cannot start the agent with {}: {source}", program.display())]
    Program {
        /// The runtime program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The agent was started and does not answer.
    #[error("the agent of {} does not answer; the end of {} reads:\n{tail}", directory.display(), log.display())]
    Silent {
        /// The configuration directory.
        directory: PathBuf,
        /// The agent's log.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// The directory of the agent cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}
