//! The code of a run: which files count, their digests, and a copy of them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use mlinfra_registry::{Digest, digest_file};
use serde::{Deserialize, Serialize};

use crate::error::RunError;

/// Folders that never count as code, whether they are ignored or not.
const NEVER: &[&str] = &[
    "__pycache__",
    ".venv",
    ".git",
    ".mlinfra",
    ".ipynb_checkpoints",
    ".pytest_cache",
];

/// The digests of a source folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceDigest {
    /// The digest of all of it.
    pub digest: Digest,
    /// The digest of each file, by its path in the folder with `/` between names; an executable file's begins with `x:`.
    pub files: BTreeMap<String, String>,
}

impl SourceDigest {
    /// The files that differ between two states of a folder, in order.
    pub fn changed(&self, other: &Self) -> Vec<String> {
        let differs = |(path, digest): &(&String, &String)| other.files.get(*path) != Some(*digest);
        let mut changed: Vec<String> = self
            .files
            .iter()
            .filter(differs)
            .map(|(path, _)| path.clone())
            .collect();
        changed.extend(
            other
                .files
                .keys()
                .filter(|path| !self.files.contains_key(*path))
                .cloned(),
        );
        changed.sort();
        changed
    }
}

/// The digests of a source folder. What `.gitignore` and `.ignore` files inside it name does not count, nor do caches,
/// virtual environments and symbolic links to folders.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn source_digest(folder: &Path) -> Result<SourceDigest, RunError> {
    digest_files(folder, files(folder)?)
}

/// The digest of an input: of a file its bytes, of a folder all files in it.
pub(crate) fn content_digest(path: &Path) -> Result<Digest, RunError> {
    if path.is_dir() {
        let files = walk(path, false)?;
        return Ok(digest_files(path, files)?.digest);
    }
    digest_file(path)
        .map(|(digest, _)| digest)
        .map_err(RunError::file("read", path))
}

/// All files of a folder, by their path in it, in order.
pub(crate) fn all_files(folder: &Path) -> Result<Vec<String>, RunError> {
    let paths = walk(folder, false)?;
    let mut names = paths
        .iter()
        .map(|relative| name(folder, relative))
        .collect::<Result<Vec<_>, _>>()?;
    names.sort();
    Ok(names)
}

/// Copies the files that count into a new folder.
pub(crate) fn copy(folder: &Path, target: &Path) -> Result<(), RunError> {
    for relative in files(folder)? {
        let (from, to) = (folder.join(&relative), target.join(&relative));
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).map_err(RunError::file("create", parent))?;
        }
        std::fs::copy(&from, &to).map_err(RunError::file("copy", &from))?;
    }
    Ok(())
}

/// The digests of a copy, in which nothing is ignored any more.
pub(crate) fn copy_digest(folder: &Path) -> Result<SourceDigest, RunError> {
    digest_files(folder, walk(folder, false)?)
}

fn digest_files(folder: &Path, relatives: Vec<PathBuf>) -> Result<SourceDigest, RunError> {
    let mut files = BTreeMap::new();
    for relative in relatives {
        let path = folder.join(&relative);
        let name = name(folder, &relative)?;
        let (digest, _) = digest_file(&path).map_err(RunError::file("read", &path))?;
        let mode = std::fs::metadata(&path)
            .map_err(RunError::file("read", &path))?
            .permissions()
            .mode();
        let mark = if mode & 0o100 == 0 { "" } else { "x:" };
        files.insert(name, format!("{mark}{digest}"));
    }
    // A path cannot hold a NUL, so no two folders give the same text.
    let text: String = files
        .iter()
        .map(|(path, digest)| format!("{path}\0{digest}\0"))
        .collect();
    Ok(SourceDigest {
        digest: Digest::of(text.as_bytes()),
        files,
    })
}

fn name(folder: &Path, relative: &Path) -> Result<String, RunError> {
    relative
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| RunError::Source {
            path: folder.to_path_buf(),
            cause: format!(
                "the file name {} is not UTF-8: rename it",
                relative.display()
            ),
        })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    walk(folder, true)
}

