//! Patterns as RE2 reads them, rewritten for a library that reads some things differently: its
//! classes `\d`, `\w` and `\s` are of Unicode, a brace is never literal, classes nest.

use regex::Regex;
use regex_syntax::ast::{self, ErrorKind};

/// A pattern that is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SyntaxError {
    /// What is wrong.
    pub(super) message: &'static str,
    /// The part of the pattern where it is.
    pub(super) fragment: String,
}

impl SyntaxError {
    fn new(message: &'static str, fragment: impl Into<String>) -> SyntaxError {
        SyntaxError {
            message,
            fragment: fragment.into(),
        }
    }
}

const TOO_LARGE: &str = "expression too large";
const MISSING_ARGUMENT: &str = "missing argument to repetition operator";

/// Compiles a pattern.
pub(super) fn compile(pattern: &str) -> Result<Regex, SyntaxError> {
    let rewritten = Rewriter::new(pattern).rewrite()?;
    Regex::new(&rewritten).map_err(|error| match error {
        regex::Error::Syntax(_) => explain(pattern, &rewritten),
        _ => SyntaxError::new(TOO_LARGE, pattern),
    })
}

/// What the library holds against the rewritten pattern, in the words of RE2.
fn explain(pattern: &str, rewritten: &str) -> SyntaxError {
    let parsed = ast::parse::Parser::new().parse(rewritten);
    let Err(error) = parsed else {
        // The pattern is well-formed, but names a class that does not exist.
        return SyntaxError::new("invalid character class range", pattern);
    };
    let span = error.span();
    let at = rewritten
        .get(span.start.offset..span.end.offset)
        .unwrap_or_default();
    match error.kind() {
        ErrorKind::ClassUnclosed => {
            SyntaxError::new("missing closing ]", rest_from(rewritten, span.start.offset))
        }
        ErrorKind::ClassRangeInvalid | ErrorKind::ClassRangeLiteral => {
            SyntaxError::new("invalid character class range", at)
        }
        ErrorKind::GroupUnclosed => SyntaxError::new("missing closing )", pattern),
        ErrorKind::GroupUnopened => SyntaxError::new("unexpected )", pattern),
        ErrorKind::RepetitionMissing => {
            SyntaxError::new(MISSING_ARGUMENT, operator_at(rewritten, span.start.offset))
        }
        ErrorKind::RepetitionCountInvalid => SyntaxError::new("invalid repeat count", at),
        ErrorKind::EscapeUnexpectedEof => {
            SyntaxError::new("trailing backslash at end of expression", "")
        }
        ErrorKind::GroupNameEmpty
        | ErrorKind::GroupNameInvalid
        | ErrorKind::GroupNameUnexpectedEof
        | ErrorKind::GroupNameDuplicate { .. } => SyntaxError::new(
            "invalid named capture",
            group_around(rewritten, span.start.offset),
        ),
        ErrorKind::FlagUnrecognized
        | ErrorKind::FlagUnexpectedEof
        | ErrorKind::FlagDanglingNegation
        | ErrorKind::UnsupportedLookAround => SyntaxError::new(
            "invalid or unsupported Perl syntax",
            opening(rewritten, span.start.offset),
        ),
        ErrorKind::NestLimitExceeded(_) | ErrorKind::CaptureLimitExceeded => {
            SyntaxError::new(TOO_LARGE, pattern)
        }
        _ => SyntaxError::new("invalid escape sequence", at),
    }
}

/// The repetition operator at or just before a place.
fn operator_at(text: &str, at: usize) -> &str {
    let start = if rest_from(text, at).starts_with(['*', '+', '?', '{']) {
        at
    } else {
        at.saturating_sub(1)
    };
    let rest = rest_from(text, start);
    let end = if rest.starts_with('{') {
        rest.find('}').map_or(rest.len(), |i| i + 1)
    } else {
        1
    };
    rest.get(..end).unwrap_or_default()
}

