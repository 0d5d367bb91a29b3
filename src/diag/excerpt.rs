//! The lines of source that a diagnostic shows, with the offending part of each.

use crate::source::{Sources, Span};

/// More lines than this are cut in the middle.
const MOST_LINES: usize = 8;

/// One line of source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line<'s> {
    /// Its number, from 1.
    pub number: usize,
    /// Its text without its end.
    pub text: &'s str,
    /// The bytes of `text` that are at fault; empty where none is.
    pub fault: std::ops::Range<usize>,
}

/// The place of a subject and the lines around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt<'s> {
    /// The file's name as the user would write it.
    pub file: &'s str,
    /// The line the subject begins on.
    pub line: usize,
    /// The header of the block around it: `resource "a" "b"`.
    pub block: Option<&'s str>,
    /// The lines to show.
    pub lines: Vec<Line<'s>>,
}

impl<'s> Excerpt<'s> {
    /// The excerpt for a subject within a context.
    pub fn of(sources: &'s Sources, subject: Span, context: Option<Span>) -> Excerpt<'s> {
        let file = sources.file(subject.source);
        let around = context
            .filter(|c| c.source == subject.source)
            .map_or(subject, |c| Span {
                start: c.start.min(subject.start),
                end: c.end.max(subject.end),
                ..c
            });
        let first = file.position(around.start).line;
        let last = last_line(file, around).max(first);
        let mut lines = Vec::new();
        let mut start = line_start(file, first);
        for number in first..=last {
            let text = file.line(number);
            lines.push(Line {
                number,
                text,
                fault: fault(text, start, subject),
            });
            let rest = file.text.get(start..).unwrap_or_default();
            start += rest.find('\n').map_or(rest.len(), |end| end + 1);
        }
        Excerpt {
            file: &file.name,
            line: file.position(subject.start).line,
            block: sources.block_around(subject),
            lines,
        }
    }

    /// The lines to show to people: of many, the first and the last few. `None` stands for the cut.
    pub fn shown(&self) -> impl Iterator<Item = Option<&Line<'s>>> {
        let cut = self.lines.len() > MOST_LINES;
        let keep = MOST_LINES / 2;
        let last = self.lines.len().saturating_sub(keep);
        self.lines.iter().enumerate().filter_map(move |(i, line)| {
            if !cut || i < keep || i >= last {
                Some(Some(line))
            } else {
                (i == keep).then_some(None)
            }
        })
    }
}

/// The last line that a span covers; one that ends with a line's end does not cover the next.
fn last_line(file: &crate::source::SourceFile, span: Span) -> usize {
    let text = file
        .text
        .get(span.start as usize..span.end as usize)
        .unwrap_or_default();
    let trimmed = text.trim_end_matches(['\n', '\r']).len();
    let end = span.start as usize + trimmed.max(1) - 1;
    file.position(u32::try_from(end).unwrap_or(u32::MAX)).line
}

/// The byte a line begins at.
fn line_start(file: &crate::source::SourceFile, line: usize) -> usize {
    file.text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum()
}

/// The part of a line, without its indentation, that the subject covers.
fn fault(text: &str, start: usize, subject: Span) -> std::ops::Range<usize> {
    let indent = text.len() - text.trim_start().len();
    let from = (subject.start as usize).saturating_sub(start);
    let to = (subject.end as usize).saturating_sub(start);
    let begins_here = subject.start as usize >= start;
    let from = if begins_here { from } else { indent };
    let to = to.min(text.trim_end().len());
    let sound = text.is_char_boundary(from) && text.is_char_boundary(to);
    if from < to && sound { from..to } else { 0..0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_knows_its_faulty_part() {
        let mut sources = Sources::default();
        let text = "a = [\n  1,\n  2\n] + 1\n";
        let id = sources.add("x.hcl", None, text);
        let excerpt = Excerpt::of(&sources, Span::new(id, 4..16), None);
        let faults: Vec<&str> = excerpt
            .lines
            .iter()
            .map(|l| &l.text[l.fault.clone()])
            .collect();
        assert_eq!(faults, ["[", "1,", "2", "]"]);
        assert_eq!(excerpt.line, 1);
    }

    #[test]
    fn a_long_excerpt_is_cut_in_the_middle() {
        let mut sources = Sources::default();
        let text = "x\n".repeat(30);
        let id = sources.add("x.hcl", None, text.as_str());
        let excerpt = Excerpt::of(&sources, Span::new(id, 0..60), None);
        let shown: Vec<Option<usize>> = excerpt.shown().map(|l| l.map(|l| l.number)).collect();
        assert_eq!(shown.len(), MOST_LINES + 1);
        assert_eq!(shown[4], None);
        assert_eq!(shown.last(), Some(&Some(30)));
    }

    #[test]
    fn the_end_of_a_file_has_a_line_and_no_fault() {
        let mut sources = Sources::default();
        let id = sources.add("x.hcl", None, "a = ");
        let excerpt = Excerpt::of(&sources, Span::new(id, 4..4), None);
        assert_eq!(excerpt.lines.len(), 1);
        assert!(excerpt.lines[0].fault.is_empty());
        let empty = sources.add("y.hcl", None, "");
        let excerpt = Excerpt::of(&sources, Span::new(empty, 0..0), None);
        assert_eq!(excerpt.line, 1);
    }
}
