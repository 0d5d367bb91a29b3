//! Strings in a difference: quoted, line by line, or as the JSON they hold.

use mlinfra_sdk::Value;

use super::dynamic::dynamic;
use super::write::{Layout, indent};
use super::{Change, Forced, Kind, Shape, pairs};

/// Text nested deeper than this is not shown as JSON.
const DEEPEST: usize = 64;

/// A string in quotes. What a terminal would act on or not show is escaped.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => out.push_str(&escaped(c)),
        }
    }
    out.push('"');
    out
}

/// A line of text as it is, but for what a terminal would act on.
fn safe_line(line: &str) -> String {
    line.chars()
        .map(|c| match c {
            '\t' => "\t".to_owned(),
            c if is_printable(c) => c.to_string(),
            c => escaped(c),
        })
        .collect()
}

fn escaped(c: char) -> String {
    match u32::from(c) {
        n @ 0..=0x7f => format!("\\x{n:02x}"),
        n @ 0x80..=0xffff => format!("\\u{n:04x}"),
        n => format!("\\U{n:08x}"),
    }
}

/// Whether a character shows itself and nothing else: no control, no direction mark, no blank but
/// the plain one, no private use.
fn is_printable(c: char) -> bool {
    let invisible = matches!(u32::from(c),
        0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff
        | 0xe000..=0xf8ff | 0xfff9..=0xfffb | 0xe0000..=0xe0fff | 0xf0000..);
    !c.is_control() && (c == ' ' || !c.is_whitespace()) && !invisible
}

