//! How the provider reaches its world: the folder of the configuration, registries, the local agent.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use mlinfra_registry::{Error, Registry};
use mlinfra_sdk::{Configure, Connect, Failure, Schema};
use url::Url;

use crate::{Settings, failure};

/// Makes [`Client`]s.
pub(crate) struct Ml {
    pub(crate) settings: Settings,
}

/// What the types work with. Nothing is opened before it is needed.
pub(crate) struct Client {
    /// The program that trains.
    pub(crate) runtime: PathBuf,
    /// The folder of the root configuration, absolute.
    pub(crate) root_dir: PathBuf,
    /// The folder of what the tool keeps, absolute.
    pub(crate) data_dir: PathBuf,
}

#[async_trait]
impl Connect for Ml {
    type Client = Client;

    fn name(&self) -> &str {
        "ml"
    }

    fn schema(&self) -> Schema {
        Schema::new("Objects of the model registry. The provider takes no arguments.")
    }

    async fn connect(&self, request: Configure<'_>) -> Result<Client, Failure> {
        Ok(Client {
            runtime: self.settings.runtime.clone(),
            root_dir: request.environment.root_dir.clone(),
            data_dir: request.environment.data_dir.clone(),
        })
    }
}

impl Client {
    /// A path of the configuration as an absolute one. It need not exist.
    pub(crate) fn absolute(&self, path: &str) -> PathBuf {
        // Without its `.` and `..`, so that one folder has one spelling in state.
        let mut absolute = PathBuf::new();
        for part in self.root_dir.join(path).components() {
            match part {
                std::path::Component::CurDir => {}
                std::path::Component::ParentDir => {
                    absolute.pop();
                }
                part => absolute.push(part),
            }
        }
        absolute
    }

    /// Where what has been computed is kept.
    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.data_dir.join("cache")
    }
}

/// The `file://` URL of an absolute path.
pub(crate) fn file_url(path: &Path) -> Result<String, Failure> {
    Url::from_file_path(path).map(String::from).map_err(|()| {
        Failure::internal(format!(
            "{} is not absolute, so it has no URL",
            path.display()
        ))
    })
}

/// Opens a registry; `None` when there is none at that place.
pub(crate) async fn open(url: &str) -> Result<Option<Registry>, Failure> {
    match Registry::open(url).await {
        Ok(registry) => Ok(Some(registry)),
        Err(Error::NotARegistry { .. }) => Ok(None),
        Err(error) => Err(failure::registry(&error)),
    }
}

/// Opens a registry that must be there.
pub(crate) async fn open_existing(url: &str) -> Result<Registry, Failure> {
    Registry::open(url).await.map_err(|e| failure::registry(&e))
}

/// Does what blocks where blocking is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Failure::internal)
}
