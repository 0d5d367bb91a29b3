//! Files that are whole or not there, whenever the program is cut.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Writes a file with these permission bits in one step; missing folders are made.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    make_folder(folder, mode)?;
    let mut file = tempfile::Builder::new()
        .prefix(".mlinfra-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    // Set afterwards, because the process's mask counts when a file is made.
    file.as_file()
        .set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Removes a file; one that is gone is removed.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(path.parent().unwrap_or(Path::new("/"))),
    }
}

/// Makes a folder for a file with these permission bits: what others may not read, they may not list.
fn make_folder(folder: &Path, mode: u32) -> io::Result<()> {
    let mode = if mode & 0o077 == 0 { 0o700 } else { 0o755 };
    DirBuilder::new().recursive(true).mode(mode).create(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_with_its_bits() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        write(&path, b"first", 0o600).unwrap();
        let bits = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(bits(path.parent().unwrap()), 0o700);
        write(&path, b"second", 0o664).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(bits(&path), 0o664);
        let left = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "no temporary file stays");
        remove(&path).unwrap();
        remove(&path).unwrap();
    }
}
