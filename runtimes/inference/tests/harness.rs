//! Servers and registries for tests: each in a folder of its own, on a free port of this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mlinfra_inference::{Error, Server, Settings};
use mlinfra_registry::{Alias, Artifact, Metrics, NewVersion, Registry};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// A checked-in model; `make_models.py` says what it computes.
pub fn model_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/models/{name}.onnx"))
}

/// Settings that serve nothing yet.
pub fn settings() -> Settings {
    Settings {
        registry: None,
        models: Vec::new(),
        files: Vec::new(),
        listen: "127.0.0.1:0".parse().unwrap(),
        sessions: 2,
        queue: 64,
        token: None,
        poll_interval: Duration::from_millis(5),
        max_request_bytes: 1024 * 1024,
        drain: DEADLINE,
        cache: std::env::temp_dir(),
    }
}

/// A running server.
pub struct Running {
    pub client: Client,
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    pub ended: JoinHandle<Result<(), Error>>,
}

impl Running {
    pub async fn start(settings: Settings) -> Self {
        let server = Server::bind(settings)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self {
            client: Client::new(address),
            address,
            stop: Some(stop),
            ended,
        }
    }

    /// A server of checked-in models, when all are loaded.
    pub async fn serving(models: &[&str]) -> Self {
        let files = models
            .iter()
            .map(|name| ((*name).to_owned(), model_file(name)))
            .collect();
        let running = Self::start(Settings {
            files,
            ..settings()
        })
        .await;
        running.ready().await;
        running
    }

    pub fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    pub async fn ready(&self) {
        until("the server is ready", async || {
            self.client.get("/v2/health/ready").await.status == 200
        })
        .await;
    }

    /// What the status page says about the first model.
    pub async fn status(&self) -> serde_json::Value {
        self.client.get("/").await.json()["models"][0].clone()
    }

    /// Waits until a version of `m` answers.
    pub async fn serves_version(&self, version: u64) {
        let expected = serde_json::json!([version.to_string()]);
        until("the version answers", async || {
            let metadata = self.client.get("/v2/models/m").await;
            metadata.status == 200 && metadata.json()["versions"] == expected
        })
        .await;
    }
}

/// Polls for a condition.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(
            began.elapsed() < DEADLINE,
            "not within {DEADLINE:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A registry in a folder that goes away with it.
pub struct Shelf {
    pub registry: Registry,
    pub folder: tempfile::TempDir,
}

impl Shelf {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::create(&folder.path().join("registry").display().to_string())
            .await
            .unwrap();
        Self { registry, folder }
    }

    /// Settings that follow the champion of `m`.
    pub fn settings(&self) -> Settings {
        let registry = Some(self.registry.location().to_owned());
        Settings {
            registry,
            models: vec!["m".parse().unwrap()],
            ..settings()
        }
    }

    /// Registers a file as the next version of `m`.
    pub async fn register(&self, file: &Path, examples: Option<&str>) -> u64 {
        let digest = self.registry.put_blob(file).await.unwrap();
        let examples = match examples {
            Some(text) => {
                let path = self.folder.path().join("examples.json");
                std::fs::write(&path, text).unwrap();
                Some(self.registry.put_blob(&path).await.unwrap())
            }
            None => None,
        };
        let number = self.registry.versions("m").await.unwrap().len();
        let new = NewVersion {
            artifacts: vec![Artifact {
                name: "model.onnx".into(),
                digest,
                size: std::fs::metadata(file).unwrap().len(),
            }],
            signature: None,
            metrics: Metrics::new(),
            params: serde_json::Value::Null,
            code_digest: String::new(),
            commit: None,
            inputs: Default::default(),
            run_id: format!("run{number}"),
            content_address: String::new(),
            examples,
        };
        self.registry
            .register_version("m", new)
            .await
            .unwrap()
            .number
    }

    /// Points the champion at a version.
    pub async fn promote(&self, version: u64) -> Alias {
        let revision = self
            .registry
            .alias("m", "champion")
            .await
            .unwrap()
            .map(|alias| alias.revision);
        self.registry
            .set_alias("m", "champion", version, revision, "test")
            .await
            .unwrap()
    }
}
