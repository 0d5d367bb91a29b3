//! `format` and `formatlist`: text from a format and values.

use dashu_int::IBig;
use mlinfra_sdk::{Data, Number, Refinement, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::arguments::{Arguments, CallError};
use super::json;
use super::signature::{Function, Kind, Parameter, Returns};
use crate::lang::convert::convert;
use crate::lang::quote::quoted;

const ARGS: Parameter = Parameter::new("args", Kind::Any).null().unknown();

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "format",
        "The text that a format makes of values: %s text, %d whole number, %q in quotes, and \
         others.",
        &[Parameter::new("format", Kind::Text)],
        Returns::Text,
        |a| render(a.text(0), a.values().get(1..).unwrap_or_default()),
    )
    .variadic(ARGS),
    Function::new(
        "formatlist",
        "The texts that a format makes of the elements of lists, one after the other.",
        &[Parameter::new("format", Kind::Text)],
        Returns::Texts,
        format_list,
    )
    .variadic(ARGS),
];

/// One `%` in a format.
struct Verb<'f> {
    /// All of it.
    raw: &'f str,
    /// Where it begins.
    offset: usize,
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: Option<usize>,
    precision: Option<usize>,
    /// Which argument, from 1.
    argument: usize,
    letter: char,
}

enum Piece<'f> {
    Text(&'f str),
    Verb(Verb<'f>),
}

/// Text made of a format is never wider than this, whatever the format says.
const GREATEST_WIDTH: usize = 1 << 20;

struct Reader<'f> {
    format: &'f str,
    at: usize,
    next_argument: usize,
}

impl<'f> Reader<'f> {
    fn peek(&self) -> Option<char> {
        self.format.get(self.at..)?.chars().next()
    }

    fn number(&mut self) -> Option<usize> {
        let rest = self.format.get(self.at..)?;
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = rest.get(..length).filter(|d| !d.is_empty())?;
        self.at += length;
        Some(digits.parse().unwrap_or(GREATEST_WIDTH).min(GREATEST_WIDTH))
    }

    fn unrecognized(&self) -> CallError {
        match self.peek() {
            None => CallError::new(format!(
                "invalid format string starting at offset {}",
                self.at
            )),
            Some(c) => CallError::new(format!(
                "unrecognized format character {} at offset {}",
                single_quoted(c),
                self.at
            )),
        }
    }

    fn next(&mut self) -> Result<Option<Piece<'f>>, CallError> {
        let rest = self.format.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        if let Some(after) = rest.strip_prefix("%%") {
            self.at = self.format.len() - after.len();
            return Ok(Some(Piece::Text("%")));
        }
        if !rest.starts_with('%') {
            let end = rest.find('%').unwrap_or(rest.len());
            self.at += end;
            return Ok(Some(Piece::Text(&rest[..end])));
        }
        self.verb().map(|verb| Some(Piece::Verb(verb)))
    }

    fn verb(&mut self) -> Result<Verb<'f>, CallError> {
        let offset = self.at;
        self.at += 1;
        let mut verb = Verb {
            raw: "",
            offset,
            minus: false,
            plus: false,
            space: false,
            zero: false,
            sharp: false,
            width: None,
            precision: None,
            argument: 0,
            letter: '%',
        };
        while let Some(flag) = self.peek() {
            match flag {
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                ' ' => verb.space = true,
                '0' => verb.zero = true,
                '#' => verb.sharp = true,
                _ => break,
            }
            self.at += 1;
        }
        verb.width = self.number();
        if self.peek() == Some('.') {
            self.at += 1;
            verb.precision = Some(self.number().unwrap_or(0));
        }
        if self.peek() == Some('[') {
            self.at += 1;
            if matches!(self.peek(), Some('0') | None) {
                return Err(self.unrecognized());
            }
            self.next_argument = self.number().ok_or_else(|| self.unrecognized())?;
            if self.peek() != Some(']') {
                return Err(self.unrecognized());
            }
            self.at += 1;
        } else {
            self.next_argument += 1;
        }
        verb.argument = self.next_argument;
        match self.peek() {
            Some(letter) if letter.is_ascii_alphabetic() => {
                self.at += 1;
                verb.letter = letter;
                verb.raw = self.format.get(offset..self.at).unwrap_or_default();
                Ok(verb)
            }
            None => Err(CallError::new(format!(
                "invalid format string starting at offset {}",
                self.at
            ))),
            Some(_) => Err(self.unrecognized()),
        }
    }
}

fn single_quoted(c: char) -> String {
    let quoted = quoted(c.encode_utf8(&mut [0; 4]));
    format!("'{}'", quoted.trim_matches('"'))
}

