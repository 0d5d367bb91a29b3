//! JSON: text of values, and values of text.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::{Data, Number, Refinement, Type, Value};

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "jsondecode",
        "The value that a JSON text stands for.",
        &[Parameter::new("str", Kind::Text)],
        Returns::Any,
        |a| decode(a.text(0)).map_err(CallError::new),
    ),
    Function::new(
        "jsonencode",
        "The value as JSON text.",
        &[Parameter::new("val", Kind::Any).null().unknown().dynamic()],
        Returns::Text,
        json_encode,
    ),
];

fn json_encode(a: &Arguments<'_>) -> Result<Value, CallError> {
    let value = a.value(0);
    if value.is_wholly_known() {
        return encode(value).map(Value::from).map_err(CallError::new);
    }
    // The first character follows from the type.
    let start = match value.ty() {
        Type::Object(_) | Type::Map(_) if value.is_never_null() => "{",
        Type::List(_) | Type::Set(_) | Type::Tuple(_) if value.is_never_null() => "[",
        Type::String if value.is_never_null() => "\"",
        _ => "",
    };
    let refinement = Refinement {
        prefix: (!start.is_empty()).then(|| start.into()),
        ..Refinement::not_null()
    };
    Ok(Value::unknown_refined(Type::String, refinement))
}

/// A wholly known value as JSON text, on one line.
pub(super) fn encode(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut String) -> Result<(), String> {
    match value.data() {
        Data::Unknown(..) | Data::Null(_) => out.push_str("null"),
        Data::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Data::Number(n) if n.is_infinite() => {
            return Err("cannot serialize infinity as JSON".into());
        }
        Data::Number(n) => out.push_str(&n.to_string()),
        Data::String(text) => write_text(text, out),
        Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Data::Map(_, entries) | Data::Object(entries) => {
            out.push('{');
            for (i, (key, item)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write(item, out)?;
            }
            out.push('}');
        }
        Data::Type(_) => return Err("cannot serialize a type as JSON".into()),
    }
    Ok(())
}

/// Text in quotes; what could be taken for markup is escaped too.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// How deep JSON text may nest; beyond it the stack might not suffice.
const GREATEST_DEPTH: usize = 256;

/// The value of JSON text: arrays become tuples, objects objects.
pub(super) fn decode(text: &str) -> Result<Value, String> {
    let mut reader = Reader {
        bytes: text.as_bytes(),
        text,
        at: 0,
        depth: 0,
    };
    let value = reader.value()?;
    reader.blanks();
    match reader.peek() {
        // What closes nothing is let pass, as by others who read up to the end of the value.
        None | Some(b']' | b'}') => Ok(value),
        Some(_) => Err("extraneous data after JSON object".into()),
    }
}

struct Reader<'t> {
    bytes: &'t [u8],
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        self.blanks();
        match self.peek() {
            None => Err("EOF".into()),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::from(self.text_literal()?)),
            Some(b't') => self.word("true", Value::from(true)),
            Some(b'f') => self.word("false", Value::from(false)),
            Some(b'n') => self.word("null", Value::NULL),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b) => Err(unexpected(b, " looking for beginning of value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        if self.depth >= GREATEST_DEPTH {
            return Err("exceeded max depth".into());
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for (i, expected) in word.bytes().enumerate() {
            match self.bytes.get(self.at + i) {
                None => return Err("unexpected EOF".into()),
                Some(b) if *b != expected => {
                    let wanted = character(expected);
                    let place = format!(" in literal {word} (expecting {wanted})");
                    return Err(unexpected(*b, &place));
                }
                Some(_) => {}
            }
        }
        self.at += word.len();
        Ok(value)
    }

    fn digits(&mut self, place: &str) -> Result<(), String> {
        match self.peek() {
            None => return Err("unexpected EOF".into()),
            Some(b'0'..=b'9') => {}
            Some(b) => return Err(unexpected(b, place)),
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits(" in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits(" after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits(" in exponent of numeric literal")?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        text.parse::<Number>()
            .map(Value::from)
            .map_err(|e| e.to_string())
    }

    fn text_literal(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(c) = rest.chars().next() else {
                return Err("unexpected EOF".into());
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                '\0'..='\u{1f}' => {
                    let b = u8::try_from(u32::from(c)).unwrap_or_default();
                    return Err(unexpected(b, " in string literal"));
                }
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let b = self.peek().ok_or("unexpected EOF")?;
        self.at += 1;
        Ok(match b {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            b => return Err(unexpected(b, " in string escape code")),
        })
    }

    fn hex(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let b = self.peek().ok_or("unexpected EOF")?;
            let digit = char::from(b)
                .to_digit(16)
                .ok_or_else(|| unexpected(b, " in \\u hexadecimal character escape"))?;
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// A code unit, or two that make one character; what makes none is replaced.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if self.bytes.get(self.at..self.at + 2) == Some(b"\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn array(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::tuple(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            match self.peek() {
                None => return Err("EOF".into()),
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::tuple(items));
                }
                Some(b) => return Err(unexpected(b, " after array element")),
            }
        }
    }

    fn object(&mut self) -> Result<Value, String> {
        let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut first = true;
        loop {
            self.blanks();
            match self.peek() {
                None => return Err("EOF".into()),
                Some(b'}') if first => {
                    self.at += 1;
                    break;
                }
                Some(b'"') => {}
                Some(b) if first => return Err(unexpected(b, "")),
                Some(b) => {
                    return Err(unexpected(b, " looking for beginning of object key string"));
                }
            }
            first = false;
            let key = Value::from(self.text_literal()?);
            self.blanks();
            match self.peek() {
                None => return Err("EOF".into()),
                Some(b':') => self.at += 1,
                Some(b) => return Err(unexpected(b, " after object key")),
            }
            let value = self.value()?;
            entries.insert(key.as_str().unwrap_or_default().into(), value);
            self.blanks();
            match self.peek() {
                None => return Err("EOF".into()),
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                Some(b) => return Err(unexpected(b, " after object key:value pair")),
            }
        }
        Ok(Value::from(Data::Object(Arc::new(entries))))
    }
}

fn unexpected(b: u8, place: &str) -> String {
    format!("invalid character {}{place}", character(b))
}

/// A byte as a character in quotes.
fn character(b: u8) -> String {
    match b {
        b'\'' => "'\\''".into(),
        b'"' => "'\"'".into(),
        b => {
            let text = crate::lang::quote::quoted(char::from(b).encode_utf8(&mut [0; 4]));
            format!("'{}'", text.trim_matches('"'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let value = Value::object([
            ("a", Value::tuple([Value::from("<é\u{2028}>"), Value::NULL])),
            ("b", Value::from("0.1".parse::<Number>().unwrap())),
        ]);
        let text = encode(&value).unwrap();
        assert_eq!(text, "{\"a\":[\"\\u003cé\\u2028\\u003e\",null],\"b\":0.1}");
        assert_eq!(decode(&text).unwrap(), value);
    }

    #[test]
    fn surrogates_are_joined_or_replaced() {
        assert_eq!(decode(r#""\ud83d\ude00""#).unwrap(), Value::from("😀"));
        assert_eq!(decode(r#""\ud83dx""#).unwrap(), Value::from("\u{fffd}x"));
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert!(decode(&"[".repeat(100_000)).is_err());
    }
}