/// A name as it is written in an object: quoted where it is not an identifier.
pub fn attribute_name(name: &str) -> String {
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if starts && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// The JSON that a string holds, if it is an object or array.
fn json(text: &str) -> Option<Value> {
    if !text.starts_with(['{', '[']) || nesting(text) > DEEPEST {
        return None;
    }
    Value::from_json(text).ok()
}

/// How deep the brackets of a text are nested at most, those in strings included.
fn nesting(text: &str) -> usize {
    let mut depth = 0usize;
    let mut deepest = 0;
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// A string that comes, goes, stays or changes.
pub(super) fn write(
    change: &Change,
    before: Option<&str>,
    after: Option<&str>,
    level: usize,
    layout: &Layout,
) -> String {
    let forces = layout.forces(change);
    let null = layout.null_suffix(change.kind);
    match change.kind {
        Kind::Update => changed(change, before, after, level, layout),
        kind => {
            let side = if kind == Kind::Delete { before } else { after };
            let Some(text) = side else {
                return format!("{}{forces}", layout.null());
            };
            if let Some(value) = json(text) {
                let (before, after) = match kind {
                    Kind::Delete => (Some(&value), None),
                    Kind::Create => (None, Some(&value)),
                    _ => (Some(&value), Some(&value)),
                };
                return encoded(change, before, after, level, layout);
            }
            if !text.contains('\n') {
                return format!("{}{null}{forces}", quoted(text));
            }
            let lines = text.trim().split('\n').map(|line| (Kind::NoOp, line));
            heredoc(change, &lines.collect::<Vec<_>>(), level, layout)
        }
    }
}

fn changed(
    change: &Change,
    before: Option<&str>,
    after: Option<&str>,
    level: usize,
    layout: &Layout,
) -> String {
    let json_before = before.and_then(json);
    let json_after = after.and_then(json);
    match (&json_before, &json_after) {
        (Some(b), Some(a)) => return encoded(change, Some(b), Some(a), level, layout),
        (None, None) => {}
        _ => {
            let part = |kind, before: Option<&str>, after: Option<&str>| Change {
                kind,
                forces_replacement: false,
                shape: Shape::Text {
                    before: before.map(Into::into),
                    after: after.map(Into::into),
                },
            };
            let retyped = Change {
                kind: change.kind,
                forces_replacement: change.forces_replacement,
                shape: Shape::Retyped(
                    Box::new(part(Kind::Delete, before, None)),
                    Box::new(part(Kind::Create, None, after)),
                ),
            };
            return layout.write(&retyped, level);
        }
    }
    let many = |side: Option<&str>| side.is_some_and(|text| text.contains('\n'));
    if !many(before) && !many(after) {
        let show = |side: Option<&str>| side.map_or_else(|| layout.null(), quoted);
        let (arrow, forces) = (layout.arrow(), layout.forces(change));
        return format!("{} {arrow} {}{forces}", show(before), show(after));
    }
    let lines = |side: Option<&str>| -> Vec<String> {
        let lines = side.into_iter().flat_map(|text| text.trim().split('\n'));
        lines.map(str::to_owned).collect()
    };
    let (old, new) = (lines(before), lines(after));
    let mut shown = Vec::new();
    for pair in pairs::ordered(&old, &new, &|_| false) {
        let b = pair.before.and_then(|i| old.get(i)).map(String::as_str);
        let a = pair.after.and_then(|i| new.get(i)).map(String::as_str);
        match (b, a) {
            (Some(b), Some(a)) if a == b => shown.push((Kind::NoOp, a)),
            (b, a) => {
                shown.extend(b.map(|line| (Kind::Delete, line)));
                shown.extend(a.map(|line| (Kind::Create, line)));
            }
        }
    }
    heredoc(change, &shown, level, layout)
}

fn heredoc(change: &Change, lines: &[(Kind, &str)], level: usize, layout: &Layout) -> String {
    let only_blanks =
        change.kind == Kind::Update && lines.iter().all(|(kind, _)| *kind == Kind::NoOp);
    let blanks = if only_blanks {
        " # whitespace changes"
    } else {
        ""
    };
    let mut out = format!("<<-EOT{blanks}{}\n", layout.forces(change));
    for (kind, line) in lines {
        let sign = layout.sign(*kind);
        out.push_str(&format!("{}{sign}{}\n", indent(level + 1), safe_line(line)));
    }
    let sign = layout.sign(Kind::NoOp);
    let null = layout.null_suffix(change.kind);
    out.push_str(&format!("{}{sign}EOT{null}", indent(level)));
    out
}

/// A string that holds JSON, as what it holds.
fn encoded(
    change: &Change,
    before: Option<&Value>,
    after: Option<&Value>,
    level: usize,
    layout: &Layout,
) -> String {
    let inner = dynamic(before, after, &Forced::default());
    let mut inside = layout.without_null_suffix();
    let only_blanks = inner.kind == Kind::NoOp && change.kind == Kind::Update;
    let (blanks, forces) = if only_blanks {
        inside.unchanged = true;
        let forces = if layout.forces(change).is_empty() {
            ""
        } else {
            " force replacement"
        };
        (format!(" # whitespace changes{forces}"), String::new())
    } else {
        (String::new(), layout.forces(change))
    };
    let shown = inside.write(&inner, level + 1);
    let null = layout.null_suffix(change.kind);
    if !shown.contains('\n') {
        return format!("jsonencode({shown}){blanks}{null}{forces}");
    }
    let sign = match inner.kind {
        Kind::Update => layout.sign(Kind::Update),
        _ => layout.sign(Kind::NoOp),
    };
    format!(
        "jsonencode({blanks}\n{}{sign}{shown}{forces}\n{}{})",
        indent(level + 1),
        indent(level),
        layout.sign(Kind::NoOp),
    ) + &null
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        assert_eq!(quoted("a\"b\\\n\t\u{1b}[31m"), r#""a\"b\\\n\t\x1b[31m""#);
        assert_eq!(quoted("é ü 漢 e\u{301}"), "\"é ü 漢 e\u{301}\"");
        assert_eq!(quoted("\u{202e}x"), "\"\\u202ex\"");
        assert_eq!(safe_line("\tx\u{7}"), "\tx\\x07");
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        for (name, written) in [
            ("a-b", "a-b"),
            ("_x1", "_x1"),
            ("é", "é"),
            ("1x", "\"1x\""),
            ("a b", "\"a b\""),
            ("", "\"\""),
        ] {
            assert_eq!(attribute_name(name), written);
        }
    }

    #[test]
    fn text_that_is_nested_too_deep_stays_text() {
        assert!(json(&"[".repeat(100_000)).is_none());
        assert!(json(&format!("{}{}", "[".repeat(200), "]".repeat(200))).is_none());
        assert!(json("{\"a\": [1]}").is_some());
        assert!(json("{a}").is_none());
    }
}
