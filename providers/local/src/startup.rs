//! Waits until a service works, and says why it does not.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mlinfra_agent::messages::{Exit, ServiceSpec, ServiceStatus, ServiceView};
use mlinfra_agent::{Client, ClientError};
use mlinfra_sdk::{Context, Failure, FailureKind, Path};
use tokio::time::Instant;

use crate::refusal;

/// How long to wait between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// A service without a health check has to run this long to count as working, so that a command that fails at once is
/// not taken for one that serves.
const SETTLED: SignedDuration = SignedDuration::from_secs(1);

/// How often the process may end before the wait is given up. One that waits for another service may need a
/// second try; one that never comes up should not make its user wait for the whole time.
const MOST_EXITS: u64 = 3;

/// The wait for one service.
pub struct Startup<'s> {
    /// The agent.
    pub agent: &'s Client,
    /// Whom to tell, and who may stop it.
    pub cx: &'s Context,
    /// What is to run.
    pub spec: &'s ServiceSpec,
    /// How long it may take.
    pub patience: Duration,
    /// The service before it was changed.
    pub before: Option<ServiceView>,
}

/// How a service is on its way.
enum Look {
    /// It works.
    Up,
    /// It may still come up; this is in the way.
    Coming(Option<String>),
    /// It will not come up.
    Down(Failure),
}

impl Startup<'_> {
    /// Waits.
    ///
    /// # Errors
    /// Why the service does not work, with the last lines of its log.
    pub async fn wait(&self) -> Result<ServiceView, Failure> {
        if let Some(health) = &self.spec.health {
            self.cx.stage(format!("waiting for {}", health.http_path));
        }
        let deadline = Instant::now() + self.patience;
        let mut told = None;
        let mut last = None;
        loop {
            match self.agent.service(&self.spec.name).await {
                Ok(Some(view)) => {
                    match self.judge(&view) {
                        Look::Up => return Ok(view),
                        Look::Down(failure) => return Err(with_log(failure, &view)),
                        Look::Coming(reason) if reason != told => {
                            told = reason;
                            self.tell(told.as_deref());
                        }
                        Look::Coming(_) => {}
                    }
                    last = Some(view);
                }
                Ok(None) => return Err(self.vanished()),
                // Its guard brings the agent back, and the service lives on meanwhile.
                Err(ClientError::NotRunning { .. } | ClientError::Connection { .. }) => {}
                Err(error) => return Err(refusal::failure(error)),
            }
            if Instant::now() >= deadline {
                return Err(self.too_late(last.as_ref()));
            }
            tokio::select! {
                () = self.cx.cancel.cancelled() => return Err(self.cancelled()),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn judge(&self, view: &ServiceView) -> Look {
        if view.status == ServiceStatus::Healthy {
            let settled = |started| Timestamp::now().duration_since(started) >= SETTLED;
            return match self.spec.health.is_some() || view.started.is_some_and(settled) {
                true => Look::Up,
                false => Look::Coming(None),
            };
        }
        let ended_before = self
            .before
            .as_ref()
            .and_then(|view| view.last_exit.as_ref());
        let ended = view
            .last_exit
            .as_ref()
            .filter(|exit| Some(*exit) != ended_before);
        if let Some(Exit {
            error: Some(error), ..
        }) = ended
        {
            return Look::Down(self.not_started(error));
        }
        let restarts_before = self.before.as_ref().map_or(0, |view| view.restarts);
        let exits = view.restarts.saturating_sub(restarts_before) + 1;
        if view.status == ServiceStatus::BackingOff && exits >= MOST_EXITS {
            return Look::Down(self.ends(exits, view.last_error.as_deref()));
        }
        Look::Coming(view.last_error.clone())
    }

    fn tell(&self, reason: Option<&str>) {
        if let Some(reason) = reason {
            self.cx.stage(format!("not healthy yet: {reason}"));
        }
    }

    fn summary(&self) -> String {
        format!("Service {:?} did not become healthy", self.spec.name)
    }

    fn not_started(&self, error: &str) -> Failure {
        let program = self.spec.command.first().map_or("", String::as_str);
        Failure::new(
            FailureKind::Failed,
            self.summary(),
            format!("Its command cannot be started: {error}."),
        )
        .at(Path::attribute("command"))
        .remedy(format!(
            "Check that {program:?} exists, is executable, and is found through PATH or an absolute path, \
             and that working_dir is a directory."
        ))
    }

    fn ends(&self, exits: u64, reason: Option<&str>) -> Failure {
        let reason = reason.unwrap_or("its process ended");
        Failure::new(
            FailureKind::Failed,
            self.summary(),
            format!("It was started {exits} times and did not stay up: {reason}."),
        )
        .at(Path::attribute("command"))
        .remedy("Its log says why it ends; correct that and apply again.")
    }

    fn too_late(&self, last: Option<&ServiceView>) -> Failure {
        let reason = last
            .and_then(|view| view.last_error.as_deref())
            .unwrap_or("it was still starting");
        let failure = Failure::new(
            FailureKind::Failed,
            self.summary(),
            format!("Not within {:?}: {reason}.", self.patience),
        )
        .at(Path::attribute(match self.spec.health {
            Some(_) => "health_path",
            None => "command",
        }))
        .remedy(
            "Correct what its log tells of or `health_path`; give it more time with `start_timeout_s` if it needs that.",
        );
        match last {
            Some(view) => with_log(failure, view),
            None => failure,
        }
    }

    fn vanished(&self) -> Failure {
        Failure::new(
            FailureKind::Conflict,
            self.summary(),
            "Someone else deleted it while it was starting.",
        )
        .remedy("Apply again.")
    }

    fn cancelled(&self) -> Failure {
        Failure::new(
            FailureKind::Cancelled,
            format!("Service {:?} was cancelled", self.spec.name),
            "The wait for it was stopped before it was healthy.",
        )
        .remedy("Apply again to start it.")
    }
}

/// The failure with the end of the service's log.
fn with_log(mut failure: Failure, view: &ServiceView) -> Failure {
    failure.detail = format!("{}\n\n{}", failure.detail, last_lines(&view.log_tail));
    failure
}

/// The end of a log, for a failure's detail.
pub fn last_lines(lines: &[String]) -> String {
    match lines {
        [] => "It wrote nothing to its log.".to_owned(),
        lines => format!("The last lines of its log:\n  {}", lines.join("\n  ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_indented() {
        let lines = ["one".to_owned(), "two".to_owned()];
        assert_eq!(
            last_lines(&lines),
            "The last lines of its log:\n  one\n  two"
        );
        assert_eq!(last_lines(&[]), "It wrote nothing to its log.");
    }
}
