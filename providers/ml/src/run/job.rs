//! Runs a training job through the local agent: start or join it, follow it, take its result, clean up after it.

use std::time::Duration;

use futures::StreamExt;
use mlinfra_agent::client::ensure_running;
use mlinfra_agent::layout::Layout;
use mlinfra_agent::messages::{
    Cursor, EventBody, FailureKind as Refusal, JobFailure, JobFailureCause, JobSpec, JobStatus,
    JobView, Secrets,
};
use mlinfra_agent::{Client as Agent, ClientError};
use mlinfra_registry::{Digest, Registry};
use mlinfra_runner::RunResult;
use mlinfra_sdk::{Context, Failure, FailureKind};
use tokio::time::Instant;

use super::narrator::Narrator;
use super::wanted::Wanted;
use crate::client::Client;
use crate::failure;

/// How long the agent may be away, as it is while its guard restarts it.
const AWAY: Duration = Duration::from_secs(20);

/// How many records of a job's ended runs are kept for their logs.
const KEPT: usize = 5;

/// Runs the job to its end. A run of the same that an earlier, killed apply began is joined.
pub(super) async fn run(
    client: &Client,
    cx: &Context,
    token: &str,
    wanted: &Wanted,
) -> Result<RunResult, Failure> {
    let mut job = Job::new(
        client,
        Start::New(token, Box::new(job_spec(client, token, wanted)?)),
    );
    let agent = job.agent().await?;
    if let Some(name) = make_way(&agent, wanted).await? {
        job.start = Start::Named(name);
    }
    let view = job.ended(cx).await?;
    prune(&agent, &wanted.spec.job).await?;
    match &view.status {
        JobStatus::Failed(failed) => Err(told(&view, failed, wanted).await),
        _ => result(&view),
    }
}

/// What came of the run that was started with this token; `None` when there is none or it failed.
pub(super) async fn find(
    client: &Client,
    cx: &Context,
    token: &str,
) -> Result<Option<RunResult>, Failure> {
    if !Layout::new(&client.root_dir).root().exists() {
        return Ok(None);
    }
    let mut job = Job::new(client, Start::Named(String::new()));
    let agent = job.agent().await?;
    let found = agent.job_by_token(token).await;
    let Some(found) = found.map_err(|e| failure::agent(&e))? else {
        return Ok(None);
    };
    job.start = Start::Named(found.spec.name);
    let view = job.ended(cx).await?;
    match &view.status {
        JobStatus::Failed(_) => {
            let deleted = agent.delete_job(&view.spec.name).await;
            deleted.map_err(|e| failure::agent(&e))?;
            leave(client, &agent).await?;
            Ok(None)
        }
        _ => result(&view).map(Some),
    }
}

/// Forgets all runs of a training job, and shuts the agent down when nothing is left in it.
pub(super) async fn forget(client: &Client, _cx: &Context, job: &str) -> Result<(), Failure> {
    let agent = match Agent::connect(&client.root_dir).await {
        Ok(agent) => agent,
        Err(ClientError::NotRunning { .. }) if !Layout::new(&client.root_dir).root().exists() => {
            return clean(client).await;
        }
        // It was killed, or the machine was restarted; only itself can end what it may have left.
        Err(ClientError::NotRunning { .. }) => {
            let agent = ensure_running(&client.root_dir, &client.runtime).await;
            agent.map_err(|e| failure::agent(&e))?
        }
        Err(error) => return Err(failure::agent(&error)),
    };
    let failed = |e: ClientError| failure::agent(&e);
    for view in runs_of(&agent, job).await? {
        agent.delete_job(&view.spec.name).await.map_err(failed)?;
    }
    leave(client, &agent).await
}

/// Shuts the agent down when nothing is left in it, and removes what its runs computed.
async fn leave(client: &Client, agent: &Agent) -> Result<(), Failure> {
    let failed = |e: ClientError| failure::agent(&e);
    let left = async {
        let services = agent.services().await?.len();
        let jobs = agent.jobs().await?.len();
        let schedules = agent.schedules().await?.len();
        // What is damaged is evidence, and may still run.
        Ok(services + jobs + schedules + agent.info().await?.damaged.len())
    };
    match left.await {
        Ok(0) => agent.shutdown().await.map_err(failed)?,
        Ok(_) => return Ok(()),
        // Another one was first with the same.
        Err(ClientError::NotRunning { .. }) => {}
        Err(ClientError::Refused(refused)) if refused.kind == Refusal::Stopping => {}
        Err(error) => return Err(failed(error)),
    }
    clean(client).await
}

