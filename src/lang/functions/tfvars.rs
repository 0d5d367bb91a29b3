//! The functions of the built-in provider `terraform`: values as configuration text, and back.

use mlinfra_sdk::{Data, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};
use crate::diag::Diagnostics;
use crate::lang::eval::evaluate;
use crate::lang::place::place;
use crate::lang::quote::{prints, quoted};
use crate::lang::scope::NoScope;
use crate::lang::syntax::parse_file;
use crate::source::Sources;

const VALUE: Parameter = Parameter::new("value", Kind::Any).unknown();

/// Called as `provider::terraform::name`.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "decode_tfvars",
        "The variables that the text of a .tfvars file sets, as an object.",
        &[Parameter::new("src", Kind::Text)],
        Returns::Any,
        |a| decode(a.text(0)),
    ),
    Function::new(
        "encode_expr",
        "The value as an expression.",
        &[VALUE],
        Returns::Text,
        |a| {
            Ok(if a.value(0).is_wholly_known() {
                Value::from(expression(a.value(0)))
            } else {
                Value::unknown(Type::String).never_null()
            })
        },
    ),
    Function::new(
        "encode_tfvars",
        "The attributes of an object as the text of a .tfvars file.",
        &[VALUE],
        Returns::Text,
        encode,
    ),
];

fn encode(a: &Arguments<'_>) -> Result<Value, CallError> {
    let value = a.value(0);
    if !matches!(value.ty(), Type::Object(_) | Type::Map(_) | Type::Dynamic) {
        return Err(CallError::new(
            "invalid value to encode: must be an object whose attribute names will become the \
             encoded variable names",
        ));
    }
    if !value.is_wholly_known() {
        return Ok(Value::unknown(Type::String).never_null());
    }
    let entries = value.entries().into_iter().flatten();
    let mut lines = Vec::new();
    for (name, value) in entries {
        if !is_identifier(name) {
            return Err(CallError::new(format!(
                "invalid variable name {}: must be a valid identifier, per Terraform's rules for \
                 input variable declarations",
                quoted(name)
            )));
        }
        lines.push((name.to_string(), expression(value)));
    }
    Ok(Value::from(aligned(&lines)))
}

fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && characters.all(|c| c == '-' || unicode_ident::is_xid_continue(c))
}

/// `name = value` lines whose equals signs stand below one another where the values are of one
/// line.
fn aligned(lines: &[(String, String)]) -> String {
    let width = |name: &str| name.graphemes(true).count();
    let mut out = String::new();
    for group in lines.chunk_by(|(_, a), (_, b)| !a.contains('\n') && !b.contains('\n')) {
        let widest = group.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
        for (name, value) in group {
            out.push_str(name);
            out.extend(std::iter::repeat_n(' ', widest - width(name)));
            out.push_str(" = ");
            out.push_str(value);
            out.push('\n');
        }
    }
    out
}

/// A wholly known value as an expression.
fn expression(value: &Value) -> String {
    match value.data() {
        Data::Bool(b) => b.to_string(),
        Data::Number(n) => n.to_string(),
        Data::String(text) => text_literal(text),
        Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
            let items: Vec<String> = items.iter().map(expression).collect();
            format!("[{}]", items.join(", "))
        }
        Data::Map(_, entries) | Data::Object(entries) if entries.is_empty() => "{}".into(),
        Data::Map(_, entries) | Data::Object(entries) => {
            let lines: Vec<(String, String)> = entries
                .iter()
                .map(|(key, value)| {
                    let key = if is_identifier(key) {
                        key.to_string()
                    } else {
                        text_literal(key)
                    };
                    (key, expression(value))
                })
                .collect();
            let mut out = "{\n".to_owned();
            for line in aligned(&lines).lines() {
                out.push_str("  ");
                out.push_str(line);
                out.push('\n');
            }
            out.push('}');
            out
        }
        Data::Null(_) | Data::Unknown(..) | Data::Type(_) => "null".into(),
    }
}

/// Text in quotes, with escapes for what would be read as something else.
fn text_literal(text: &str) -> String {
    let mut out = "\"".to_owned();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if rest.as_str().starts_with('{') => {
                out.push(c);
                out.push(c);
            }
            c if prints(c) => out.push(c),
            c => match u32::from(c) {
                code @ 0..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    out.push('"');
    out
}

fn decode(text: &str) -> Result<Value, CallError> {
    let mut sources = Sources::default();
    let source = sources.add("<decode_tfvars argument>", None, text);
    let (body, errors) = parse_file(source, &sources);
    if errors.has_errors() {
        let reason = told(&errors, &sources);
        return Err(CallError::new(format!("invalid tfvars syntax: {reason}")));
    }
    if let Some(block) = body.blocks.first() {
        let at = place(sources.file(source), block.kind_span);
        return Err(CallError::new(format!(
            "invalid tfvars content: {at}: Unexpected {} block; Blocks are not allowed here.",
            quoted(&block.kind)
        )));
    }
    let mut attributes = Vec::with_capacity(body.attributes.len());
    for attribute in body.attributes {
        let value = evaluate(&attribute.value, &NoScope::default()).map_err(|errors| {
            let reason = told(&errors, &sources);
            let name = quoted(&attribute.name);
            CallError::new(format!("invalid expression for variable {name}: {reason}"))
        })?;
        attributes.push((attribute.name, value));
    }
    Ok(Value::object(attributes))
}

/// Errors in a text as one clause.
pub(super) fn told(errors: &Diagnostics, sources: &Sources) -> String {
    let Some((first, rest)) = errors.0.split_first() else {
        return "the text is not valid".into();
    };
    let at = first
        .subject
        .map(|span| format!("{}: ", place(sources.file(span.source), span)))
        .unwrap_or_default();
    let others = match rest.len() {
        0 => String::new(),
        n => format!(", and {n} other diagnostic(s)"),
    };
    format!("{at}{}; {}{others}", first.summary, first.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let value = Value::object([
            ("a", Value::from(1i64)),
            (
                "bb",
                Value::object([
                    ("c", Value::from("${x}\n\u{1}")),
                    ("d e", Value::tuple([Value::NULL, Value::from(true)])),
                ]),
            ),
            ("l", Value::object::<&str>([])),
            ("long", Value::from(2i64)),
        ]);
        let lines: Vec<(String, String)> = value
            .entries()
            .unwrap()
            .iter()
            .map(|(k, v)| (k.to_string(), expression(v)))
            .collect();
        let text = aligned(&lines);
        assert_eq!(
            text,
            "a = 1\nbb = {\n  c     = \"$${x}\\n\\u0001\"\n  \"d e\" = [null, true]\n}\nl    = {}\nlong = 2\n"
        );
        assert_eq!(decode(&text).unwrap(), value);
    }

    #[test]
    fn a_file_of_variables_takes_constants_only() {
        for (text, reason) in [
            ("a = b\n", "1,5-6: Variables not allowed"),
            ("a = upper(\"x\")\n", "1,5-15: Function calls not allowed"),
            ("a {\n}\n", "1,1-2: Unexpected \"a\" block"),
            ("a = ", "1,5-5: Missing expression"),
        ] {
            let message = decode(text).unwrap_err().message;
            assert!(message.contains(reason), "{message}");
        }
    }
}
