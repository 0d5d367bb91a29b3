//! One run from beginning to end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use mlinfra_registry::{
    Artifact, Digest, Metrics, NewVersion, Outcome, Registry, RunFinished, RunStarted, Status,
    Trigger, Version,
};
use tokio::process::Command;

use crate::address::Address;
use crate::artifacts::{self, EXAMPLES};
use crate::command::{self, Ending, Listener, Stop};
use crate::error::RunError;
use crate::metrics::{self, Follower, json_number};
use crate::outcome::RunResult;
use crate::progress::Progress;
use crate::python::{self, Environment};
use crate::spec::Spec;
use crate::stage::{Cache, Kept, Stage, Work};
use crate::{commit, inputs, promotion, source};

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
}

/// What a run made or found.
struct Made {
    version: Version,
    cached: bool,
    status: Status,
}

/// Executes a run. It stops in good order when `stop` becomes true.
///
/// # Errors
/// When the run fails or is cancelled; that is on record in the registry then.
pub async fn execute(
    spec: Spec,
    setting: Setting,
    stop: tokio::sync::watch::Receiver<bool>,
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
        blocking(move || Address::of(&spec, occasion.as_deref())).await?
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
    };
    let outcome = async {
        let made = run.make().await?;
        let outcome = registry
            .promote_champion(&spec.model, made.version.number, &rule)
            .await?;
        Ok((made, outcome))
    };
    match outcome.await {
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
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RunError> + Send + 'static,
) -> Result<T, RunError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

struct Run<'a> {
    spec: &'a Spec,
    run_id: &'a str,
    address: &'a Address,
    registry: &'a Registry,
    progress: &'a Progress,
    stop: &'a Stop,
}

