//! Tuples, objects and `for` expressions.

use std::sync::Arc;

use mlinfra_sdk::Value;

use super::token::{Kind, Token};
use super::{Parse, Parser};
use crate::lang::expr::{Expr, ExprKind, For, ObjectItem};

const INVALID_FOR: &str = "Invalid 'for' expression";

impl Parser<'_> {
    pub(super) fn tuple(&mut self) -> Parse<Expr> {
        let open = self.read();
        self.within(false, |p| {
            if p.at_word("for") {
                return p.for_expr(open, Kind::CloseBracket);
            }
            let mut items = Vec::new();
            let close = loop {
                if p.peek().kind == Kind::CloseBracket {
                    break p.read();
                }
                items.push(p.expression()?);
                let next = p.read();
                match next.kind {
                    Kind::CloseBracket => break next,
                    Kind::Comma => {}
                    Kind::End => {
                        return p.fail(
                            p.span(open),
                            "Unterminated tuple constructor expression",
                            "There is no corresponding closing bracket before the end of the \
                             file. This may be caused by incorrect bracket nesting elsewhere in \
                             this file.",
                        );
                    }
                    _ => {
                        return p.fail(
                            p.span(next),
                            "Missing item separator",
                            "Expected a comma to mark the beginning of the next item.",
                        );
                    }
                }
            };
            let span = p.span(open).to(p.span(close));
            Ok(Expr::tuple(items, span))
        })
    }

    pub(super) fn object(&mut self) -> Parse<Expr> {
        let open = self.read();
        // A `for` may stand on another line than the brace.
        self.newlines.push(false);
        let is_for = self.at_word("for");
        self.newlines.pop();
        if is_for {
            return self.within(false, |p| p.for_expr(open, Kind::CloseBrace));
        }
        self.within(true, |p| {
            let mut items = Vec::new();
            let close = loop {
                match p.peek().kind {
                    Kind::Newline => {
                        p.read();
                        continue;
                    }
                    Kind::CloseBrace => break p.read(),
                    _ => {}
                }
                let key = p.object_key()?;
                p.object_separator(open)?;
                let value = p.expression()?;
                items.push(ObjectItem { key, value });
                let next = p.read();
                match next.kind {
                    Kind::CloseBrace => break next,
                    Kind::Comma | Kind::Newline => {}
                    Kind::End => return p.unterminated_object(open),
                    _ => {
                        return p.fail(
                            p.span(next),
                            "Missing attribute separator",
                            "Expected a newline or comma to mark the beginning of the next \
                             attribute.",
                        );
                    }
                }
            };
            Ok(Expr {
                kind: ExprKind::Object(items.into()),
                span: p.span(open).to(p.span(close)),
            })
        })
    }

    fn unterminated_object<T>(&mut self, open: Token) -> Parse<T> {
        self.fail(
            self.span(open),
            "Unterminated object constructor expression",
            "There is no corresponding closing brace before the end of the file. This may be \
             caused by incorrect brace nesting elsewhere in this file.",
        )
    }

    /// A key; a bare word stands for itself.
    fn object_key(&mut self) -> Parse<Expr> {
        let first = self.peek();
        let key = self.expression()?;
        if first.kind != Kind::Ident {
            return Ok(key);
        }
        Ok(match &key.kind {
            ExprKind::Traversal(t) if t.steps.is_empty() => {
                Expr::literal(Value::string(&t.root), key.span)
            }
            // In this place these are words like others.
            ExprKind::Literal(_) => Expr::literal(Value::string(self.text(first)), key.span),
            ExprKind::Traversal(_) => {
                // Whether the names in it exist matters more, so it is for the evaluation to tell.
                Expr {
                    span: key.span,
                    kind: ExprKind::AmbiguousKey(Arc::new(key)),
                }
            }
            _ => key,
        })
    }

    fn object_separator(&mut self, open: Token) -> Parse<()> {
        const MISSING: &str = "Missing key/value separator";
        let next = self.peek();
        let span = self.span(next);
        match next.kind {
            Kind::Assign | Kind::Colon => {
                self.read();
                Ok(())
            }
            Kind::Newline | Kind::Comma => self.fail(
                span,
                "Missing attribute value",
                "Expected an attribute value, introduced by an equals sign (\"=\").",
            ),
            Kind::Ident => self.fail(
                span,
                MISSING,
                "Expected an equals sign (\"=\") to mark the beginning of the attribute value. If \
                 you intended to given an attribute name containing periods or spaces, write the \
                 name in quotes to create a string literal.",
            ),
            Kind::End => self.unterminated_object(open),
            _ => self.fail(
                span,
                MISSING,
                "Expected an equals sign (\"=\") to mark the beginning of the attribute value.",
            ),
        }
    }

    /// The rest of a `for` expression after the bracket that opens it.
    fn for_expr(&mut self, open: Token, closing: Kind) -> Parse<Expr> {
        self.read();
        let names = [
            "For expression requires variable name after 'for'.",
            "For expression requires value variable name after comma.",
        ];
        let (key_name, value_name) = self.for_names(INVALID_FOR, names)?;
        if !self.at_word("in") {
            return self.invalid_for(
                "For expression requires the 'in' keyword after its name declarations.",
            );
        }
        self.read();
        let collection = self.expression()?;
        if self.peek().kind != Kind::Colon {
            return self
                .invalid_for("For expression requires a colon after the collection expression.");
        }
        self.read();
        let mut value = self.expression()?;
        let mut key = None;
        if self.peek().kind == Kind::Arrow {
            self.read();
            key = Some(std::mem::replace(&mut value, self.expression()?));
        }
        match &key {
            Some(key) if closing == Kind::CloseBracket => {
                return self.fail(
                    key.span,
                    INVALID_FOR,
                    "Key expression is not valid when building a tuple.",
                );
            }
            None if closing == Kind::CloseBrace => {
                return self.fail(
                    self.span(open).to(value.span),
                    INVALID_FOR,
                    "Key expression is required when building an object.",
                );
            }
            _ => {}
        }
        let group = self.peek().kind == Kind::Ellipsis;
        let ellipsis = self.peek();
        if group {
            self.read();
        }
        let mut condition = None;
        if self.at_word("if") {
            self.read();
            condition = Some(self.expression()?);
        }
        let close = self.peek();
        if close.kind != closing {
            return self.invalid_for("Extra characters after the end of the 'for' expression.");
        }
        self.read();
        if group && closing == Kind::CloseBracket {
            return self.fail(
                self.span(ellipsis),
                INVALID_FOR,
                "Grouping ellipsis (...) cannot be used when building a tuple.",
            );
        }
        Ok(Expr {
            span: self.span(open).to(self.span(close)),
            kind: ExprKind::For(Arc::new(For {
                key_name,
                value_name,
                collection,
                key,
                value,
                condition,
                group,
            })),
        })
    }

    fn invalid_for<T>(&mut self, detail: &str) -> Parse<T> {
        self.fail(self.span(self.peek()), INVALID_FOR, detail)
    }

    /// `k, v` or `v`; what to say where one of them is missing.
    pub(super) fn for_names(
        &mut self,
        summary: &str,
        missing: [&str; 2],
    ) -> Parse<(Option<Arc<str>>, Arc<str>)> {
        let first = self.peek();
        if first.kind != Kind::Ident {
            return self.fail(self.span(first), summary, missing[0]);
        }
        self.read();
        let first: Arc<str> = self.text(first).into();
        if self.peek().kind != Kind::Comma {
            return Ok((None, first));
        }
        self.read();
        let second = self.peek();
        if second.kind != Kind::Ident {
            return self.fail(self.span(second), summary, missing[1]);
        }
        self.read();
        Ok((Some(first), self.text(second).into()))
    }
}
