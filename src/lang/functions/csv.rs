//! CSV text as a list of objects.

use std::sync::Arc;

use mlinfra_sdk::{Type, Value};

use super::arguments::CallError;
use super::signature::{Function, Kind, Parameter, Returns};
use crate::lang::quote::quoted;

pub(super) const FUNCTIONS: &[Function] = &[Function::new(
    "csvdecode",
    "The rows of a CSV text as objects whose attributes the first row names.",
    &[Parameter::new("str", Kind::Text)],
    Returns::Any,
    |a| decode(a.text(0)),
)];

fn decode(text: &str) -> Result<Value, CallError> {
    let mut reader = Reader {
        text,
        at: 0,
        line: 1,
    };
    let header = reader
        .record()?
        .ok_or_else(|| CallError::new("missing header line"))?;
    let mut names: Vec<Arc<str>> = Vec::with_capacity(header.fields.len());
    for name in header.fields {
        if names.iter().any(|n| **n == *name) {
            return Err(CallError::new(format!(
                "duplicate column name {}",
                quoted(&name)
            )));
        }
        names.push(name.into());
    }
    let row_type = Type::object(names.iter().map(|n| (Arc::clone(n), Type::String)));
    let mut rows = Vec::new();
    while let Some(record) = reader.record()? {
        if record.fields.len() != names.len() {
            return Err(broken(record.line, "wrong number of fields"));
        }
        let fields = record.fields.into_iter().map(Value::from);
        let attributes = names.iter().cloned().zip(fields);
        rows.push(Value::object(attributes.collect::<Vec<_>>()));
    }
    Ok(Value::list(row_type, rows))
}

fn broken(line: usize, what: &str) -> CallError {
    CallError::new(format!("CSV parse error on line {line}: {what}"))
}

struct Record {
    line: usize,
    fields: Vec<String>,
}

/// A reader as strict about quotes as RFC 4180, which the CSV libraries are not.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

const BARE: &str = "bare \" in non-quoted-field";
const QUOTE: &str = "extraneous or missing \" in quoted-field";

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, length: usize) {
        let skipped = self.rest().get(..length).unwrap_or_default();
        self.line += skipped.matches('\n').count();
        self.at += length;
    }

    /// The length of a line break at the start of a text.
    fn line_break(text: &str) -> Option<usize> {
        ["\r\n", "\n"]
            .into_iter()
            .find(|b| text.starts_with(b))
            .map(str::len)
    }

    fn record(&mut self) -> Result<Option<Record>, CallError> {
        while let Some(length) = Self::line_break(self.rest()) {
            self.skip(length);
        }
        if self.rest().is_empty() {
            return Ok(None);
        }
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            fields.push(if self.rest().starts_with('"') {
                self.quoted()?
            } else {
                self.bare()?
            });
            if self.rest().starts_with(',') {
                self.skip(1);
                continue;
            }
            if let Some(length) = Self::line_break(self.rest()) {
                self.skip(length);
            }
            return Ok(Some(Record { line, fields }));
        }
    }

    fn bare(&mut self) -> Result<String, CallError> {
        let rest = self.rest();
        let end = rest
            .char_indices()
            .find(|(i, c)| *c == ',' || Self::line_break(&rest[*i..]).is_some())
            .map_or(rest.len(), |(i, _)| i);
        let field = &rest[..end];
        if field.contains('"') {
            return Err(broken(self.line, BARE));
        }
        self.skip(end);
        Ok(field.to_owned())
    }

    fn quoted(&mut self) -> Result<String, CallError> {
        self.skip(1);
        let mut field = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.find('"') else {
                return Err(broken(self.line, QUOTE));
            };
            // A line break within a field is a line feed, however it is written.
            field.push_str(&rest[..end].replace("\r\n", "\n"));
            self.skip(end + 1);
            let after = self.rest();
            if after.starts_with('"') {
                field.push('"');
                self.skip(1);
                continue;
            }
            let ends =
                after.is_empty() || after.starts_with(',') || Self::line_break(after).is_some();
            return if ends {
                Ok(field)
            } else {
                Err(broken(self.line, QUOTE))
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_hold_quotes_commas_and_line_breaks() {
        let rows = decode("a,b\r\n\"x,\"\"y\"\"\",\"1\n2\"\n\n,z").unwrap();
        let rows = rows.elements().unwrap();
        assert_eq!(rows[0].get_str("a"), Some("x,\"y\""));
        assert_eq!(rows[0].get_str("b"), Some("1\n2"));
        assert_eq!(rows[1].get_str("a"), Some(""));
    }

    #[test]
    fn errors_name_the_line() {
        for (text, message) in [
            (
                "a,b\n1\n",
                "CSV parse error on line 2: wrong number of fields",
            ),
            (
                "a\nx\"y\n",
                "CSV parse error on line 2: bare \" in non-quoted-field",
            ),
            ("", "missing header line"),
        ] {
            assert_eq!(decode(text).unwrap_err().message, message);
        }
    }
}
