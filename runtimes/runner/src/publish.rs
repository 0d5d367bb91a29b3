//! Tells the registry what a run made, and how it ended.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mlinfra_registry::{
    Artifact, Digest, Metrics, NewVersion, Outcome, RunFinished, Status, Version,
};

use crate::artifacts::{self, EXAMPLES};
use crate::commit;
use crate::error::RunError;
use crate::metrics::{self, json_number};
use crate::outcome::RunResult;
use crate::run::{Made, Run};
use crate::stage::Kept;

impl Run<'_> {
    /// Makes a version of what is kept.
    pub(crate) async fn publish(&self, kept: &Kept) -> Result<Version, RunError> {
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
    pub(crate) async fn succeeded(
        &self,
        made: &Made,
        outcome: &Outcome,
    ) -> Result<Timestamp, RunError> {
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
    pub(crate) async fn failed(&self, error: &RunError) {
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

    /// What the run hands back.
    pub(crate) fn result(
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
