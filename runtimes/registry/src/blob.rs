//! Artefacts by digest: streamed in, verified when read.

use std::path::{Path, PathBuf};

use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::buffered::BufWriter;
use object_store::path::Path as ObjectPath;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::digest::{Digest, digest_file};
use crate::error::Error;
use crate::registry::Registry;

/// How much of a file is in memory at a time.
const PIECE: usize = 1024 * 1024;

/// Where the bytes of a digest lie.
pub(crate) fn path(digest: &Digest) -> ObjectPath {
    let hex = digest.hex();
    let shard: String = hex.chars().take(2).collect();
    ObjectPath::from("blobs/sha256").join(shard).join(hex)
}

impl Registry {
    /// Stores a file's bytes under their digest. Storing the same bytes again costs reading them once.
    pub async fn put_blob(&self, file: &Path) -> Result<Digest, Error> {
        let (digest, size) = digest_of(file).await?;
        let object = path(&digest);
        if self.store.size(&object).await? == Some(size) {
            return Ok(digest);
        }
        let mut writer = BufWriter::new(self.store.objects.clone(), object.clone());
        match self.upload(file, &mut writer, &object).await {
            Ok(written) if written == digest => {
                writer
                    .shutdown()
                    .await
                    .map_err(|e| self.upload_failed(&object, e))?;
                Ok(digest)
            }
            outcome => {
                // The unfinished upload is given up; what matters to the caller is why.
                let _ = writer.abort().await;
                outcome.and_then(|_| {
                    Err(Error::FileChanged {
                        path: file.to_owned(),
                    })
                })
            }
        }
    }

    /// The path of a file that holds the verified bytes of `digest`.
    ///
    /// A registry in a folder answers with its own file, which the caller must not change; another one copies the bytes
    /// into `folder`, under their hexadecimal digest, and answers with that.
    pub async fn get_blob(&self, digest: &Digest, folder: &Path) -> Result<PathBuf, Error> {
        let object = path(digest);
        if self.store.size(&object).await?.is_none() {
            return Err(self.not_found(format!("artefact {digest}")));
        }
        let Some(root) = &self.store.folder else {
            return self.download(digest, &object, folder).await;
        };
        let file = root.join(object.as_ref());
        let (found, _) = digest_of(&file).await?;
        self.verified(digest, &object, found)?;
        Ok(file)
    }

    /// Copies a file into an upload and says what was copied: the file may have changed since it was named.
    async fn upload(
        &self,
        file: &Path,
        writer: &mut BufWriter,
        object: &ObjectPath,
    ) -> Result<Digest, Error> {
        let mut source = tokio::fs::File::open(file)
            .await
            .map_err(Error::file("read", file))?;
        let mut hasher = Sha256::new();
        let mut piece = vec![0; PIECE];
        loop {
            let n = source
                .read(&mut piece)
                .await
                .map_err(Error::file("read", file))?;
            let Some(read) = piece.get(..n).filter(|read| !read.is_empty()) else {
                return Ok(Digest::finish(hasher));
            };
            hasher.update(read);
            writer
                .write_all(read)
                .await
                .map_err(|e| self.upload_failed(object, e))?;
        }
    }

