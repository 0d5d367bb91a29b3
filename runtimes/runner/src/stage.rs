//! What has been computed is kept by its address, whole and checked, or not at all.
//!
//! ```text
//! <cache>/stages/<address>/manifest.json   what belongs to it, with digests
//! <cache>/stages/<address>/output/         what the command wrote
//! <cache>/stages/<address>/metrics.jsonl   what it measured
//! <cache>/work/<address>/<run>/            a run at work; left behind only by a kill
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mlinfra_registry::{Digest, digest_file};
use serde::{Deserialize, Serialize};

use crate::error::RunError;
use crate::lock::Lock;
use crate::source;

const MANIFEST: &str = "manifest.json";
const OUTPUT: &str = "output";
const METRICS: &str = "metrics.jsonl";

/// A step of a run: a command whose outcome is kept by its address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage<'a> {
    /// Its name, for people.
    pub(crate) name: &'a str,
    /// Program and arguments.
    pub(crate) command: &'a [String],
    /// Its address by content.
    pub(crate) address: Digest,
}

/// The kept outcomes.
#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

/// A folder to work in.
#[derive(Debug)]
pub(crate) struct Work {
    folder: PathBuf,
}

/// A kept outcome.
#[derive(Debug)]
pub(crate) struct Kept {
    folder: PathBuf,
    files: BTreeMap<String, File>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u32,
    address: Digest,
    files: BTreeMap<String, File>,
}

/// A file of a kept outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

impl Cache {
    /// The cache in this folder.
    pub(crate) fn open(root: &Path) -> Result<Self, RunError> {
        let cache = Self {
            root: root.to_path_buf(),
        };
        for folder in [cache.root.join("stages"), cache.root.join("work")] {
            std::fs::create_dir_all(&folder).map_err(RunError::file("create", &folder))?;
        }
        Ok(cache)
    }

    /// Waits until no other process computes this address.
    pub(crate) async fn turn(
        &self,
        address: &Digest,
        waiting: impl FnOnce(),
    ) -> Result<Lock, RunError> {
        Lock::acquire(
            &self
                .root
                .join("work")
                .join(format!("{}.lock", address.hex())),
            waiting,
        )
        .await
    }

    /// What is kept under this address. A damaged outcome is removed: it can be computed again.
    pub(crate) fn find(&self, address: &Digest) -> Result<Option<Kept>, RunError> {
        let folder = self.kept(address);
        if !folder.exists() {
            return Ok(None);
        }
        match verify(&folder, address) {
            Ok(files) => Ok(Some(Kept { folder, files })),
            Err(problem) => {
                tracing::warn!(folder = %folder.display(), problem, "a kept outcome is damaged and computed again");
                std::fs::remove_dir_all(&folder).map_err(RunError::file("remove", &folder))?;
                Ok(None)
            }
        }
    }

    /// A fresh folder to work in; what killed runs of this address left is removed.
    pub(crate) fn begin(&self, address: &Digest, run_id: &str) -> Result<Work, RunError> {
        let of_address = self.root.join("work").join(address.hex());
        if of_address.exists() {
            std::fs::remove_dir_all(&of_address).map_err(RunError::file("remove", &of_address))?;
        }
        let folder = of_address.join(run_id);
        let output = folder.join(OUTPUT);
        std::fs::create_dir_all(&output).map_err(RunError::file("create", &output))?;
        Ok(Work { folder })
    }

    /// Keeps what a run made.
    pub(crate) fn keep(&self, work: &Work, address: &Digest) -> Result<Kept, RunError> {
        let folder = work.folder.join("kept");
        std::fs::create_dir(&folder).map_err(RunError::file("create", &folder))?;
        for name in [OUTPUT, METRICS] {
            let from = work.folder.join(name);
            if from.exists() {
                std::fs::rename(&from, folder.join(name)).map_err(RunError::file("keep", &from))?;
            }
        }
        resolve_links(&folder)?;
        let mut files = BTreeMap::new();
        for relative in source::all_files(&folder)? {
            let path = folder.join(&relative);
            let (digest, size) = digest_file(&path).map_err(RunError::file("read", &path))?;
            sync(&path)?;
            files.insert(relative, File { digest, size });
        }
        let manifest = Manifest {
            version: 1,
            address: *address,
            files,
        };
        let written = serde_json::to_vec_pretty(&manifest).map_err(std::io::Error::from);
        let path = folder.join(MANIFEST);
        let bytes = written.map_err(RunError::file("write", &path))?;
        let durable = |error: mlinfra_kit::durable::WriteError| {
            RunError::file("write", &path)(std::io::Error::other(error))
        };
        mlinfra_kit::durable::write(&path, &bytes, 0o644).map_err(durable)?;
        let target = self.kept(address);
        std::fs::rename(&folder, &target).map_err(RunError::file("keep", &target))?;
        let stages = self.root.join("stages");
        mlinfra_kit::durable::sync_folder(&stages).map_err(RunError::file("write", &stages))?;
        Ok(Kept {
            folder: target,
            files: manifest.files,
        })
    }

    /// Removes what a run that has ended worked in.
    pub(crate) fn clean(&self, address: &Digest) {
        let folder = self.root.join("work").join(address.hex());
        if let Err(error) = std::fs::remove_dir_all(&folder) {
            tracing::warn!(folder = %folder.display(), %error, "the folder of the run cannot be removed");
        }
    }

