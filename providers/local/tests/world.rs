//! A configuration directory of its own, and the provider called as the engine calls it, its answers checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use mlinfra_agent::Client;
use mlinfra_provider_local::{Settings, provider};
use mlinfra_sdk::{
    CancellationToken, Configure, Context, Create, Delete, Environment, Event, Failure,
    FailureKind, Find, Plan, Planned, Provider, Read, Schema, Session, Type, Update, Value,
    planning,
};

/// How long anything may take that a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The `mlinfra-runtime` program, built once.
pub fn runtime() -> PathBuf {
    static RUNTIME: OnceLock<PathBuf> = OnceLock::new();
    RUNTIME.get_or_init(find_or_build).clone()
}

fn find_or_build() -> PathBuf {
    if let Some(path) = std::env::var_os("MLINFRA_RUNTIME") {
        return PathBuf::from(path);
    }
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "-p",
            "mlinfra-runtime",
            "--message-format=json",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "cargo build -p mlinfra-runtime failed"
    );
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let path = PathBuf::from(message.get("executable")?.as_str()?);
        path.ends_with("mlinfra-runtime").then_some(path)
    };
    let output = String::from_utf8(built.stdout).unwrap();
    output.lines().find_map(executable).unwrap()
}

/// A configuration directory and a session of the provider with it.
pub struct World {
    directory: tempfile::TempDir,
    runtime: PathBuf,
    pub provider: Arc<dyn Provider>,
    pub session: Arc<dyn Session>,
    pub context: Context,
    events: Arc<Mutex<Vec<Event>>>,
}

impl World {
    pub async fn new() -> World {
        World::with_runtime(runtime()).await
    }