    /// Streams a blob into a folder. The name appears there only when the bytes are whole, right and on disk.
    async fn download(
        &self,
        digest: &Digest,
        object: &ObjectPath,
        folder: &Path,
    ) -> Result<PathBuf, Error> {
        let target = folder.join(digest.hex());
        if target.exists() && digest_of(&target).await?.0 == *digest {
            return Ok(target);
        }
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(Error::file("create", folder))?;
        let partial =
            tempfile::NamedTempFile::new_in(folder).map_err(Error::file("create", folder))?;
        let copy = partial
            .as_file()
            .try_clone()
            .map_err(Error::file("create", folder))?;
        let mut copy = tokio::fs::File::from_std(copy);
        let mut hasher = Sha256::new();
        let mut stream = self
            .store
            .objects
            .get(object)
            .await
            .map_err(self.store.error("read", object))?
            .into_stream();
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(self.store.error("read", object))?;
            hasher.update(&piece);
            copy.write_all(&piece)
                .await
                .map_err(Error::file("write", partial.path()))?;
        }
        self.verified(digest, object, Digest::finish(hasher))?;
        copy.sync_all()
            .await
            .map_err(Error::file("write", partial.path()))?;
        partial
            .persist(&target)
            .map_err(|e| Error::file("create", &target)(e.error))?;
        Ok(target)
    }

    fn upload_failed(&self, object: &ObjectPath, error: std::io::Error) -> Error {
        let source = object_store::Error::Generic {
            store: "upload",
            source: error.into(),
        };
        self.store.error("write", object)(source)
    }

    fn verified(&self, digest: &Digest, object: &ObjectPath, found: Digest) -> Result<(), Error> {
        if found == *digest {
            return Ok(());
        }
        Err(Error::DamagedBlob {
            object: self.store.object(object),
            digest: *digest,
            found,
        })
    }
}

/// [`digest_file`] away from the threads that serve requests.
async fn digest_of(file: &Path) -> Result<(Digest, u64), Error> {
    let path = file.to_owned();
    let done = tokio::task::spawn_blocking(move || digest_file(&path)).await;
    done.unwrap_or_else(|e| Err(std::io::Error::other(e)))
        .map_err(Error::file("read", file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::tests::{fresh, in_memory};

    #[tokio::test]
    async fn bytes_come_back_verified_from_a_folder_and_from_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let (local, remote) = (fresh(folder.path()).await, in_memory().await);
        // More than one part of a multipart upload, and nothing at all.
        for bytes in [vec![3; 25 * 1024 * 1024 + 17], Vec::new()] {
            let source = folder.path().join("model.onnx");
            std::fs::write(&source, &bytes).unwrap();
            for registry in [&local, &remote] {
                let digest = registry.put_blob(&source).await.unwrap();
                assert_eq!(registry.put_blob(&source).await.unwrap(), digest);
                let path = registry
                    .get_blob(&digest, &folder.path().join("cache"))
                    .await
                    .unwrap();
                assert!(std::fs::read(&path).unwrap() == bytes);
            }
        }
    }

    #[tokio::test]
    async fn tampered_and_truncated_bytes_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        let source = folder.path().join("model.onnx");
        std::fs::write(&source, b"weights").unwrap();
        let digest = registry.put_blob(&source).await.unwrap();
        let stored = registry.get_blob(&digest, folder.path()).await.unwrap();
        for damage in [&b"weightz"[..], b"weig", b""] {
            std::fs::write(&stored, damage).unwrap();
            let got = registry.get_blob(&digest, folder.path()).await;
            assert!(matches!(got, Err(Error::DamagedBlob { .. })), "{damage:?}");
        }
        // A truncated blob is replaced when its bytes are stored again.
        registry.put_blob(&source).await.unwrap();
        assert_eq!(
            std::fs::read(registry.get_blob(&digest, folder.path()).await.unwrap()).unwrap(),
            b"weights"
        );
    }

    #[tokio::test]
    async fn a_damaged_copy_is_fetched_anew() {
        let folder = tempfile::tempdir().unwrap();
        let registry = in_memory().await;
        let source = folder.path().join("model.onnx");
        std::fs::write(&source, b"weights").unwrap();
        let digest = registry.put_blob(&source).await.unwrap();
        let copy = registry
            .get_blob(&digest, &folder.path().join("cache"))
            .await
            .unwrap();
        std::fs::write(&copy, b"wei").unwrap();
        let again = registry
            .get_blob(&digest, &folder.path().join("cache"))
            .await
            .unwrap();
        assert_eq!(std::fs::read(again).unwrap(), b"weights");
    }

    #[tokio::test]
    async fn missing_bytes_and_missing_files_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        let absent = Digest::of(b"never stored");
        assert!(matches!(
            registry.get_blob(&absent, folder.path()).await,
            Err(Error::NotFound { .. })
        ));
        assert!(matches!(
            registry.put_blob(&folder.path().join("none")).await,
            Err(Error::File { .. })
        ));
    }
}
