//! Runs the command of a stage on a copy of its code, and keeps what it made.

use std::path::Path;
use std::time::Duration;

use tokio::process::Command;

use crate::command::{self, Ending, Listener};
use crate::error::RunError;
use crate::metrics::Follower;
use crate::progress::Progress;
use crate::python::{self, Environment, Key};
use crate::run::{Run, blocking};
use crate::stage::{Cache, Kept, Stage, Work};
use crate::{artifacts, inputs, source};

impl Run<'_> {
    /// Runs a stage's command and keeps what it made.
    pub(crate) async fn compute(&self, cache: &Cache, stage: &Stage<'_>) -> Result<Kept, RunError> {
        let work = cache.begin(&stage.address, self.run_id)?;
        let code = work.path("source");
        self.copy_source(&code).await?;
        inputs::lay_out(self.spec, &work.path("inputs"))?;
        let params = work.path("params.json");
        let text = serde_json::to_vec_pretty(&self.spec.params).map_err(std::io::Error::from);
        text.and_then(|text| std::fs::write(&params, text))
            .map_err(RunError::file("write", &params))?;
        let environment = match &self.address.python {
            Some(version) => self.environment(&code, version).await?,
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

    async fn environment(
        &self,
        code: &Path,
        version: &str,
    ) -> Result<Option<Environment>, RunError> {
        let key = Key {
            version,
            source: &self.address.source.digest,
        };
        python::environment(code, &key, self.environments, self.progress, self.stop).await
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
