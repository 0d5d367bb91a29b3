//! Source files, byte spans into them, and the lines those spans lie on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use unicode_segmentation::UnicodeSegmentation;

/// A file among [`Sources`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SourceId(u32);

/// A range of bytes of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// A span of a file.
    pub fn new(source: SourceId, range: std::ops::Range<usize>) -> Span {
        // Files of 4 GiB are refused when they are read.
        let word = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span {
            source,
            start: word(range.start),
            end: word(range.end),
        }
    }

    /// The span from the start of this to the end of `other`.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            end: other.end.max(self.end),
            ..self
        }
    }
}

/// A place as people count: both from 1, columns in characters as seen (grapheme clusters).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The byte offset.
    pub byte: usize,
}

/// One file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The name to show, as the user would write it.
    pub name: Arc<str>,
    /// Where it was read from; `None` for text that came with the program or on a command line.
    pub path: Option<PathBuf>,
    /// The text.
    pub text: Arc<str>,
    /// The byte at which each line starts.
    lines: Arc<[u32]>,
    /// The blocks of the file with their headers, outermost first: `resource "a" "b"`.
    blocks: Vec<(std::ops::Range<u32>, Arc<str>)>,
}

/// All files of a run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Adds a file.
    pub fn add(&mut self, name: &str, path: Option<&Path>, text: impl Into<Arc<str>>) -> SourceId {
        let text = text.into();
        let starts = std::iter::once(0).chain(
            text.bytes()
                .zip(1u32..)
                .filter_map(|(byte, next)| (byte == b'\n').then_some(next)),
        );
        self.files.push(SourceFile {
            name: name.into(),
            path: path.map(Path::to_path_buf),
            lines: starts.collect(),
            text,
            blocks: Vec::new(),
        });
        SourceId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// A file.
    ///
    /// # Panics
    /// When the id is of other sources.
    pub fn file(&self, id: SourceId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files in the order they were added.
    pub fn files(&self) -> impl Iterator<Item = (SourceId, &SourceFile)> {
        (0..).map(SourceId).zip(&self.files)
    }

    /// A digest of all names and texts so far.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for part in self.files.iter().flat_map(|file| [&file.name, &file.text]) {
            // With its length before it, no part can be taken for another.
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        hex::encode(digest.finalize())
    }

    /// Notes a block, so that a diagnostic inside it can say where it is.
    pub fn note_block(&mut self, span: Span, header: impl Into<Arc<str>>) {
        self.files[span.source.0 as usize]
            .blocks
            .push((span.start..span.end, header.into()));
    }

    /// The text of a span; empty when the span reaches out of its file.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.source)
            .text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// The header of the innermost noted block around a span.
    pub fn block_around(&self, span: Span) -> Option<&str> {
        self.file(span.source)
            .blocks
            .iter()
            .filter(|(range, _)| range.start <= span.start && span.end <= range.end)
            .min_by_key(|(range, _)| range.end - range.start)
            .map(|(_, header)| header.as_ref())
    }
}

impl SourceFile {
    /// The place of a byte.
    pub fn position(&self, byte: u32) -> Position {
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines[line - 1] as usize;
        let before = self.text.get(start..byte as usize).unwrap_or_default();
        Position {
            line,
            column: before.graphemes(true).count() + 1,
            byte: byte as usize,
        }
    }

    /// A line by its number from 1, without its end.
    pub fn line(&self, line: usize) -> &str {
        let start = self.lines.get(line.wrapping_sub(1)).copied();
        let end = self.lines.get(line).map(|e| *e as usize);
        let Some(start) = start else { return "" };
        let text = self
            .text
            .get(start as usize..end.unwrap_or(self.text.len()))
            .unwrap_or_default();
        text.trim_end_matches(['\n', '\r'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines_and_columns_as_people_count() {
        let mut sources = Sources::default();
        let id = sources.add("a.hcl", None, "x = 1\ne\u{301} = 2\n");
        let file = sources.file(id);
        let at = file.position(9);
        assert_eq!((at.line, at.column), (2, 2));
        assert_eq!(file.line(2), "e\u{301} = 2");
        assert_eq!(file.line(9), "");
        assert_eq!(file.position(1000).line, 3);
    }

    #[test]
    fn the_innermost_block_is_found() {
        let mut sources = Sources::default();
        let id = sources.add("a.hcl", None, "0123456789");
        sources.note_block(Span::new(id, 0..10), "outer");
        sources.note_block(Span::new(id, 2..8), "inner");
        assert_eq!(sources.block_around(Span::new(id, 3..4)), Some("inner"));
        assert_eq!(sources.block_around(Span::new(id, 8..9)), Some("outer"));
    }
}
