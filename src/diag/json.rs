//! Diagnostics for programs: Terraform's JSON diagnostic object, with our code, hint and address.

use serde::Serialize;

use super::{Diagnostic, Diagnostics, Severity};
use crate::source::{Position, SourceFile, Sources, Span};

/// A diagnostic as JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DiagnosticJson {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// One line.
    pub summary: String,
    /// Sentences; empty where there are none.
    pub detail: String,
    /// The resource it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The offending part of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// The lines around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Snippet>,
    /// The stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// A suggestion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A part of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Range {
    /// The file's name.
    pub filename: String,
    /// Its first character.
    pub start: Place,
    /// The character after its last.
    pub end: Place,
}

/// A place in a file: line and column from 1, byte from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The byte, from 0.
    pub byte: usize,
}

/// Lines of source around a part of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Snippet {
    /// The header of the block around it.
    pub context: Option<String>,
    /// Whole lines.
    pub code: String,
    /// The number of the first of them.
    pub start_line: usize,
    /// The byte of `code` at which the offending part begins.
    pub highlight_start_offset: usize,
    /// The byte after it.
    pub highlight_end_offset: usize,
    /// Values that led to the diagnostic.
    pub values: Vec<ValueJson>,
}

/// A value that led to a diagnostic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ValueJson {
    /// The expression: `var.x`.
    pub traversal: String,
    /// What it is: `is 3`.
    pub statement: String,
}

impl DiagnosticJson {
    /// The JSON form of a diagnostic.
    pub fn new(diagnostic: &Diagnostic, sources: &Sources) -> DiagnosticJson {
        let range = diagnostic.subject.map(|subject| {
            let file = sources.file(subject.source);
            Range {
                filename: file.name.to_string(),
                start: file.position(subject.start).into(),
                // A range that covers nothing highlights one byte, as Terraform's does.
                end: file.position(visible_end(file, subject)).into(),
            }
        });
        DiagnosticJson {
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            summary: diagnostic.summary.clone(),
            detail: diagnostic.detail.clone(),
            address: diagnostic.address.clone(),
            range,
            snippet: diagnostic
                .subject
                .map(|subject| snippet(diagnostic, subject, sources)),
            code: Some(diagnostic.code).filter(|code| !code.is_empty()),
            hint: diagnostic.hint.clone(),
        }
    }

    /// The JSON forms of diagnostics, in their order.
    pub fn all(diagnostics: &Diagnostics, sources: &Sources) -> Vec<DiagnosticJson> {
        diagnostics
            .into_iter()
            .map(|d| DiagnosticJson::new(d, sources))
            .collect()
    }
}

impl From<Position> for Place {
    fn from(position: Position) -> Place {
        Place {
            line: position.line,
            column: position.column,
            byte: position.byte,
        }
    }
}

fn snippet(diagnostic: &Diagnostic, subject: Span, sources: &Sources) -> Snippet {
    let file = sources.file(subject.source);
    let around = diagnostic
        .context
        .filter(|context| context.source == subject.source)
        .unwrap_or(subject);
    let start = line_start(file, around.start.min(subject.start) as usize);
    let end = line_end(file, around.end.max(subject.end) as usize);
    let code = file.text.get(start..end).unwrap_or_default();
    let offset = |byte: u32| (byte as usize).saturating_sub(start).min(code.len());
    Snippet {
        context: sources.block_around(subject).map(str::to_owned),
        code: code.to_owned(),
        start_line: file.position(u32::try_from(start).unwrap_or(u32::MAX)).line,
        highlight_start_offset: offset(subject.start),
        highlight_end_offset: offset(visible_end(file, subject)),
        values: diagnostic
            .values
            .iter()
            .map(|note| ValueJson {
                traversal: note.expression.clone(),
                statement: note.statement.clone(),
            })
            .collect(),
    }
}

/// The end of a subject; of an empty one, that of the character at its place.
fn visible_end(file: &SourceFile, subject: Span) -> u32 {
    if subject.end > subject.start {
        return subject.end;
    }
    let rest = file.text.get(subject.start as usize..).unwrap_or_default();
    let length = rest.chars().next().map_or(0, char::len_utf8);
    subject.start + u32::try_from(length).unwrap_or(0)
}

/// The first byte of the line that `byte` lies on.
fn line_start(file: &SourceFile, byte: usize) -> usize {
    let before = file.text.get(..byte).unwrap_or_default();
    before.rfind('\n').map_or(0, |at| at + 1)
}

/// The byte after the last of the line that the byte before `byte` lies on.
fn line_end(file: &SourceFile, byte: usize) -> usize {
    let text = &file.text;
    // What ends with a line's end ends on that line.
    let from = byte.saturating_sub(usize::from(
        byte > 0 && text.as_bytes().get(byte - 1) == Some(&b'\n'),
    ));
    let rest = text.get(from..).unwrap_or_default();
    let end = from + rest.find('\n').unwrap_or(rest.len());
    if text.as_bytes().get(end.wrapping_sub(1)) == Some(&b'\r') {
        end - 1
    } else {
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The object that Terraform 1.11.4 prints for the same mistake in the same file.
    #[test]
    fn the_object_is_terraforms() {
        let mut sources = Sources::default();
        let text = "resource \"terraform_data\" \"a\" { \n  input = local.nope\n}\n";
        let id = sources.add("main.tf", None, text);
        sources.note_block(
            Span::new(id, 0..text.len()),
            "resource \"terraform_data\" \"a\"",
        );
        let diagnostic = Diagnostic::error(
            "Reference to undeclared local value",
            "A local value with the name \"nope\" has not been declared.",
        )
        .at(Span::new(id, 43..53))
        .code("E0012");
        let json = serde_json::to_value(DiagnosticJson::new(&diagnostic, &sources)).unwrap();
        let measured = serde_json::json!({
            "severity": "error",
            "summary": "Reference to undeclared local value",
            "detail": "A local value with the name \"nope\" has not been declared.",
            "range": {
                "filename": "main.tf",
                "start": {"line": 2, "column": 11, "byte": 43},
                "end": {"line": 2, "column": 21, "byte": 53}
            },
            "snippet": {
                "context": "resource \"terraform_data\" \"a\"",
                "code": "  input = local.nope",
                "start_line": 2,
                "highlight_start_offset": 10,
                "highlight_end_offset": 20,
                "values": []
            },
            "code": "E0012"
        });
        assert_eq!(json, measured);
    }

    #[test]
    fn several_lines_stay_together() {
        let mut sources = Sources::default();
        let id = sources.add("a.hcl", None, "a {\r\n  b\r\n}\r\nc\r\n");
        let diagnostic = Diagnostic::warning("x", "").at(Span::new(id, 0..12));
        let json = DiagnosticJson::new(&diagnostic, &sources);
        assert_eq!(json.snippet.unwrap().code, "a {\r\n  b\r\n}");
    }
}
