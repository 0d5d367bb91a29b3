//! Runs from beginning to end, with small training scripts and a real registry.
#![allow(clippy::unwrap_used)]

mod cache;
mod contract;
mod environment;
mod failures;
mod promotion;

use std::path::{Path, PathBuf};

use mlinfra_registry::{Registry, Run};
use mlinfra_runner::spec::{Input, VERSION};
use mlinfra_runner::{RunError, RunResult, Setting, Spec, execute};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Writes a model whose bytes are the parameters and the input, and counts how often it was run.
const TRAIN: &str = r#"
echo run >> "$COUNTER"
echo "training"
echo '{"step": 1, "auc": 0.5}' >> "$MLINFRA_METRICS"
echo '{"step": 2, "auc": 0.8, "loss": NaN}' >> "$MLINFRA_METRICS"
cat "$MLINFRA_PARAMS" > "$MLINFRA_OUTPUT/model.onnx"
echo report > "$MLINFRA_OUTPUT/report.txt"
"#;

/// A registry, a cache and a source folder.
struct World {
    folder: tempfile::TempDir,
    registry: Registry,
}

impl World {
    async fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::create(folder.path().join("registry").to_str().unwrap())
            .await
            .unwrap();
        std::fs::create_dir(folder.path().join("train")).unwrap();
        let world = Self { folder, registry };
        world.script(script);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the script. It learns where it counts from its own text, as nothing else reaches it.
    fn script(&self, script: &str) {
        let counter = self.path("counter");
        std::fs::write(
            self.path("train/train.sh"),
            format!("COUNTER={}\n{script}", counter.display()),
        )
        .unwrap();
    }

    fn spec(&self) -> Spec {
        let spec = json!({
            "version": VERSION, "job": "classifier", "model": "m", "source": self.path("train"),
            "command": ["sh", "-e", "train.sh"], "params": {"depth": 6}, "registry": self.path("registry"),
            "trigger": "apply", "cache_dir": self.path("cache"), "objective": {"metric": "auc"},
        });
        Spec::parse(spec.to_string().as_bytes()).unwrap()
    }

    fn input(&self, name: &str, text: &str) -> Input {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        Input {
            uri: format!("file://{}", path.display()),
            digest: None,
        }
    }

    async fn run(&self, spec: Spec) -> Result<RunResult, RunError> {
        self.run_in(spec, Setting::default()).await
    }

    async fn run_in(&self, spec: Spec, setting: Setting) -> Result<RunResult, RunError> {
        let (_keep, stop) = watch::channel(false);
        execute(spec, setting, stop).await
    }

    /// How often the script ran.
    fn count(&self) -> usize {
        std::fs::read_to_string(self.path("counter"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    async fn only_run(&self) -> Run {
        let runs = self.registry.runs("m").await.unwrap();
        assert_eq!(runs.len(), 1);
        runs.into_iter().next().unwrap()
    }

    async fn artifact(&self, version: u64, name: &str) -> String {
        let version = self.registry.version("m", version).await.unwrap();
        let artifact = version
            .artifact(name)
            .unwrap_or_else(|| panic!("{name} among {:?}", version.content.artifacts));
        let folder = tempfile::tempdir().unwrap();
        let path = self
            .registry
            .get_blob(&artifact.digest, folder.path())
            .await
            .unwrap();
        std::fs::read_to_string(path).unwrap()
    }
}

fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
