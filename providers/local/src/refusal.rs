//! What the agent says, in the words of the provider contract.

use std::io;

use mlinfra_agent::ClientError;
use mlinfra_agent::messages::{Failure as Refusal, FailureKind as Refused};
use mlinfra_sdk::{Failure, FailureKind, Path};

use crate::checks::sentence;

/// A failed call of the agent.
pub fn failure(error: ClientError) -> Failure {
    let said = sentence(&error.to_string());
    match error {
        ClientError::Refused(refusal) => refused(&refusal),
        ClientError::NotRunning { .. } => {
            Failure::new(FailureKind::Unavailable, "The agent does not run", said)
                .remedy("Run the command again: it starts the agent.")
        }
        ClientError::Protocol { .. } => Failure::new(
            FailureKind::Conflict,
            "The agent is of another release",
            said,
        )
        .remedy("Use the release of mlinfra that started it, or end it with that release and apply again."),
        ClientError::Connection { .. } => Failure::new(
            FailureKind::Unavailable,
            "The agent does not answer",
            said,
        )
        .remedy("Run the command again: what was asked is not done twice."),
        ClientError::Answer { .. } => Failure::new(
            FailureKind::Internal,
            "The agent gave an answer that cannot be read",
            said,
        )
        .remedy("mlinfra and mlinfra-runtime have to come from the same release."),
        ClientError::Program { source, .. } => program(&source, said),
        ClientError::Silent { log, .. } => {
            Failure::new(FailureKind::Failed, "The agent does not start", said)
                .remedy(format!("Its log is {}.", log.display()))
        }
        ClientError::Directory { path, source } => Failure::new(
            denied(&source),
            "The agent's directory cannot be used",
            said,
        )
        .remedy(format!(
            "{} must be a directory that you own and can write to.",
            path.display()
        )),
    }
}

fn denied(error: &io::Error) -> FailureKind {
    match error.kind() {
        io::ErrorKind::PermissionDenied => FailureKind::Denied,
        _ => FailureKind::Failed,
    }
}

fn program(error: &io::Error, said: String) -> Failure {
    if error.kind() != io::ErrorKind::NotFound {
        return Failure::new(denied(error), "The agent cannot be started", said)
            .remedy("The file must be the mlinfra-runtime program and executable.");
    }
    Failure::new(
        FailureKind::Invalid,
        "The program mlinfra-runtime is missing",
        format!(
            "{said} It carries out what is described for this machine: services, schedules and jobs."
        ),
    )
    .remedy(
        "It comes with every release of mlinfra and belongs beside it; from source, \
         `cargo build --release -p mlinfra-runtime` makes it. When it lies elsewhere, set MLINFRA_RUNTIME to its path.",
    )
}

fn refused(refusal: &Refusal) -> Failure {
    let said = sentence(&refusal.message);
    match refusal.kind {
        Refused::Invalid => Failure::new(FailureKind::Invalid, "The agent refuses this", said)
            .remedy("Correct the argument that is named and apply again."),
        Refused::NotFound => Failure::new(FailureKind::NotFound, "It does not exist any more", said)
            .remedy("Plan again: what is gone is made anew."),
        Refused::Exists => Failure::new(FailureKind::Conflict, "The name is taken", said)
            .at(Path::attribute("name"))
            .remedy("Choose another name, or import the one that is there; its name is its id."),
        Refused::PortTaken => Failure::new(FailureKind::Conflict, "The port is taken", said)
            .at(Path::attribute("port"))
            .remedy("Choose another port, or leave `port` out to have a free one picked."),
        Refused::Damaged => Failure::new(FailureKind::Failed, "What the agent kept is damaged", said)
            .remedy("Destroy the object and apply again."),
        Refused::Stopping => Failure::new(FailureKind::Unavailable, "The agent is shutting down", said)
            .remedy("Run the command again in a moment."),
        Refused::Internal => Failure::new(FailureKind::Failed, "The agent could not do it", said)
            .remedy("The reason lies with this machine, not with the configuration: a full disk, for example."),
    }
}