fn render(format: &str, arguments: &[Value]) -> Result<Value, CallError> {
    // One that is not known makes the text unknown, but not what comes before it.
    let known = arguments.iter().all(Value::is_wholly_known);
    if !known {
        let start = format.find('%').unwrap_or(format.len());
        let refinement = Refinement::prefix(format.get(..start).unwrap_or_default());
        return Ok(Value::unknown_refined(Type::String, refinement));
    }
    render_known(format, arguments).map(Value::from)
}

fn render_known(format: &str, arguments: &[Value]) -> Result<String, CallError> {
    let mut reader = Reader {
        format,
        at: 0,
        next_argument: 0,
    };
    let mut out = String::new();
    let mut highest = 0;
    while let Some(piece) = reader.next()? {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Verb(verb) => {
                highest = highest.max(verb.argument);
                let argument = arguments.get(verb.argument - 1).ok_or_else(|| {
                    CallError::new(format!(
                        "not enough arguments for {} at {}: need index {} but have {} total",
                        quoted(verb.raw),
                        verb.offset,
                        verb.argument,
                        arguments.len()
                    ))
                })?;
                verb.write(argument, &mut out)?;
            }
        }
    }
    if highest < arguments.len() {
        let message = match highest {
            0 => "too many arguments; no verbs in format string".to_owned(),
            n => format!("too many arguments; only {n} used by format string"),
        };
        return Err(CallError::argument(highest + 1, message));
    }
    Ok(out)
}

impl Verb<'_> {
    fn unsupported(&self, why: impl std::fmt::Display) -> CallError {
        CallError::new(format!(
            "unsupported value for {} at {}: {why}",
            quoted(self.raw),
            self.offset
        ))
    }

    fn write(&self, value: &Value, out: &mut String) -> Result<(), CallError> {
        if self.letter != 'v' && value.is_null() {
            return Err(self.unsupported("null value cannot be formatted"));
        }
        let to = |ty: &Type| convert(value, ty).map_err(|e| self.unsupported(e));
        match self.letter {
            'v' => {
                let text = match value.data() {
                    Data::String(text) if !self.sharp => text.to_string(),
                    Data::Number(n) if !self.sharp && !n.is_infinite() => {
                        let sign = if n.is_negative() { "-" } else { "" };
                        format!("{sign}{}", self.general(n))
                    }
                    _ => json::encode(value).map_err(CallError::new)?,
                };
                self.pad_text(&text, out);
            }
            't' => {
                let truth = to(&Type::Bool)?.as_bool().unwrap_or_default();
                out.push_str(if truth { "true" } else { "false" });
            }
            'b' | 'd' | 'o' | 'x' | 'X' => {
                let number = to(&Type::Number)?;
                let integer = number.as_number().and_then(Number::as_big);
                let integer = integer.ok_or_else(|| self.unsupported("an integer is required"))?;
                self.integer(&integer, out);
            }
            'e' | 'E' | 'f' | 'g' | 'G' => {
                let number = to(&Type::Number)?;
                if let Some(number) = number.as_number() {
                    self.float(number, out);
                }
            }
            's' | 'q' => {
                let text = to(&Type::String)?;
                let text = text.as_str().unwrap_or_default();
                let cut: String = match self.precision {
                    Some(n) => text.graphemes(true).take(n).collect(),
                    None => text.to_owned(),
                };
                let shown = if self.letter == 'q' {
                    json::encode(&Value::from(cut)).map_err(CallError::new)?
                } else {
                    cut
                };
                self.pad_text(&shown, out);
            }
            letter => {
                return Err(CallError::new(format!(
                    "unsupported format verb {} in {} at offset {}",
                    single_quoted(letter),
                    quoted(self.raw),
                    self.offset
                )));
            }
        }
        Ok(())
    }

    fn pad_text(&self, text: &str, out: &mut String) {
        let width = self.width.unwrap_or(0);
        let missing = width.saturating_sub(text.graphemes(true).count());
        let fill = if self.zero { '0' } else { ' ' };
        let padding = std::iter::repeat_n(fill, missing);
        if self.minus {
            out.push_str(text);
            out.extend(padding);
        } else {
            out.extend(padding);
            out.push_str(text);
        }
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    /// Sign, prefix and digits, with blanks before, zeros between or blanks after.
    fn pad_number(&self, sign: &str, prefix: &str, digits: &str, zero: bool, out: &mut String) {
        let length = sign.len() + prefix.len() + digits.len();
        let missing = self.width.unwrap_or(0).saturating_sub(length);
        let (before, between, after) = match (self.minus, zero) {
            (true, _) => (0, 0, missing),
            (false, true) => (0, missing, 0),
            (false, false) => (missing, 0, 0),
        };
        out.extend(std::iter::repeat_n(' ', before));
        out.push_str(sign);
        out.push_str(prefix);
        out.extend(std::iter::repeat_n('0', between));
        out.push_str(digits);
        out.extend(std::iter::repeat_n(' ', after));
    }

    fn integer(&self, n: &IBig, out: &mut String) {
        let negative = *n < IBig::ZERO;
        let text = match self.letter {
            'b' => n.in_radix(2).to_string(),
            'o' => n.in_radix(8).to_string(),
            'x' => n.in_radix(16).to_string(),
            'X' => n.in_radix(16).to_string().to_ascii_uppercase(),
            _ => n.to_string(),
        };
        let mut digits = text.trim_start_matches('-').to_owned();
        if let Some(least) = self.precision {
            let missing = least.saturating_sub(digits.len());
            digits.insert_str(0, &"0".repeat(missing));
            if least == 0 && *n == IBig::ZERO {
                digits.clear();
            }
        }
        let prefix = match (self.sharp, self.letter) {
            (true, 'b') => "0b",
            (true, 'o') => "0",
            (true, 'x') => "0x",
            (true, 'X') => "0X",
            _ => "",
        };
        let zero = self.zero && self.precision.is_none();
        self.pad_number(self.sign(negative), prefix, &digits, zero, out);
    }

    fn float(&self, x: &Number, out: &mut String) {
        let sign = self.sign(x.is_negative());
        if x.is_infinite() {
            let sign = if sign.is_empty() { "+" } else { sign };
            self.pad_number(sign, "", "Inf", false, out);
            return;
        }
        let digits = match self.letter {
            'f' => x.abs().fixed(self.precision.unwrap_or(6)),
            'e' | 'E' => exponential(x.scientific(Some(self.precision.unwrap_or(6)))),
            _ => self.general(x),
        };
        let digits = if self.letter.is_ascii_uppercase() {
            digits.to_ascii_uppercase()
        } else {
            digits
        };
        self.pad_number(sign, "", &digits, self.zero, out);
    }

    /// With an exponent where the number is very big or small, else without.
    fn general(&self, x: &Number) -> String {
        let places = self.precision.map(|p| p.max(1) - 1);
        let (digits, exponent) = x.scientific(places);
        let significant = digits.bytes().filter(u8::is_ascii_digit).count();
        let trimmed = if digits.contains('.') {
            digits
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned()
        } else {
            digits
        };
        let count = trimmed.bytes().filter(u8::is_ascii_digit).count();
        let threshold = match self.precision {
            None => 6,
            Some(_) => i64::try_from(significant).unwrap_or(i64::MAX),
        };
        if exponent < -4 || exponent >= threshold {
            return exponential((trimmed, exponent));
        }
        let after = i64::try_from(count).unwrap_or(i64::MAX) - 1 - exponent;
        match self.precision {
            None => x.abs().to_string(),
            Some(_) => x.abs().fixed(usize::try_from(after).unwrap_or(0)),
        }
    }
}

