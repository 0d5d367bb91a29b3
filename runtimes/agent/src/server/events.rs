//! Follows what a job writes: lines of its log and progress events.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;

use super::job::Job;
use crate::messages::{Cursor, Event, EventBody, Progress};

/// How often files are looked at for more.
const LOOK: Duration = Duration::from_millis(100);

/// How much is read at once, and the longest line that comes whole.
const CHUNK: u64 = 64 << 10;

/// The events of a job from `cursor` to its end, one JSON object a line.
pub(super) fn follow(
    job: Arc<Job>,
    cursor: Cursor,
) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    futures::stream::unfold(Some((job, cursor)), |state| async {
        let (job, mut cursor) = state?;
        loop {
            // Asked before the files are read: what is read after the end is all there is.
            let ended = *job.ended().borrow();
            let events = match next(&job, &mut cursor, ended) {
                Ok(events) => events,
                Err(error) => return Some((Err(error), None)),
            };
            if !events.is_empty() {
                return Some((lines(&events), Some((job, cursor))));
            }
            if ended {
                let end = Event {
                    cursor,
                    body: EventBody::End(job.status()),
                };
                return Some((lines(&[end]), None));
            }
            let _ = tokio::time::timeout(LOOK, job.ended().wait_for(|ended| *ended)).await;
        }
    })
}

fn lines(events: &[Event]) -> io::Result<Bytes> {
    let mut text = Vec::new();
    for event in events {
        serde_json::to_writer(&mut text, event)?;
        text.push(b'\n');
    }
    Ok(Bytes::from(text))
}

/// The events after `cursor` that are there by now.
fn next(job: &Job, cursor: &mut Cursor, ended: bool) -> io::Result<Vec<Event>> {
    let mut events = Vec::new();
    for (line, length) in read_lines(&job.progress(), cursor.progress, ended)? {
        cursor.progress += length;
        let body = serde_json::from_str::<Progress>(&line)
            .map_or(EventBody::Log { line }, EventBody::Progress);
        events.push(Event {
            cursor: *cursor,
            body,
        });
    }
    for (line, length) in read_lines(&job.log(), cursor.log, ended)? {
        cursor.log += length;
        events.push(Event {
            cursor: *cursor,
            body: EventBody::Log { line },
        });
    }
    Ok(events)
}

/// Whole lines from `offset` on, each with the bytes it takes. An unfinished line is taken when nothing will finish
/// it, or when it fills all that is read at once.
fn read_lines(path: &Path, offset: u64, ended: bool) -> io::Result<Vec<(String, u64)>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(CHUNK).read_to_end(&mut bytes)?;
    let full = bytes.len() as u64 == CHUNK;
    let mut lines = Vec::new();
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        let whole = piece.ends_with(b"\n");
        if whole || (full && lines.is_empty()) || (ended && !full) {
            let text =
                String::from_utf8_lossy(piece.strip_suffix(b"\n").unwrap_or(piece)).into_owned();
            lines.push((text, piece.len() as u64));
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_line_waits_for_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert!(read_lines(&path, 0, false).unwrap().is_empty());
        std::fs::write(&path, "one\ntwo\nthr").unwrap();
        let two = [("one".to_owned(), 4), ("two".to_owned(), 4)];
        assert_eq!(read_lines(&path, 0, false).unwrap(), two);
        assert_eq!(read_lines(&path, 8, false).unwrap(), []);
        assert_eq!(read_lines(&path, 8, true).unwrap(), [("thr".to_owned(), 3)]);
        assert_eq!(read_lines(&path, 999, true).unwrap(), []);
    }

    #[test]
    fn an_endless_line_comes_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "x".repeat(CHUNK as usize + 10)).unwrap();
        let parts = read_lines(&path, 0, true).unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].1, CHUNK);
        assert_eq!(read_lines(&path, CHUNK, true).unwrap()[0].1, 10);
    }
}
