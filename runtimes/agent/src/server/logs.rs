//! Logs of processes: their end, and their rotation.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// How many lines a view shows.
const TAIL_LINES: usize = 20;
/// How many bytes they may have together.
const TAIL_BYTES: u64 = 16 << 10;
/// A log is rotated when it has grown beyond this.
const LONGEST: u64 = 10 << 20;
/// How many old logs are kept.
const KEPT: usize = 2;

/// The last lines of a log; none when there is no log.
pub(super) fn tail(path: &Path) -> Vec<String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .take(TAIL_LINES)
        .map(str::to_owned)
        .collect();
    lines.reverse();
    lines
}

/// Rotates a log that has grown too long. The process keeps writing to the same file, so its content is copied away
/// and the file cut; lines that it writes between the two are lost.
pub(super) fn rotate(path: &Path) -> io::Result<()> {
    rotate_beyond(path, LONGEST)
}

fn rotate_beyond(path: &Path, longest: u64) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(found) if found.len() > longest => {}
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    for number in (1..KEPT).rev() {
        match std::fs::rename(old(path, number), old(path, number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::copy(path, old(path, 1))?;
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

/// Removes a log and its old ones.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let all = (1..=KEPT)
        .map(|number| old(path, number))
        .chain([path.to_path_buf()]);
    for path in all {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn old(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_log_is_rotated_under_its_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let mut writer = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .unwrap();
        for round in ["first", "second", "third"] {
            writeln!(writer, "{round}").unwrap();
            rotate_beyond(&path, 3).unwrap();
        }
        writeln!(writer, "now").unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "now\n",
            "a writer that appends goes on at the start"
        );
        assert_eq!(tail(&old(&path, 1)), ["third"]);
        assert_eq!(tail(&old(&path, 2)), ["second"]);
        assert!(!old(&path, 3).exists());
        remove(&path).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_tail_is_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        assert!(tail(&path).is_empty());
        let lines: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        assert_eq!(tail(&path), lines[lines.len() - TAIL_LINES..]);
    }
}
