//! Indentation, blanks between tokens, and columns.

use unicode_segmentation::UnicodeSegmentation;

use super::token::{Kind, Token};

/// A line: its tokens, and where in them its parts begin.
struct Line {
    /// The tokens of the whole line.
    tokens: std::ops::Range<usize>,
    /// The `=` of an argument whose value ends on the line.
    assign: Option<usize>,
    /// A comment at the end.
    comment: Option<usize>,
}

/// The tokens as text, laid out.
pub fn write(mut tokens: Vec<Token<'_>>) -> String {
    let lines = lines(&tokens);
    indent(&mut tokens, &lines);
    for line in &lines {
        space(&mut tokens, line);
    }
    align(&mut tokens, &lines, |line| line.assign);
    align(&mut tokens, &lines, |line| line.comment);
    let mut out = String::new();
    for token in &tokens {
        out.push_str(&" ".repeat(token.blanks));
        out.push_str(&token.text);
    }
    out
}

fn lines(tokens: &[Token<'_>]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (i, token) in tokens.iter().enumerate() {
        if token.ends_line() || i + 1 == tokens.len() {
            lines.push(line(tokens, start..i + 1));
            start = i + 1;
        }
    }
    lines
}

fn line(tokens: &[Token<'_>], range: std::ops::Range<usize>) -> Line {
    let last = range.end - 1;
    let is_comment = range.len() > 1 && tokens[last].kind == Kind::Comment;
    let comment = is_comment.then_some(last);
    let end = comment.unwrap_or(range.end);
    let assign = (range.start + 1..end)
        .find(|i| tokens[*i].kind == Kind::Assign)
        // A value that goes on over lines has no column of its own.
        .filter(|i| tokens[*i..end].iter().map(Token::nesting).sum::<isize>() == 0);
    Line {
        tokens: range,
        assign,
        comment,
    }
}

/// Puts two blanks before each line for each line above it that opened more than it closed.
fn indent(tokens: &mut [Token<'_>], lines: &[Line]) {
    // How many brackets each of those lines left open.
    let mut open: Vec<isize> = Vec::new();
    for line in lines {
        let range = line.tokens.clone();
        if tokens[range.start].kind == Kind::Newline {
            tokens[range.start].blanks = 0;
            continue;
        }
        let end = line.comment.unwrap_or(range.end);
        let net: isize = tokens[range.start..end].iter().map(Token::nesting).sum();
        let mut left = -net;
        while left > 0 {
            match open.last_mut() {
                Some(most) if *most > left => {
                    *most -= left;
                    left = 0;
                }
                Some(most) => {
                    left -= *most;
                    open.pop();
                }
                None => break,
            }
        }
        if !tokens[range.start].fixed {
            tokens[range.start].blanks = 2 * open.len();
        }
        if net > 0 {
            open.push(net);
        }
    }
}

/// Sets the blanks between the tokens of a line; columns come later.
fn space(tokens: &mut [Token<'_>], line: &Line) {
    let range = line.tokens.clone();
    for i in range.start + 1..range.end {
        if tokens[i].fixed {
            continue;
        }
        let starts_part = line.assign == Some(i) || line.comment == Some(i);
        // The part after `=` begins anew: what stands before the sign is not looked at.
        let begins = line.assign.filter(|a| i > *a).unwrap_or(range.start);
        let before = (i >= begins + 2).then(|| tokens[i - 2].kind);
        let blank = starts_part || is_blank_between(before, &tokens[i - 1], &tokens[i]);
        tokens[i].blanks = usize::from(blank);
    }
}

fn is_blank_between(before: Option<Kind>, left: &Token<'_>, right: &Token<'_>) -> bool {
    use Kind::*;
    match (left.kind, right.kind) {
        (_, Newline) => false,
        // Calls, paths and attributes are one word.
        (Ident, OpenParen) | (Ident, DoubleColon) | (DoubleColon, Ident) => false,
        (Dot, _) | (_, Dot) | (_, Comma) | (_, Ellipsis) => false,
        (Comma, _) => true,
        // Text is left as it is.
        (QuotedText | HeredocText | OpenQuote | OpenHeredoc, _) => false,
        (_, QuotedText | HeredocText | CloseQuote | CloseHeredoc) => false,
        // `[for x in [a, b] : x]`: no index of something called `in`.
        (Ident, _) if left.text == "in" && before == Some(Ident) => true,
        (Ident | Number, OpenBracket) => false,
        (_, OpenBracket) if left.nesting() < 0 => false,
        (Not, _) => false,
        (Minus, _) => before.is_some_and(is_operand_end),
        (OpenBrace, CloseBrace) => false,
        (OpenBrace, _) | (_, CloseBrace) => true,
        (OpenInterpolation | OpenDirective, OpenBrace) | (CloseBrace, CloseTemplate) => true,
        (CloseTemplate, OpenInterpolation | OpenDirective) => false,
        _ => left.nesting() <= 0 && right.nesting() >= 0,
    }
}

/// Whether a minus after such a token subtracts; otherwise it negates.
fn is_operand_end(before: Kind) -> bool {
    use Kind::*;
    !matches!(
        before,
        OpenParen
            | OpenBrace
            | OpenBracket
            | Assign
            | Colon
            | Comma
            | Question
            | Operator
            | Minus
            | Not
    )
}

/// Brings a part of neighbouring lines that have it into one column.
fn align(tokens: &mut [Token<'_>], lines: &[Line], part: fn(&Line) -> Option<usize>) {
    let mut chain: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        match part(line) {
            Some(at) => {
                let width = tokens[line.tokens.start..at].iter().map(columns).sum();
                chain.push((at, width));
            }
            None => settle(tokens, &mut chain),
        }
    }
    settle(tokens, &mut chain);
}

fn settle(tokens: &mut [Token<'_>], chain: &mut Vec<(usize, usize)>) {
    let widest = chain.iter().map(|(_, width)| *width).max().unwrap_or(0);
    for (at, width) in chain.drain(..) {
        tokens[at].blanks = widest - width + 1;
    }
}

fn columns(token: &Token<'_>) -> usize {
    token.blanks + token.text.graphemes(true).count()
}
