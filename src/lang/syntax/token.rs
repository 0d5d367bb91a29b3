//! Tokens.

/// A piece of text that means something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// The first byte.
    pub(super) start: usize,
    /// The byte after the last.
    pub(super) end: usize,
}

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    End,
    Newline,
    Ident,
    Number,
    /// The quote that opens a template, and the one that closes it.
    OpenQuote,
    CloseQuote,
    /// The first line of a heredoc with its line break, and the marker that closes it.
    OpenHeredoc,
    CloseHeredoc,
    /// Text of a template in quotes, with escapes.
    QuotedText,
    /// A line of text of any other template, or a part of one.
    PlainText,
    /// `${` or `${~`, `%{` or `%{~`, and the brace that closes them, perhaps with `~`.
    Interpolation,
    Control,
    SequenceEnd,
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Or,
    And,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Bang,
    Question,
    Colon,
    DoubleColon,
    Comma,
    Dot,
    Ellipsis,
    Arrow,
    Assign,
    /// A line break within quotes.
    QuotedNewline,
    /// Characters that the language does not use.
    BitAnd,
    BitOr,
    BitXor,
    BitNot,
    Apostrophe,
    Backtick,
    Semicolon,
    Invalid,
}
