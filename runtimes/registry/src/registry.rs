//! The registry itself: made, opened, destroyed.

use std::sync::Arc;

use jiff::Timestamp;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::record::{self, Record};
use crate::store::{Created, MARKER, Store};
use crate::{location, name};

/// The folders of a registry, besides its marker.
const FOLDERS: [&str; 3] = ["models", "runs", "blobs"];

/// An open registry. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    pub(crate) store: Arc<Store>,
}

#[derive(Serialize, Deserialize)]
struct Marker {
    id: String,
    created: Timestamp,
}

impl Record for Marker {
    const KIND: &'static str = "registry";
}

impl Registry {
    /// Makes a registry at a folder or `file://` URL, or opens the one that is there.
    pub async fn create(url: &str) -> Result<Self, Error> {
        let folder = location::folder_of(url)?;
        location::make(&folder)?;
        let registry = Self::over(url)?;
        registry.mark().await?;
        Ok(registry)
    }

    /// Opens an existing registry.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let registry = Self::over(url)?;
        match registry.marker().await? {
            Some(_) => Ok(registry),
            None => Err(Error::NotARegistry {
                location: registry.store.name.clone(),
            }),
        }
    }

    /// Deletes the registry with everything in it. The marker goes last, so that an interrupted deletion can go on.
    pub async fn destroy(self) -> Result<(), Error> {
        for name in FOLDERS {
            self.store.delete_all(&Path::from(name)).await?;
        }
        self.store.delete(&Path::from(MARKER)).await?;
        match &self.store.folder {
            Some(folder) => remove_folders(folder).await,
            None => Ok(()),
        }
    }

    /// How the registry's place is shown.
    pub fn location(&self) -> &str {
        &self.store.name
    }

    /// The names of the models that have a version, an alias or a rule; sorted.
    pub async fn models(&self) -> Result<Vec<String>, Error> {
        self.store.folders(&Path::from("models")).await
    }

    /// The folder of a model's records, its name checked.
    pub(crate) fn model_folder(&self, model: &str) -> Result<Path, Error> {
        name::check_name("model", model)?;
        Ok(Path::from("models").join(model))
    }

    pub(crate) fn not_found(&self, what: String) -> Error {
        Error::NotFound {
            location: self.store.name.clone(),
            what,
        }
    }

    fn over(url: &str) -> Result<Self, Error> {
        let folder = location::folder_of(url)?;
        match location::open(&folder)? {
            Some(location) => Ok(Self {
                store: Arc::new(Store::new(location)),
            }),
            None => Err(Error::NotARegistry {
                location: folder.display().to_string(),
            }),
        }
    }

    /// Writes the marker where it is missing.
    async fn mark(&self) -> Result<(), Error> {
        if self.marker().await?.is_some() {
            return Ok(());
        }
        for name in FOLDERS {
            if self.store.holds(&Path::from(name)).await? {
                return Err(Error::Occupied {
                    location: self.store.name.clone(),
                    found: name.to_owned(),
                });
            }
        }
        let marker = Marker {
            id: Uuid::now_v7().to_string(),
            created: Timestamp::now(),
        };
        let bytes = record::encode(&self.store.object(&Path::from(MARKER)), &marker)?;
        if self.store.create(&Path::from(MARKER), bytes).await? == Created::AlreadyThere {
            self.marker().await?;
        }
        Ok(())
    }

    async fn marker(&self) -> Result<Option<Marker>, Error> {
        let path = Path::from(MARKER);
        let Some(bytes) = self.store.read(&path).await? else {
            return Ok(None);
        };
        record::decode(&self.store.object(&path), &bytes).map(Some)
    }
}