    fn kept(&self, address: &Digest) -> PathBuf {
        self.root.join("stages").join(address.hex())
    }
}

impl Work {
    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where the command writes.
    pub(crate) fn output(&self) -> PathBuf {
        self.path(OUTPUT)
    }

    /// Where the command tells what it measured.
    pub(crate) fn metrics(&self) -> PathBuf {
        self.path(METRICS)
    }
}

impl Kept {
    /// Where the output is.
    pub(crate) fn output(&self) -> PathBuf {
        self.folder.join(OUTPUT)
    }

    /// Where the measurements are.
    pub(crate) fn metrics(&self) -> PathBuf {
        self.folder.join(METRICS)
    }

    /// The files of the output, by their path in it.
    pub(crate) fn files(&self) -> BTreeMap<String, File> {
        let inside = |path: &str| Some(path.strip_prefix(OUTPUT)?.strip_prefix('/')?.to_owned());
        self.files
            .iter()
            .filter_map(|(path, file)| Some((inside(path)?, file.clone())))
            .collect()
    }
}

/// Checks a kept outcome against its manifest.
fn verify(folder: &Path, address: &Digest) -> Result<BTreeMap<String, File>, String> {
    let bytes =
        std::fs::read(folder.join(MANIFEST)).map_err(|error| format!("{MANIFEST}: {error}"))?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| format!("{MANIFEST}: {error}"))?;
    if manifest.version != 1 || manifest.address != *address {
        return Err(format!(
            "{MANIFEST} is of version {} and address {}",
            manifest.version, manifest.address
        ));
    }
    let mut found = source::all_files(folder).map_err(|error| error.to_string())?;
    found.retain(|path| path != MANIFEST);
    if !found.iter().eq(manifest.files.keys()) {
        return Err("its files are not those of the manifest".to_owned());
    }
    for (path, file) in &manifest.files {
        let (digest, size) =
            digest_file(&folder.join(path)).map_err(|error| format!("{path}: {error}"))?;
        if (digest, size) != (file.digest, file.size) {
            return Err(format!("{path} has changed"));
        }
    }
    Ok(manifest.files)
}

/// Puts files in the place of links to files: a link may lead out of what is kept.
fn resolve_links(folder: &Path) -> Result<(), RunError> {
    for relative in source::all_files(folder)? {
        let path = folder.join(relative);
        if path.is_symlink() {
            let copy = path.with_extension("resolved");
            std::fs::copy(&path, &copy).map_err(RunError::file("copy", &path))?;
            std::fs::rename(&copy, &path).map_err(RunError::file("keep", &path))?;
        }
    }
    Ok(())
}

fn sync(path: &Path) -> Result<(), RunError> {
    std::fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(RunError::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cache: &Cache, address: &Digest) -> Kept {
        let work = cache.begin(address, "run").unwrap();
        std::fs::write(work.output().join("model.onnx"), "model").unwrap();
        std::fs::write(work.metrics(), "{}").unwrap();
        std::os::unix::fs::symlink("model.onnx", work.output().join("link.onnx")).unwrap();
        let kept = cache.keep(&work, address).unwrap();
        cache.clean(address);
        kept
    }

    #[test]
    fn what_is_kept_is_found_until_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let address = Digest::of(b"address");
        assert!(cache.find(&address).unwrap().is_none());
        let first = kept(&cache, &address);
        let found = cache.find(&address).unwrap().unwrap();
        assert_eq!(found.files(), first.files());
        assert_eq!(
            found.files().into_keys().collect::<Vec<_>>(),
            ["link.onnx", "model.onnx"]
        );
        assert!(!found.output().join("link.onnx").is_symlink());
        type Damage = fn(&Path);
        let damages: [Damage; 5] = [
            |kept| std::fs::write(kept.join("output/model.onnx"), "mobel").unwrap(),
            |kept| std::fs::remove_file(kept.join("output/model.onnx")).unwrap(),
            |kept| std::fs::write(kept.join("output/more"), "").unwrap(),
            |kept| std::fs::write(kept.join("manifest.json"), "{").unwrap(),
            |kept| std::fs::remove_file(kept.join("manifest.json")).unwrap(),
        ];
        for damage in damages {
            damage(&cache.kept(&address));
            assert!(
                cache.find(&address).unwrap().is_none(),
                "damage is not taken for an outcome"
            );
            assert!(!cache.kept(&address).exists());
            kept(&cache, &address);
        }
    }

    #[test]
    fn a_killed_run_leaves_nothing_that_counts() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let address = Digest::of(b"address");
        let killed = cache.begin(&address, "killed").unwrap();
        std::fs::write(killed.output().join("half.onnx"), "half").unwrap();
        assert!(cache.find(&address).unwrap().is_none());
        let next = cache.begin(&address, "next").unwrap();
        assert!(!killed.folder.exists());
        assert_eq!(std::fs::read_dir(next.output()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn one_at_a_time_computes_an_address() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let address = Digest::of(b"address");
        let turn = cache
            .turn(&address, || panic!("no one else is there"))
            .await
            .unwrap();
        let (told, waits) = tokio::sync::oneshot::channel();
        let second = cache.turn(&address, || told.send(()).unwrap());
        let release = async {
            waits.await.unwrap();
            drop(turn);
        };
        let (second, ()) = futures::join!(second, release);
        second.unwrap();
    }
}
