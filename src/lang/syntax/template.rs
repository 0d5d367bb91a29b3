//! Templates: a row of parts, which is then put together to expressions.

use std::sync::Arc;

use mlinfra_sdk::Value;

use super::token::{Kind, Token};
use super::{Failed, Parse, Parser, heredoc};
use crate::lang::expr::{Conditional, Expr, ExprKind, For};
use crate::lang::place::place;
use crate::lang::quote::quoted;
use crate::lang::suggest::nearest;
use crate::source::Span;

/// A part of a template. All but text say whether they strip blanks before and after them.
pub(super) enum Part {
    Text(String, Span),
    Interpolation(Expr, Strips),
    If(Expr, Span, Strips),
    Else(Span, Strips),
    EndIf(Span, Strips),
    For(ForHead, Span, Strips),
    EndFor(Span, Strips),
}

type Strips = (bool, bool);

/// `for k, v in collection`
pub(super) struct ForHead {
    key: Option<Arc<str>>,
    value: Arc<str>,
    collection: Expr,
}

impl Part {
    pub(super) fn strips(&self) -> Strips {
        match self {
            Part::Text(..) => (false, false),
            Part::Interpolation(_, strips)
            | Part::If(_, _, strips)
            | Part::Else(_, strips)
            | Part::EndIf(_, strips)
            | Part::For(_, _, strips)
            | Part::EndFor(_, strips) => *strips,
        }
    }
}