async fn clean(client: &Client) -> Result<(), Failure> {
    let cache = client.cache_dir();
    match tokio::fs::remove_dir_all(&cache).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Failure::new(
            FailureKind::Failed,
            "The cache cannot be removed",
            format!("{}: {e}.", cache.display()),
        )),
        _ => Ok(()),
    }
}

fn job_spec(client: &Client, token: &str, wanted: &Wanted) -> Result<JobSpec, Failure> {
    let mut short: String = wanted.spec.job.chars().take(60).collect();
    short.push('-');
    short.extend(Digest::of(token.as_bytes()).hex().chars().take(12));
    // The agent keeps the PATH of the terminal that started it. What was planned with one Python is not run with another.
    let path = std::env::var("PATH").ok();
    Ok(JobSpec {
        name: format!("train-{short}"),
        command: vec![client.runtime.display().to_string(), "run".to_owned()],
        env: path
            .map(|path| ("PATH".to_owned(), path))
            .into_iter()
            .collect(),
        secret_env: Secrets::new(wanted.env.clone()),
        spec: Some(serde_json::to_value(&wanted.spec).map_err(Failure::internal)?),
        stop_grace_ms: 10_000,
        ..JobSpec::default()
    })
}

/// The runs of a training job that an apply began, oldest first.
async fn runs_of(agent: &Agent, job: &str) -> Result<Vec<JobView>, Failure> {
    let jobs = agent.jobs().await.map_err(|e| failure::agent(&e))?;
    let is_run = |view: &JobView| {
        let spec = view.spec.spec.as_ref();
        view.schedule.is_none()
            && view.spec.name.starts_with("train-")
            && spec.is_some_and(|spec| spec["job"] == job)
    };
    let mut runs: Vec<JobView> = jobs.into_iter().filter(is_run).collect();
    runs.sort_by_key(|view| view.created);
    Ok(runs)
}

/// Ends runs that an earlier apply left behind and nobody wants any more; answers one that is just what is wanted.
async fn make_way(agent: &Agent, wanted: &Wanted) -> Result<Option<String>, Failure> {
    let spec = serde_json::to_value(&wanted.spec).map_err(Failure::internal)?;
    let mut same = None;
    for view in runs_of(agent, &wanted.spec.job).await? {
        if view.status != JobStatus::Running {
            continue;
        }
        if view.spec.spec.as_ref() == Some(&spec) {
            same = Some(view.spec.name);
        } else {
            let cancelled = agent.cancel_job(&view.spec.name).await;
            cancelled.map_err(|e| failure::agent(&e))?;
        }
    }
    Ok(same)
}

/// Forgets the oldest ended runs.
async fn prune(agent: &Agent, job: &str) -> Result<(), Failure> {
    let runs = runs_of(agent, job).await?;
    let ended = runs
        .iter()
        .rev()
        .filter(|view| view.status != JobStatus::Running);
    for view in ended.skip(KEPT) {
        let deleted = agent.delete_job(&view.spec.name).await;
        deleted.map_err(|e| failure::agent(&e))?;
    }
    Ok(())
}

/// How a job comes to be followed.
enum Start<'t> {
    /// It is to be made, by this token.
    New(&'t str, Box<JobSpec>),
    /// It is there, by this name.
    Named(String),
}

/// A job that is followed to its end, over restarts of the agent.
struct Job<'c> {
    client: &'c Client,
    start: Start<'c>,
    cursor: Cursor,
    narrator: Narrator,
}

impl<'c> Job<'c> {
    fn new(client: &'c Client, start: Start<'c>) -> Self {
        Self {
            client,
            start,
            cursor: Cursor::default(),
            narrator: Narrator::default(),
        }
    }

    async fn agent(&self) -> Result<Agent, Failure> {
        let agent = ensure_running(&self.client.root_dir, &self.client.runtime).await;
        agent.map_err(|e| failure::agent(&e))
    }

