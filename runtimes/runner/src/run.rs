//! One run from beginning to end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use mlinfra_registry::{Registry, RunStarted, Status, Trigger, Version};
use tokio::sync::watch;

use crate::address::Address;
use crate::command::{self, Stop};
use crate::error::RunError;
use crate::outcome::RunResult;
use crate::progress::Progress;
use crate::promotion;
use crate::spec::Spec;
use crate::stage::{Cache, Stage};

/// How long a run that is to stop may take to do so in good order.
const GRACE: Duration = Duration::from_secs(8);

/// What surrounds a run and is no part of it.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// The name of the run; made up when absent.
    pub run_id: Option<String>,
    /// What made it start, where that differs from the spec: a schedule can also be fired by hand.
    pub trigger: Option<Trigger>,
    /// The time at which a schedule fired.
    pub fired_at: Option<String>,
    /// The file to tell progress in.
    pub events: Option<PathBuf>,
    /// The folder that keeps Python environments; the user's cache when absent.
    pub environments: Option<PathBuf>,
}

/// What a run made or found.
pub(crate) struct Made {
    pub(crate) version: Version,
    pub(crate) cached: bool,
    pub(crate) status: Status,
}

/// Executes a run. It stops in good order when `stop` becomes true.
///
/// # Errors
/// When the run fails or is cancelled; that is on record in the registry then.
pub async fn execute(
    spec: Spec,
    setting: Setting,
    stop: watch::Receiver<bool>,
) -> Result<RunResult, RunError> {
    let started = Timestamp::now();
    let run_id = setting
        .run_id
        .clone()
        .unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    mlinfra_registry::check_name("run", &run_id)?;
    let progress = Progress::open(setting.events.as_deref());
    let trigger = setting.trigger.unwrap_or(spec.trigger);
    let registry = Registry::open(&spec.registry).await?;
    let rule = promotion::rule(&spec, &registry).await?;
    let address = {
        let (spec, occasion) = (spec.clone(), occasion(&spec, trigger, &setting, &run_id));
        let reading = blocking(move || Address::of(&spec, occasion.as_deref()));
        command::unless_stopped(&stop, reading).await?
    };
    let begun = RunStarted {
        model: spec.model.clone(),
        run_id: run_id.clone(),
        trigger,
        content_address: address.digest.to_string(),
        at: started,
    };
    registry.start_run(begun).await?;
    let run = Run {
        spec: &spec,
        run_id: &run_id,
        address: &address,
        registry: &registry,
        progress: &progress,
        stop: &stop,
        environments: setting.environments.as_deref(),
    };
    let work = async {
        let made = run.make().await?;
        let outcome = registry
            .promote_champion(&spec.model, made.version.number, &rule)
            .await?;
        Ok((made, outcome))
    };
    // Commands are stopped in good order; whatever else goes on is given up when that has taken too long.
    let given_up = async {
        let _ = stop.clone().wait_for(|stop| *stop).await;
        tokio::time::sleep(GRACE).await;
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = given_up => Err(RunError::Cancelled),
    };
    match outcome {
        Ok((made, outcome)) => {
            let finished = run.succeeded(&made, &outcome).await?;
            Ok(run.result(&made, &outcome, started, finished))
        }
        Err(error) => {
            run.failed(&error).await;
            Err(error)
        }
    }
}

/// What tells this run apart from equal ones, where equal ones are to be computed again.
fn occasion(spec: &Spec, trigger: Trigger, setting: &Setting, run_id: &str) -> Option<String> {
    match trigger {
        _ if spec.force => Some(format!("run {run_id}")),
        // The time of the firing, so that a firing that was killed goes on, and the next one is computed anew.
        Trigger::Schedule if !spec.skip_unchanged => {
            setting.fired_at.as_ref().map(|at| format!("fired {at}"))
        }
        _ => None,
    }
}

/// Does what blocks where blocking is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RunError> + Send + 'static,
) -> Result<T, RunError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A run that has begun.
pub(crate) struct Run<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) run_id: &'a str,
    pub(crate) address: &'a Address,
    pub(crate) registry: &'a Registry,
    pub(crate) progress: &'a Progress,
    pub(crate) stop: &'a Stop,
    pub(crate) environments: Option<&'a Path>,
}

impl Run<'_> {
    /// The version of this address: the one on record, or a new one.
    async fn make(&self) -> Result<Made, RunError> {
        let cache = Cache::open(&self.spec.cache_dir)?;
        let waiting = || {
            self.progress
                .say("wait", "waiting for another run of the same address")
        };
        let turn = cache.turn(&self.address.digest, waiting);
        let _turn = command::unless_stopped(self.stop, turn).await?;
        if let Some(version) = self.on_record().await? {
            self.progress.say(
                "publish",
                &format!("version {} was made of the same before", version.number),
            );
            return Ok(Made {
                version,
                cached: true,
                status: Status::Cached,
            });
        }
        let stages = self.stages();
        let mut last = None;
        let mut cached = true;
        for stage in &stages {
            let kept = match cache.find(&stage.address)? {
                Some(kept) => {
                    self.progress.say(stage.name, "computed before");
                    kept
                }
                None => {
                    cached = false;
                    let kept = self.compute(&cache, stage).await;
                    cache.clean(&stage.address);
                    kept?
                }
            };
            last = Some(kept);
        }
        let Some(kept) = last else {
            return Err(RunError::Spec("it has no stage".to_owned()));
        };
        let version = self.publish(&kept).await?;
        Ok(Made {
            version,
            cached,
            status: Status::Succeeded,
        })
    }

    /// The stages of the run, in order. A job with one command has one.
    fn stages(&self) -> Vec<Stage<'_>> {
        vec![Stage {
            name: "train",
            command: &self.spec.command,
            address: self.address.digest,
        }]
    }

    /// A version that was made of the same.
    async fn on_record(&self) -> Result<Option<Version>, RunError> {
        let address = self.address.digest.to_string();
        let versions = self.registry.versions(&self.spec.model).await?;
        Ok(versions
            .into_iter()
            .rev()
            .find(|version| version.content.content_address == address))
    }
}