impl Run<'_> {
    /// The version of this address: the one on record, or a new one.
    async fn make(&self) -> Result<Made, RunError> {
        let cache = Cache::open(&self.spec.cache_dir)?;
        let waiting = || {
            self.progress
                .say("wait", "waiting for another run of the same address")
        };
        let _turn = cache.turn(&self.address.digest, waiting).await?;
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

    /// Runs a stage's command and keeps what it made.
    async fn compute(&self, cache: &Cache, stage: &Stage<'_>) -> Result<Kept, RunError> {
        let work = cache.begin(&stage.address, self.run_id)?;
        let code = work.path("source");
        self.copy_source(&code).await?;
        inputs::lay_out(self.spec, &work.path("inputs"))?;
        let params = work.path("params.json");
        let text = serde_json::to_vec_pretty(&self.spec.params).map_err(std::io::Error::from);
        text.and_then(|text| std::fs::write(&params, text))
            .map_err(RunError::file("write", &params))?;
        let environment = match &self.address.python {
            Some(version) => {
                python::environment(
                    &code,
                    &self.address.source.digest,
                    version,
                    self.progress,
                    self.stop,
                )
                .await?
            }
            None => None,
        };
        self.train(stage, &work, environment.as_ref()).await?;
        // A run without a model is not kept: it is to be computed again once its code has been put right, and also
        // when the output was lost for another reason.
        let found = source::all_files(&work.output())?;
        artifacts::name_all(&found)?;
        let (cache_root, address) = (self.spec.cache_dir.clone(), stage.address);
        blocking(move || Cache::open(&cache_root)?.keep(&work, &address)).await
    }

    /// The command sees a copy, so that what runs is what was digested, whoever edits the folder meanwhile, and so that
    /// what it writes beside its code stays out of that.
    async fn copy_source(&self, target: &Path) -> Result<(), RunError> {
        let (folder, target) = (self.spec.source.clone(), target.to_path_buf());
        let expected = self.address.source.digest;
        blocking(move || {
            std::fs::create_dir_all(&target).map_err(RunError::file("create", &target))?;
            source::copy(&folder, &target)?;
            if source::copy_digest(&target)?.digest == expected {
                return Ok(());
            }
            Err(RunError::SourceChanged { path: folder })
        })
        .await
    }

    async fn train(
        &self,
        stage: &Stage<'_>,
        work: &Work,
        environment: Option<&Environment>,
    ) -> Result<(), RunError> {
        let (named, arguments) = stage
            .command
            .split_first()
            .ok_or_else(|| RunError::Spec("the command is empty".into()))?;
        let program = python::program(named, environment);
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(work.path("source"));
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1");
        if let Some(environment) = environment {
            environment.enter(&mut command);
        }
        for own in ["MLINFRA_SPEC", "MLINFRA_RESULT", "MLINFRA_EVENTS"] {
            command.env_remove(own);
        }
        command
            .env("MLINFRA_INPUTS", work.path("inputs"))
            .env("MLINFRA_OUTPUT", work.output());
        command
            .env("MLINFRA_PARAMS", work.path("params.json"))
            .env("MLINFRA_METRICS", work.metrics());
        command.env("MLINFRA_RUN_ID", self.run_id);
        let text = stage.command.join(" ");
        self.progress.say(stage.name, &format!("running `{text}`"));
        let mut heard = Heard {
            progress: self.progress,
            stage: stage.name,
            metrics: Follower::new(&work.metrics()),
        };
        let timeout = self.spec.timeout_s.map(Duration::from_secs);
        let ended = command::run(command, self.stop, timeout, &mut heard).await;
        let ended = ended.map_err(|source| RunError::Start { program, source })?;
        match ended.ending {
            Ending::Exited(status) if status.success() => Ok(()),
            Ending::Exited(status) => Err(RunError::Command {
                command: text,
                ended: command::describe(status),
                log: ended.tail,
            }),
            Ending::Cancelled => Err(RunError::Cancelled),
            Ending::TimedOut => {
                let seconds = self.spec.timeout_s.unwrap_or_default();
                Err(RunError::TimedOut {
                    command: text,
                    seconds,
                    log: ended.tail,
                })
            }
        }
    }

    /// Makes a version of what is kept.
    async fn publish(&self, kept: &Kept) -> Result<Version, RunError> {
        let files = kept.files();
        let paths: Vec<String> = files.keys().cloned().collect();
        let mut artifacts = Vec::new();
        for named in artifacts::name_all(&paths)? {
            let digest = self
                .registry
                .put_blob(&kept.output().join(&named.path))
                .await?;
            let size = files.get(&named.path).map_or(0, |file| file.size);
            artifacts.push(Artifact {
                name: named.name,
                digest,
                size,
            });
        }
        let (metrics, problems) = metrics::last_values(&kept.metrics())
            .map_err(RunError::file("read", &kept.metrics()))?;
        for problem in problems {
            tracing::warn!("{problem}");
        }
        let examples = files.get(EXAMPLES).map(|file| file.digest);
        let new = self.new_version(artifacts, metrics, examples).await;
        let version = self
            .registry
            .register_version(&self.spec.model, new)
            .await?;
        self.progress
            .say("publish", &format!("registered version {}", version.number));
        Ok(version)
    }

    async fn new_version(
        &self,
        artifacts: Vec<Artifact>,
        metrics: Metrics,
        examples: Option<Digest>,
    ) -> NewVersion {
        let inputs: BTreeMap<String, String> = self
            .address
            .inputs
            .iter()
            .map(|(name, digest)| (name.clone(), digest.to_string()))
            .collect();
        NewVersion {
            artifacts,
            signature: None,
            metrics,
            params: serde_json::Value::Object(self.spec.params.clone()),
            code_digest: self.address.source.digest.to_string(),
            commit: commit::of(&self.spec.source).await,
            inputs,
            run_id: self.run_id.to_owned(),
            content_address: self.address.digest.to_string(),
            examples,
        }
    }

    /// Records the end of a run that came to it.
    async fn succeeded(&self, made: &Made, outcome: &Outcome) -> Result<Timestamp, RunError> {
        self.progress.say("publish", outcome.reason());
        let end = RunFinished {
            model: self.spec.model.clone(),
            run_id: self.run_id.to_owned(),
            status: made.status,
            version: Some(made.version.number),
            promoted: outcome.is_champion(),
            reason: Some(outcome.reason().to_owned()),
            metrics: made.version.content.metrics.clone(),
            at: Timestamp::now(),
        };
        Ok(self.registry.finish_run(end).await?.at)
    }

    /// Records the end of a run that failed. That it cannot be recorded must not hide why it failed.
    async fn failed(&self, error: &RunError) {
        let reason = error.to_string();
        self.progress.say("failed", &reason);
        let end = RunFinished {
            model: self.spec.model.clone(),
            run_id: self.run_id.to_owned(),
            status: Status::Failed,
            version: None,
            promoted: false,
            reason: Some(reason),
            metrics: Metrics::new(),
            at: Timestamp::now(),
        };
        if let Err(error) = self.registry.finish_run(end).await {
            tracing::warn!(%error, run = self.run_id, "the failure of the run cannot be recorded");
        }
    }

    fn result(
        &self,
        made: &Made,
        outcome: &Outcome,
        started: Timestamp,
        finished: Timestamp,
    ) -> RunResult {
        let content = &made.version.content;
        let champion = match outcome {
            Outcome::Promoted(alias) | Outcome::AlreadyChampion(alias) => Some(alias.version),
            Outcome::Kept { champion, .. } => champion.as_ref().map(|alias| alias.version),
        };
        RunResult {
            run_id: self.run_id.to_owned(),
            content_address: self.address.digest,
            cached: made.cached,
            version: made.version.number,
            promoted: outcome.is_champion(),
            champion,
            reason: outcome.reason().to_owned(),
            metrics: content
                .metrics
                .iter()
                .map(|(name, value)| (name.clone(), json_number(*value)))
                .collect(),
            code_digest: self.address.source.digest,
            commit: content.commit.clone(),
            started,
            finished,
        }
    }
}

/// Passes on what a command writes and measures.
struct Heard<'a> {
    progress: &'a Progress,
    stage: &'a str,
    metrics: Follower,
}

impl Listener for Heard<'_> {
    fn line(&mut self, line: &str) {
        println!("{line}");
    }

    fn tick(&mut self) {
        match self.metrics.next(false) {
            Ok(measured) => {
                for measurement in measured.into_iter().flatten() {
                    self.progress
                        .measured(self.stage, measurement.step, &measurement.to_json());
                }
            }
            Err(error) => tracing::warn!(%error, "the metrics cannot be read"),
        }
    }
}
