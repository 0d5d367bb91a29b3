//! Operators, terms, and what follows a term.

use std::sync::Arc;

use mlinfra_sdk::{Number, Value};

use super::token::{Kind, Token};
use super::{LONGEST_CHAIN, Parse, Parser};
use crate::lang::expr::{
    Binary, BinaryOperator, Call, Conditional, Expr, ExprKind, Index, Splat, Traversal,
    TraversalStep, UnaryOperator,
};
use crate::source::Span;

/// How tightly the loosest operators bind.
const LOOSEST: u8 = 1;

/// An operator and how tightly it binds.
fn operator(kind: Kind) -> Option<(BinaryOperator, u8)> {
    Some(match kind {
        Kind::Or => (BinaryOperator::Or, 1),
        Kind::And => (BinaryOperator::And, 2),
        Kind::Equal => (BinaryOperator::Equal, 3),
        Kind::NotEqual => (BinaryOperator::NotEqual, 3),
        Kind::Greater => (BinaryOperator::Greater, 4),
        Kind::GreaterOrEqual => (BinaryOperator::GreaterOrEqual, 4),
        Kind::Less => (BinaryOperator::Less, 4),
        Kind::LessOrEqual => (BinaryOperator::LessOrEqual, 4),
        Kind::Plus => (BinaryOperator::Add, 5),
        Kind::Minus => (BinaryOperator::Subtract, 5),
        Kind::Star => (BinaryOperator::Multiply, 6),
        Kind::Slash => (BinaryOperator::Divide, 6),
        Kind::Percent => (BinaryOperator::Modulo, 6),
        _ => return None,
    })
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Parse<Expr> {
        self.nested(|p| {
            let condition = p.operations(LOOSEST)?;
            if p.peek().kind != Kind::Question {
                return Ok(condition);
            }
            p.read();
            let if_true = p.expression()?;
            let colon = p.peek();
            if colon.kind != Kind::Colon {
                return p.fail(
                    p.span(colon),
                    "Missing false expression in conditional",
                    "The conditional operator (...?...:...) requires a false expression, \
                     delimited by a colon.",
                );
            }
            p.read();
            let if_false = p.expression()?;
            Ok(Expr {
                span: condition.span.to(if_false.span),
                kind: ExprKind::Conditional(Arc::new(Conditional {
                    condition,
                    if_true,
                    if_false,
                })),
            })
        })
    }

    /// Operators that bind at least so tightly, from left to right.
    fn operations(&mut self, least: u8) -> Parse<Expr> {
        let mut left = self.with_steps()?;
        let mut length = 0;
        while let Some((operator, binding)) = operator(self.peek().kind) {
            if binding < least {
                break;
            }
            self.read();
            length += 1;
            self.check_length(length)?;
            let right = self.operations(binding + 1)?;
            left = Expr {
                span: left.span.to(right.span),
                kind: ExprKind::Binary(Arc::new(Binary {
                    operator,
                    left,
                    right,
                })),
            };
        }
        Ok(left)
    }

    fn check_length(&mut self, length: usize) -> Parse<()> {
        if length <= LONGEST_CHAIN {
            return Ok(());
        }
        let span = self.span(self.peek());
        let detail = format!(
            "No more than {LONGEST_CHAIN} operators may follow one another. Use local values for \
             parts of the expression."
        );
        self.fail(span, "Expression too long", detail)
    }

    /// A term and the steps into it.
    fn with_steps(&mut self) -> Parse<Expr> {
        let term = self.term()?;
        self.steps(term)
    }

    fn steps(&mut self, mut base: Expr) -> Parse<Expr> {
        let mut length = 0;
        loop {
            base = match self.peek().kind {
                Kind::Dot => self.dot(base)?,
                Kind::OpenBracket => {
                    let open = self.read();
                    if self.peek().kind == Kind::Star {
                        return self.full_splat(base, open);
                    }
                    self.index(base, open)?
                }
                _ => return Ok(base),
            };
            length += 1;
            self.check_length(length)?;
        }
    }

    fn dot(&mut self, base: Expr) -> Parse<Expr> {
        let dot = self.read();
        let next = self.peek();
        let span = self.span(dot).to(self.span(next));
        match next.kind {
            Kind::Ident => {
                self.read();
                let step = TraversalStep::Attribute(self.text(next).into(), span);
                Ok(with_step(base, step))
            }
            Kind::Number => {
                self.read();
                let key = self.legacy_index(next)?;
                Ok(with_step(base, TraversalStep::Index(key, span)))
            }
            Kind::Star => {
                self.read();
                self.attribute_splat(base, span)
            }
            _ => self.fail(
                self.span(dot),
                "Invalid attribute name",
                "An attribute name is required after a dot.",
            ),
        }
    }

    /// The `0` of `a.0`; `a.0.1` reads as one number and is refused.
    fn legacy_index(&mut self, token: Token) -> Parse<Value> {
        let text = self.text(token);
        if let Some((first, second)) = text.split_once('.') {
            let detail = format!(
                "When using the legacy index syntax, chaining two indexes together is not \
                 permitted. Use the proper index syntax instead, like [{first}][{second}]."
            );
            return self.fail(self.span(token), "Invalid legacy index syntax", detail);
        }
        self.number(token)
    }

    fn attribute_splat(&mut self, base: Expr, marker: Span) -> Parse<Expr> {
        let mut each = element(marker);
        while self.peek().kind == Kind::Dot {
            let dot = self.read();
            let next = self.peek();
            let span = self.span(dot).to(self.span(next));
            let step = match next.kind {
                Kind::Ident => TraversalStep::Attribute(self.text(next).into(), span),
                Kind::Number => TraversalStep::Index(self.number(next)?, span),
                Kind::Star => {
                    return self.fail(
                        span,
                        "Nested splat expression not allowed",
                        "A splat expression (*) cannot be used inside another attribute-only splat \
                         expression.",
                    );
                }
                _ => {
                    return self.fail(
                        self.span(dot),
                        "Invalid attribute name",
                        "An attribute name is required after a dot.",
                    );
                }
            };
            self.read();
            each = with_step(each, step);
        }
        Ok(splat(base, each, marker))
    }

    /// `[*]`, of which the star comes next; it takes all steps that follow.
    fn full_splat(&mut self, base: Expr, open: Token) -> Parse<Expr> {
        let star = self.read();
        let close = self.read();
        let marker = self.span(open).to(self.span(close));
        if close.kind != Kind::CloseBracket {
            return self.fail(
                self.span(open).to(self.span(star)),
                "Missing close bracket on splat index",
                "The star for a full splat operator must be immediately followed by a closing \
                 bracket (\"]\").",
            );
        }
        let each = self.nested(|p| p.steps(element(marker)))?;
        Ok(splat(base, each, marker))
    }

    fn index(&mut self, base: Expr, open: Token) -> Parse<Expr> {
        self.within(false, |p| {
            let key = p.expression()?;
            let close = p.read();
            let span = p.span(open).to(p.span(close));
            if close.kind != Kind::CloseBracket {
                return p.fail(
                    p.span(close),
                    "Missing close bracket on index",
                    "The index operator must end with a closing bracket (\"]\").",
                );
            }
            Ok(match key.kind {
                ExprKind::Literal(value) => with_step(base, TraversalStep::Index(value, span)),
                _ => Expr {
                    span: base.span.to(span),
                    kind: ExprKind::Index(Arc::new(Index {
                        collection: base,
                        key,
                        span,
                    })),
                },
            })
        })
    }

    fn term(&mut self) -> Parse<Expr> {
        let token = self.peek();
        let span = self.span(token);
        match token.kind {
            Kind::OpenParen => self.parenthesized(),
            Kind::Number => {
                self.read();
                Ok(Expr::literal(self.number(token)?, span))
            }
            Kind::Ident => {
                self.read();
                if matches!(self.peek().kind, Kind::OpenParen | Kind::DoubleColon) {
                    return self.call(token);
                }
                Ok(match self.text(token) {
                    "null" => Expr::literal(Value::NULL, span),
                    "true" => Expr::literal(Value::from(true), span),
                    "false" => Expr::literal(Value::from(false), span),
                    name => Expr::traversal(Traversal {
                        root: name.into(),
                        root_span: span,
                        steps: Vec::new(),
                        span,
                    }),
                })
            }
            Kind::OpenQuote => self.quoted_template(),
            Kind::OpenHeredoc => self.heredoc(),
            Kind::Minus => self.unary(UnaryOperator::Negate),
            Kind::Bang => self.unary(UnaryOperator::Not),
            Kind::OpenBracket => self.tuple(),
            Kind::OpenBrace => self.object(),
            Kind::End => self.fail(
                span,
                "Missing expression",
                "Expected the start of an expression, but found the end of the file.",
            ),
            _ => self.fail(
                span,
                "Invalid expression",
                "Expected the start of an expression, but found an invalid expression token.",
            ),
        }
    }

    fn number(&mut self, token: Token) -> Parse<Value> {
        match self.text(token).parse::<Number>() {
            Ok(number) => Ok(Value::from(number)),
            Err(_) => self.fail(
                self.span(token),
                "Invalid number literal",
                "Failed to recognize the value of this number literal.",
            ),
        }
    }

    fn unary(&mut self, operator: UnaryOperator) -> Parse<Expr> {
        let token = self.read();
        let operand = self.nested(Self::with_steps)?;
        let span = self.span(token).to(operand.span);
        if let (UnaryOperator::Negate, ExprKind::Literal(value)) = (operator, &operand.kind)
            && let Some(number) = value.as_number()
        {
            return Ok(Expr::literal(Value::from(number.negate()), span));
        }
        Ok(Expr {
            kind: ExprKind::Unary(operator, Arc::new(operand)),
            span,
        })
    }

    fn parenthesized(&mut self) -> Parse<Expr> {
        let open = self.read();
        self.within(false, |p| {
            let inner = p.expression()?;
            let close = p.read();
            if close.kind != Kind::CloseParen {
                return p.fail(
                    p.span(close),
                    "Unbalanced parentheses",
                    "Expected a closing parenthesis to terminate the expression.",
                );
            }
            Ok(Expr {
                kind: ExprKind::Paren(Arc::new(inner)),
                span: p.span(open).to(p.span(close)),
            })
        })
    }

    /// A call of the function whose name begins with `first`.
    fn call(&mut self, first: Token) -> Parse<Expr> {
        let mut name = self.text(first).to_owned();
        let mut name_span = self.span(first);
        while self.peek().kind == Kind::DoubleColon {
            self.read();
            let part = self.read();
            if part.kind != Kind::Ident {
                return self.fail(
                    self.span(part),
                    "Missing function name",
                    "Function scope resolution symbol :: must be followed by a function name in \
                     this scope.",
                );
            }
            name.push_str("::");
            name.push_str(self.text(part));
            name_span = name_span.to(self.span(part));
        }
        let open = self.read();
        if open.kind != Kind::OpenParen {
            return self.fail(
                self.span(open),
                "Missing open parenthesis",
                "Function selector must be followed by an open parenthesis to begin the function \
                 call.",
            );
        }
        let (arguments, expand, close) = self.within(false, Self::arguments)?;
        let parentheses = self.span(open).to(self.span(close));
        Ok(Expr {
            span: name_span.to(parentheses),
            kind: ExprKind::Call(Arc::new(Call {
                name: name.into(),
                name_span,
                arguments,
                expand,
                parentheses,
            })),
        })
    }

    /// The arguments up to the closing parenthesis, and whether the last is to be expanded.
    fn arguments(&mut self) -> Parse<(Vec<Expr>, bool, Token)> {
        let mut arguments = Vec::new();
        loop {
            if self.peek().kind == Kind::CloseParen {
                return Ok((arguments, false, self.read()));
            }
            arguments.push(self.expression()?);
            let separator = self.read();
            match separator.kind {
                Kind::CloseParen => return Ok((arguments, false, separator)),
                Kind::Comma => {}
                Kind::Ellipsis => {
                    let close = self.read();
                    if close.kind == Kind::CloseParen {
                        return Ok((arguments, true, close));
                    }
                    return self.fail(
                        self.span(close),
                        "Missing closing parenthesis",
                        "An expanded function argument (with ...) must be immediately followed by \
                         closing parentheses.",
                    );
                }
                Kind::End => {
                    return self.fail(
                        self.span(separator),
                        "Unterminated function call",
                        "There is no closing parenthesis for this function call before the end of \
                         the file. This may be caused by incorrect parenthesis nesting elsewhere \
                         in this file.",
                    );
                }
                _ => {
                    return self.fail(
                        self.span(separator),
                        "Missing argument separator",
                        "A comma is required to separate each function argument from the next.",
                    );
                }
            }
        }
    }
}

/// A step after an expression: a longer reference where the expression is one.
fn with_step(base: Expr, step: TraversalStep) -> Expr {
    let span = base.span.to(step.span());
    let kind = match base.kind {
        ExprKind::Traversal(mut traversal) => {
            traversal.steps.push(step);
            traversal.span = span;
            ExprKind::Traversal(traversal)
        }
        ExprKind::Steps(inner, steps) => {
            let steps = steps.iter().cloned().chain([step]).collect();
            ExprKind::Steps(inner, steps)
        }
        kind => {
            let base = Expr {
                kind,
                span: base.span,
            };
            ExprKind::Steps(Arc::new(base), Arc::from([step]))
        }
    };
    Expr { kind, span }
}

fn element(span: Span) -> Expr {
    Expr {
        kind: ExprKind::SplatElement,
        span,
    }
}

fn splat(source: Expr, each: Expr, marker: Span) -> Expr {
    Expr {
        span: source.span.to(each.span),
        kind: ExprKind::Splat(Arc::new(Splat {
            source,
            each,
            marker,
        })),
    }
}
