//! Text to tokens: templates nest in expressions and expressions in templates.

use std::ops::Range;

use unicode_ident::{is_xid_continue, is_xid_start};

use super::token::{Kind, Token};

/// What a text begins as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Expression,
    Template,
}

/// What the scanner is inside of.
enum Mode {
    /// An expression; so many braces are open in it.
    Expression { braces: usize },
    /// A template in quotes.
    Quoted,
    /// A heredoc, up to the line that is its marker.
    Heredoc { marker: Range<usize> },
    /// A template that is the whole text.
    Bare,
}

/// The tokens of a part of a text; the last is [`Kind::End`].
pub(super) fn tokens(text: &str, range: Range<usize>, start: Start) -> Vec<Token> {
    let mut scanner = Scanner {
        text: text.get(..range.end).unwrap_or_default(),
        at: range.start,
        tokens: Vec::new(),
        modes: vec![match start {
            Start::Expression => Mode::Expression { braces: 0 },
            Start::Template => Mode::Bare,
        }],
    };
    // A mark at the very beginning says nothing but the encoding.
    if scanner.at == 0 && scanner.rest().starts_with('\u{feff}') {
        scanner.at = '\u{feff}'.len_utf8();
    }
    while !scanner.rest().is_empty() {
        scanner.step();
    }
    scanner.push(Kind::End, 0);
    scanner.tokens
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
    modes: Vec<Mode>,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let start = self.at;
        self.at += length;
        self.tokens.push(Token {
            kind,
            start,
            end: self.at,
        });
    }

    fn step(&mut self) {
        match self.modes.last() {
            Some(Mode::Expression { braces }) => {
                let braces = *braces;
                self.expression(braces);
            }
            Some(Mode::Quoted) => self.quoted(),
            Some(Mode::Heredoc { marker }) => {
                let marker = marker.clone();
                self.heredoc(marker);
            }
            Some(Mode::Bare) | None => {
                if !self.sequence() {
                    self.plain_text();
                }
            }
        }
    }

    /// Whether the scanner is in an expression within a template.
    fn in_template(&self) -> bool {
        self.modes.len() > 1
    }

    fn expression(&mut self, braces: usize) {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else {
            return;
        };
        match c {
            ' ' | '\t' => self.at += 1,
            '\r' if rest.starts_with("\r\n") => self.push(Kind::Newline, 2),
            '\n' => self.push(Kind::Newline, 1),
            '#' => self.line_comment(),
            '/' if rest.starts_with("//") => self.line_comment(),
            '/' if rest.starts_with("/*") && rest[2..].contains("*/") => {
                self.at += rest[2..].find("*/").map_or(2, |end| end + 4);
            }
            '"' => {
                self.push(Kind::OpenQuote, 1);
                self.modes.push(Mode::Quoted);
            }
            '<' if rest.starts_with("<<") && self.open_heredoc() => {}
            '{' => {
                self.push(Kind::OpenBrace, 1);
                self.set_braces(braces + 1);
            }
            '~' if rest.starts_with("~}") && braces == 0 && self.in_template() => {
                self.push(Kind::SequenceEnd, 2);
                self.modes.pop();
            }
            '}' if braces == 0 && self.in_template() => {
                self.push(Kind::SequenceEnd, 1);
                self.modes.pop();
            }
            '}' => {
                self.push(Kind::CloseBrace, 1);
                self.set_braces(braces.saturating_sub(1));
            }
            c if c.is_ascii_digit() => {
                let length = number_length(rest);
                self.push(Kind::Number, length);
            }
            c if c == '_' || is_xid_start(c) => {
                let length = rest
                    .find(|c| !(c == '-' || is_xid_continue(c)))
                    .unwrap_or(rest.len());
                self.push(Kind::Ident, length);
            }
            c => self.symbol(c),
        }
    }

    fn set_braces(&mut self, count: usize) {
        if let Some(Mode::Expression { braces }) = self.modes.last_mut() {
            *braces = count;
        }
    }

    fn line_comment(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    fn symbol(&mut self, c: char) {
        const SYMBOLS: &[(&str, Kind)] = &[
            ("...", Kind::Ellipsis),
            ("||", Kind::Or),
            ("&&", Kind::And),
            ("==", Kind::Equal),
            ("!=", Kind::NotEqual),
            (">=", Kind::GreaterOrEqual),
            ("<=", Kind::LessOrEqual),
            ("=>", Kind::Arrow),
            ("::", Kind::DoubleColon),
            ("(", Kind::OpenParen),
            (")", Kind::CloseParen),
            ("[", Kind::OpenBracket),
            ("]", Kind::CloseBracket),
            (">", Kind::Greater),
            ("<", Kind::Less),
            ("+", Kind::Plus),
            ("-", Kind::Minus),
            ("*", Kind::Star),
            ("/", Kind::Slash),
            ("%", Kind::Percent),
            ("!", Kind::Bang),
            ("?", Kind::Question),
            (":", Kind::Colon),
            (",", Kind::Comma),
            (".", Kind::Dot),
            ("=", Kind::Assign),
            ("&", Kind::BitAnd),
            ("|", Kind::BitOr),
            ("^", Kind::BitXor),
            ("~", Kind::BitNot),
            ("'", Kind::Apostrophe),
            ("`", Kind::Backtick),
            (";", Kind::Semicolon),
        ];
        let rest = self.rest();
        match SYMBOLS.iter().find(|(text, _)| rest.starts_with(text)) {
            Some((text, kind)) => self.push(*kind, text.len()),
            None => self.push(Kind::Invalid, c.len_utf8()),
        }
    }

    /// The opening of a heredoc, if there is one here.
    fn open_heredoc(&mut self) -> bool {
        let rest = self.rest();
        let after = &rest[2..];
        let name = after.strip_prefix('-').unwrap_or(after);
        let starts = name.starts_with(|c| c == '_' || is_xid_start(c));
        let length = name
            .find(|c| !(c == '-' || is_xid_continue(c)))
            .unwrap_or(name.len());
        let line_end = name.get(length..).unwrap_or_default();
        let break_length = match () {
            () if line_end.starts_with("\r\n") => 2,
            () if line_end.starts_with('\n') => 1,
            () => return false,
        };
        if !starts {
            return false;
        }
        let before = rest.len() - name.len();
        let marker = self.at + before..self.at + before + length;
        self.push(Kind::OpenHeredoc, before + length + break_length);
        self.modes.push(Mode::Heredoc { marker });
        true
    }

    fn heredoc(&mut self, marker: Range<usize>) {
        let rest = self.rest();
        let line_start = self.text.get(..self.at).is_some_and(|t| t.ends_with('\n'));
        if line_start {
            let line = rest.lines().next().unwrap_or_default();
            if Some(line.trim()) == self.text.get(marker) {
                self.push(Kind::CloseHeredoc, line.trim_end().len());
                self.modes.pop();
                return;
            }
        }
        if !self.sequence() {
            self.plain_text();
        }
    }

    /// The opening of an interpolation or directive, if there is one here.
    fn sequence(&mut self) -> bool {
        let rest = self.rest();
        let kind = match rest.get(..2) {
            Some("${") => Kind::Interpolation,
            Some("%{") => Kind::Control,
            _ => return false,
        };
        let length = if rest[2..].starts_with('~') { 3 } else { 2 };
        self.push(kind, length);
        self.modes.push(Mode::Expression { braces: 0 });
        true
    }

    /// Text up to the end of the line or to what is not text.
    fn plain_text(&mut self) {
        let length = text_length(self.rest(), |c| c == '\n');
        // The line break belongs to its line.
        let rest = self.rest().get(length..).unwrap_or_default();
        let length = length + usize::from(rest.starts_with('\n'));
        self.push(Kind::PlainText, length);
    }

    fn quoted(&mut self) {
        let rest = self.rest();
        if rest.starts_with('"') {
            self.push(Kind::CloseQuote, 1);
            self.modes.pop();
        } else if rest.starts_with('\n') {
            self.push(Kind::QuotedNewline, 1);
        } else if !self.sequence() {
            let length = text_length(rest, |c| matches!(c, '"' | '\n'));
            self.push(Kind::QuotedText, length);
        }
    }
}