fn exponential((digits, exponent): (String, i64)) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// What an argument of `formatlist` gives at each position.
enum Source<'v> {
    Same(&'v Value),
    Each(&'v [Value]),
    Unknown,
}

fn format_list(a: &Arguments<'_>) -> Result<Value, CallError> {
    let format = a.text(0);
    let arguments = a.values().get(1..).unwrap_or_default();
    let unknown = || Value::unknown(Type::list(Type::String)).never_null();
    let mut sources = Vec::with_capacity(arguments.len());
    // The length of the lists, and which argument gave it.
    let mut length: Option<(usize, usize)> = None;
    for (i, argument) in arguments.iter().enumerate() {
        let source = match argument.data() {
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
                match length {
                    Some((n, first)) if n != items.len() => {
                        return Err(CallError::argument(
                            i + 1,
                            format!(
                                "argument {} has length {}, which is inconsistent with argument {} \
                                 of length {n}",
                                i + 1,
                                items.len(),
                                first + 1,
                            ),
                        ));
                    }
                    Some(_) => {}
                    None => length = Some((items.len(), i)),
                }
                Source::Each(items)
            }
            Data::Unknown(Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Dynamic, _) => {
                Source::Unknown
            }
            _ => Source::Same(argument),
        };
        sources.push(source);
    }
    if sources.iter().any(|s| matches!(s, Source::Unknown)) {
        return Ok(unknown());
    }
    let count = length.map_or(1, |(n, _)| n);
    let mut texts = Vec::with_capacity(count);
    for i in 0..count {
        let row: Vec<Value> = sources
            .iter()
            .map(|source| match source {
                Source::Same(value) => (*value).clone(),
                Source::Each(items) => items.get(i).cloned().unwrap_or(Value::NULL),
                Source::Unknown => Value::UNKNOWN,
            })
            .collect();
        let text = render(format, &row).map_err(|error| {
            if row.is_empty() {
                return error;
            }
            CallError::new(format!("error on format iteration {i}: {}", error.message))
        })?;
        texts.push(text);
    }
    Ok(Value::list(Type::String, texts))
}
