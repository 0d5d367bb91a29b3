//! Versions of a model: numbered, immutable, with everything they were made of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::error::Error;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::record::Record;
use crate::registry::Registry;
use crate::store::Created;
use crate::{blob, name};

/// One file of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its file name, such as `model.onnx`.
    pub name: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// What a model takes and gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// The tensors it takes.
    pub inputs: Vec<TensorSpec>,
    /// The tensors it gives.
    pub outputs: Vec<TensorSpec>,
}

/// Name, type and shape of a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorSpec {
    /// The tensor's name.
    pub name: String,
    /// Its datatype in the Open Inference Protocol's words, such as `FP32`.
    pub datatype: String,
    /// Its dimensions; -1 where any length is taken.
    pub shape: Vec<i64>,
}

/// What a run hands in to become a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewVersion {
    /// Its files; their bytes are in the registry already ([`Registry::put_blob`]).
    pub artifacts: Vec<Artifact>,
    /// What it takes and gives, where known.
    #[serde(default)]
    pub signature: Option<Signature>,
    /// How good it is.
    #[serde(with = "crate::metrics")]
    pub metrics: Metrics,
    /// The parameters it was trained with.
    pub params: Value,
    /// The digest of the code that trained it.
    pub code_digest: String,
    /// The commit that code was, where it came from one.
    #[serde(default)]
    pub commit: Option<String>,
    /// The digests of what it was trained on, by input.
    pub inputs: BTreeMap<String, String>,
    /// The run that made it.
    pub run_id: String,
    /// The address of the run by content: code, command, parameters, inputs.
    pub content_address: String,
    /// Recorded inputs and outputs, to check a loaded model with.
    #[serde(default)]
    pub examples: Option<Digest>,
}

/// A version on record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The model.
    pub model: String,
    /// Its number: 1 for the model's first version, and so on without gaps.
    pub number: u64,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// What was handed in.
    #[serde(flatten)]
    pub content: NewVersion,
}

impl Record for Version {
    const KIND: &'static str = "version";
}

impl Version {
    /// The artefact of that name.
    pub fn artifact(&self, name: &str) -> Option<&Artifact> {
        self.content.artifacts.iter().find(|a| a.name == name)
    }
}

impl Registry {
    /// Registers a version. A run makes one version: registering for the same run again, as a runner does that was
    /// killed and came back, gives the version that stands.
    pub async fn register_version(&self, model: &str, new: NewVersion) -> Result<Version, Error> {
        let log = self.version_log(model)?;
        self.check_new_version(model, &new).await?;
        let mut seen = 0;
        loop {
            for version in log.after(seen).await? {
                let version = checked(&log, model, seen + 1, version)?;
                if version.content.run_id == new.run_id {
                    return Ok(version);
                }
                seen = version.number;
            }
            let version = Version {
                model: model.to_owned(),
                number: seen + 1,
                registered_at: Timestamp::now(),
                content: new.clone(),
            };
            // Where another run took the number, the loop looks at what it registered and takes the next one.
            if log.append(version.number, &version).await? == Created::Yes {
                return Ok(version);
            }
        }
    }

    /// A version by its number.
    pub async fn version(&self, model: &str, number: u64) -> Result<Version, Error> {
        let log = self.version_log(model)?;
        match log.get(number).await? {
            Some(version) => checked(&log, model, number, version),
            None => Err(self.not_found(format!("version {number} of model `{model}`"))),
        }
    }

    /// All versions of a model, oldest first; none for a model that the registry has never heard of.
    pub async fn versions(&self, model: &str) -> Result<Vec<Version>, Error> {
        let log = self.version_log(model)?;
        let versions = log.after(0).await?;
        versions
            .into_iter()
            .zip(1..)
            .map(|(version, number)| checked(&log, model, number, version))
            .collect()
    }

    fn version_log(&self, model: &str) -> Result<Log<'_, Version>, Error> {
        Ok(Log::new(
            &self.store,
            self.model_folder(model)?.join("versions"),
        ))
    }

    /// Names are sound, and the bytes that the version promises are there.
    async fn check_new_version(&self, model: &str, new: &NewVersion) -> Result<(), Error> {
        name::check_name("run", &new.run_id)?;
        for artifact in &new.artifacts {
            name::check_name("artifact", &artifact.name)?;
            let size = self.store.size(&blob::path(&artifact.digest)).await?;
            let reason = match size {
                Some(size) if size == artifact.size => continue,
                Some(size) => format!("has {size} bytes in the registry, not {}", artifact.size),
                None => "is not in the registry".to_owned(),
            };
            let (model, name) = (model.to_owned(), artifact.name.clone());
            return Err(Error::Artifact {
                model,
                name,
                digest: artifact.digest,
                reason,
            });
        }
        if let Some(digest) = new.examples
            && self.store.size(&blob::path(&digest)).await?.is_none()
        {
            let reason = "is not in the registry".to_owned();
            return Err(Error::Artifact {
                model: model.to_owned(),
                name: "examples".to_owned(),
                digest,
                reason,
            });
        }
        Ok(())
    }
}

