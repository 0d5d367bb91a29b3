//! Text into tokens.

use super::token::{Kind, Token};

/// A text that does not consist of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LexError {
    /// What is wrong.
    pub message: &'static str,
    /// The byte it is wrong at.
    pub offset: usize,
}

/// What the lexer is inside of.
#[derive(Clone, Debug)]
enum Inside {
    /// An expression between brackets, or the file; how many braces are open in it.
    Expression { braces: usize, template: bool },
    /// A string in quotes.
    Quotes,
    /// A heredoc, until a line that is this word.
    Heredoc(String),
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    inside: Vec<Inside>,
    tokens: Vec<Token<'t>>,
}

/// The tokens of a text.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, LexError> {
    let mut lexer = Lexer {
        text,
        at: 0,
        inside: vec![Inside::Expression {
            braces: 0,
            template: false,
        }],
        tokens: Vec::new(),
    };
    while lexer.at < text.len() {
        match lexer.inside.last() {
            Some(Inside::Quotes) => lexer.quoted()?,
            Some(Inside::Heredoc(word)) => {
                let word = word.clone();
                lexer.heredoc(&word);
            }
            _ => lexer.expression()?,
        }
    }
    match lexer.inside.as_slice() {
        [Inside::Expression { .. }] => {}
        _ => return Err(lexer.error("the text ends inside of a string or template")),
    }
    Ok(fix_heredocs(lexer.tokens))
}

