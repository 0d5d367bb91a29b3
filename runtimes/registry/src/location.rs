//! Where a registry lies: from the text a user gives to an object store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use url::Url;

use crate::error::Error;

/// An opened location.
pub(crate) struct Location {
    /// The objects, relative to the registry's root.
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// The root on this machine, where the store is a folder.
    pub(crate) folder: PathBuf,
    /// How errors name the place.
    pub(crate) name: String,
}

/// Reads `file:///absolute/path` or a plain path.
pub(crate) fn folder_of(url: &str) -> Result<PathBuf, Error> {
    let problem = |reason: String| Error::Location {
        url: url.to_owned(),
        reason,
    };
    if url.is_empty() {
        return Err(problem("it is empty".into()));
    }
    let Some((scheme, _)) = url.split_once("://") else {
        return std::path::absolute(url).map_err(|e| problem(e.to_string()));
    };
    if scheme != "file" {
        return Err(problem(format!(
            "`{scheme}` is not supported; use a folder or `file:///absolute/path`"
        )));
    }
    let parsed = Url::parse(url).map_err(|e| problem(e.to_string()))?;
    parsed
        .to_file_path()
        .map_err(|()| problem("a file URL is written `file:///absolute/path`".into()))
}

/// Opens the store over an existing folder; `None` when there is no such folder.
pub(crate) fn open(folder: &Path) -> Result<Option<Location>, Error> {
    let name = folder.display().to_string();
    match std::fs::metadata(folder) {
        Ok(m) if m.is_dir() => {}
        Ok(_) => {
            return Err(Error::Location {
                url: name,
                reason: "it is a file, not a folder".into(),
            });
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::file("read", folder)(e)),
    }
    let folder = folder.canonicalize().map_err(Error::file("read", folder))?;
    let objects = LocalFileSystem::new_with_prefix(&folder)
        .map_err(|source| Error::Store {
            action: "open",
            object: name.clone(),
            source,
        })?
        // Without this a record could be lost with the power although its writer was told that it stands.
        .with_fsync(true);
    Ok(Some(Location {
        objects: Arc::new(objects),
        folder,
        name,
    }))
}

/// Makes the folder where it is missing. It is the owner's alone: parameters and examples may be confidential.
pub(crate) fn make(folder: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(Error::file("create", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_file_urls_are_read() {
        assert_eq!(folder_of("/a/b").unwrap(), Path::new("/a/b"));
        assert_eq!(folder_of("file:///a/b%20c").unwrap(), Path::new("/a/b c"));
        assert_eq!(
            folder_of("x/y").unwrap(),
            std::env::current_dir().unwrap().join("x/y")
        );
    }

    #[test]
    fn other_locations_are_refused_with_the_reason() {
        for url in ["", "s3://bucket/models", "file://host/a", "http://x/y"] {
            assert!(
                matches!(folder_of(url), Err(Error::Location { .. })),
                "{url}"
            );
        }
    }
}