    pub async fn with_runtime(runtime: PathBuf) -> World {
        let directory = tempfile::tempdir().unwrap();
        let provider = provider(Settings {
            runtime: runtime.clone(),
        });
        let session = session(&provider, directory.path()).await;
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&events);
        let context = Context {
            progress: Arc::new(move |event| told.lock().unwrap().push(event)),
            cancel: CancellationToken::new(),
        };
        World {
            directory,
            runtime,
            provider,
            session,
            context,
            events,
        }
    }

    /// Forgets what the session knows, as the next command would.
    pub async fn next_command(&mut self) {
        self.session = session(&self.provider, self.path()).await;
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn agent_folder(&self) -> PathBuf {
        self.path().join(".mlinfra/agent")
    }

    /// The agent, started when it does not run.
    pub async fn agent(&self) -> Client {
        mlinfra_agent::ensure_running(self.path(), &self.runtime)
            .await
            .unwrap()
    }

    /// What was told of progress since the last time.
    pub fn told(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    /// Waits until something is told of progress.
    pub async fn hears(&self, event: &Event) {
        until(&format!("{event:?}"), async || {
            let events = self.events.lock().unwrap();
            events.contains(event).then_some(())
        })
        .await;
    }

    pub fn stages(&self) -> Vec<String> {
        let stage = |event| match event {
            Event::Stage(text) => Some(text),
            _ => None,
        };
        self.told().into_iter().filter_map(stage).collect()
    }

    pub fn schema(&self, ty: &str) -> Arc<Schema> {
        Arc::clone(self.provider.schema().resources.get(ty).unwrap())
    }

    /// A configuration with these arguments, the others null.
    pub fn config<const N: usize>(&self, ty: &str, arguments: [(&str, Value); N]) -> Value {
        let schema = self.schema(ty);
        let nulls = schema.attributes.iter();
        let nulls = nulls.map(|(name, a)| (name.clone(), Value::null(a.ty.clone())));
        arguments
            .into_iter()
            .fold(Value::object(nulls), |config, (name, value)| {
                let attribute = schema.attributes.get(name).unwrap();
                assert!(attribute.is_configurable(), "{name}");
                assert_eq!(value.ty(), attribute.ty, "{name}");
                config.with_attribute(name, value)
            })
    }

    /// Validates and plans; the first thing that is wrong is the failure.
    pub async fn plan(
        &self,
        ty: &str,
        prior: Option<&Value>,
        config: &Value,
    ) -> Result<Planned, Failure> {
        if let Some(problem) = self.provider.validate_resource(ty, config).pop() {
            return Err(
                Failure::new(FailureKind::Invalid, problem.summary, problem.detail)
                    .at(problem.path),
            );
        }
        let proposed = planning::proposed(&self.schema(ty), prior, config);
        let request = Plan {
            prior,
            config,
            proposed,
        };
        let planned = self.session.plan(ty, &self.context, request).await?;
        assert_eq!(planned.value.ty(), self.schema(ty).ty());
        for (name, said) in config.entries().unwrap() {
            if !said.is_null() && said.is_wholly_known() {
                assert_eq!(planned.value.get(name), Some(said), "{name} is configured");
            }
        }
        Ok(planned)
    }

    /// Plans and creates.
    pub async fn create(&self, ty: &str, config: &Value, token: &str) -> Result<Value, Failure> {
        let planned = self.plan(ty, None, config).await?.value;
        let request = Create {
            planned: &planned,
            config,
            token,
        };
        let made = self.session.create(ty, &self.context, request).await;
        made.inspect(|made| self.keeps(ty, &planned, made))
    }

    /// Plans and updates in place.
    pub async fn update(&self, ty: &str, prior: &Value, config: &Value) -> Result<Value, Failure> {
        let planned = self.plan(ty, Some(prior), config).await?;
        assert_eq!(planned.replace, [], "an update needs no new object");
        let planned = planned.value;
        let request = Update {
            prior,
            planned: &planned,
            config,
            token: "update",
        };
        let made = self.session.update(ty, &self.context, request).await;
        made.inspect(|made| self.keeps(ty, &planned, made))
    }

    pub async fn read(&self, ty: &str, prior: &Value) -> Result<Option<Value>, Failure> {
        let read = self.session.read(ty, &self.context, Read { prior }).await?;
        if let Some(value) = &read {
            assert_eq!(value.ty(), self.schema(ty).ty());
            assert!(value.is_wholly_known());
        }
        Ok(read)
    }

    pub async fn delete(&self, ty: &str, prior: &Value) {
        let request = Delete { prior };
        self.session
            .delete(ty, &self.context, request)
            .await
            .unwrap();
    }

    pub async fn find(
        &self,
        ty: &str,
        config: &Value,
        token: &str,
    ) -> Result<Option<Value>, Failure> {
        let planned = &planning::proposed(&self.schema(ty), None, config);
        let found = self
            .session
            .find(ty, &self.context, Find { token, planned })
            .await?;
        if let Some(found) = &found {
            self.keeps(ty, planned, found);
        }
        Ok(found)
    }

    /// What came out has the schema's type, is wholly known and is what was planned where that was known.
    fn keeps(&self, ty: &str, planned: &Value, made: &Value) {
        assert_eq!(made.ty(), self.schema(ty).ty());
        assert!(made.is_wholly_known());
        for (name, planned) in planned.entries().unwrap() {
            if planned.is_wholly_known() {
                assert_eq!(made.get(name), Some(planned), "{name} was planned");
            }
        }
    }

    /// Nothing of the agent is left.
    pub fn assert_no_agent(&self) {
        assert!(!self.agent_folder().exists(), "the agent left its folder");
    }
}

async fn session(provider: &Arc<dyn Provider>, root: &Path) -> Arc<dyn Session> {
    let environment = Environment {
        root_dir: root.to_path_buf(),
        data_dir: root.join(".mlinfra"),
    };
    let request = Configure {
        config: &Value::object(BTreeMap::<Arc<str>, Value>::new()),
        environment: &environment,
    };
    provider.configure(request).await.unwrap()
}

impl Drop for World {
    /// A test that failed leaves no process either.
    fn drop(&mut self) {
        if !self.agent_folder().exists() {
            return;
        }
        let directory = self.path().to_path_buf();
        let end = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                if let Ok(agent) = Client::connect(&directory).await {
                    let _ = agent.shutdown().await;
                }
            });
        };
        let _ = std::thread::spawn(end).join();
    }
}

pub fn list<const N: usize>(texts: [&str; N]) -> Value {
    Value::list(Type::String, texts.map(Value::from))
}

pub fn shell(script: &str) -> Value {
    list(["sh", "-c", script])
}

pub fn map<const N: usize>(entries: [(&str, &str); N]) -> Value {
    Value::map(Type::String, entries.map(|(k, v)| (k, Value::from(v))))
}

pub fn at(failure: &Failure) -> String {
    failure
        .path
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// Waits until something is so.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