fn rest_from(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// The group that an error lies in the opening of, up to its name.
fn group_around(text: &str, at: usize) -> &str {
    let start = text.get(..at).and_then(|t| t.rfind('(')).unwrap_or(0);
    let rest = rest_from(text, start);
    let end = rest.find('>').map_or(rest.len(), |i| i + 1);
    rest.get(..end).unwrap_or_default()
}

/// `(?=` and the like: from the parenthesis to the character that is not understood.
fn opening(text: &str, at: usize) -> String {
    let upto = text.get(..=at).unwrap_or(text);
    let start = upto.rfind('(').unwrap_or(at);
    let rest = rest_from(text, start);
    let mut end = 0;
    for (i, c) in rest.char_indices() {
        end = i + c.len_utf8();
        if !matches!(c, '(' | '?' | '-' | 'i' | 'm' | 's' | 'U' | '<') {
            break;
        }
    }
    rest.get(..end).unwrap_or_default().to_owned()
}

struct Rewriter<'p> {
    pattern: &'p str,
    at: usize,
    out: String,
    /// Where the last repetition operator begins, while nothing but it has been read since.
    repetition: Option<usize>,
}

/// The most repetitions a count may ask for.
const GREATEST_COUNT: u32 = 1000;

impl<'p> Rewriter<'p> {
    fn new(pattern: &'p str) -> Rewriter<'p> {
        Rewriter {
            pattern,
            at: 0,
            out: String::with_capacity(pattern.len() + 16),
            repetition: None,
        }
    }

    fn rest(&self) -> &'p str {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    fn rewrite(mut self) -> Result<String, SyntaxError> {
        while let Some(c) = self.rest().chars().next() {
            match c {
                '\\' => self.escape(false),
                '[' => self.class(),
                '*' | '+' | '?' => self.repeat(1)?,
                '{' => match counted(self.rest()) {
                    Some((length, counts)) => {
                        if counts.iter().any(|n| *n > GREATEST_COUNT) {
                            let fragment = self.rest().get(..length).unwrap_or_default();
                            return Err(SyntaxError::new("invalid repeat count", fragment));
                        }
                        self.repeat(length)?;
                    }
                    None => self.literal("\\{", 1),
                },
                '(' if self.rest().starts_with("(?") => {
                    // What follows opens a group and repeats nothing.
                    self.literal("(?", 2);
                }
                c => self.literal(c.encode_utf8(&mut [0; 4]), c.len_utf8()),
            }
        }
        Ok(self.out)
    }

    fn literal(&mut self, text: &str, length: usize) {
        self.out.push_str(text);
        self.at += length;
        self.repetition = None;
    }

    /// A repetition operator of so many bytes; `?` after it makes it lazy.
    fn repeat(&mut self, length: usize) -> Result<(), SyntaxError> {
        let start = self.at;
        let lazy = self
            .rest()
            .get(length..)
            .is_some_and(|r| r.starts_with('?'));
        let end = start + length + usize::from(lazy);
        if let Some(before) = self.repetition {
            let fragment = self.pattern.get(before..end).unwrap_or_default();
            return Err(SyntaxError::new(
                "invalid nested repetition operator",
                fragment,
            ));
        }
        self.out
            .push_str(self.pattern.get(start..end).unwrap_or_default());
        self.at = end;
        self.repetition = Some(start);
        Ok(())
    }

