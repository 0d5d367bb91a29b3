//! What a token is.

use std::borrow::Cow;

/// The kinds of tokens that the layout tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A name or keyword.
    Ident,
    /// A number.
    Number,
    /// `"` at the start of a string.
    OpenQuote,
    /// Text in a string.
    QuotedText,
    /// `"` at the end of a string.
    CloseQuote,
    /// `<<EOT` with the end of its line.
    OpenHeredoc,
    /// Text in a heredoc.
    HeredocText,
    /// The line that ends a heredoc, without its end.
    CloseHeredoc,
    /// `${`, with its `~`.
    OpenInterpolation,
    /// `%{`, with its `~`.
    OpenDirective,
    /// `}` that ends either of the two, with its `~`.
    CloseTemplate,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `=`
    Assign,
    /// `.`
    Dot,
    /// `,`
    Comma,
    /// `...`
    Ellipsis,
    /// `::`
    DoubleColon,
    /// `:`
    Colon,
    /// `?`
    Question,
    /// `!`
    Not,
    /// `-`
    Minus,
    /// An operator that nothing but an operand can follow: `+`, `==`, `&&`.
    Operator,
    /// `=>`
    Arrow,
    /// The end of a line.
    Newline,
    /// A comment; one of a line holds the end of that line.
    Comment,
}

/// A token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token<'t> {
    /// Its kind.
    pub kind: Kind,
    /// Its text.
    pub text: Cow<'t, str>,
    /// The blanks before it.
    pub blanks: usize,
    /// Its blanks must stay: it lies in a heredoc's interpolation of several lines.
    pub fixed: bool,
}

impl<'t> Token<'t> {
    /// A token without blanks before it.
    pub fn new(kind: Kind, text: impl Into<Cow<'t, str>>) -> Token<'t> {
        Token {
            kind,
            text: text.into(),
            blanks: 0,
            fixed: false,
        }
    }

    /// Whether a line ends with it.
    pub fn ends_line(&self) -> bool {
        !self.fixed
            && (self.kind == Kind::Newline
                || self.kind == Kind::Comment && self.text.ends_with('\n'))
    }

    /// How many brackets it opens; -1 where it closes one.
    pub fn nesting(&self) -> isize {
        match self.kind {
            Kind::OpenBrace
            | Kind::OpenBracket
            | Kind::OpenParen
            | Kind::OpenInterpolation
            | Kind::OpenDirective => 1,
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen | Kind::CloseTemplate => -1,
            _ => 0,
        }
    }
}
