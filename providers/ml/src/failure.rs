//! What registries and the agent say, in the words of the provider contract.

use mlinfra_agent::ClientError;
use mlinfra_agent::messages;
use mlinfra_registry::Error;
use mlinfra_sdk::{Failure, FailureKind, Path};

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}

/// The text as a sentence. What ends with lines of a log is left as it ends.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    let end = if text.contains('\n') || text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{end}", letters.as_str())
}

/// The registry refused or failed.
pub(crate) fn registry(error: &Error) -> Failure {
    let detail = sentence(&chain(error));
    let (kind, summary) = match error {
        Error::NotARegistry { .. } => (FailureKind::NotFound, "No model registry here"),
        Error::NotFound { .. } => (FailureKind::NotFound, "Not in the model registry"),
        Error::Occupied { .. } => (FailureKind::Conflict, "The place of the registry is taken"),
        Error::Conflict { .. } => (FailureKind::Conflict, "The model registry has changed"),
        Error::Damaged { .. } | Error::DamagedBlob { .. } => {
            (FailureKind::Failed, "The model registry is damaged")
        }
        Error::Location { .. } => {
            return Failure::invalid(
                Path::attribute("registry"),
                "Invalid location of a registry",
                detail,
            );
        }
        Error::Rule(_) | Error::Name { .. } => (FailureKind::Invalid, "The model registry refused"),
        _ => (FailureKind::Failed, "The model registry failed"),
    };
    Failure::new(kind, summary, detail)
}

/// The agent refused or could not be reached.
pub(crate) fn agent(error: &ClientError) -> Failure {
    let detail = sentence(&chain(error));
    let (kind, summary) = match error {
        ClientError::Refused(refused) => (refusal(refused.kind), "The local agent refused"),
        ClientError::NotRunning { .. } | ClientError::Connection { .. } => (
            FailureKind::Unavailable,
            "The local agent cannot be reached",
        ),
        ClientError::Silent { .. } => (FailureKind::Failed, "The local agent does not answer"),
        ClientError::Program { .. } => {
            return Failure::new(
                FailureKind::Failed,
                "The local agent cannot be started",
                detail,
            )
            .remedy("Install mlinfra-runtime beside mlinfra.");
        }
        _ => (FailureKind::Failed, "The local agent failed"),
    };
    Failure::new(kind, summary, detail)
}

fn refusal(kind: messages::FailureKind) -> FailureKind {
    match kind {
        messages::FailureKind::Invalid => FailureKind::Invalid,
        messages::FailureKind::NotFound => FailureKind::NotFound,
        messages::FailureKind::Exists | messages::FailureKind::PortTaken => FailureKind::Conflict,
        messages::FailureKind::Stopping => FailureKind::Unavailable,
        messages::FailureKind::Damaged | messages::FailureKind::Internal => FailureKind::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_sentences() {
        assert_eq!(sentence("it is empty"), "It is empty.");
        assert_eq!(sentence("Why?"), "Why?");
        assert_eq!(sentence("it failed:\nno luck"), "It failed:\nno luck");
    }
}