    /// The job once it has ended. It is cancelled when the user stops the operation.
    async fn ended(&mut self, cx: &Context) -> Result<JobView, Failure> {
        let cancel = cx.cancel.clone();
        tokio::select! {
            view = self.followed(cx) => return view,
            () = cancel.cancelled() => {}
        }
        cx.stage("stopping the run");
        let agent = self.agent().await?;
        let name = match &self.start {
            Start::Named(name) => name,
            Start::New(_, spec) => &spec.name,
        };
        match agent.cancel_job(name).await {
            Ok(_) => {}
            Err(ClientError::Refused(refused)) if refused.kind == Refusal::NotFound => {}
            Err(error) => return Err(failure::agent(&error)),
        }
        Err(Failure::new(
            FailureKind::Cancelled,
            "Training was stopped",
            "The run was cancelled before it came to its end. Nothing was registered.",
        ))
    }

    async fn followed(&mut self, cx: &Context) -> Result<JobView, Failure> {
        let mut last_answer = Instant::now();
        loop {
            let agent = self.agent().await?;
            let before = self.cursor;
            match self.attempt(&agent, cx).await {
                Ok(view) => return Ok(view),
                Err(error) if passes(&error) => {
                    if self.cursor != before {
                        last_answer = Instant::now();
                    }
                    if last_answer.elapsed() > AWAY {
                        return Err(failure::agent(&error));
                    }
                }
                Err(error) => return Err(failure::agent(&error)),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Follows the job from where it was left.
    async fn attempt(&mut self, agent: &Agent, cx: &Context) -> Result<JobView, ClientError> {
        let name = match &self.start {
            Start::Named(name) => name.clone(),
            Start::New(token, spec) => agent.create_job(token, spec).await?.spec.name,
        };
        let mut events = std::pin::pin!(agent.job_events(&name, self.cursor).await?);
        while let Some(event) = events.next().await {
            let event = event?;
            self.cursor = event.cursor;
            if let EventBody::End(_) = event.body {
                break;
            }
            self.narrator.tell(cx, &event.body);
        }
        match agent.job(&name).await? {
            Some(view) => Ok(view),
            None => Err(ClientError::Refused(mlinfra_agent::messages::Failure::new(
                Refusal::NotFound,
                format!("the job {name} was deleted while it was followed"),
            ))),
        }
    }
}

/// Whether an error may be over once the agent is back.
fn passes(error: &ClientError) -> bool {
    match error {
        ClientError::NotRunning { .. } | ClientError::Connection { .. } => true,
        ClientError::Refused(refused) => refused.kind == Refusal::Stopping,
        _ => false,
    }
}

fn result(view: &JobView) -> Result<RunResult, Failure> {
    let result = view.result.clone().unwrap_or_default();
    serde_json::from_value(result).map_err(|e| {
        Failure::internal(format!(
            "the runner of {} answered no result of a run: {e}",
            view.spec.name
        ))
    })
}

/// Why a job failed, with the last lines of what it wrote.
async fn told(view: &JobView, failed: &JobFailure, wanted: &Wanted) -> Failure {
    let kind = match failed.cause {
        JobFailureCause::Cancelled => FailureKind::Cancelled,
        _ => FailureKind::Failed,
    };
    // The runner records why it failed, lines included; one that was killed could not.
    let recorded = match failed.cause {
        JobFailureCause::Exited => recorded(view, wanted).await,
        _ => None,
    };
    let detail = recorded.unwrap_or_else(|| {
        let lines = view.log_tail.join("\n");
        let message = failure::sentence(&failed.message);
        if lines.is_empty() {
            message
        } else {
            format!("{message} The last lines of its log:\n{lines}")
        }
    });
    let summary = format!("Training of {} failed", wanted.spec.job);
    Failure::new(kind, summary, failure::sentence(&detail))
        .remedy(format!("The whole log is in {}.", view.log.display()))
}

/// The reason that the registry has on record for the failure of a run.
async fn recorded(view: &JobView, wanted: &Wanted) -> Option<String> {
    let registry = Registry::open(wanted.registry.as_deref()?).await.ok()?;
    let run_id = view.spec.run_id.as_deref()?;
    let run = registry.run(&wanted.spec.model, run_id).await.ok()??;
    run.finished?.reason
}