/// Removes what deleting objects leaves of a folder: directories and the remains of interrupted writes.
async fn remove_folders(root: &std::path::Path) -> Result<(), Error> {
    use std::io::ErrorKind::{DirectoryNotEmpty, NotFound};
    for name in FOLDERS {
        let path = root.join(name);
        match tokio::fs::remove_dir_all(&path).await {
            Err(e) if e.kind() == NotFound => {}
            other => other.map_err(Error::file("delete", &path))?,
        }
    }
    match tokio::fs::remove_dir(root).await {
        // Where the user keeps something else in the folder, it stays.
        Err(e) if matches!(e.kind(), NotFound | DirectoryNotEmpty) => Ok(()),
        other => other.map_err(Error::file("delete", root)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A registry in `<folder>/registry`.
    pub(crate) async fn fresh(folder: &std::path::Path) -> Registry {
        Registry::create(&folder.join("registry").display().to_string())
            .await
            .unwrap()
    }

    /// A registry that is not in a folder, as one in a bucket is not.
    pub(crate) async fn in_memory() -> Registry {
        let objects = Arc::new(object_store::memory::InMemory::new());
        let registry = Registry {
            store: Arc::new(Store {
                objects,
                folder: None,
                name: "memory".into(),
            }),
        };
        registry.mark().await.unwrap();
        registry
    }

    #[tokio::test]
    async fn creating_is_idempotent_and_opening_needs_the_marker() {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("models").display().to_string();
        assert!(matches!(
            Registry::open(&url).await,
            Err(Error::NotARegistry { .. })
        ));
        let first = Registry::create(&url)
            .await
            .unwrap()
            .marker()
            .await
            .unwrap()
            .unwrap()
            .id;
        let second = Registry::create(&format!("file://{url}"))
            .await
            .unwrap()
            .marker()
            .await
            .unwrap()
            .unwrap()
            .id;
        assert_eq!(first, second);
        assert!(
            Registry::open(&url)
                .await
                .unwrap()
                .models()
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn racing_creators_agree_on_one_registry() {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("r").display().to_string();
        let ids = (0..16).map(|_| {
            let url = url.clone();
            tokio::spawn(async move {
                Registry::create(&url)
                    .await
                    .unwrap()
                    .marker()
                    .await
                    .unwrap()
                    .unwrap()
                    .id
            })
        });
        let ids: std::collections::BTreeSet<_> = futures::future::join_all(ids)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(ids.len(), 1);
    }

    #[tokio::test]
    async fn a_damaged_marker_is_no_empty_registry() {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().display().to_string();
        for content in ["", "{", r#"{"schema":"registry/1"}"#] {
            std::fs::write(folder.path().join(MARKER), content).unwrap();
            assert!(
                matches!(Registry::open(&url).await, Err(Error::Damaged { .. })),
                "{content}"
            );
            assert!(
                matches!(Registry::create(&url).await, Err(Error::Damaged { .. })),
                "{content}"
            );
        }
    }

    #[tokio::test]
    async fn a_folder_with_models_of_its_own_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("models")).unwrap();
        let created = Registry::create(&folder.path().display().to_string()).await;
        assert!(matches!(created, Err(Error::Occupied { .. })));
    }

    #[tokio::test]
    async fn destroying_leaves_what_is_not_the_registrys() {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("r").display().to_string();
        Registry::create(&url)
            .await
            .unwrap()
            .destroy()
            .await
            .unwrap();
        assert!(!folder.path().join("r").exists());

        let registry = Registry::create(&url).await.unwrap();
        std::fs::write(folder.path().join("r/notes.txt"), "mine").unwrap();
        registry.destroy().await.unwrap();
        assert_eq!(
            std::fs::read_to_string(folder.path().join("r/notes.txt")).unwrap(),
            "mine"
        );
        assert!(matches!(
            Registry::open(&url).await,
            Err(Error::NotARegistry { .. })
        ));
    }

    #[tokio::test]
    async fn destroying_empties_a_store_that_is_no_folder() {
        let registry = in_memory().await;
        registry
            .set_policy("m", crate::PromotionRule::better("auc"))
            .await
            .unwrap();
        let objects = registry.store.objects.clone();
        registry.destroy().await.unwrap();
        assert!(
            objects
                .list_with_delimiter(None)
                .await
                .unwrap()
                .objects
                .is_empty()
        );
        assert!(
            objects
                .list_with_delimiter(None)
                .await
                .unwrap()
                .common_prefixes
                .is_empty()
        );
    }

    #[tokio::test]
    async fn a_registry_that_was_moved_away_does_not_look_empty() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::create(&folder.path().join("r").display().to_string())
            .await
            .unwrap();
        std::fs::rename(folder.path().join("r"), folder.path().join("s")).unwrap();
        assert!(registry.models().await.is_err());
        assert!(registry.versions("m").await.is_err());
        assert!(registry.alias("m", "champion").await.is_err());
    }
}