/// Operators by their text, longest first.
const OPERATORS: [(&str, Kind); 26] = [
    ("...", Kind::Ellipsis),
    ("==", Kind::Operator),
    ("!=", Kind::Operator),
    ("<=", Kind::Operator),
    (">=", Kind::Operator),
    ("=>", Kind::Arrow),
    ("&&", Kind::Operator),
    ("||", Kind::Operator),
    ("::", Kind::DoubleColon),
    ("=", Kind::Assign),
    ("<", Kind::Operator),
    (">", Kind::Operator),
    ("+", Kind::Operator),
    ("*", Kind::Operator),
    ("/", Kind::Operator),
    ("%", Kind::Operator),
    ("-", Kind::Minus),
    ("!", Kind::Not),
    ("?", Kind::Question),
    (":", Kind::Colon),
    (".", Kind::Dot),
    (",", Kind::Comma),
    ("[", Kind::OpenBracket),
    ("]", Kind::CloseBracket),
    ("(", Kind::OpenParen),
    (")", Kind::CloseParen),
];

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, message: &'static str) -> LexError {
        LexError {
            message,
            offset: self.at,
        }
    }

    fn push(&mut self, kind: Kind, length: usize, blanks: usize) {
        let text = self.rest().get(..length).unwrap_or_default();
        self.at += text.len();
        self.tokens.push(Token {
            blanks,
            ..Token::new(kind, text)
        });
    }

    fn expression(&mut self) -> Result<(), LexError> {
        let blanks = self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        self.at += blanks;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(());
        };
        if rest.starts_with('\n') {
            self.push(Kind::Newline, 1, blanks);
        } else if rest.starts_with("\r\n") {
            self.push(Kind::Newline, 2, blanks);
        } else if rest.starts_with('#') || rest.starts_with("//") {
            let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
            self.push(Kind::Comment, length, blanks);
        } else if rest.starts_with("/*") {
            let end = rest.find("*/");
            let end = end.ok_or_else(|| self.error("the comment does not end"))?;
            self.push(Kind::Comment, end + 2, blanks);
        } else if first.is_ascii_digit() {
            self.push(Kind::Number, number_length(rest), blanks);
        } else if is_name_start(first) {
            let length = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
            self.push(Kind::Ident, length, blanks);
        } else if first == '"' {
            self.push(Kind::OpenQuote, 1, blanks);
            self.inside.push(Inside::Quotes);
        } else if rest.starts_with("<<") {
            self.open_heredoc(blanks)?;
        } else if matches!(first, '{' | '}' | '~') {
            self.brace(first, blanks)?;
        } else {
            let found = OPERATORS.iter().find(|(text, _)| rest.starts_with(text));
            let (text, kind) = found.ok_or_else(|| self.error("this character has no meaning"))?;
            self.push(*kind, text.len(), blanks);
        }
        Ok(())
    }

    /// `{`, `}`, or `~}` at the end of a template's part.
    fn brace(&mut self, first: char, blanks: usize) -> Result<(), LexError> {
        let Some(Inside::Expression { braces, template }) = self.inside.last_mut() else {
            return Err(self.error("this bracket has no counterpart"));
        };
        match (first, *braces) {
            ('{', _) => {
                *braces += 1;
                self.push(Kind::OpenBrace, 1, blanks);
            }
            ('}', 1..) => {
                *braces -= 1;
                self.push(Kind::CloseBrace, 1, blanks);
            }
            (_, 0) if *template && (first == '}' || self.rest().starts_with("~}")) => {
                self.inside.pop();
                let length = if first == '~' { 2 } else { 1 };
                self.push(Kind::CloseTemplate, length, blanks);
            }
            _ => return Err(self.error("this bracket has no counterpart")),
        }
        Ok(())
    }

    fn open_heredoc(&mut self, blanks: usize) -> Result<(), LexError> {
        let rest = self.rest();
        let line = rest.find('\n').map(|end| end + 1);
        let line = line.ok_or_else(|| self.error("the heredoc does not end"))?;
        let word = rest.get(2..line).unwrap_or_default();
        let word = word.strip_prefix('-').unwrap_or(word).trim();
        if word.is_empty() || !word.chars().all(is_name_part) {
            return Err(self.error("a heredoc begins with a name"));
        }
        self.inside.push(Inside::Heredoc(word.to_owned()));
        self.push(Kind::OpenHeredoc, line, blanks);
        Ok(())
    }

    /// Text in quotes up to a template's part or the closing quote.
    fn quoted(&mut self) -> Result<(), LexError> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let mut i = 0;
        while let Some(byte) = bytes.get(i) {
            match byte {
                b'"' => break,
                b'\n' => {
                    self.at += i;
                    return Err(self.error("a string ends on its line"));
                }
                b'\\' => i += 2,
                b'$' | b'%' => match template_at(bytes, i) {
                    TemplateAt::Opens => break,
                    TemplateAt::Text(length) => i += length,
                },
                _ => i += 1,
            }
        }
        let i = i.min(rest.len());
        if i > 0 {
            self.push(Kind::QuotedText, i, 0);
            return Ok(());
        }
        if rest.starts_with('"') {
            self.inside.pop();
            self.push(Kind::CloseQuote, 1, 0);
        } else {
            self.open_template();
        }
        Ok(())
    }

    /// Text of a heredoc up to a template's part or the closing line.
    fn heredoc(&mut self, word: &str) {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let mut line_start = self.tokens.last().is_some_and(|t| t.text.ends_with('\n'));
        let mut i = 0;
        while let Some(byte) = bytes.get(i) {
            if line_start {
                let line = rest.get(i..).unwrap_or_default();
                let line = line.split('\n').next().unwrap_or_default();
                if line.trim() == word {
                    if i > 0 {
                        self.push(Kind::HeredocText, i, 0);
                    }
                    self.inside.pop();
                    let length = line.trim_end_matches('\r').len();
                    self.push(Kind::CloseHeredoc, length, 0);
                    return;
                }
            }
            line_start = *byte == b'\n';
            match byte {
                b'$' | b'%' => match template_at(bytes, i) {
                    TemplateAt::Opens => break,
                    TemplateAt::Text(length) => i += length,
                },
                _ => i += 1,
            }
        }
        if i > 0 {
            self.push(Kind::HeredocText, i.min(rest.len()), 0);
        } else {
            self.open_template();
        }
    }

    fn open_template(&mut self) {
        let rest = self.rest();
        let kind = match rest.starts_with('$') {
            true => Kind::OpenInterpolation,
            false => Kind::OpenDirective,
        };
        let length = if rest.get(2..3) == Some("~") { 3 } else { 2 };
        self.push(kind, length, 0);
        self.inside.push(Inside::Expression {
            braces: 0,
            template: true,
        });
    }
}

