//! Runs: that one began, and how it ended. Two records, each written once.

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::metrics::Metrics;
use crate::name;
use crate::record::{self, Record};
use crate::registry::Registry;
use crate::store::Created;

/// How many runs are read at a time.
const READS: usize = 16;

/// What made a run start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// An apply.
    Apply,
    /// A schedule.
    Schedule,
    /// A person.
    Manual,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It made what it was to make.
    Succeeded,
    /// It did not.
    Failed,
    /// All it would have made was there already.
    Cached,
}

/// The beginning of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The model.
    pub model: String,
    /// The run.
    pub run_id: String,
    /// What made it start.
    pub trigger: Trigger,
    /// Its address by content: code, command, parameters, inputs.
    pub content_address: String,
    /// When it began.
    pub at: Timestamp,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFinished {
    /// The model.
    pub model: String,
    /// The run.
    pub run_id: String,
    /// How it ended.
    pub status: Status,
    /// The version it made or found.
    #[serde(default)]
    pub version: Option<u64>,
    /// Whether that version became the champion.
    #[serde(default)]
    pub promoted: bool,
    /// Why it failed, or why the version was or was not promoted.
    #[serde(default)]
    pub reason: Option<String>,
    /// The metrics it reached, be they those of a failure.
    #[serde(default, with = "crate::metrics")]
    pub metrics: Metrics,
    /// When it ended.
    pub at: Timestamp,
}

/// A run on record.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its beginning.
    pub started: RunStarted,
    /// Its end; `None` while it runs, or when it was killed and has not come back.
    pub finished: Option<RunFinished>,
}

impl Record for RunStarted {
    const KIND: &'static str = "run-started";
}

impl Record for RunFinished {
    const KIND: &'static str = "run-finished";
}

impl Registry {
    /// Records that a run began. A run that was killed and goes on reports again: the first record stands and is given.
    pub async fn start_run(&self, run: RunStarted) -> Result<RunStarted, Error> {
        let path = self
            .run_folder(&run.model, &run.run_id)?
            .join("started.json");
        match self
            .store
            .create(&path, record::encode(&self.store.object(&path), &run)?)
            .await?
        {
            Created::Yes => Ok(run),
            Created::AlreadyThere => {
                let found = self.read_record(&path).await?;
                found.ok_or_else(|| {
                    self.not_found(format!("run `{}` of model `{}`", run.run_id, run.model))
                })
            }
        }
    }

    /// Records how a run ended. Reporting the same end again is fine and gives the first record; another is refused.
    pub async fn finish_run(&self, run: RunFinished) -> Result<RunFinished, Error> {
        let folder = self.run_folder(&run.model, &run.run_id)?;
        let unknown = || self.not_found(format!("run `{}` of model `{}`", run.run_id, run.model));
        if self
            .store
            .size(&folder.clone().join("started.json"))
            .await?
            .is_none()
        {
            return Err(unknown());
        }
        let path = folder.join("finished.json");
        if self
            .store
            .create(&path, record::encode(&self.store.object(&path), &run)?)
            .await?
            == Created::Yes
        {
            return Ok(run);
        }
        let standing: RunFinished = self.read_record(&path).await?.ok_or_else(unknown)?;
        if (standing.status, standing.version) == (run.status, run.version) {
            return Ok(standing);
        }
        Err(Error::AlreadyFinished {
            model: run.model.clone(),
            run: run.run_id.clone(),
            recorded: standing.end(),
            reported: run.end(),
        })
    }

    /// One run; `None` when it never began.
    pub async fn run(&self, model: &str, run_id: &str) -> Result<Option<Run>, Error> {
        let folder = self.run_folder(model, run_id)?;
        let Some(started) = self
            .read_record::<RunStarted>(&folder.clone().join("started.json"))
            .await?
        else {
            return Ok(None);
        };
        let finished = self
            .read_record::<RunFinished>(&folder.clone().join("finished.json"))
            .await?;
        let names = finished
            .as_ref()
            .map(|f| (f.model.as_str(), f.run_id.as_str()));
        if [
            Some((started.model.as_str(), started.run_id.as_str())),
            names,
        ]
        .into_iter()
        .flatten()
        .any(|n| n != (model, run_id))
        {
            let reason = "a record in it is of another run".to_owned();
            return Err(Error::Damaged {
                object: self.store.object(&folder),
                reason,
            });
        }
        Ok(Some(Run { started, finished }))
    }