/// The files of a folder, relative to it.
fn walk(folder: &Path, ignoring: bool) -> Result<Vec<PathBuf>, RunError> {
    let failed = |cause: String| RunError::Source {
        path: folder.to_path_buf(),
        cause,
    };
    if !folder.is_dir() {
        return Err(failed("it is not a folder".to_owned()));
    }
    let mut walk = WalkBuilder::new(folder);
    // The same folder gives the same digest on every machine, so nothing outside of it has a say: no global
    // ignore file, no ignore file of a folder above. Dot files count.
    walk.standard_filters(false)
        .ignore(ignoring)
        .git_ignore(ignoring)
        .require_git(false)
        .hidden(false)
        .parents(false);
    if ignoring {
        walk.filter_entry(|entry| {
            entry.depth() == 0 || !NEVER.iter().any(|name| entry.file_name() == *name)
        });
    }
    let mut files = Vec::new();
    for entry in walk.build() {
        let entry = entry.map_err(|error| failed(error.to_string()))?;
        // A link to a file counts as the file.
        if entry.path().is_file() {
            let relative = entry
                .path()
                .strip_prefix(folder)
                .map_err(|error| failed(error.to_string()))?;
            files.push(relative.to_path_buf());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn digest(files: &[(&str, &str)]) -> SourceDigest {
        source_digest(folder(files).path()).unwrap()
    }

    #[test]
    fn content_counts_and_place_does_not() {
        let code = [("train.py", "1"), ("lib/a.py", "2")];
        assert_eq!(digest(&code), digest(&code));
        assert_ne!(
            digest(&code).digest,
            digest(&[("train.py", "1"), ("lib/b.py", "2")]).digest
        );
        assert_ne!(digest(&[("ab", "c")]).digest, digest(&[("a", "bc")]).digest);
        let changed = digest(&code).changed(&digest(&[("train.py", "9"), ("new.py", "2")]));
        assert_eq!(changed, ["lib/a.py", "new.py", "train.py"]);
    }

    #[test]
    fn what_is_ignored_does_not_count() {
        let code = [
            (".gitignore", "*.csv\n/out/\n"),
            ("train.py", "1"),
            (".env.example", "x"),
        ];
        let mut littered = code.to_vec();
        let litter = [
            "data.csv",
            "out/x",
            "__pycache__/a.pyc",
            ".venv/bin/python",
            ".git/HEAD",
            "lib/__pycache__/b.pyc",
        ];
        littered.extend(litter.map(|path| (path, "litter")));
        assert_eq!(digest(&code), digest(&littered));
        assert_eq!(digest(&code).files.len(), 3, "dot files count");
    }

    #[test]
    fn an_executable_file_is_another_file() {
        let folder = folder(&[("run.sh", "1")]);
        let before = source_digest(folder.path()).unwrap();
        std::fs::set_permissions(
            folder.path().join("run.sh"),
            std::fs::Permissions::from_mode(0o755),
        )
        .unwrap();
        assert_eq!(
            source_digest(folder.path()).unwrap().changed(&before),
            ["run.sh"]
        );
    }

    #[test]
    fn a_copy_has_the_same_digest() {
        let folder = folder(&[
            (".gitignore", "*.csv"),
            ("a/run.sh", "1"),
            ("data.csv", "x"),
        ]);
        std::fs::set_permissions(
            folder.path().join("a/run.sh"),
            std::fs::Permissions::from_mode(0o755),
        )
        .unwrap();
        let target = tempfile::tempdir().unwrap();
        copy(folder.path(), target.path()).unwrap();
        assert_eq!(
            copy_digest(target.path()).unwrap(),
            source_digest(folder.path()).unwrap()
        );
        assert!(!target.path().join("data.csv").exists());
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        assert!(
            source_digest(Path::new("/no/such/folder"))
                .unwrap_err()
                .to_string()
                .contains("/no/such/folder")
        );
    }
}
