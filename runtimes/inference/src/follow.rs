//! Following a model of the registry: which version should answer, and getting it to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mlinfra_registry::Registry;

use crate::candidate::{Candidate, FetchError};
use crate::model::Model;
use crate::served::Served;
use crate::settings::{Follow, Pick, Settings};

/// How long a registry that does not answer is left alone at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What following needs of the settings.
#[derive(Clone)]
pub(crate) struct Loading {
    pub(crate) registry: String,
    pub(crate) sessions: usize,
    pub(crate) queue: usize,
    pub(crate) poll_interval: Duration,
    pub(crate) cache: PathBuf,
}

impl Loading {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            registry: settings.registry.clone().unwrap_or_default(),
            sessions: settings.sessions,
            queue: settings.queue,
            poll_interval: settings.poll_interval,
            cache: settings.cache.clone(),
        }
    }
}

/// The version that should answer; the alias's revision tells two settings of one version apart.
#[derive(Clone, Copy, PartialEq)]
struct Target {
    version: u64,
    revision: Option<u64>,
}

/// Loads a plain file, once.
pub(crate) async fn load_file(served: Arc<Served>, file: PathBuf, sessions: usize, queue: usize) {
    served.begin("1");
    let loaded = blocking(move || Model::load(&file, "1".to_owned(), sessions, queue)).await;
    conclude(&served, "1".to_owned(), loaded);
}

/// Follows a model for as long as the server runs.
pub(crate) async fn follow(served: Arc<Served>, follow: Follow, loading: Loading) {
    let mut pause = loading.poll_interval;
    let mut follower = Follower {
        served,
        follow,
        loading,
        registry: None,
        settled: None,
    };
    loop {
        match follower.step().await {
            Ok(()) => {
                pause = follower.loading.poll_interval;
                if follower.served.problem(None) {
                    tracing::info!(model = follower.served.name, "the registry answers");
                }
            }
            Err(problem) => {
                if follower.served.problem(Some(problem.clone())) {
                    tracing::warn!(model = follower.served.name, "{problem}");
                }
                pause = (pause * 2).min(LONGEST_PAUSE.max(follower.loading.poll_interval));
            }
        }
        tokio::time::sleep(pause).await;
    }
}

struct Follower {
    served: Arc<Served>,
    follow: Follow,
    loading: Loading,
    registry: Option<Registry>,
    /// What was last brought to an end, well or badly: it is not tried again until the alias is set anew.
    settled: Option<Target>,
}

impl Follower {
    /// Looks once where the alias points, and brings that version into service. The error is what may pass by itself.
    async fn step(&mut self) -> Result<(), String> {
        let registry = self.registry().await?;
        let Some(target) = self.target(&registry).await? else {
            return Ok(());
        };
        if self.settled == Some(target) {
            return Ok(());
        }
        let version = target.version.to_string();
        if self
            .served
            .current()
            .is_some_and(|model| model.version == version)
        {
            self.served.settle();
            self.settled = Some(target);
            return Ok(());
        }
        self.served.begin(&version);
        let loaded = match Candidate::fetch(
            &registry,
            &self.follow.model,
            target.version,
            &self.loading.cache,
        )
        .await
        {
            Ok(candidate) => {
                let Loading {
                    sessions, queue, ..
                } = self.loading;
                blocking(move || candidate.load(sessions, queue)).await
            }
            Err(FetchError::Unfit(reason)) => Err(reason),
            Err(FetchError::Registry(e)) => return Err(told(&e)),
        };
        conclude(&self.served, version, loaded);
        self.settled = Some(target);
        Ok(())
    }

    async fn registry(&mut self) -> Result<Registry, String> {
        if let Some(registry) = &self.registry {
            return Ok(registry.clone());
        }
        let registry = Registry::open(&self.loading.registry)
            .await
            .map_err(|e| told(&e))?;
        Ok(self.registry.insert(registry).clone())
    }

    /// The version that should answer. Where an alias is not set any more, what answers stays.
    async fn target(&self, registry: &Registry) -> Result<Option<Target>, String> {
        let alias = match &self.follow.pick {
            Pick::Version(version) => {
                return Ok(Some(Target {
                    version: *version,
                    revision: None,
                }));
            }
            Pick::Alias(alias) => alias,
        };
        match registry
            .alias(&self.follow.model, alias)
            .await
            .map_err(|e| told(&e))?
        {
            Some(alias) => Ok(Some(Target {
                version: alias.version,
                revision: Some(alias.revision),
            })),
            None if self.served.current().is_some() => Ok(None),
            None => Err(format!(
                "model `{}` has no version with the alias `{alias}` yet",
                self.follow.model
            )),
        }
    }
}

/// Lets a version serve, or says why it does not.
fn conclude(served: &Served, version: String, loaded: Result<Model, String>) {
    match loaded {
        Ok(model) => {
            served.swap(model);
            tracing::info!(model = served.name, version, "serving");
        }
        Err(reason) => {
            let stays = served
                .current()
                .map_or_else(|| "none".to_owned(), |model| model.version.clone());
            tracing::error!(
                model = served.name,
                version,
                serving = stays,
                "the version is refused: {reason}"
            );
            served.refuse(version, reason);
        }
    }
}

/// An error with its causes, in one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Loading takes long and happens away from the threads that serve connections.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, String> + Send + 'static,
) -> Result<R, String> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(format!("loading it broke off: {e}")))
}