/// A record is believed only where it says that it belongs.
fn checked(
    log: &Log<'_, Version>,
    model: &str,
    number: u64,
    version: Version,
) -> Result<Version, Error> {
    if version.model == model && version.number == number {
        return Ok(version);
    }
    let reason = format!(
        "it holds version {} of model `{}`",
        version.number, version.model
    );
    Err(log.misplaced(number, &reason))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::registry::tests::fresh;
    use std::path::Path;

    /// A version with one small artefact, whose bytes are stored.
    pub(crate) async fn new_version(registry: &Registry, folder: &Path, run: &str) -> NewVersion {
        let source = folder.join(format!("{run}.onnx"));
        std::fs::write(&source, run).unwrap();
        let digest = registry.put_blob(&source).await.unwrap();
        NewVersion {
            artifacts: vec![Artifact {
                name: "model.onnx".into(),
                digest,
                size: run.len() as u64,
            }],
            signature: None,
            metrics: [
                ("auc".to_owned(), 0.1 + 0.2),
                ("loss".to_owned(), f64::INFINITY),
            ]
            .into(),
            params: serde_json::json!({"max_depth": 6, "rate": 0.1}),
            code_digest: "sha256:code".into(),
            commit: Some("abc".into()),
            inputs: [("orders".to_owned(), "sha256:data".to_owned())].into(),
            run_id: run.to_owned(),
            content_address: "sha256:address".into(),
            examples: None,
        }
    }

    #[tokio::test]
    async fn versions_are_numbered_and_come_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        assert!(registry.versions("m").await.unwrap().is_empty());
        let first = registry
            .register_version("m", new_version(&registry, folder.path(), "a").await)
            .await
            .unwrap();
        let second = registry
            .register_version("m", new_version(&registry, folder.path(), "b").await)
            .await
            .unwrap();
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!(registry.version("m", 2).await.unwrap(), second);
        assert_eq!(registry.versions("m").await.unwrap(), [first, second]);
        assert_eq!(registry.models().await.unwrap(), ["m"]);
        for missing in [0, 3, u64::MAX] {
            assert!(matches!(
                registry.version("m", missing).await,
                Err(Error::NotFound { .. })
            ));
        }
    }

    #[tokio::test]
    async fn a_run_makes_one_version_however_often_it_registers() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        let new = new_version(&registry, folder.path(), "a").await;
        let first = registry.register_version("m", new.clone()).await.unwrap();
        registry
            .register_version("m", new_version(&registry, folder.path(), "b").await)
            .await
            .unwrap();
        let again = (0..16).map(|_| registry.register_version("m", new.clone()));
        for version in futures::future::try_join_all(again).await.unwrap() {
            assert_eq!(version, first);
        }
        assert_eq!(registry.versions("m").await.unwrap().len(), 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_sixteen_racing_runs_none_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        let mut tasks = Vec::new();
        for run in 0..16 {
            let new = new_version(&registry, folder.path(), &format!("run{run}")).await;
            // Every run registers twice at the same time, as a runner and its successor may.
            for new in [new.clone(), new] {
                let registry = registry.clone();
                tasks.push(tokio::spawn(async move {
                    registry.register_version("m", new).await.unwrap()
                }));
            }
        }
        for task in futures::future::join_all(tasks).await {
            task.unwrap();
        }
        let versions = registry.versions("m").await.unwrap();
        let numbers: Vec<_> = versions.iter().map(|v| v.number).collect();
        assert_eq!(numbers, (1..=16).collect::<Vec<_>>());
        let mut runs: Vec<_> = versions.iter().map(|v| v.content.run_id.clone()).collect();
        runs.sort();
        runs.dedup();
        assert_eq!(runs.len(), 16);
    }

    #[tokio::test]
    async fn damage_is_never_a_missing_version() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        for run in ["a", "b", "c"] {
            registry
                .register_version("m", new_version(&registry, folder.path(), run).await)
                .await
                .unwrap();
        }
        let record = |n: u64| {
            folder
                .path()
                .join(format!("registry/models/m/versions/{n:08}.json"))
        };
        let whole = std::fs::read(record(2)).unwrap();
        let third = std::fs::read(record(3)).unwrap();
        for damage in [&whole[..whole.len() / 2], b"", &third] {
            std::fs::write(record(2), damage).unwrap();
            assert!(matches!(
                registry.version("m", 2).await,
                Err(Error::Damaged { .. })
            ));
            assert!(matches!(
                registry.versions("m").await,
                Err(Error::Damaged { .. })
            ));
            let new = new_version(&registry, folder.path(), "d").await;
            assert!(matches!(
                registry.register_version("m", new).await,
                Err(Error::Damaged { .. })
            ));
        }
        std::fs::remove_file(record(2)).unwrap();
        let gap = registry.versions("m").await.unwrap_err();
        assert!(
            gap.to_string()
                .contains("00000002.json is damaged: it is missing"),
            "{gap}"
        );
        std::fs::write(record(2), whole).unwrap();
        assert_eq!(registry.versions("m").await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn what_a_version_promises_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        let good = new_version(&registry, folder.path(), "a").await;
        let mut missing = good.clone();
        missing.artifacts[0].digest = Digest::of(b"elsewhere");
        let mut short = good.clone();
        short.artifacts[0].size += 1;
        let mut examples = good.clone();
        examples.examples = Some(Digest::of(b"elsewhere"));
        for wrong in [missing, short, examples] {
            assert!(matches!(
                registry.register_version("m", wrong).await,
                Err(Error::Artifact { .. })
            ));
        }
        let mut climbing = good.clone();
        climbing.artifacts[0].name = "../model.onnx".into();
        assert!(matches!(
            registry.register_version("m", climbing).await,
            Err(Error::Name { .. })
        ));
        assert!(matches!(
            registry.register_version("../m", good).await,
            Err(Error::Name { .. })
        ));
    }
}
