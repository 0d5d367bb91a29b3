//! Files that are whole or not there: written beside, forced to disk, renamed, and the rename forced to disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file could not be written durably.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// Writes a file with the given permission bits, such as `0o600`. Whoever reads it, at any time and after any crash,
/// finds the old content or the new; when this returns the new one is on disk.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    replace(path, bytes, mode).map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file that must not be there yet. Whether it was written: of several writers one gets `true`, and an
/// existing file is left as it is.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<bool, WriteError> {
    let outcome =
        staged(path, bytes, mode).and_then(|staged| match staged.persist_noclobber(path) {
            Ok(_) => sync_folder(folder_of(path)).map(|()| true),
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(e.error),
        });
    outcome.map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

/// Appends to a file, made with `mode` if missing, and forces it to disk. A crash can leave a part of `bytes`: readers
/// of such files must take an unfinished last line for what it is.
pub fn append(path: &Path, bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    let appended = || -> io::Result<()> {
        let new = !path.exists();
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(mode)
            .open(path)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        if new {
            sync_folder(folder_of(path))
        } else {
            Ok(())
        }
    };
    appended().map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

/// Forces a folder's entries to disk: after this, files created, renamed or deleted in it stay so.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    staged(path, bytes, mode)?
        .persist(path)
        .map_err(|e| e.error)?;
    sync_folder(folder_of(path))
}

/// A temporary file in the same folder, complete and on disk. It is deleted unless it is renamed.
fn staged(path: &Path, bytes: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let mut staged = tempfile::Builder::new()
        .prefix(".writing-")
        .tempfile_in(folder_of(path))?;
    staged.write_all(bytes)?;
    staged
        .as_file()
        .set_permissions(std::fs::Permissions::from_mode(mode))?;
    staged.as_file().sync_all()?;
    Ok(staged)
}

/// The folder of a path; that of a bare file name is the current one.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn writing_replaces_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        write(&path, b"one", 0o644).unwrap();
        write(&path, b"two", 0o600).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_keeps_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("folder");
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("kept"), "kept").unwrap();
        let error = write(&target, b"x", 0o600).unwrap_err();
        assert!(error.to_string().contains("folder"));
        assert_eq!(
            std::fs::read_to_string(target.join("kept")).unwrap(),
            "kept"
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no temporary file stays"
        );
        assert!(write(&folder.path().join("none/x"), b"x", 0o600).is_err());
    }

    #[test]
    fn of_many_creators_one_wins_and_readers_see_whole_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let won: usize = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..16_u8)
                .map(|n| {
                    let path = &path;
                    scope.spawn(move || usize::from(create(path, &[n; 4096], 0o600).unwrap()))
                })
                .collect();
            writers.into_iter().map(|w| w.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() == 4096 && bytes.iter().all(|b| b == bytes.first().unwrap()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn appending_adds_and_makes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        append(&path, b"a\n", 0o600).unwrap();
        append(&path, b"b\n", 0o600).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"a\nb\n");
        assert_eq!(mode(&path), 0o600);
    }
}
