//! Writes YAML in block style: texts in double quotes, or as literal blocks when they have
//! several lines.

use mlinfra_sdk::{Data, Value};

/// Where quoted text is folded at the next blank.
const BEST_WIDTH: usize = 80;
/// Longer keys are marked by `?`.
const LONGEST_SIMPLE_KEY: usize = 128;

/// A wholly known value as a YAML document.
pub(super) fn document(value: &Value) -> String {
    let mut emitter = Emitter::default();
    emitter.node(value, None);
    if !emitter.out.ends_with('\n') {
        emitter.out.push('\n');
    }
    let plain = matches!(
        value.data(),
        Data::Null(_) | Data::Bool(_) | Data::Number(_) | Data::Type(_) | Data::Unknown(..)
    );
    if plain {
        // A plain scalar could go on.
        emitter.out.push_str("...\n");
    }
    emitter.out
}

#[derive(Default)]
struct Emitter {
    out: String,
}

impl Emitter {
    fn indent(&mut self, width: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', width));
    }

    fn column(&self) -> usize {
        let line = self.out.rsplit('\n').next().unwrap_or_default();
        line.chars().count()
    }

    /// A value within a collection whose items are indented by `around`; at the root none is.
    fn node(&mut self, value: &Value, around: Option<usize>) {
        let inside = around.map_or(0, |n| n + 2);
        match value.data() {
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
                self.sequence(items, inside);
            }
            Data::Map(_, entries) | Data::Object(entries) => self.mapping(entries, inside),
            _ => self.scalar(value, around.map_or(2, |n| n + 2)),
        }
    }

    fn sequence(&mut self, items: &[Value], width: usize) {
        if items.is_empty() {
            self.out.push_str("[]");
        }
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.next_line(width);
            }
            self.out.push_str("- ");
            self.node(item, Some(width));
        }
    }

    fn next_line(&mut self, width: usize) {
        if self.out.ends_with('\n') {
            self.out.extend(std::iter::repeat_n(' ', width));
        } else {
            self.indent(width);
        }
    }

    fn mapping(&mut self, entries: &mlinfra_sdk::value::Entries, width: usize) {
        if entries.is_empty() {
            self.out.push_str("{}");
        }
        for (i, (key, value)) in entries.iter().enumerate() {
            if i > 0 {
                self.next_line(width);
            }
            if !key.contains('\n') && key.len() <= LONGEST_SIMPLE_KEY {
                self.quoted(key, None);
                self.out.push(':');
                self.attached(value, width);
            } else {
                self.out.push_str("? ");
                self.text(key, width + 2);
                self.next_line(width);
                self.out.push(':');
                self.attached(value, width);
            }
        }
    }

    /// A value after its key.
    fn attached(&mut self, value: &Value, width: usize) {
        match value.data() {
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items)
                if !items.is_empty() =>
            {
                self.indent(width);
                self.sequence(items, width);
            }
            Data::Map(_, entries) | Data::Object(entries) if !entries.is_empty() => {
                self.indent(width + 2);
                self.mapping(entries, width + 2);
            }
            _ => {
                self.out.push(' ');
                self.node(value, Some(width));
            }
        }
    }

    fn scalar(&mut self, value: &Value, width: usize) {
        match value.data() {
            Data::String(text) => self.text(text, width),
            Data::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Data::Number(n) => self.out.push_str(&n.to_string()),
            _ => self.out.push_str("null"),
        }
    }

    fn text(&mut self, text: &str, width: usize) {
        if text.contains('\n') && fits_a_block(text) {
            self.block(text, width);
        } else {
            self.quoted(text, Some(width));
        }
    }

    fn block(&mut self, text: &str, width: usize) {
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push('2');
        }
        match text.strip_suffix('\n') {
            None => self.out.push('-'),
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.out.push('+'),
            Some(_) => {}
        }
        self.out.push('\n');
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                self.out.extend(std::iter::repeat_n(' ', width));
            }
            self.out.push_str(line);
        }
    }

    /// Text in double quotes, folded where it is too wide and folding is allowed.
    fn quoted(&mut self, text: &str, fold: Option<usize>) {
        self.out.push('"');
        let mut after_blank = false;
        let mut chars = text.char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            match (c, fold) {
                (' ', Some(width))
                    if !after_blank && i > 0 && next.is_some() && self.column() > BEST_WIDTH =>
                {
                    self.indent(width);
                    if next == Some(' ') {
                        self.out.push('\\');
                    }
                    after_blank = true;
                }
                (' ', _) => {
                    self.out.push(' ');
                    after_blank = true;
                }
                (c, _) => {
                    self.quoted_char(c);
                    after_blank = false;
                }
            }
        }
        self.out.push('"');
    }

    fn quoted_char(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            c if is_printable(c) => {
                self.out.push(c);
                return;
            }
            c => {
                let code = u32::from(c);
                self.out.push_str(&match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                });
                return;
            }
        };
        self.out.push('\\');
        self.out.push(short);
    }
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

/// Whether text can stand in a literal block and be read back.
fn fits_a_block(text: &str) -> bool {
    text.chars().all(is_printable) && !text.contains(" \n") && !text.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_are_in_block_style() {
        let value = Value::object([
            ("d", Value::tuple([Value::from(1i64), Value::from("x")])),
            ("e", Value::object::<&str>([])),
            ("j", Value::from("a\nb")),
            (
                "l",
                Value::object([("m", Value::tuple([Value::object([("o", Value::NULL)])]))]),
            ),
        ]);
        assert_eq!(
            document(&value),
            "\"d\":\n- 1\n- \"x\"\n\"e\": {}\n\"j\": |-\n  a\n  b\n\"l\":\n  \"m\":\n  - \"o\": null\n"
        );
        assert_eq!(document(&Value::from(true)), "true\n...\n");
        let nested = Value::tuple([
            Value::from("a\nb"),
            Value::tuple([Value::from("c\nd\n"), Value::from(1i64)]),
        ]);
        assert_eq!(
            document(&nested),
            "- |-\n  a\n  b\n- - |\n    c\n    d\n  - 1\n"
        );
    }
}
