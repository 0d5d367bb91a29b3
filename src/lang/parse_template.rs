//! Templates: flattened to a row of tokens, trimmed as the strip markers and the heredoc say,
//! and put together again.

use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, Strip};
use mlinfra_sdk::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::expr::{Conditional, Expr, ExprKind, For};
use super::parse::Lowering;
use crate::source::Span;

/// A piece of a template, with the strip markers of what is not text.
enum Token {
    Text(String, Span),
    Interpolation(Expr, Strip),
    If(Expr, Span, Strip),
    Else(Strip),
    EndIf(Strip),
    For {
        key: Option<Arc<str>>,
        value: Arc<str>,
        collection: Expr,
        span: Span,
        strip: Strip,
    },
    EndFor(Strip),
}

/// How text is written in a template.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// In quotes, with escapes.
    Quoted,
    /// As it is, line by line.
    Raw,
}

/// A template in quotes.
pub(super) fn quoted(
    lowering: &mut Lowering<'_>,
    elements: &mut dyn Iterator<Item = &Element>,
) -> ExprKind {
    let mut tokens = Vec::new();
    flatten(lowering, elements, Writing::Quoted, &mut tokens);
    build(tokens)
}

/// A heredoc; `flush` when it was opened by `<<-`.
pub(super) fn heredoc(
    lowering: &mut Lowering<'_>,
    elements: &mut dyn Iterator<Item = &Element>,
    flush: bool,
) -> ExprKind {
    let mut tokens = Vec::new();
    flatten(lowering, elements, Writing::Raw, &mut tokens);
    strip(&mut tokens);
    if flush {
        dedent(&mut tokens);
    }
    assemble(tokens)
}

/// A whole file or text that is a template.
pub(super) fn standalone(
    lowering: &mut Lowering<'_>,
    elements: &mut dyn Iterator<Item = &Element>,
) -> ExprKind {
    let mut tokens = Vec::new();
    flatten(lowering, elements, Writing::Raw, &mut tokens);
    build(tokens)
}

fn build(mut tokens: Vec<Token>) -> ExprKind {
    strip(&mut tokens);
    assemble(tokens)
}

fn flatten(
    lowering: &mut Lowering<'_>,
    elements: &mut dyn Iterator<Item = &Element>,
    writing: Writing,
    tokens: &mut Vec<Token>,
) {
    for element in elements {
        match element {
            Element::Literal(literal) => {
                let range = literal.span();
                let span = lowering.span(range.clone());
                let text = lowering.text(range);
                match writing {
                    Writing::Quoted => {
                        let text = unescape(lowering, text, span);
                        tokens.push(Token::Text(text, span));
                    }
                    Writing::Raw => tokens.extend(text.split_inclusive('\n').map(|line| {
                        Token::Text(line.replace("$${", "${").replace("%%{", "%{"), span)
                    })),
                }
            }
            Element::Interpolation(i) => {
                tokens.push(Token::Interpolation(lowering.expr(&i.expr), i.strip));
            }
            Element::Directive(directive) => {
                flatten_directive(lowering, directive, writing, tokens);
            }
        }
    }
}

fn flatten_directive(
    lowering: &mut Lowering<'_>,
    directive: &Directive,
    writing: Writing,
    tokens: &mut Vec<Token>,
) {
    let span = lowering.span(directive.span());
    match directive {
        Directive::If(d) => {
            let condition = lowering.expr(&d.if_expr.cond_expr);
            tokens.push(Token::If(condition, span, d.if_expr.strip));
            flatten(lowering, &mut d.if_expr.template.iter(), writing, tokens);
            if let Some(otherwise) = &d.else_expr {
                tokens.push(Token::Else(otherwise.strip));
                flatten(lowering, &mut otherwise.template.iter(), writing, tokens);
            }
            tokens.push(Token::EndIf(d.endif_expr.strip));
        }
        Directive::For(d) => {
            tokens.push(Token::For {
                key: d.for_expr.key_var.as_ref().map(|k| k.as_str().into()),
                value: d.for_expr.value_var.as_str().into(),
                collection: lowering.expr(&d.for_expr.collection_expr),
                span,
                strip: d.for_expr.strip,
            });
            flatten(lowering, &mut d.for_expr.template.iter(), writing, tokens);
            tokens.push(Token::EndFor(d.endfor_expr.strip));
        }
    }
}

impl Token {
    fn strip(&self) -> Strip {
        match self {
            Token::Text(..) => Strip::None,
            Token::Interpolation(_, strip)
            | Token::If(_, _, strip)
            | Token::Else(strip)
            | Token::EndIf(strip)
            | Token::For { strip, .. }
            | Token::EndFor(strip) => *strip,
        }
    }
}

/// Takes the blanks beside a strip marker away: of the piece of text next to it, no further.
fn strip(tokens: &mut [Token]) {
    for i in 0..tokens.len() {
        let strip = tokens[i].strip();
        if strip.strip_start() && i > 0 {
            if let Some(Token::Text(text, _)) = tokens.get_mut(i - 1) {
                text.truncate(text.trim_end().len());
            }
        }
        if strip.strip_end() {
            if let Some(Token::Text(text, _)) = tokens.get_mut(i + 1) {
                *text = text.trim_start().to_owned();
            }
        }
    }
}