impl Parser<'_> {
    pub(super) fn quoted_template(&mut self) -> Parse<Expr> {
        let open = self.read();
        let (mut parts, close) = self.parts(Kind::CloseQuote)?;
        heredoc::strip(&mut parts);
        let span = self.span(open).to(self.span(close));
        self.assemble(parts, span)
    }

    pub(super) fn heredoc(&mut self) -> Parse<Expr> {
        let open = self.read();
        let (mut parts, close) = self.parts(Kind::CloseHeredoc)?;
        heredoc::strip(&mut parts);
        if self.text(open).starts_with("<<-") {
            heredoc::dedent(&mut parts);
        }
        let span = self.span(open).to(self.span(close));
        self.assemble(parts, span)
    }

    pub(super) fn whole_template(&mut self) -> Parse<Expr> {
        let (mut parts, close) = self.parts(Kind::End)?;
        heredoc::strip(&mut parts);
        let span = Span::new(self.source, 0..close.end);
        self.assemble(parts, span)
    }

    /// The parts up to the token that closes the template, and that token.
    fn parts(&mut self, closing: Kind) -> Parse<(Vec<Part>, Token)> {
        let mut parts = Vec::new();
        loop {
            let token = self.read();
            match token.kind {
                kind if kind == closing => return Ok((parts, token)),
                Kind::QuotedText => parts.push(self.quoted_text(token)?),
                Kind::PlainText => {
                    let text = self.text(token).replace("$${", "${").replace("%%{", "%{");
                    parts.push(Part::Text(text, self.span(token)));
                }
                Kind::Interpolation => {
                    parts.push(self.within(false, |p| p.interpolation(token, closing))?);
                }
                Kind::Control => {
                    parts.push(self.within(false, |p| p.control(token))?);
                }
                // It has been told already.
                Kind::QuotedNewline => return Err(Failed),
                _ => {
                    return self.fail(
                        self.span(token),
                        "Unterminated template string",
                        "No closing marker was found for the string.",
                    );
                }
            }
        }
    }

    fn interpolation(&mut self, open: Token, closing: Kind) -> Parse<Part> {
        const UNCLOSED: &str = "Unclosed template interpolation sequence";
        const EXTRA: &str = "Extra characters after interpolation expression";
        let expr = self.expression()?;
        let close = self.peek();
        let span = self.span(close);
        match close.kind {
            Kind::SequenceEnd => {
                self.read();
                let strips = self.strips(open, close);
                Ok(Part::Interpolation(expr, strips))
            }
            Kind::End => self.fail(
                self.span(open),
                UNCLOSED,
                "There is no closing brace for this interpolation sequence before the end of the \
                 file. This might be caused by incorrect nesting inside the given expression.",
            ),
            Kind::OpenQuote | Kind::CloseQuote if closing == Kind::CloseQuote => self.fail(
                self.span(open),
                UNCLOSED,
                "There is no closing brace for this interpolation sequence before the end of the \
                 quoted template. This might be caused by incorrect nesting inside the given \
                 expression.",
            ),
            Kind::Colon => self.fail(
                span,
                EXTRA,
                "Template interpolation doesn't expect a colon at this location. Did you intend \
                 this to be a literal sequence to be processed as part of another language? If \
                 so, you can escape it by starting with \"$${\" instead of just \"${\".",
            ),
            _ => self.fail(
                span,
                EXTRA,
                "Expected a closing brace to end the interpolation expression, but found extra \
                 characters.\n\nThis can happen when you include interpolation syntax for another \
                 language, such as shell scripting, but forget to escape the interpolation start \
                 token. If this is an embedded sequence for another language, escape it by \
                 starting with \"$${\" instead of just \"${\".",
            ),
        }
    }

    fn strips(&self, open: Token, close: Token) -> Strips {
        (
            self.text(open).ends_with('~'),
            self.text(close).starts_with('~'),
        )
    }

    fn control(&mut self, open: Token) -> Parse<Part> {
        let keyword = self.peek();
        if keyword.kind != Kind::Ident {
            return self.fail(
                self.span(keyword),
                "Invalid template directive",
                "A template directive keyword (\"if\", \"for\", etc) is expected at the beginning \
                 of a %{ sequence.",
            );
        }
        self.read();
        let word = self.text(keyword);
        type Finish = Box<dyn FnOnce(Span, Strips) -> Part>;
        let finish: Finish = match word {
            "if" => {
                let condition = self.expression()?;
                Box::new(move |span, strips| Part::If(condition, span, strips))
            }
            "for" => {
                let head = self.for_head()?;
                Box::new(move |span, strips| Part::For(head, span, strips))
            }
            "else" => Box::new(Part::Else),
            "endif" => Box::new(Part::EndIf),
            "endfor" => Box::new(Part::EndFor),
            _ => return self.unknown_directive(keyword),
        };
        let close = self.peek();
        if close.kind != Kind::SequenceEnd {
            let summary = format!("Extra characters in {word} marker");
            return self.fail(
                self.span(close),
                &summary,
                "Expected a closing brace to end the sequence, but found extra characters.",
            );
        }
        self.read();
        let span = self.span(open).to(self.span(close));
        Ok(finish(span, self.strips(open, close)))
    }

    fn unknown_directive<T>(&mut self, keyword: Token) -> Parse<T> {
        let word = self.text(keyword);
        // The first that is near, not the nearest, as others tell it.
        let known = ["if", "for", "else", "endif", "endfor"]
            .into_iter()
            .find(|known| nearest(word, [*known]).is_some());
        let hint = known.map(|known| format!(" Did you mean {}?", quoted(known)));
        let detail = format!(
            "{} is not a valid template control keyword.{}",
            quoted(word),
            hint.unwrap_or_default()
        );
        self.fail(
            self.span(keyword),
            "Invalid template control keyword",
            detail,
        )
    }

    fn for_head(&mut self) -> Parse<ForHead> {
        const SUMMARY: &str = "Invalid 'for' directive";
        let missing = [
            "For directive requires variable name after 'for'.",
            "For directive requires value variable name after comma.",
        ];
        let (key, value) = self.for_names(SUMMARY, missing)?;
        if !self.at_word("in") {
            return self.fail(
                self.span(self.peek()),
                SUMMARY,
                "For directive requires 'in' keyword after names.",
            );
        }
        self.read();
        Ok(ForHead {
            key,
            value,
            collection: self.expression()?,
        })
    }

    fn quoted_text(&mut self, token: Token) -> Parse<Part> {
        let span = self.span(token);
        match unescape(self.text(token)) {
            Ok(text) => Ok(Part::Text(text, span)),
            Err(detail) => self.fail(span, "Invalid escape sequence", detail),
        }
    }

    /// Puts parts together: an interpolation alone is its value, text alone a literal.
    fn assemble(&mut self, mut parts: Vec<Part>, span: Span) -> Parse<Expr> {
        if let (1, Some(Part::Interpolation(..))) = (parts.len(), parts.first())
            && let Some(Part::Interpolation(expr, _)) = parts.pop()
        {
            return Ok(Expr {
                kind: ExprKind::Interpolation(Arc::new(expr)),
                span,
            });
        }
        let mut builder = Builder {
            parts: parts.into_iter(),
        };
        let (exprs, end) = builder.sequence(self)?;
        let (name, at) = match end {
            Stop::Template => return Ok(template(exprs, span)),
            Stop::Else(at) => ("else", at),
            Stop::EndIf(at) => ("endif", at),
            Stop::EndFor(at) => ("endfor", at),
        };
        self.fail(
            at,
            &format!("Unexpected {name} directive"),
            "The control directives within this template are unbalanced.",
        )
    }
}

fn template(mut parts: Vec<Expr>, span: Span) -> Expr {
    let is_text = |e: &Expr| matches!(&e.kind, ExprKind::Literal(v) if v.as_str().is_some());
    let kind = match parts.as_slice() {
        [] => ExprKind::Literal(Value::from("")),
        [part] if is_text(part) => parts.remove(0).kind,
        _ => ExprKind::Template(parts.into()),
    };
    Expr { kind, span }
}

/// What ended a row of parts.
enum Stop {
    Template,
    Else(Span),
    EndIf(Span),
    EndFor(Span),
}

struct Builder {
    parts: std::vec::IntoIter<Part>,
}

