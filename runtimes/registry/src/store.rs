//! The few operations on objects that the registry is built of: create if absent, read, list.

use std::path::PathBuf;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::error::Error;
use crate::location::Location;

/// The marker of a registry.
pub(crate) const MARKER: &str = "registry.json";

/// What became of a create-if-absent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// The object is ours.
    Yes,
    /// Another one was there.
    AlreadyThere,
}

pub(crate) struct Store {
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// The root on this machine, where the store is a folder.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) name: String,
}

impl Store {
    pub(crate) fn new(location: Location) -> Self {
        Self {
            objects: location.objects,
            folder: Some(location.folder),
            name: location.name,
        }
    }

    /// How an error names an object.
    pub(crate) fn object(&self, path: &Path) -> String {
        format!("{}/{path}", self.name)
    }

    pub(crate) fn error(
        &self,
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(object_store::Error) -> Error {
        let object = self.object(path);
        move |source| Error::Store {
            action,
            object,
            source,
        }
    }

    /// Writes an object unless one of that name is there. Whole or not at all, and on disk when this returns.
    pub(crate) async fn create(&self, path: &Path, bytes: Vec<u8>) -> Result<Created, Error> {
        let options = PutOptions {
            mode: PutMode::Create,
            ..PutOptions::default()
        };
        match self.objects.put_opts(path, bytes.into(), options).await {
            Ok(_) => Ok(Created::Yes),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Created::AlreadyThere),
            Err(source) => Err(self.error("write", path)(source)),
        }
    }

    /// The bytes of an object; `None` when there is none.
    pub(crate) async fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        match self.objects.get(path).await {
            Ok(found) => Ok(Some(
                found
                    .bytes()
                    .await
                    .map_err(self.error("read", path))?
                    .to_vec(),
            )),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.error("read", path)(source)),
        }
    }

    /// The size of an object; `None` when there is none.
    pub(crate) async fn size(&self, path: &Path) -> Result<Option<u64>, Error> {
        match self.objects.head(path).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.error("read", path)(source)),
        }
    }

    /// The objects in a folder and below.
    pub(crate) async fn list(&self, folder: &Path) -> Result<Vec<Path>, Error> {
        let found = self
            .objects
            .list(Some(folder))
            .map_ok(|meta| meta.location)
            .try_collect::<Vec<_>>()
            .await;
        self.not_vanished(found.map_err(self.error("list", folder))?)
            .await
    }

    /// Whether there is anything in a folder, be it an empty folder.
    pub(crate) async fn holds(&self, folder: &Path) -> Result<bool, Error> {
        if self
            .folder
            .as_ref()
            .is_some_and(|root| root.join(folder.as_ref()).exists())
        {
            return Ok(true);
        }
        let first = self.objects.list(Some(folder)).try_next().await;
        Ok(first.map_err(self.error("list", folder))?.is_some())
    }

    /// Deletes an object, if it is there.
    pub(crate) async fn delete(&self, path: &Path) -> Result<(), Error> {
        match self.objects.delete(path).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(source) => Err(self.error("delete", path)(source)),
        }
    }

    /// Deletes every object in a folder and below.
    pub(crate) async fn delete_all(&self, folder: &Path) -> Result<(), Error> {
        let objects = self
            .objects
            .list(Some(folder))
            .map_ok(|meta| meta.location)
            .boxed();
        let mut deletions = self.objects.delete_stream(objects);
        while let Some(deleted) = deletions.next().await {
            match deleted {
                Err(object_store::Error::NotFound { .. }) | Ok(_) => {}
                Err(source) => return Err(self.error("delete", folder)(source)),
            }
        }
        Ok(())
    }

    /// The names of the folders in a folder, sorted.
    pub(crate) async fn folders(&self, folder: &Path) -> Result<Vec<String>, Error> {
        let found = self
            .objects
            .list_with_delimiter(Some(folder))
            .await
            .map_err(self.error("list", folder))?;
        let mut names: Vec<_> = found
            .common_prefixes
            .iter()
            .filter_map(|p| p.filename().map(str::to_owned))
            .collect();
        names.sort();
        self.not_vanished(names).await
    }

    /// An empty listing is believed only while the registry itself is there: a folder that was moved away or not yet
    /// mounted must not look like a registry without models.
    async fn not_vanished<T>(&self, found: Vec<T>) -> Result<Vec<T>, Error> {
        if found.is_empty() && self.size(&Path::from(MARKER)).await?.is_none() {
            return Err(Error::NotARegistry {
                location: self.name.clone(),
            });
        }
        Ok(found)
    }
}
