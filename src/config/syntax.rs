//! Puts the parser's syntax errors into words that say what would be right.

use crate::diag::Diagnostic;
use crate::source::{SourceId, Sources, Span};

/// A syntax error as a diagnostic at its place.
pub fn explain(error: &hcl_edit::parser::Error, source: SourceId, sources: &Sources) -> Diagnostic {
    let text = &sources.file(source).text;
    let offset = error.location().offset().min(text.len());
    let message = error.message();
    let (summary, detail, at) = if message.contains("redefined attribute") {
        let name = word(text, offset);
        let detail = format!(
            "The argument {name:?} was already set in this block. Each argument may be set only once."
        );
        ("Attribute redefined", detail, offset)
    } else if let Some(start) = open_string(text, offset) {
        let detail = "Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \\n escape to represent a newline character or use the \"heredoc\" multi-line template syntax.";
        ("Invalid multi-line string", detail.to_owned(), start)
    } else if message.contains("expected `]`") {
        let detail =
            "Expected a comma to mark the beginning of the next item, or a closing bracket.";
        ("Missing item separator", detail.to_owned(), offset)
    } else if offset >= text.len() {
        let detail = format!("The file ends in the middle of something: {message}.");
        ("Unclosed configuration block", detail, offset)
    } else if message.contains("invalid expression") {
        let detail = format!(
            "Expected the start of an expression, but found {}.",
            found(text, offset)
        );
        ("Invalid expression", detail, offset)
    } else if message.contains("invalid block body") || message == "unexpected token" {
        let detail = format!(
            "An argument (name = value) or a block (type \"label\" {{ … }}) is required here, but found {}.",
            found(text, offset)
        );
        ("Argument or block definition required", detail, offset)
    } else {
        (
            "Invalid syntax",
            format!("{}, but found {}.", capital(message), found(text, offset)),
            offset,
        )
    };
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    Diagnostic::error(summary, detail)
        .at(Span::new(source, at..end))
        .code("E0001")
}

/// The start of a quoted string that is still open where its line ends, on the line of `offset`.
fn open_string(text: &str, offset: usize) -> Option<usize> {
    let start = text[..offset].rfind('\n').map_or(0, |i| i + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let mut open = None;
    let mut escaped = false;
    for (i, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if open.is_some() => escaped = true,
            '"' => {
                open = if open.is_some() {
                    None
                } else {
                    Some(start + i)
                }
            }
            '#' if open.is_none() => return None,
            _ => {}
        }
    }
    // A template inside a string may hold strings of its own; then counting quotes says nothing.
    open.filter(|_| !line.contains("${"))
}

fn word(text: &str, offset: usize) -> &str {
    let end = text[offset..]
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .map_or(text.len(), |i| offset + i);
    &text[offset..end]
}

fn found(text: &str, offset: usize) -> String {
    match text[offset..].chars().next() {
        None => "the end of the file".into(),
        Some('\n' | '\r') => "the end of the line".into(),
        Some(c) if c.is_alphanumeric() => format!("\"{}\"", word(text, offset)),
        Some(c) => format!("\"{c}\""),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