enum TemplateAt {
    Opens,
    Text(usize),
}

/// Whether a template's part opens at a `$` or `%`; `$${` and `%%{` are text.
fn template_at(bytes: &[u8], i: usize) -> TemplateAt {
    match (bytes.get(i), bytes.get(i + 1), bytes.get(i + 2)) {
        (_, Some(b'{'), _) => TemplateAt::Opens,
        (Some(a), Some(b), Some(b'{')) if a == b => TemplateAt::Text(3),
        _ => TemplateAt::Text(1),
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || (!c.is_ascii() && !c.is_whitespace() && !c.is_control())
}

fn is_name_part(c: char) -> bool {
    is_name_start(c) || c.is_ascii_digit() || c == '-'
}

/// `1`, `1.5`, `1e-3`; the dot of `1.x` or `1...` is not part of it.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len()
    };
    let mut length = digits(0);
    if text.get(length..).is_some_and(|t| t.starts_with('.')) && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    let rest = text.get(length..).unwrap_or_default();
    if rest.starts_with(['e', 'E']) {
        let sign = usize::from(rest.get(1..2).is_some_and(|s| s == "+" || s == "-"));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

/// Marks what lies in a heredoc's template parts of several lines: it stays as it is, because
/// the blanks around it are the heredoc's.
fn fix_heredocs(mut tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut heredocs = 0usize;
    let mut opened: Vec<usize> = Vec::new();
    for i in 0..tokens.len() {
        match tokens[i].kind {
            Kind::OpenHeredoc => heredocs += 1,
            Kind::CloseHeredoc => heredocs = heredocs.saturating_sub(1),
            Kind::OpenInterpolation | Kind::OpenDirective => opened.push(i),
            Kind::CloseTemplate => {
                if let Some(start) = opened.pop() {
                    let inside = start + 1..i + 1;
                    let lines = tokens[inside.clone()].iter().any(Token::ends_line);
                    if heredocs > 0 && lines {
                        tokens[inside].iter_mut().for_each(|t| t.fixed = true);
                    }
                }
            }
            _ => {}
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let tokens = tokens(text).unwrap();
        let texts: Vec<&str> = tokens.iter().map(|t| t.text.as_ref()).collect();
        texts.join("|")
    }

    #[test]
    fn a_text_is_its_tokens() {
        for (text, wanted) in [
            ("a=-1.5e3", "a|=|-|1.5e3"),
            ("x.0.y", "x|.|0|.|y"),
            ("f(a...)", "f|(|a|...|)"),
            (r#""a\"${b}$${c}%%{d}$e""#, r#""|a\"|${|b|}|$${c}%%{d}$e|""#),
            (r#""${~ {a="}"} ~}""#, r#""|${~|{|a|=|"|}|"|}|~}|""#),
            (
                "<<-EOT\n  x\n ${y}EOT\n  EOT\n",
                "<<-EOT\n|  x\n |${|y|}|EOT\n|  EOT|\n",
            ),
            ("<<E\nE\n", "<<E\n|E|\n"),
            ("a-b // c\n/* d\n*/", "a-b|// c\n|/* d\n*/"),
            ("é_1 a::b", "é_1|a|::|b"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_does_not_end_or_fit_is_an_error() {
        for text in [
            "\"a", "/* a", "<<E\nx\n", "\"${a\"", "}", "a ~ b", "`", "\"a\n\"",
        ] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }
}
