//! A value as an expression, as `output` and `console` print it.

use mlinfra_sdk::{Data, Type, Value};

use super::diff::quoted;

/// The value as an expression that answers it.
pub fn render(value: &Value) -> String {
    written(value, 0)
}

/// `indent` is that of the line the value begins on, in blanks.
fn written(value: &Value, indent: usize) -> String {
    if value.marks().is_sensitive() {
        return "(sensitive value)".to_owned();
    }
    if value.marks().is_ephemeral() {
        return "(ephemeral value)".to_owned();
    }
    match value.data() {
        Data::Unknown(..) => "(known after apply)".to_owned(),
        Data::Null(ty) => null(ty),
        Data::Bool(b) => b.to_string(),
        Data::Number(n) => n.to_string(),
        Data::String(text) => string(text, indent),
        Data::List(_, items) => format!("tolist({})", sequence(items, indent)),
        Data::Set(_, items) => format!("toset({})", sequence(items, indent)),
        Data::Tuple(items) => sequence(items, indent),
        Data::Map(_, entries) => format!("tomap({})", mapping(entries, indent)),
        Data::Object(entries) => mapping(entries, indent),
        Data::Type(ty) => ty.to_string(),
    }
}

fn null(ty: &Type) -> String {
    let of = |element: &Type| element.friendly();
    match ty {
        Type::Dynamic | Type::Type => "null".to_owned(),
        Type::String => "tostring(null)".to_owned(),
        Type::Number => "tonumber(null)".to_owned(),
        Type::Bool => "tobool(null)".to_owned(),
        Type::List(t) => format!("tolist(null) /* of {} */", of(t)),
        Type::Set(t) => format!("toset(null) /* of {} */", of(t)),
        Type::Map(t) => format!("tomap(null) /* of {} */", of(t)),
        Type::Tuple(_) | Type::Object(_) => format!("null /* {} */", of(ty)),
    }
}

/// Text of several lines is a heredoc, indented where something stands around it.
fn string(text: &str, indent: usize) -> String {
    if !text.contains('\n') {
        return quoted(text);
    }
    let mut end = "EOT".to_owned();
    while text.split('\n').any(|line| line.trim() == end) {
        end.push('_');
    }
    let pad = " ".repeat(indent);
    let operator = if indent > 0 { "<<-" } else { "<<" };
    let mut out = format!("{operator}{end}\n");
    for line in text.split('\n') {
        out.push_str(&format!("{pad}{line}\n"));
    }
    out + &pad + &end
}

fn sequence(items: &[Value], indent: usize) -> String {
    if items.is_empty() {
        return "[]".to_owned();
    }
    let pad = " ".repeat(indent);
    let mut out = "[\n".to_owned();
    for item in items {
        out.push_str(&format!("{pad}  {},\n", written(item, indent + 2)));
    }
    out + &pad + "]"
}

fn mapping(entries: &mlinfra_sdk::value::Entries, indent: usize) -> String {
    if entries.is_empty() {
        return "{}".to_owned();
    }
    let pad = " ".repeat(indent);
    let mut out = "{\n".to_owned();
    for (key, value) in entries {
        let value = written(value, indent + 2);
        out.push_str(&format!("{pad}  {} = {value}\n", quoted(key)));
    }
    out + &pad + "}"
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Each as Terraform 1.11.4 prints it.
    #[test]
    fn values_read_as_expressions() {
        let strings = |items: &[&str]| items.iter().map(|i| Value::from(*i)).collect::<Vec<_>>();
        for (value, wanted) in [
            (Value::from("a\"b${x}\t"), "\"a\\\"b${x}\\t\""),
            (
                Value::from("line1\n  line2 ${y} %{z}\n"),
                "<<EOT\nline1\n  line2 ${y} %{z}\n\nEOT",
            ),
            (
                Value::tuple(strings(&["x\ny"])),
                "[\n  <<-EOT\n  x\n  y\n  EOT,\n]",
            ),
            (Value::from("EOT\nx"), "<<EOT_\nEOT\nx\nEOT_"),
            (
                Value::list(Type::String, strings(&["a", "b"])),
                "tolist([\n  \"a\",\n  \"b\",\n])",
            ),
            (
                Value::map(Type::Number, [("b c", Value::from(2i64))]),
                "tomap({\n  \"b c\" = 2\n})",
            ),
            (Value::set(Type::Number, []), "toset([])"),
            (
                Value::object([(
                    "x",
                    Value::object([("y", Value::list(Type::Number, [Value::from(1i64)]))]),
                )]),
                "{\n  \"x\" = {\n    \"y\" = tolist([\n      1,\n    ])\n  }\n}",
            ),
            (Value::object::<Arc<str>>([]), "{}"),
            (Value::NULL, "null"),
            (Value::null(Type::String), "tostring(null)"),
            (
                Value::null(Type::list(Type::String)),
                "tolist(null) /* of string */",
            ),
            (Value::UNKNOWN, "(known after apply)"),
            (Value::from(1i64).sensitive(), "(sensitive value)"),
        ] {
            assert_eq!(render(&value), wanted);
        }
    }
}