/// The length of the text up to a sequence or to a character that ends it; a backslash takes the
/// quote after it along.
fn text_length(text: &str, ends: impl Fn(char) -> bool) -> usize {
    let quoted = ends('"');
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|t| t.chars().next()) {
        let rest = &text[at..];
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            at += 3;
        } else if ends(c) || rest.starts_with("${") || rest.starts_with("%{") {
            break;
        } else if quoted && c == '\\' {
            let escaped = rest[1..].chars().next();
            at += 1 + escaped.filter(|c| *c != '\n').map_or(0, char::len_utf8);
        } else {
            at += c.len_utf8();
        }
    }
    at
}

/// Digits, perhaps with a fraction and an exponent.
fn number_length(text: &str) -> usize {
    let digits = |at: usize| {
        text.get(at..)
            .map_or(0, |t| t.bytes().take_while(u8::is_ascii_digit).count())
    };
    let mut length = digits(0);
    if text.get(length..).is_some_and(|t| t.starts_with('.')) {
        let fraction = digits(length + 1);
        if fraction > 0 {
            length += 1 + fraction;
        }
    }
    if text
        .get(length..)
        .is_some_and(|t| t.starts_with(['e', 'E']))
    {
        let signed = text
            .get(length + 1..)
            .is_some_and(|t| t.starts_with(['+', '-']));
        let start = length + 1 + usize::from(signed);
        let exponent = digits(start);
        if exponent > 0 {
            length = start + exponent;
        }
    }
    length
}