    /// All runs of a model, in the order in which they began.
    pub async fn runs(&self, model: &str) -> Result<Vec<Run>, Error> {
        name::check_name("model", model)?;
        let folder = Path::from("runs").join(model);
        let ids = self.store.folders(&folder).await?;
        let found = futures::stream::iter(&ids)
            .map(|id| self.run(model, id))
            .buffered(READS);
        let found: Vec<_> = found.try_collect().await?;
        // A folder without a beginning is a run that is being recorded at this moment.
        let mut runs: Vec<Run> = found.into_iter().flatten().collect();
        runs.sort_by(|a, b| {
            (a.started.at, &a.started.run_id).cmp(&(b.started.at, &b.started.run_id))
        });
        Ok(runs)
    }

    fn run_folder(&self, model: &str, run_id: &str) -> Result<Path, Error> {
        name::check_name("model", model)?;
        name::check_name("run", run_id)?;
        Ok(Path::from("runs").join(model).join(run_id))
    }

    async fn read_record<T: Record>(&self, path: &Path) -> Result<Option<T>, Error> {
        let Some(bytes) = self.store.read(path).await? else {
            return Ok(None);
        };
        record::decode(&self.store.object(path), &bytes).map(Some)
    }
}

impl RunFinished {
    fn end(&self) -> String {
        let status = match self.status {
            Status::Succeeded => "succeeded",
            Status::Failed => "failed",
            Status::Cached => "cached",
        };
        self.version.map_or_else(
            || status.to_owned(),
            |version| format!("{status} with version {version}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::tests::fresh;

    fn started(run: &str, second: i64) -> RunStarted {
        RunStarted {
            model: "m".into(),
            run_id: run.into(),
            trigger: Trigger::Schedule,
            content_address: "sha256:x".into(),
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    fn finished(run: &str, status: Status) -> RunFinished {
        RunFinished {
            model: "m".into(),
            run_id: run.into(),
            status,
            version: None,
            promoted: false,
            reason: None,
            metrics: Metrics::new(),
            at: Timestamp::from_second(100).unwrap(),
        }
    }

    #[tokio::test]
    async fn runs_begin_and_end_once() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        assert!(registry.runs("m").await.unwrap().is_empty());
        assert_eq!(
            registry.start_run(started("b", 1)).await.unwrap(),
            started("b", 1)
        );
        assert_eq!(
            registry.start_run(started("b", 2)).await.unwrap(),
            started("b", 1),
            "the first record stands"
        );
        registry.start_run(started("a", 5)).await.unwrap();
        registry
            .finish_run(finished("b", Status::Succeeded))
            .await
            .unwrap();
        registry
            .finish_run(finished("b", Status::Succeeded))
            .await
            .unwrap();
        let other = registry.finish_run(finished("b", Status::Failed)).await;
        assert!(matches!(other, Err(Error::AlreadyFinished { .. })));
        let runs = registry.runs("m").await.unwrap();
        let ids: Vec<_> = runs
            .iter()
            .map(|r| (r.started.run_id.as_str(), r.finished.is_some()))
            .collect();
        assert_eq!(ids, [("b", true), ("a", false)]);
        assert_eq!(registry.run("m", "none").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_run_that_never_began_cannot_end() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        let ended = registry.finish_run(finished("a", Status::Failed)).await;
        assert!(matches!(ended, Err(Error::NotFound { .. })));
        assert!(matches!(
            registry.start_run(started("../a", 1)).await,
            Err(Error::Name { .. })
        ));
    }

    #[tokio::test]
    async fn a_damaged_run_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        registry.start_run(started("a", 1)).await.unwrap();
        registry
            .finish_run(finished("a", Status::Failed))
            .await
            .unwrap();
        let records = folder.path().join("registry/runs/m/a");
        let end = std::fs::read(records.join("finished.json")).unwrap();
        std::fs::write(records.join("finished.json"), &end[..20]).unwrap();
        assert!(matches!(
            registry.runs("m").await,
            Err(Error::Damaged { .. })
        ));
        std::fs::write(records.join("started.json"), &end).unwrap();
        assert!(matches!(
            registry.runs("m").await,
            Err(Error::Damaged { .. })
        ));
    }
}
