//! A configuration directory, a session with the provider, and the steps that the engine takes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use mlinfra_provider_ml::{Settings, provider};
use mlinfra_sdk::{
    CancellationToken, Configure, Context, Create, Delete, Environment, Event, Failure, Find, Plan,
    Planned, Provider, Read, ReadData, Schema, Session, Type, Update, Value, planning,
};

/// How long anything may take that is only a matter of time.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The runtime program, built by the same workspace.
fn runtime() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // The whole workspace is selected so that the dependencies are those of a plain build, features included.
        let built = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "--workspace",
                "--bin",
                "mlinfra-runtime",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "mlinfra-runtime cannot be built");
        let test = std::env::current_exe().unwrap();
        test.ancestors().nth(2).unwrap().join("mlinfra-runtime")
    })
}

/// A configuration directory with a session.
pub struct World {
    directory: tempfile::TempDir,
    provider: Arc<dyn Provider>,
    pub session: Arc<dyn Session>,
    pub context: Context,
    pub heard: Arc<Mutex<Vec<Event>>>,
}

impl World {
    pub async fn new() -> World {
        let directory = tempfile::tempdir().unwrap();
        let provider = provider(Settings {
            runtime: runtime().to_path_buf(),
        });
        let heard = Arc::new(Mutex::new(Vec::new()));
        let progress = {
            let heard = Arc::clone(&heard);
            Arc::new(move |event| heard.lock().unwrap().push(event))
        };
        let root = directory.path().canonicalize().unwrap();
        let session = configured(&provider, &root).await;
        World {
            directory,
            provider,
            session,
            context: Context {
                progress,
                cancel: CancellationToken::new(),
            },
            heard,
        }
    }

    /// The configuration directory, as it is really named.
    pub fn root(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap()
    }

    /// Another program with the same configuration.
    pub async fn another_session(&self) -> Arc<dyn Session> {
        configured(&self.provider, &self.root()).await
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn schema(&self, ty: &str) -> Arc<Schema> {
        let schema = self.provider.schema();
        let found = schema
            .resources
            .get(ty)
            .or_else(|| schema.data_sources.get(ty));
        Arc::clone(found.unwrap())
    }

    /// A configuration with these arguments; all others are left out.
    pub fn config(&self, ty: &str, arguments: &[(&str, Value)]) -> Value {
        let schema = self.schema(ty);
        let nothing = schema
            .attributes
            .iter()
            .map(|(name, a)| (Arc::clone(name), Value::null(a.ty.clone())));
        arguments
            .iter()
            .fold(Value::object(nothing), |value, (name, argument)| {
                assert!(schema.attributes.contains_key(*name), "{ty} has no {name}");
                value.with_attribute(name, argument.clone())
            })
    }

    pub async fn plan(
        &self,
        ty: &str,
        prior: Option<&Value>,
        config: &Value,
    ) -> Result<Planned, Failure> {
        let problems = self.provider.validate_resource(ty, config);
        assert!(problems.is_empty(), "{problems:?}");
        let proposed = planning::proposed(&self.schema(ty), prior, config);
        let request = Plan {
            prior,
            config,
            proposed,
        };
        self.session.plan(ty, &self.context, request).await
    }

    pub async fn create(&self, ty: &str, config: &Value, token: &str) -> Result<Value, Failure> {
        let planned = self.plan(ty, None, config).await?.value;
        let request = Create {
            planned: &planned,
            config,
            token,
        };
        let made = self.session.create(ty, &self.context, request).await?;
        keeps(&planned, &made);
        Ok(made)
    }

    pub async fn update(
        &self,
        ty: &str,
        prior: &Value,
        config: &Value,
        token: &str,
    ) -> Result<Value, Failure> {
        let planned = self.plan(ty, Some(prior), config).await?.value;
        let request = Update {
            prior,
            planned: &planned,
            config,
            token,
        };
        let made = self.session.update(ty, &self.context, request).await?;
        keeps(&planned, &made);
        Ok(made)
    }

    pub async fn read(&self, ty: &str, prior: &Value) -> Option<Value> {
        let request = Read { prior };
        self.session.read(ty, &self.context, request).await.unwrap()
    }

    pub async fn delete(&self, ty: &str, prior: &Value) {
        let request = Delete { prior };
        self.session
            .delete(ty, &self.context, request)
            .await
            .unwrap();
    }

    pub async fn find(&self, ty: &str, token: &str, planned: &Value) -> Option<Value> {
        let request = Find { token, planned };
        self.session.find(ty, &self.context, request).await.unwrap()
    }

    pub async fn read_data(&self, ty: &str, arguments: &[(&str, Value)]) -> Result<Value, Failure> {
        let config = self.config(ty, arguments);
        let problems = self.provider.validate_data(ty, &config);
        assert!(problems.is_empty(), "{problems:?}");
        let request = ReadData { config: &config };
        let read = self.session.read_data(ty, &self.context, request).await?;
        assert!(read.is_wholly_known(), "{read:?}");
        Ok(read)
    }

    /// The problems of a configuration by itself, as `at: detail`.
    pub fn problems(&self, ty: &str, arguments: &[(&str, Value)]) -> Vec<String> {
        let config = self.config(ty, arguments);
        let problems = self.provider.validate_resource(ty, &config);
        let told = problems.iter().map(|p| format!("{}: {}", p.path, p.detail));
        told.collect()
    }

    /// A registry in this directory.
    pub async fn registry(&self) -> Value {
        let config = self.config("ml_registry", &[("name", "models".into())]);
        self.create("ml_registry", &config, "registry")
            .await
            .unwrap()
    }
}

async fn configured(provider: &Arc<dyn Provider>, root: &Path) -> Arc<dyn Session> {
    let nothing = Value::object(Vec::<(&str, Value)>::new());
    let request = Configure {
        config: &nothing,
        environment: &Environment {
            root_dir: root.to_path_buf(),
            data_dir: root.join(".mlinfra"),
        },
    };
    provider.configure(request).await.unwrap()
}

/// What was known when it was planned has come out as planned, and everything is known now.
fn keeps(planned: &Value, made: &Value) {
    assert!(made.is_wholly_known(), "{made:?}");
    for (name, value) in planned.entries().unwrap() {
        if value.is_wholly_known() {
            assert_eq!(Some(value), made.get(name), "{name}");
        }
    }
}

/// Waits until something holds.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A list of texts.
pub fn texts(items: &[&str]) -> Value {
    Value::list(Type::String, items.iter().map(|item| Value::from(*item)))
}

/// The text of an attribute.
pub fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get_str(name).unwrap()
}

/// A number attribute.
pub fn number(value: &Value, name: &str) -> f64 {
    value.get(name).unwrap().as_number().unwrap().as_f64()
}
