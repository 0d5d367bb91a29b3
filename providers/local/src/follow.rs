//! Watches a job to its end and tells of its progress.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use mlinfra_agent::messages::{Cursor, EventBody, JobStatus, Progress};
use mlinfra_agent::{Client, ClientError};
use mlinfra_sdk::{Context, Event, Failure, FailureKind};

use crate::machine::Machine;
use crate::refusal;

/// How long to wait before events are asked for again.
const PAUSE: Duration = Duration::from_millis(50);

/// How following a job ended.
pub enum End {
    /// The job ended.
    Job(JobStatus),
    /// The user stopped it before that.
    Cancelled,
}

/// Watches a job to its end, through restarts of the agent.
///
/// # Errors
/// When the agent is gone for good or has lost the job, so that the end cannot be known.
pub async fn follow(
    machine: &Machine,
    agent: &Client,
    cx: &Context,
    name: &str,
) -> Result<End, Failure> {
    let mut cursor = Cursor::default();
    loop {
        match events(machine, agent, cx, name, &mut cursor).await {
            Ok(end) => return Ok(end),
            Err(ClientError::NotRunning { .. } | ClientError::Connection { .. }) => {
                // The job goes on without its agent, which is brought back to tell of it.
                machine.agent().await?;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                let mut failure = refusal::failure(error);
                if failure.kind == FailureKind::NotFound {
                    failure.detail += " Someone else deleted the job while it ran.";
                }
                return Err(failure);
            }
        }
    }
}

/// Tells of events until the end or until the connection breaks.
async fn events(
    machine: &Machine,
    agent: &Client,
    cx: &Context,
    name: &str,
    cursor: &mut Cursor,
) -> Result<End, ClientError> {
    let mut events = pin!(agent.job_events(name, *cursor).await?);
    loop {
        let event = tokio::select! {
            () = cx.cancel.cancelled() => return Ok(End::Cancelled),
            event = events.next() => event,
        };
        let Some(event) = event.transpose()? else {
            // The end of the job was not among them, so the next stream goes on from here.
            return Err(ClientError::NotRunning {
                directory: machine.root().to_path_buf(),
            });
        };
        *cursor = event.cursor;
        match event.body {
            EventBody::Log { line } => (cx.progress)(Event::Log(line)),
            EventBody::Progress(progress) => tell(cx, progress),
            EventBody::End(status) => return Ok(End::Job(status)),
        }
    }
}

fn tell(cx: &Context, progress: Progress) {
    if let Some(stage) = progress.stage {
        cx.stage(stage);
    }
    if let Some(message) = progress.message {
        (cx.progress)(Event::Log(message));
    }
    let numbers = progress.metrics.iter();
    let mut metrics: BTreeMap<String, f64> = numbers
        .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
        .collect();
    if metrics.is_empty() {
        return;
    }
    if let Some(step) = progress.step {
        // A step is a small number, exact as a float.
        metrics.insert("step".to_owned(), step as f64);
    }
    (cx.progress)(Event::Metrics(metrics));
}