    fn escape(&mut self, in_class: bool) {
        let mut chars = self.rest().chars();
        chars.next();
        let Some(c) = chars.next() else {
            return self.literal("\\", 1);
        };
        let length = 1 + c.len_utf8();
        let class = |inside: &'static str, outside: &'static str| {
            if in_class { inside } else { outside }
        };
        let text = match c {
            'd' => class("0-9", "[0-9]"),
            'D' => class("[^0-9]", "[^0-9]"),
            'w' => class("0-9A-Za-z_", "[0-9A-Za-z_]"),
            'W' => class("[^0-9A-Za-z_]", "[^0-9A-Za-z_]"),
            's' => class("\\t\\n\\f\\r ", "[\\t\\n\\f\\r ]"),
            'S' => class("[^\\t\\n\\f\\r ]", "[^\\t\\n\\f\\r ]"),
            'b' if !in_class => "(?-u:\\b)",
            'B' if !in_class => "(?-u:\\B)",
            '<' => "<",
            '>' => ">",
            '_' => "_",
            'Q' if !in_class => return self.verbatim(),
            _ => {
                // The braces of `\p{Greek}` and `\x{1F600}` belong to the escape.
                let braced = matches!(c, 'p' | 'P' | 'x')
                    && self
                        .rest()
                        .get(length..)
                        .is_some_and(|r| r.starts_with('{'));
                let length = match self.rest().find('}') {
                    Some(end) if braced => end + 1,
                    _ => length,
                };
                let text = self.rest().get(..length).unwrap_or_default();
                return self.literal(text, length);
            }
        };
        self.literal(text, length);
    }

    /// `\Q…\E`: text as it is.
    fn verbatim(&mut self) {
        let rest = self.rest().get(2..).unwrap_or_default();
        let (text, length) = match rest.find("\\E") {
            Some(end) => (&rest[..end], end + 4),
            None => (rest, rest.len() + 2),
        };
        self.literal(&regex::escape(text), length);
    }

    fn class(&mut self) {
        self.literal("[", 1);
        if self.rest().starts_with('^') {
            self.literal("^", 1);
        }
        if self.rest().starts_with(']') {
            self.literal("\\]", 1);
        }
        while let Some(c) = self.rest().chars().next() {
            match c {
                ']' => return self.literal("]", 1),
                '\\' => self.escape(true),
                '[' if self.rest().starts_with("[:") && self.rest().contains(":]") => {
                    let length = self.rest().find(":]").map_or(1, |i| i + 2);
                    let text = self.rest().get(..length).unwrap_or_default();
                    self.literal(text, length);
                }
                '[' | '&' | '~' => self.literal(&format!("\\{c}"), 1),
                c => self.literal(c.encode_utf8(&mut [0; 4]), c.len_utf8()),
            }
        }
    }
}

/// The length of `{n}`, `{n,}` or `{n,m}` at the start of a text, and the counts.
fn counted(text: &str) -> Option<(usize, Vec<u32>)> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find('}')?;
    let inner = &inner[..end];
    let (least, greatest) = inner.split_once(',').unwrap_or((inner, ""));
    let number = |digits: &str| {
        let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        all.then(|| digits.parse::<u32>().unwrap_or(u32::MAX))
    };
    let mut counts = vec![number(least)?];
    if !greatest.is_empty() {
        counts.push(number(greatest)?);
    }
    Some((end + 2, counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern).unwrap().is_match(text)
    }

    #[test]
    fn classes_are_of_ascii_and_braces_may_be_literal() {
        assert!(!matches("^\\d$", "٣"));
        assert!(matches("^[\\w-]+$", "a-b"));
        assert!(matches("a{", "a{"));
        assert!(matches("^a{2}$", "aa"));
        assert!(matches("^[[a&&b]+$", "[a&b"));
        assert!(matches("\\Qa.b\\E", "a.b"));
        assert!(matches("[[:alpha:]]", "x"));
    }

    #[test]
    fn errors_are_in_the_words_of_re2() {
        for (pattern, message, fragment) in [
            ("a**", "invalid nested repetition operator", "**"),
            ("(", "missing closing )", "("),
            ("a)", "unexpected )", "a)"),
            ("(?=a)b", "invalid or unsupported Perl syntax", "(?="),
            ("[a", "missing closing ]", "[a"),
            ("*", "missing argument to repetition operator", "*"),
            ("a{1001}", "invalid repeat count", "{1001}"),
            ("[z-a]", "invalid character class range", "z-a"),
            ("\\", "trailing backslash at end of expression", ""),
            ("\\y", "invalid escape sequence", "\\y"),
        ] {
            let error = compile(pattern).unwrap_err();
            assert_eq!(
                (error.message, error.fragment.as_str()),
                (message, fragment)
            );
        }
    }
}
