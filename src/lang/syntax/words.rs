//! What is said of characters that the language does not use.

use std::collections::BTreeSet;

use super::{Parser, token::Kind};
use crate::diag::Diagnostic;

impl Parser<'_> {
    /// Notes tokens that are none, each kind once.
    pub(super) fn check_tokens(&mut self) {
        let mut told = BTreeSet::new();
        for i in 0..self.tokens.len() {
            let Some(token) = self.tokens.get(i).copied() else {
                return;
            };
            let Some((summary, detail)) = complaint(token.kind) else {
                continue;
            };
            if told.insert(detail) {
                let span = self.span(token);
                self.diagnostics
                    .push(Diagnostic::error(summary, detail).at(span));
            }
        }
    }
}

fn complaint(kind: Kind) -> Option<(&'static str, &'static str)> {
    const OPERATOR: &str = "Unsupported operator";
    const CHARACTER: &str = "Invalid character";
    Some(match kind {
        Kind::BitAnd => (
            OPERATOR,
            "Bitwise operators are not supported. Did you mean boolean AND (\"&&\")?",
        ),
        Kind::BitOr => (
            OPERATOR,
            "Bitwise operators are not supported. Did you mean boolean OR (\"||\")?",
        ),
        Kind::BitNot => (
            OPERATOR,
            "Bitwise operators are not supported. Did you mean boolean NOT (\"!\")?",
        ),
        Kind::BitXor => (OPERATOR, "Bitwise operators are not supported."),
        Kind::Apostrophe => (
            CHARACTER,
            "Single quotes are not valid. Use double quotes (\") to enclose strings.",
        ),
        Kind::Backtick => (
            CHARACTER,
            "The \"`\" character is not valid. To create a multi-line string, use the \"heredoc\" \
             syntax, like \"<<EOT\".",
        ),
        Kind::Semicolon => (
            CHARACTER,
            "The \";\" character is not valid. Use newlines to separate arguments and blocks, and \
             commas to separate items in collection values.",
        ),
        Kind::Invalid => (CHARACTER, "This character is not used within the language."),
        Kind::QuotedNewline => (
            "Invalid multi-line string",
            "Quoted strings may not be split over multiple lines. To produce a multi-line string, \
             either use the \\n escape to represent a newline character or use the \"heredoc\" \
             multi-line template syntax.",
        ),
        _ => return None,
    })
}
