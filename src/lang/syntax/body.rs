//! Configuration files: attributes and blocks.

use std::sync::Arc;

use super::token::{Kind, Token};
use super::{Failed, Parse, Parser};
use crate::lang::expr::{Expr, ExprKind};
use crate::lang::place::place;
use crate::lang::quote::quoted;
use crate::source::Span;

/// The content of a file or block.
#[derive(Clone, PartialEq, Debug)]
pub struct Body {
    /// The arguments, in the order they are written.
    pub attributes: Vec<Attribute>,
    /// The blocks, in the order they are written.
    pub blocks: Vec<Block>,
    /// From the first to the last byte.
    pub span: Span,
}

/// `name = value`
#[derive(Clone, PartialEq, Debug)]
pub struct Attribute {
    /// The name.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// The value.
    pub value: Expr,
    /// All of it.
    pub span: Span,
}

/// `kind "label" { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// The first word.
    pub kind: Arc<str>,
    /// Where that stands.
    pub kind_span: Span,
    /// The labels.
    pub labels: Vec<Label>,
    /// What stands between the braces.
    pub body: Body,
    /// From the first word to the last label.
    pub header: Span,
    /// All of it.
    pub span: Span,
}

/// A label of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The text.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

impl Body {
    /// The argument of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| &*a.name == name)
    }

    /// The blocks of this kind.
    pub fn blocks_of<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Block> {
        self.blocks.iter().filter(move |b| &*b.kind == kind)
    }
}

enum Item {
    Attribute(Attribute),
    Block(Block),
}

const INVALID_BLOCK: &str = "Invalid block definition";
const SINGLE: &str = "Invalid single-argument block definition";

