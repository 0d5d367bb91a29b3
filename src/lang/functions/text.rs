//! Functions on text. Lengths and positions count characters as people see them.

use mlinfra_sdk::{Data, Refinement, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};

const STR: Parameter = Parameter::new("str", Kind::Text).dynamic();

const fn text(name: &'static str) -> Parameter {
    Parameter::new(name, Kind::Text)
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "chomp",
        "The text without the line breaks at its end.",
        &[STR],
        Returns::Text,
        |a| answer(a.text(0).trim_end_matches(['\n', '\r'])),
    ),
    Function::new(
        "endswith",
        "Whether the text ends with a suffix.",
        &[text("str"), text("suffix")],
        Returns::Bool,
        |a| Ok(Value::from(a.text(0).ends_with(a.text(1)))),
    ),
    Function::new(
        "indent",
        "The text with so many blanks before every line but the first.",
        &[Parameter::new("spaces", Kind::Number), text("str")],
        Returns::Text,
        indent,
    ),
    Function::new(
        "join",
        "The texts of lists, put together with a separator between them.",
        &[text("separator")],
        Returns::Text,
        join,
    )
    .variadic(Parameter::new("lists", Kind::Texts).unknown()),
    Function::new(
        "lower",
        "The text in lower case.",
        &[STR],
        Returns::Text,
        |a| Ok(Value::from(lower(a.text(0)))),
    ),
    Function::new(
        "upper",
        "The text in upper case.",
        &[STR],
        Returns::Text,
        |a| Ok(Value::from(upper(a.text(0)))),
    ),
    Function::new(
        "title",
        "The text with the first letter of every word in upper case.",
        &[STR],
        Returns::Text,
        |a| Ok(Value::from(title(a.text(0)))),
    ),
    Function::new(
        "split",
        "The parts of a text between the occurrences of a separator.",
        &[text("separator"), text("str")],
        Returns::Texts,
        |a| Ok(texts(split(a.text(0), a.text(1)))),
    ),
    Function::new(
        "startswith",
        "Whether the text starts with a prefix.",
        &[text("str").unknown(), text("prefix")],
        Returns::Bool,
        starts_with,
    ),
    Function::new(
        "strcontains",
        "Whether the text contains another.",
        &[text("str"), text("substr")],
        Returns::Bool,
        |a| Ok(Value::from(a.text(0).contains(a.text(1)))),
    ),
    Function::new(
        "strrev",
        "The characters of the text from the last to the first.",
        &[STR],
        Returns::Text,
        |a| {
            Ok(Value::from(
                a.text(0).graphemes(true).rev().collect::<String>(),
            ))
        },
    ),
    Function::new(
        "substr",
        "Part of a text: so many characters from an offset, which may count from the end; all of \
         them when the length is -1.",
        &[
            STR,
            Parameter::new("offset", Kind::Number).dynamic(),
            Parameter::new("length", Kind::Number).dynamic(),
        ],
        Returns::Text,
        substr,
    ),
    Function::new(
        "trim",
        "The text without certain characters at both ends.",
        &[text("str"), text("cutset")],
        Returns::Text,
        |a| {
            let cut: Vec<char> = a.text(1).chars().collect();
            answer(a.text(0).trim_matches(cut.as_slice()))
        },
    ),
    Function::new(
        "trimprefix",
        "The text without a prefix, if it has it.",
        &[text("str"), text("prefix")],
        Returns::Text,
        |a| answer(a.text(0).strip_prefix(a.text(1)).unwrap_or(a.text(0))),
    ),
    Function::new(
        "trimspace",
        "The text without blanks and line breaks at both ends.",
        &[text("str")],
        Returns::Text,
        |a| answer(a.text(0).trim()),
    ),
    Function::new(
        "trimsuffix",
        "The text without a suffix, if it has it.",
        &[text("str"), text("suffix")],
        Returns::Text,
        |a| answer(a.text(0).strip_suffix(a.text(1)).unwrap_or(a.text(0))),
    ),
];

fn answer(text: &str) -> Result<Value, CallError> {
    Ok(Value::string(text))
}

/// A list of texts.
pub(super) fn texts<'t>(items: impl IntoIterator<Item = &'t str>) -> Value {
    Value::list(Type::String, items.into_iter().map(Value::string))
}

