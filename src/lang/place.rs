//! Places of the source in words, for messages that quote others.

use crate::source::{SourceFile, Span};

/// A span of a file: `main.hcl:3,7-12`, or `main.hcl:3,7-4,1` when it ends on another line.
pub fn place(file: &SourceFile, span: Span) -> String {
    let (from, to) = (file.position(span.start), file.position(span.end));
    let end = if from.line == to.line {
        to.column.to_string()
    } else {
        format!("{},{}", to.line, to.column)
    };
    format!("{}:{},{}-{end}", file.name, from.line, from.column)
}