impl Parser<'_> {
    /// The items up to what closes the body, which is read too. Errors are noted; after one,
    /// reading goes on with the next item.
    pub(super) fn body(&mut self, closing: Kind) -> Body {
        let start = self.peek();
        let mut body = Body {
            attributes: Vec::new(),
            blocks: Vec::new(),
            span: self.span(start),
        };
        loop {
            let next = self.peek();
            body.span = body.span.to(self.span(next));
            match next.kind {
                kind if kind == closing => {
                    self.read();
                    return body;
                }
                Kind::Newline => {
                    self.read();
                }
                Kind::Ident => match self.item() {
                    Ok(Item::Block(block)) => body.blocks.push(block),
                    Ok(Item::Attribute(attribute)) => self.add(&mut body, attribute),
                    Err(Failed) => self.recover(),
                },
                kind => {
                    self.unexpected(next);
                    if kind == Kind::End {
                        return body;
                    }
                    self.read();
                    self.recover();
                }
            }
        }
    }

    fn add(&mut self, body: &mut Body, attribute: Attribute) {
        if let Some(before) = body.attribute(&attribute.name) {
            let detail = format!(
                "The argument {} was already set at {}. Each argument may be set only once.",
                quoted(&attribute.name),
                place(self.file, before.name_span)
            );
            let _ = self.fail::<()>(attribute.name_span, "Attribute redefined", detail);
            return;
        }
        body.attributes.push(attribute);
    }

    fn unexpected(&mut self, token: Token) {
        let (summary, detail) = match token.kind {
            Kind::OpenQuote => (
                "Invalid argument name",
                "Argument names must not be quoted.",
            ),
            Kind::End => (
                "Unclosed configuration block",
                "There is no closing brace for this block before the end of the file. This may \
                 be caused by incorrect brace nesting elsewhere in this file.",
            ),
            _ => (
                "Argument or block definition required",
                "An argument or block definition is required here.",
            ),
        };
        let _ = self.fail::<()>(self.span(token), summary, detail);
    }

    /// Skips to the next line outside of any brackets that open on the way.
    fn recover(&mut self) {
        // What failed may have left brackets behind that the tokens so far opened.
        let mut open = 0usize;
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                Kind::End => return,
                Kind::OpenBrace
                | Kind::OpenBracket
                | Kind::OpenParen
                | Kind::OpenQuote
                | Kind::OpenHeredoc
                | Kind::Interpolation
                | Kind::Control => open += 1,
                Kind::CloseBrace if open == 0 => return,
                Kind::CloseBrace
                | Kind::CloseBracket
                | Kind::CloseParen
                | Kind::CloseQuote
                | Kind::CloseHeredoc
                | Kind::SequenceEnd => open = open.saturating_sub(1),
                Kind::Newline if open == 0 => {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn item(&mut self) -> Parse<Item> {
        let name = self.read();
        match self.peek().kind {
            Kind::Assign => self.attribute(name, false).map(Item::Attribute),
            Kind::OpenQuote | Kind::OpenBrace | Kind::Ident => {
                self.nested(|p| p.block(name)).map(Item::Block)
            }
            _ => self.fail(
                self.span(self.peek()),
                "Argument or block definition required",
                "An argument or block definition is required here. To set an argument, use the \
                 equals sign \"=\" to introduce the argument value.",
            ),
        }
    }

    /// An argument; on a line of its own, or alone in a block.
    fn attribute(&mut self, name: Token, alone: bool) -> Parse<Attribute> {
        self.read();
        let value = self.expression()?;
        let end = self.peek();
        if !alone {
            match end.kind {
                Kind::Newline => {
                    self.read();
                }
                Kind::End => {}
                Kind::Comma => {
                    return self.fail(
                        self.span(end),
                        "Unexpected comma after argument",
                        "Argument definitions must be separated by newlines, not commas. An \
                         argument definition must end with a newline.",
                    );
                }
                _ => {
                    return self.fail(
                        self.span(end),
                        "Missing newline after argument",
                        "An argument definition must end with a newline.",
                    );
                }
            }
        }
        let name_span = self.span(name);
        Ok(Attribute {
            name: self.text(name).into(),
            name_span,
            span: name_span.to(value.span),
            value,
        })
    }

    fn block(&mut self, kind: Token) -> Parse<Block> {
        let kind_span = self.span(kind);
        let mut header = kind_span;
        let mut labels = Vec::new();
        loop {
            let token = self.peek();
            match token.kind {
                Kind::OpenBrace => {
                    self.read();
                    break;
                }
                Kind::OpenQuote => labels.push(self.quoted_label()?),
                Kind::Ident => {
                    self.read();
                    labels.push(Label {
                        text: self.text(token).into(),
                        span: self.span(token),
                    });
                }
                Kind::Assign => {
                    return self.fail(
                        self.span(token),
                        INVALID_BLOCK,
                        "The equals sign \"=\" indicates an argument definition, and must not be \
                         used when defining a block.",
                    );
                }
                Kind::Newline => {
                    return self.fail(
                        self.span(token),
                        INVALID_BLOCK,
                        "A block definition must have block content delimited by \"{\" and \"}\", \
                         starting on the same line as the block header.",
                    );
                }
                _ => {
                    return self.fail(
                        self.span(token),
                        INVALID_BLOCK,
                        "Either a quoted string block label or an opening brace (\"{\") is \
                         expected here.",
                    );
                }
            }
            if let Some(label) = labels.last() {
                header = header.to(label.span);
            }
        }
        let body = match self.peek().kind {
            Kind::Newline | Kind::End | Kind::CloseBrace => self.body(Kind::CloseBrace),
            _ => self.single_argument()?,
        };
        let end = self.peek();
        match end.kind {
            Kind::Newline => {
                self.read();
            }
            Kind::End => {}
            _ => {
                return self.fail(
                    self.span(end),
                    "Missing newline after block definition",
                    "A block definition must end with a newline.",
                );
            }
        }
        Ok(Block {
            kind: self.text(kind).into(),
            kind_span,
            labels,
            span: kind_span.to(body.span),
            body,
            header,
        })
    }

    fn quoted_label(&mut self) -> Parse<Label> {
        let expr = self.quoted_template()?;
        match &expr.kind {
            ExprKind::Literal(value) => Ok(Label {
                text: value.as_str().unwrap_or_default().into(),
                span: expr.span,
            }),
            _ => self.fail(
                expr.span,
                "Invalid string literal",
                "Template sequences are not allowed in this string. To include a literal \"$\", \
                 double it (as \"$$\") to escape it.",
            ),
        }
    }

    /// `{ name = value }` on one line, of which the brace has been read.
    fn single_argument(&mut self) -> Parse<Body> {
        let name = self.read();
        if name.kind != Kind::Ident || self.peek().kind != Kind::Assign {
            return self.fail(
                self.span(name),
                "Argument definition required",
                "A single-line block definition can contain only a single argument. If you meant \
                 to define argument values in this block, put each one on a line of its own.",
            );
        }
        let attribute = self.attribute(name, true)?;
        let close = self.read();
        let detail = match close.kind {
            Kind::CloseBrace => {
                return Ok(Body {
                    span: attribute.span.to(self.span(close)),
                    attributes: vec![attribute],
                    blocks: Vec::new(),
                });
            }
            Kind::Comma => {
                "Single-line block syntax can include only one argument definition. To define \
                 multiple arguments, use the multi-line block syntax with one argument definition \
                 per line."
            }
            Kind::Newline => {
                "An argument definition on the same line as its containing block creates a \
                 single-line block definition, which must also be closed on the same line. Place \
                 the block's closing brace immediately after the argument definition."
            }
            _ => {
                "A single-line block definition must end with a closing brace immediately after \
                 its single argument definition."
            }
        };
        self.fail(self.span(close), SINGLE, detail)
    }
}

#[cfg(test)]
mod tests {
    use crate::lang::syntax::parse_file;
    use crate::source::Sources;

    #[test]
    fn every_broken_item_is_told_and_the_others_are_read() {
        let text = "a = 1\nb = \nc = [1,\n  2 3]\nd { x = 1 }\n\"e\" = 1\nf \"l\" {\n  y = 2\n  z\n}\ng = 5\n";
        let mut sources = Sources::default();
        let source = sources.add("x.hcl", None, text);
        let (body, errors) = parse_file(source, &sources);
        let names: Vec<&str> = body.attributes.iter().map(|a| &*a.name).collect();
        assert_eq!(names, ["a", "g"]);
        assert_eq!(body.blocks.len(), 2);
        assert_eq!(&*body.blocks[1].labels[0].text, "l");
        let summaries: Vec<&str> = errors.0.iter().map(|e| e.summary.as_str()).collect();
        assert_eq!(
            summaries,
            [
                "Invalid expression",
                "Missing item separator",
                "Invalid argument name",
                "Argument or block definition required",
            ]
        );
    }
}