/// Takes away the indentation that all lines of a `<<-` heredoc share.
fn dedent(tokens: &mut [Token]) {
    let mut least = usize::MAX;
    let mut starts = Vec::new();
    let mut line_start = true;
    for (i, token) in tokens.iter().enumerate() {
        let text = match token {
            Token::Text(text, _) => Some(text.as_str()),
            _ => None,
        };
        if std::mem::take(&mut line_start) {
            let indent = match text {
                Some(text) if text.trim_start().is_empty() && text.ends_with('\n') => usize::MAX,
                Some(text) => {
                    starts.push(i);
                    let blanks = &text[..text.len() - text.trim_start().len()];
                    blanks.graphemes(true).count()
                }
                None => 0,
            };
            least = least.min(indent);
        }
        line_start = text.is_some_and(|text| text.ends_with('\n'));
    }
    for i in starts {
        if let Some(Token::Text(text, _)) = tokens.get_mut(i) {
            *text = text.graphemes(true).skip(least).collect();
        }
    }
}

/// Puts the tokens together: one interpolation alone is its value, text alone a literal.
fn assemble(tokens: Vec<Token>) -> ExprKind {
    let single = match tokens.as_slice() {
        [Token::Interpolation(expr, _)] => Some(expr.clone()),
        _ => None,
    };
    if let Some(expr) = single {
        return ExprKind::Interpolation(Arc::new(expr));
    }
    template(sequence(&mut tokens.into_iter()))
}

fn template(mut parts: Vec<Expr>) -> ExprKind {
    match parts.as_slice() {
        [] => ExprKind::Literal(Value::from("")),
        [part] if part.as_literal().is_some_and(|v| v.as_str().is_some()) => parts.remove(0).kind,
        _ => ExprKind::Template(parts.into()),
    }
}

/// The parts up to the end or to the directive that closes the one around.
fn sequence(tokens: &mut std::vec::IntoIter<Token>) -> Vec<Expr> {
    parts(tokens).0
}

/// What ended a row of parts.
enum End {
    Template,
    Else,
    Directive,
}

fn parts(tokens: &mut std::vec::IntoIter<Token>) -> (Vec<Expr>, End) {
    let mut parts: Vec<Expr> = Vec::new();
    let mut text: Option<(String, Span)> = None;
    fn flush(text: &mut Option<(String, Span)>, parts: &mut Vec<Expr>) {
        if let Some((text, span)) = text.take() {
            parts.push(Expr::literal(Value::string(&text), span));
        }
    }
    let end = loop {
        let Some(token) = tokens.next() else {
            break End::Template;
        };
        match token {
            Token::Text(more, span) => match &mut text {
                Some((text, whole)) => {
                    text.push_str(&more);
                    *whole = whole.to(span);
                }
                None => text = Some((more, span)),
            },
            Token::Interpolation(expr, _) => {
                flush(&mut text, &mut parts);
                parts.push(expr);
            }
            Token::If(condition, span, _) => {
                flush(&mut text, &mut parts);
                parts.push(if_directive(condition, span, tokens));
            }
            Token::For {
                key,
                value,
                collection,
                span,
                ..
            } => {
                flush(&mut text, &mut parts);
                let body = Expr {
                    kind: template(sequence(tokens)),
                    span,
                };
                let f = Expr {
                    kind: ExprKind::For(Arc::new(For {
                        key_name: key,
                        value_name: value,
                        collection,
                        key: None,
                        value: body,
                        condition: None,
                        group: false,
                    })),
                    span,
                };
                parts.push(Expr {
                    kind: ExprKind::TemplateJoin(Arc::new(f)),
                    span,
                });
            }
            Token::Else(_) => break End::Else,
            Token::EndIf(_) | Token::EndFor(_) => break End::Directive,
        }
    };
    flush(&mut text, &mut parts);
    (parts, end)
}

fn if_directive(condition: Expr, span: Span, tokens: &mut std::vec::IntoIter<Token>) -> Expr {
    let (then, end) = parts(tokens);
    let otherwise = match end {
        End::Else => sequence(tokens),
        End::Directive | End::Template => Vec::new(),
    };
    let branch = |parts| Expr {
        kind: template(parts),
        span,
    };
    Expr {
        kind: ExprKind::Conditional(Arc::new(Conditional {
            condition,
            if_true: branch(then),
            if_false: branch(otherwise),
        })),
        span,
    }
}

/// The text that a quoted piece stands for.
pub(super) fn unescape(lowering: &mut Lowering<'_>, quoted: &str, span: Span) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some(c @ ('"' | '\\')) => text.push(c),
                Some(selector @ ('u' | 'U')) => {
                    let length = if selector == 'u' { 4 } else { 8 };
                    let digits: String = chars.by_ref().take(length).collect();
                    let code = u32::from_str_radix(&digits, 16).ok();
                    match code.and_then(char::from_u32) {
                        Some(c) => text.push(c),
                        None => text.push(char::REPLACEMENT_CHARACTER),
                    }
                }
                Some(other) => {
                    let detail =
                        format!("The symbol \"{other}\" is not a valid escape sequence selector.");
                    lowering.error(span, "Invalid escape sequence", detail);
                }
                None => text.push('\\'),
            },
            c @ ('$' | '%') => {
                text.push(c);
                let doubled = if c == '$' { "${" } else { "%{" };
                if chars.as_str().starts_with(doubled) {
                    chars.next();
                }
            }
            '\n' => {
                lowering.error(
                    span,
                    "Invalid multi-line string",
                    "Quoted strings may not be split over multiple lines. To produce a \
                     multi-line string, either use the \\n escape to represent a newline \
                     character or use the \"heredoc\" multi-line template syntax.",
                );
                return text;
            }
            c => text.push(c),
        }
    }
    text
}
