//! Whether a service can have the port that it wants, asked before anything is done.

use mlinfra_agent::port;
use mlinfra_sdk::{Failure, FailureKind, Path};

use crate::checks::sentence;
use crate::machine::Machine;
use crate::refusal;

/// Looks at a port that a service wants; `held` says that it has it already. Answers what the user should know.
///
/// # Errors
/// When another service of this session wants the port too, or someone else has it.
pub async fn admit(
    machine: &Machine,
    wanted: u16,
    name: Option<&str>,
    held: bool,
) -> Result<Option<String>, Failure> {
    if let Some(other) = name.and_then(|name| machine.claim_port(wanted, name)) {
        return Err(wanted_twice(wanted, &other));
    }
    match held {
        true => Ok(None),
        false => to_be_had(machine, wanted, name).await,
    }
}

fn wanted_twice(port: u16, other: &str) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        format!("Port {port} is wanted twice"),
        format!("Service {other:?} of this configuration has the port {port} as well."),
    )
    .at(Path::attribute("port"))
    .remedy("Give one of them another port, or leave `port` out to have a free one picked.")
}

/// Whether a port can be had. One that another service of this configuration has is said in a note, because the same
/// plan may take it away from there.
async fn to_be_had(
    machine: &Machine,
    wanted: u16,
    name: Option<&str>,
) -> Result<Option<String>, Failure> {
    let at = |failure: Failure| failure.at(Path::attribute("port"));
    let taken = match port::check(wanted) {
        Ok(Ok(())) => return Ok(None),
        Ok(Err(taken)) => taken,
        Err(error) => {
            let detail = format!("Port {wanted} cannot be listened on: {error}.");
            let remedy =
                "Choose a port from 1024 to 65535, or leave `port` out to have a free one picked.";
            return Err(at(Failure::new(
                FailureKind::Denied,
                "The port cannot be used",
                detail,
            ))
            .remedy(remedy));
        }
    };
    let ours = match machine.agent_running().await? {
        Some(agent) => agent.services().await.map_err(refusal::failure)?,
        None => Vec::new(),
    };
    match ours.into_iter().find(|service| service.port == wanted) {
        Some(service) if Some(service.spec.name.as_str()) == name => Ok(None),
        Some(service) => Ok(Some(format!(
            "port {wanted} belongs to service {:?} now, which has to leave it first",
            service.spec.name
        ))),
        None => Err(at(Failure::new(
            FailureKind::Conflict,
            "The port is taken",
            sentence(&taken.to_string()),
        ))
        .remedy(
            "Free the port, choose another one, or leave `port` out to have a free one picked.",
        )),
    }
}
