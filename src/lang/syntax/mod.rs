//! Reads the text of expressions, templates and configuration files.
//!
//! The grammar is HCL's to the letter, and so are the words of its errors: that is why expressions
//! are not taken from `hcl-edit`, which refuses some (repeated keys of an object, numbers beyond
//! a machine float), reads others differently (escapes within template directives) and cannot say
//! what is wrong in the terms people know.

mod body;
mod collections;
mod expression;
mod heredoc;
mod scan;
mod template;
mod token;
mod words;

use std::ops::Range;

pub use body::{Attribute, Block, Body, Label};
use token::{Kind, Token};

use super::expr::Expr;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, SourceId, Sources, Span};

/// How deep a text may nest; beyond it the stack might not suffice.
const GREATEST_DEPTH: usize = 200;
/// How many operators may follow one another without parentheses.
const LONGEST_CHAIN: usize = 1000;

/// Reads a source as one expression, as the console or the value of `-var` has it. Line breaks
/// may stand anywhere.
///
/// # Errors
/// When it is not one.
pub fn parse_expression(source: SourceId, sources: &Sources) -> Result<Expr, Diagnostics> {
    let file = sources.file(source);
    parse_part(source, file, 0..file.text.len())
}

/// Reads a part of a source as one expression.
///
/// # Errors
/// When it is not one.
pub fn parse_part(
    source: SourceId,
    file: &SourceFile,
    range: Range<usize>,
) -> Result<Expr, Diagnostics> {
    let mut parser = Parser::new(source, file, range, scan::Start::Expression);
    parser.newlines.push(false);
    let expr = parser.expression();
    if expr.is_ok() && parser.peek().kind != Kind::End {
        let span = parser.span(parser.peek());
        let _ = parser.fail::<()>(
            span,
            "Extra characters after expression",
            "An expression was successfully parsed, but extra characters were found after it.",
        );
    }
    parser.finish(expr)
}

/// Reads a source as a template.
///
/// # Errors
/// When it is not one.
pub fn parse_template(source: SourceId, sources: &Sources) -> Result<Expr, Diagnostics> {
    let file = sources.file(source);
    let mut parser = Parser::new(source, file, 0..file.text.len(), scan::Start::Template);
    parser.newlines.push(false);
    let expr = parser.whole_template();
    parser.finish(expr)
}

/// Reads a source as a configuration file. Whatever could be read comes with the errors.
pub fn parse_file(source: SourceId, sources: &Sources) -> (Body, Diagnostics) {
    let file = sources.file(source);
    let mut parser = Parser::new(source, file, 0..file.text.len(), scan::Start::Expression);
    parser.newlines.push(true);
    let body = parser.body(Kind::End);
    (body, parser.diagnostics)
}

/// Marks that an error was noted and the text from here on makes no sense.
struct Failed;

type Parse<T> = Result<T, Failed>;

struct Parser<'t> {
    source: SourceId,
    file: &'t SourceFile,
    tokens: Vec<Token>,
    at: usize,
    /// Whether line breaks mean something, innermost brackets last.
    newlines: Vec<bool>,
    depth: usize,
    diagnostics: Diagnostics,
}

impl<'t> Parser<'t> {
    fn new(
        source: SourceId,
        file: &'t SourceFile,
        range: Range<usize>,
        start: scan::Start,
    ) -> Parser<'t> {
        let tokens = scan::tokens(&file.text, range, start);
        let mut parser = Parser {
            source,
            file,
            tokens,
            at: 0,
            newlines: Vec::new(),
            depth: 0,
            diagnostics: Diagnostics::new(),
        };
        parser.check_tokens();
        parser
    }

    fn finish<T>(self, parsed: Parse<T>) -> Result<T, Diagnostics> {
        match parsed {
            Ok(value) => self.diagnostics.into_result(value),
            Err(Failed) => Err(self.diagnostics),
        }
    }

    /// The next token that means something here.
    fn peek(&self) -> Token {
        let significant = self.newlines.last().copied().unwrap_or(true);
        let mut rest = self.tokens.iter().skip(self.at);
        let token = rest.find(|t| significant || t.kind != Kind::Newline);
        // The row of tokens ends with one of its own kind, which is never passed.
        token.copied().unwrap_or(Token {
            kind: Kind::End,
            start: self.file.text.len(),
            end: self.file.text.len(),
        })
    }

    fn read(&mut self) -> Token {
        let token = self.peek();
        if !self.newlines.last().copied().unwrap_or(true) {
            while self
                .tokens
                .get(self.at)
                .is_some_and(|t| t.kind == Kind::Newline)
            {
                self.at += 1;
            }
        }
        if token.kind != Kind::End {
            self.at += 1;
        }
        token
    }

    fn span(&self, token: Token) -> Span {
        Span::new(self.source, token.start..token.end)
    }

    fn text(&self, token: Token) -> &'t str {
        self.file
            .text
            .get(token.start..token.end)
            .unwrap_or_default()
    }

    /// Whether the next token is this word.
    fn at_word(&self, word: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Ident && self.text(token) == word
    }

    fn fail<T>(&mut self, span: Span, summary: &str, detail: impl Into<String>) -> Parse<T> {
        self.diagnostics
            .push(Diagnostic::error(summary, detail).at(span));
        Err(Failed)
    }

    /// Reads something nested, unless it is too deep.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= GREATEST_DEPTH {
            let span = self.span(self.peek());
            let detail = format!("Expressions may nest no deeper than {GREATEST_DEPTH} levels.");
            return self.fail(span, "Expression too deep", detail);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Reads something within which line breaks mean nothing, or something.
    fn within<T>(&mut self, newlines: bool, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        self.newlines.push(newlines);
        let result = read(self);
        self.newlines.pop();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn errors(text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let source = sources.add("x", None, text);
        match parse_expression(source, &sources) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.0.into_iter().map(|e| e.summary).collect(),
        }
    }

    #[test]
    fn what_others_refuse_is_read() {
        for text in [
            "{a = 1, a = 2}",
            "1e400",
            "\"%{ if true }a\\n\\\"x%{ endif }\"",
            "7 // 2",
            "1 +\n2",
        ] {
            assert_eq!(errors(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn too_much_is_an_error() {
        assert_eq!(errors(&"(".repeat(10_000)), ["Expression too deep"]);
        assert_eq!(errors(&"-".repeat(10_000)), ["Expression too deep"]);
        assert_eq!(errors(&vec!["1"; 5_000].join("+")), ["Expression too long"]);
        assert_eq!(
            errors(&format!("a{}", "[b]".repeat(5_000))),
            ["Expression too long"]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let mut sources = Sources::default();
            let source = sources.add("x", None, text.as_str());
            let _ = parse_expression(source, &sources);
            let _ = parse_template(source, &sources);
            let _ = parse_file(source, &sources);
        }

        #[test]
        fn any_mixture_of_tokens_is_read_or_refused(
            pieces in proptest::collection::vec(
                prop::sample::select(vec![
                    "a", "1", "\"", "${", "%{", "}", "{", "[", "]", "(", ")", "for ", " in ", ":",
                    "=>", "...", ".", "*", ",", "=", "\n", "<<E\n", "E\n", "if ", "endif", "~", "?",
                    "-", "!", "==", "\\u", "$${", "null", "x",
                ]),
                0..24,
            )
        ) {
            let text: String = pieces.concat();
            let mut sources = Sources::default();
            let source = sources.add("x", None, text.as_str());
            let _ = parse_expression(source, &sources);
            let _ = parse_template(source, &sources);
            let _ = parse_file(source, &sources);
        }
    }
}
