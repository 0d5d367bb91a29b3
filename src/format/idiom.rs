//! The few changes that are more than blanks: quotes around labels, `x` for `"${x}"`, and today's
//! type constraints for those of old.

use super::token::{Kind, Token};

/// Rewrites the tokens of a file.
pub fn rewrite(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut rewriter = Rewriter {
        out: Vec::with_capacity(tokens.len() + 16),
        tokens: tokens.into_iter().peekable(),
    };
    rewriter.body(None);
    let mut out = rewriter.out;
    // The last line ends like all others.
    if out.last().is_some_and(|last| !last.ends_line()) {
        match out.last_mut() {
            Some(last) if last.kind == Kind::Comment && is_of_a_line(&last.text) => {
                last.text.to_mut().push('\n');
            }
            _ => out.push(Token::new(Kind::Newline, "\n")),
        }
    }
    out
}

fn is_of_a_line(comment: &str) -> bool {
    !comment.starts_with("/*")
}

struct Rewriter<'t> {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token<'t>>>,
    out: Vec<Token<'t>>,
}

impl<'t> Rewriter<'t> {
    /// The attributes and blocks of a body, up to the brace that closes it. `block` is the type of
    /// the block around it when that block stands in the file itself.
    fn body(&mut self, block: Option<&str>) {
        self.body_at(block, 0);
    }

    fn body_at(&mut self, block: Option<&str>, depth: usize) {
        while let Some(token) = self.tokens.next() {
            let kind = token.kind;
            if kind != Kind::Ident {
                self.out.push(token);
                if kind == Kind::CloseBrace {
                    return;
                }
                continue;
            }
            let name = token.text.to_string();
            self.out.push(token);
            self.comments();
            if self.tokens.peek().is_some_and(|t| t.kind == Kind::Assign) {
                self.out.extend(self.tokens.next());
                let is_type = block == Some("variable") && depth == 1 && name == "type";
                let value = self.value();
                self.out.extend(match is_type {
                    true => type_constraint(value),
                    false => lone_interpolation(value),
                });
            } else {
                self.labels();
                self.body_at((depth == 0).then_some(name.as_str()), depth + 1);
            }
        }
    }

    /// Comments that do not end a line.
    fn comments(&mut self) {
        let is_comment = |t: &Token<'t>| t.kind == Kind::Comment && !t.ends_line();
        while let Some(comment) = self.tokens.next_if(is_comment) {
            self.out.push(comment);
        }
    }

    /// The labels of a block with the brace after them.
    fn labels(&mut self) {
        for token in self.tokens.by_ref() {
            match token.kind {
                Kind::Ident => {
                    let blanks = token.blanks;
                    self.out.push(Token {
                        blanks,
                        ..Token::new(Kind::OpenQuote, "\"")
                    });
                    self.out.push(Token::new(Kind::QuotedText, token.text));
                    self.out.push(Token::new(Kind::CloseQuote, "\""));
                }
                kind => {
                    self.out.push(token);
                    if kind == Kind::OpenBrace {
                        return;
                    }
                }
            }
        }
    }

    /// The tokens of a value: up to the end of its line or of a block on one line.
    fn value(&mut self) -> Vec<Token<'t>> {
        let mut value = Vec::new();
        let mut depth = 0isize;
        while let Some(token) = self.tokens.peek() {
            if depth == 0 && (token.ends_line() || token.kind == Kind::CloseBrace) {
                break;
            }
            depth += token.nesting();
            value.extend(self.tokens.next());
        }
        value
    }
}

/// `x` for `"${x}"`; in parentheses where it spans lines.
fn lone_interpolation(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let comments = tokens
        .iter()
        .rev()
        .take_while(|t| t.kind == Kind::Comment)
        .count();
    let (value, after) = tokens.split_at(tokens.len() - comments);
    let [open, interpolation, inside @ .., close, end] = value else {
        return tokens;
    };
    let kinds = [open.kind, interpolation.kind, close.kind, end.kind];
    let wanted = [
        Kind::OpenQuote,
        Kind::OpenInterpolation,
        Kind::CloseTemplate,
        Kind::CloseQuote,
    ];
    if kinds != wanted || inside.is_empty() || !is_one_expression(inside) {
        return tokens;
    }
    let is_blank = |t: &&Token<'_>| t.kind != Kind::Newline;
    let first = inside.iter().position(|t| is_blank(&t));
    let last = inside.iter().rposition(|t| is_blank(&t));
    let (Some(first), Some(last)) = (first, last) else {
        return tokens;
    };
    let trimmed = inside.get(first..=last).unwrap_or_default();
    let lines = trimmed.iter().any(Token::ends_line);
    let in_parens = matches!(trimmed, [first, .., last]
        if first.kind == Kind::OpenParen && last.kind == Kind::CloseParen);
    let mut out = Vec::with_capacity(tokens.len());
    if lines && !in_parens {
        out.push(Token::new(Kind::OpenParen, "("));
        out.extend_from_slice(trimmed);
        out.push(Token::new(Kind::CloseParen, ")"));
    } else {
        out.extend_from_slice(trimmed);
    }
    out.extend_from_slice(after);
    out
}

/// Whether no other part of the string stands between: strings inside of the expression may hold
/// what they like.
fn is_one_expression(inside: &[Token<'_>]) -> bool {
    let mut quotes = 0usize;
    inside.iter().all(|token| {
        match token.kind {
            Kind::OpenQuote => quotes += 1,
            Kind::CloseQuote => quotes = quotes.saturating_sub(1),
            Kind::OpenInterpolation | Kind::CloseTemplate | Kind::QuotedText => return quotes > 0,
            _ => {}
        }
        true
    })
}

/// `list(any)` for `list`; `string`, `list(string)` and `map(string)` for those words in quotes.
fn type_constraint(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let (word, element) = match tokens.as_slice() {
        [word] if word.kind == Kind::Ident => (word, "any"),
        [open, word, close]
            if [open.kind, word.kind, close.kind]
                == [Kind::OpenQuote, Kind::QuotedText, Kind::CloseQuote] =>
        {
            (word, "string")
        }
        _ => return tokens,
    };
    let collection = match word.text.as_ref() {
        "list" | "map" => true,
        "set" => element == "any",
        _ => false,
    };
    if collection {
        return vec![
            Token::new(Kind::Ident, word.text.clone()),
            Token::new(Kind::OpenParen, "("),
            Token::new(Kind::Ident, element),
            Token::new(Kind::CloseParen, ")"),
        ];
    }
    match word.text.as_ref() {
        "string" => vec![Token::new(Kind::Ident, "string")],
        _ => tokens,
    }
}
