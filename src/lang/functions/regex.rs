//! Regular expressions, in the syntax of RE2.

mod syntax;

use ::regex::{Captures, Regex};
use mlinfra_sdk::{Type, Value};

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};

const PATTERN: Parameter = Parameter::new("pattern", Kind::Text);
const STRING: Parameter = Parameter::new("string", Kind::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "regex",
        "What a pattern matches first: the text, or its groups as a tuple or an object.",
        &[PATTERN, STRING],
        Returns::From(match_type, || Type::Dynamic),
        |a| {
            let pattern = Pattern::new(a.text(0))?;
            let found = pattern.regex.captures(a.text(1)).ok_or_else(|| {
                CallError::new("pattern did not match any part of the given string")
            })?;
            Ok(pattern.value(&found))
        },
    ),
    Function::new(
        "regexall",
        "All that a pattern matches, each as by regex.",
        &[PATTERN, STRING],
        Returns::From(
            |v| match_type(v).map(Type::list),
            || Type::list(Type::Dynamic),
        ),
        |a| {
            let pattern = Pattern::new(a.text(0))?;
            let all = pattern.regex.captures_iter(a.text(1));
            Ok(Value::list(
                pattern.ty(),
                all.map(|found| pattern.value(&found)),
            ))
        },
    ),
    Function::new(
        "replace",
        "The text with another in place of a part; the part is a pattern when it stands between \
         slashes.",
        &[
            Parameter::new("str", Kind::Text),
            Parameter::new("substr", Kind::Text),
            Parameter::new("replace", Kind::Text),
        ],
        Returns::Text,
        replace,
    ),
];

/// A pattern and the shape of what it matches.
struct Pattern {
    regex: Regex,
    /// The names of its groups, when they have names.
    names: Vec<Option<String>>,
}

impl Pattern {
    fn new(pattern: &str) -> Result<Pattern, CallError> {
        let regex = syntax::compile(pattern).map_err(|error| {
            let message = format!(
                "invalid regexp pattern: {} in {}",
                error.message, error.fragment
            );
            CallError::argument(0, message)
        })?;
        let names: Vec<Option<String>> = regex
            .capture_names()
            .skip(1)
            .map(|name| name.map(str::to_owned))
            .collect();
        let named = names.iter().flatten().count();
        if named > 0 && named < names.len() {
            return Err(CallError::argument(
                0,
                "invalid regexp pattern: cannot mix both named and unnamed capture groups",
            ));
        }
        Ok(Pattern { regex, names })
    }

    fn ty(&self) -> Type {
        if self.names.is_empty() {
            return Type::String;
        }
        let named: Option<Vec<&str>> = self.names.iter().map(Option::as_deref).collect();
        match named {
            Some(names) => Type::object(names.into_iter().map(|name| (name, Type::String))),
            None => Type::tuple(self.names.iter().map(|_| Type::String)),
        }
    }

    fn value(&self, found: &Captures<'_>) -> Value {
        let group = |i: usize| match found.get(i) {
            Some(text) => Value::string(text.as_str()),
            None => Value::null(Type::String),
        };
        if self.names.is_empty() {
            return group(0);
        }
        let named: Option<Vec<&str>> = self.names.iter().map(Option::as_deref).collect();
        match named {
            Some(names) => Value::object(
                names
                    .into_iter()
                    .enumerate()
                    .map(|(i, name)| (name, group(i + 1))),
            ),
            None => Value::tuple((1..=self.names.len()).map(group)),
        }
    }
}

fn match_type(values: &[Value]) -> Result<Type, CallError> {
    match values.first().and_then(Value::as_str) {
        Some(pattern) => Ok(Pattern::new(pattern)?.ty()),
        None => Ok(Type::Dynamic),
    }
}

fn replace(a: &Arguments<'_>) -> Result<Value, CallError> {
    let (text, part, other) = (a.text(0), a.text(1), a.text(2));
    let pattern = part.strip_prefix('/').and_then(|p| p.strip_suffix('/'));
    let Some(pattern) = pattern else {
        return Ok(Value::from(text.replace(part, other)));
    };
    let regex = syntax::compile(pattern).map_err(|error| {
        CallError::new(format!(
            "error parsing regexp: {}: `{}`",
            error.message, error.fragment
        ))
    })?;
    Ok(Value::string(&regex.replace_all(text, other)))
}