fn indent(a: &Arguments<'_>) -> Result<Value, CallError> {
    let width = usize::try_from(a.integer(0)?)
        .map_err(|_| CallError::new("the number of spaces must not be negative"))?;
    let line_start = format!("\n{}", " ".repeat(width.min(1 << 20)));
    Ok(Value::from(a.text(1).replace('\n', &line_start)))
}

fn join(a: &Arguments<'_>) -> Result<Value, CallError> {
    let separator = a.text(0);
    let lists = a.values().get(1..).unwrap_or_default();
    if lists.is_empty() {
        return Err(CallError::new("at least one list is required"));
    }
    if lists.iter().any(|list| !list.is_wholly_known()) {
        return Ok(Value::unknown(Type::String).never_null());
    }
    let mut items = Vec::new();
    for (i, list) in lists.iter().enumerate() {
        for (j, item) in list.elements().unwrap_or_default().iter().enumerate() {
            items.push(item.as_str().ok_or_else(|| {
                let place = match lists.len() {
                    1 => format!("element {j}"),
                    _ => format!("element {j} of list {i}"),
                };
                CallError::argument(
                    i + 1,
                    format!("{place} is null; cannot concatenate null values"),
                )
            })?);
        }
    }
    Ok(Value::from(items.join(separator)))
}

/// Letter by letter: a letter whose other case is several letters stays.
fn lower(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'İ' => 'i',
            c => single(c, c.to_lowercase()),
        })
        .collect()
}

fn upper(text: &str) -> String {
    text.chars().map(upper_letter).collect()
}

fn upper_letter(c: char) -> char {
    single(c, c.to_uppercase())
}

fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(other), None) => other,
        _ => c,
    }
}

fn title(text: &str) -> String {
    let mut before = ' ';
    text.chars()
        .map(|c| {
            let start = is_separator(before);
            before = c;
            if start { upper_letter(c) } else { c }
        })
        .collect()
}

/// Whether a word may begin after this character.
fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        !(c.is_ascii_alphanumeric() || c == '_')
    } else {
        !c.is_alphanumeric() && c.is_whitespace()
    }
}

fn split<'t>(separator: &str, text: &'t str) -> Vec<&'t str> {
    if separator.is_empty() {
        let mut parts: Vec<&str> = text.split("").collect();
        // Rust sees an empty text before the first and after the last character.
        parts.retain(|part| !part.is_empty());
        return parts;
    }
    text.split(separator).collect()
}

fn starts_with(a: &Arguments<'_>) -> Result<Value, CallError> {
    let prefix = a.text(1);
    let value = a.value(0);
    if let Some(text) = value.as_str() {
        return Ok(Value::from(text.starts_with(prefix)));
    }
    if prefix.is_empty() && value.is_never_null() {
        return Ok(Value::from(true));
    }
    // What is known of the beginning may suffice.
    if let Some(known) = value.refinement().and_then(|r| r.prefix.as_deref()) {
        if known.starts_with(prefix) {
            return Ok(Value::from(true));
        }
        if !prefix.starts_with(known) {
            return Ok(Value::from(false));
        }
    }
    Ok(Value::unknown(Type::Bool).never_null())
}

fn substr(a: &Arguments<'_>) -> Result<Value, CallError> {
    let text = a.text(0);
    let offset = a.integer(1)?;
    let length = a.integer(2)?;
    let clusters: Vec<&str> = text.graphemes(true).collect();
    let start = if offset < 0 {
        let from_end = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        clusters.len().saturating_sub(from_end)
    } else {
        usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(clusters.len())
    };
    let rest = clusters.get(start..).unwrap_or_default();
    let taken = usize::try_from(length)
        .unwrap_or(rest.len())
        .min(rest.len());
    let part: String = rest.iter().take(taken).copied().collect();
    Ok(Value::from(part))
}

/// The number of characters of a text, or what is known of it.
pub(super) fn length(value: &Value) -> Value {
    match value.data() {
        Data::String(text) => Value::from(text.graphemes(true).count()),
        _ => {
            let mut refinement = Refinement::not_null();
            refinement.lower = Some((mlinfra_sdk::Number::from(0i64), true));
            Value::unknown_refined(Type::Number, refinement)
        }
    }
}