impl Builder {
    fn sequence(&mut self, parser: &mut Parser<'_>) -> Parse<(Vec<Expr>, Stop)> {
        let mut exprs: Vec<Expr> = Vec::new();
        let mut text: Option<(String, Span)> = None;
        let flush = |text: &mut Option<(String, Span)>, exprs: &mut Vec<Expr>| {
            if let Some((text, span)) = text.take() {
                exprs.push(Expr::literal(Value::string(&text), span));
            }
        };
        let end = loop {
            let Some(part) = self.parts.next() else {
                break Stop::Template;
            };
            if let Part::Text(more, span) = part {
                match &mut text {
                    Some((text, whole)) => {
                        text.push_str(&more);
                        *whole = whole.to(span);
                    }
                    None => text = Some((more, span)),
                }
                continue;
            }
            flush(&mut text, &mut exprs);
            exprs.push(match part {
                Part::Interpolation(expr, _) => expr,
                Part::If(condition, span, _) => {
                    parser.nested(|p| self.if_directive(p, condition, span))?
                }
                Part::For(head, span, _) => parser.nested(|p| self.for_directive(p, head, span))?,
                Part::Else(span, _) => break Stop::Else(span),
                Part::EndIf(span, _) => break Stop::EndIf(span),
                Part::EndFor(span, _) => break Stop::EndFor(span),
                Part::Text(..) => continue,
            });
        };
        flush(&mut text, &mut exprs);
        Ok((exprs, end))
    }

    fn if_directive(
        &mut self,
        parser: &mut Parser<'_>,
        condition: Expr,
        span: Span,
    ) -> Parse<Expr> {
        let (then, mut end) = self.sequence(parser)?;
        let mut otherwise = Vec::new();
        let has_else = matches!(end, Stop::Else(_));
        if has_else {
            (otherwise, end) = self.sequence(parser)?;
        }
        let started = place(parser.file, span);
        let (name, at) = match end {
            Stop::EndIf(_) => {
                return Ok(Expr {
                    kind: ExprKind::Conditional(Arc::new(Conditional {
                        condition,
                        if_true: template(then, span),
                        if_false: template(otherwise, span),
                    })),
                    span,
                });
            }
            Stop::Template => {
                let detail = format!(
                    "The if directive at {started} is missing its corresponding endif directive."
                );
                return parser.fail(span, "Unexpected end of template", detail);
            }
            Stop::Else(at) => {
                let detail = format!("Already in the else clause for the if started at {started}.");
                return parser.fail(at, "Unexpected else directive", detail);
            }
            Stop::EndFor(at) => ("endfor", at),
        };
        let detail = format!("Expecting an endif directive for the if started at {started}.");
        parser.fail(at, &format!("Unexpected {name} directive"), detail)
    }

    fn for_directive(&mut self, parser: &mut Parser<'_>, head: ForHead, span: Span) -> Parse<Expr> {
        let (body, end) = self.sequence(parser)?;
        let started = place(parser.file, span);
        let (name, at) = match end {
            Stop::EndFor(_) => {
                let f = Expr {
                    kind: ExprKind::For(Arc::new(For {
                        key_name: head.key,
                        value_name: head.value,
                        collection: head.collection,
                        key: None,
                        value: template(body, span),
                        condition: None,
                        group: false,
                    })),
                    span,
                };
                return Ok(Expr {
                    kind: ExprKind::TemplateJoin(Arc::new(f)),
                    span,
                });
            }
            Stop::Template => {
                let detail = format!(
                    "The for directive at {started} is missing its corresponding endfor directive."
                );
                return parser.fail(span, "Unexpected end of template", detail);
            }
            Stop::Else(at) => ("else", at),
            Stop::EndIf(at) => ("endif", at),
        };
        let detail = format!(
            "Expecting an endfor directive corresponding to the for directive at {started}."
        );
        parser.fail(at, &format!("Unexpected {name} directive"), detail)
    }
}

/// The text that a quoted piece stands for; an error says what is wrong with it.
fn unescape(quoted_text: &str) -> Result<String, String> {
    let mut text = String::with_capacity(quoted_text.len());
    let mut chars = quoted_text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(escape(&mut chars)?),
            c @ ('$' | '%') => {
                text.push(c);
                let doubled = if c == '$' { "${" } else { "%{" };
                if chars.as_str().starts_with(doubled) {
                    chars.next();
                }
            }
            c => text.push(c),
        }
    }
    Ok(text)
}

fn escape(chars: &mut std::str::Chars<'_>) -> Result<char, String> {
    let selector = chars
        .next()
        .ok_or("Backslash must be followed by an escape sequence selector character.")?;
    let length = match selector {
        'n' => return Ok('\n'),
        'r' => return Ok('\r'),
        't' => return Ok('\t'),
        '"' | '\\' => return Ok(selector),
        'u' => 4,
        'U' => 8,
        other => {
            return Err(format!(
                "The symbol {} is not a valid escape sequence selector.",
                quoted(other.encode_utf8(&mut [0; 4]))
            ));
        }
    };
    let digits: String = chars
        .as_str()
        .chars()
        .take(length)
        .take_while(char::is_ascii_hexdigit)
        .collect();
    if digits.len() < length {
        let count = if length == 4 { "four" } else { "eight" };
        return Err(format!(
            "The \\{selector} escape sequence must be followed by {count} hexadecimal digits."
        ));
    }
    chars.nth(length - 1);
    let code = u32::from_str_radix(&digits, 16).unwrap_or(u32::MAX);
    char::from_u32(code).ok_or_else(|| format!("Cannot encode character U+{code:04x} in UTF-8."))
}
