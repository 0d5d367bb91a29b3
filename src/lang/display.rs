//! Values and types as a console shows them.

use std::fmt::Write;

use mlinfra_sdk::{Data, Type, Value};

use super::names::type_name;
use super::quote::quoted;

/// A value as it could be written, without what is sensitive or not known yet.
pub fn value(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0);
    out
}

/// A type on as many lines as it takes.
pub fn ty(ty: &Type) -> String {
    let mut out = String::new();
    write_type(&mut out, ty, 0);
    out
}

fn indent(out: &mut String, width: usize) {
    out.extend(std::iter::repeat_n(' ', width));
}

fn write_value(out: &mut String, value: &Value, width: usize) {
    if !value.is_known() {
        out.push_str("(known after apply)");
        return;
    }
    if value.marks().is_sensitive() {
        out.push_str("(sensitive value)");
        return;
    }
    if value.marks().is_ephemeral() {
        out.push_str("(ephemeral value)");
        return;
    }
    match value.data() {
        Data::Unknown(..) => {}
        Data::Null(t) => write_null(out, t),
        Data::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        // Writing to a string cannot fail.
        Data::Number(n) => drop(write!(out, "{n}")),
        Data::String(text) => write_text(out, text, width),
        Data::Tuple(items) => write_sequence(out, items, width),
        Data::List(_, items) => {
            out.push_str("tolist(");
            write_sequence(out, items, width);
            out.push(')');
        }
        Data::Set(_, items) => {
            out.push_str("toset(");
            write_sequence(out, items, width);
            out.push(')');
        }
        Data::Object(entries) => write_mapping(out, entries, width),
        Data::Map(_, entries) => {
            out.push_str("tomap(");
            write_mapping(out, entries, width);
            out.push(')');
        }
        Data::Type(t) => out.push_str(&ty(t)),
    }
}

fn write_null(out: &mut String, ty: &Type) {
    let of = |t: &Type| type_name(t);
    out.push_str(&match ty {
        Type::Dynamic => "null".to_owned(),
        Type::String => "tostring(null)".to_owned(),
        Type::Number => "tonumber(null)".to_owned(),
        Type::Bool => "tobool(null)".to_owned(),
        Type::List(t) => format!("tolist(null) /* of {} */", of(t)),
        Type::Set(t) => format!("toset(null) /* of {} */", of(t)),
        Type::Map(t) => format!("tomap(null) /* of {} */", of(t)),
        ty => format!("null /* {} */", of(ty)),
    });
}

/// Text in quotes, or as a heredoc when it has several lines.
fn write_text(out: &mut String, text: &str, width: usize) {
    if !text.contains('\n') {
        out.push_str(&quoted(text));
        return;
    }
    let mut delimiter = "EOT".to_owned();
    while text.split('\n').any(|line| line.trim() == delimiter) {
        delimiter.push('_');
    }
    out.push_str(if width > 0 { "<<-" } else { "<<" });
    out.push_str(&delimiter);
    for line in text.split('\n').chain([delimiter.as_str()]) {
        out.push('\n');
        indent(out, width);
        out.push_str(line);
    }
}

fn write_sequence(out: &mut String, items: &[Value], width: usize) {
    out.push('[');
    for item in items {
        out.push('\n');
        indent(out, width + 2);
        write_value(out, item, width + 2);
        out.push(',');
    }
    if !items.is_empty() {
        out.push('\n');
        indent(out, width);
    }
    out.push(']');
}

fn write_mapping(out: &mut String, entries: &mlinfra_sdk::value::Entries, width: usize) {
    out.push('{');
    for (key, value) in entries {
        out.push('\n');
        indent(out, width + 2);
        write_text(out, key, width + 2);
        out.push_str(" = ");
        write_value(out, value, width + 2);
    }
    if !entries.is_empty() {
        out.push('\n');
        indent(out, width);
    }
    out.push('}');
}

fn write_type(out: &mut String, ty: &Type, width: usize) {
    match ty {
        Type::Dynamic => out.push_str("dynamic"),
        Type::Bool => out.push_str("bool"),
        Type::Number => out.push_str("number"),
        Type::String => out.push_str("string"),
        Type::Type => out.push_str("type"),
        Type::List(t) => write_collection(out, "list", t, width),
        Type::Set(t) => write_collection(out, "set", t, width),
        Type::Map(t) => write_collection(out, "map", t, width),
        Type::Tuple(types) if types.is_empty() => out.push_str("tuple([])"),
        Type::Tuple(types) => {
            out.push_str("tuple([\n");
            for t in types.iter() {
                indent(out, width + 4);
                write_type(out, t, width + 4);
                out.push_str(",\n");
            }
            indent(out, width);
            out.push_str("])");
        }
        Type::Object(o) if o.attributes.is_empty() => out.push_str("object({})"),
        Type::Object(o) => {
            out.push_str("object({\n");
            for (name, t) in &o.attributes {
                indent(out, width + 4);
                out.push_str(name);
                out.push_str(": ");
                write_type(out, t, width + 4);
                out.push_str(",\n");
            }
            indent(out, width);
            out.push_str("})");
        }
    }
}

fn write_collection(out: &mut String, kind: &str, element: &Type, width: usize) {
    out.push_str(kind);
    out.push('(');
    if matches!(element, Type::Object(_) | Type::Tuple(_)) {
        out.push('\n');
        indent(out, width + 4);
        write_type(out, element, width + 4);
        out.push_str(",\n");
        indent(out, width);
    } else {
        write_type(out, element, width);
    }
    out.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_they_could_be_written() {
        let shown = value(&Value::object([
            ("list", Value::list(Type::Number, [Value::from(1i64)])),
            ("secret", Value::from("x").sensitive()),
            ("text", Value::from("a\nEOT")),
            ("none", Value::null(Type::String)),
        ]));
        assert_eq!(
            shown,
            "{\n  \"list\" = tolist([\n    1,\n  ])\n  \"none\" = tostring(null)\n  \"secret\" = \
             (sensitive value)\n  \"text\" = <<-EOT_\n  a\n  EOT\n  EOT_\n}"
        );
    }

    #[test]
    fn types_are_shown_on_many_lines() {
        let object = Type::object([("a", Type::Number)]);
        assert_eq!(
            ty(&Type::list(Type::list(object))),
            "list(list(\n    object({\n        a: number,\n    }),\n))"
        );
    }
}
