//! The values given to the root module's variables, by Terraform's precedence: environment, then
//! variable files of the directory, then the command line in its order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlinfra_sdk::Value;

use super::{Variable, parse};
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang;
use crate::source::{Sources, Span};

/// What the command line gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given {
    /// `-var name=value`.
    Assignment(String),
    /// `-var-file path`.
    File(PathBuf),
}

/// A value with where it is from.
#[derive(Clone, Debug)]
struct Entry {
    value: Value,
    span: Option<Span>,
    origin: Origin,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Origin {
    Environment(String),
    /// A file that is read unasked.
    File(String),
    /// A file that the command line names.
    NamedFile(String),
    CommandLine,
}

/// The values of the root module's variables.
#[derive(Clone, Debug, Default)]
pub struct VariableValues {
    entries: BTreeMap<Arc<str>, Entry>,
}

/// Where to look for values.
pub struct Places<'p> {
    /// The directory of the root configuration.
    pub root: &'p Path,
    /// The variables that the root module declares.
    pub declared: &'p BTreeMap<Arc<str>, Variable>,
    /// `MLINFRA_VAR_x` and `TF_VAR_x`, by whole name.
    pub environment: &'p BTreeMap<String, String>,
    /// The command line.
    pub given: &'p [Given],
}

impl VariableValues {
    /// Collects what is given everywhere.
    pub fn collect(
        root: &Path,
        declared: &BTreeMap<Arc<str>, Variable>,
        environment: &BTreeMap<String, String>,
        given: &[Given],
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
    ) -> VariableValues {
        let mut collector = Collector {
            places: Places {
                root,
                declared,
                environment,
                given,
            },
            sources,
            diagnostics,
            values: VariableValues::default(),
        };
        collector.environment();
        collector.directory();
        collector.command_line();
        collector.values
    }

    /// The value of a variable: given or default, converted, marked; `None` with an error when
    /// there is none or it does not fit.
    pub fn get(&self, variable: &Variable, diagnostics: &mut Diagnostics) -> Option<Value> {
        let Some(entry) = self.entries.get(&variable.name) else {
            if variable.default.is_none() {
                diagnostics.push(
                    Diagnostic::error(
                        "No value for required variable",
                        format!(
                            "The root module input variable {:?} is not set, and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.",
                            variable.name
                        ),
                    )
                    .at(variable.header)
                    .code("E0011"),
                );
            }
            return variable.default.clone();
        };
        if entry.value.is_null() && !variable.nullable {
            if let Some(default) = &variable.default {
                return Some(default.clone());
            }
            diagnostics.push(
                Diagnostic::error(
                    "Required variable not set",
                    format!(
                        "Unsuitable value for var.{} {}: required variable may not be set to null.",
                        variable.name,
                        entry.set()
                    ),
                )
                .at(entry.span.or(Some(variable.header)))
                .code("E0011"),
            );
            return None;
        }
        match variable.constraint.apply(entry.value.clone()) {
            Ok(value) => Some(value),
            Err(e) => {
                diagnostics.push(
                    Diagnostic::error(
                        "Invalid value for input variable",
                        format!(
                            "Unsuitable value for var.{} {}: {e}.",
                            variable.name,
                            entry.set()
                        ),
                    )
                    .at(entry.span.or(Some(variable.header)))
                    .code("E0009"),
                );
                None
            }
        }
    }

    /// Whether a variable is given anywhere.
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The variables that the command line gives.
    pub fn from_command_line(&self) -> impl Iterator<Item = &Arc<str>> {
        let ours = |entry: &Entry| entry.origin.is_command_line();
        self.entries
            .iter()
            .filter(move |(_, e)| ours(e))
            .map(|(name, _)| name)
    }
}

impl Origin {
    fn is_command_line(&self) -> bool {
        matches!(self, Origin::CommandLine | Origin::NamedFile(_))
    }
}

impl Entry {
    fn set(&self) -> String {
        match &self.origin {
            Origin::Environment(name) => format!("set from environment variable {name}"),
            Origin::File(name) | Origin::NamedFile(name) => format!("set from {name}"),
            Origin::CommandLine => "set from the command line".into(),
        }
    }
}

struct Collector<'c> {
    places: Places<'c>,
    sources: &'c mut Sources,
    diagnostics: &'c mut Diagnostics,
    values: VariableValues,
}

impl Collector<'_> {
    fn environment(&mut self) {
        // Ours after Terraform's, so that ours wins.
        for prefix in ["TF_VAR_", "MLINFRA_VAR_"] {
            for (key, text) in self.places.environment {
                let Some(name) = key.strip_prefix(prefix) else {
                    continue;
                };
                // The environment may hold variables of other configurations.
                if let Some(variable) = self.places.declared.get(name) {
                    let origin = Origin::Environment(key.clone());
                    self.text(Arc::clone(&variable.name), text, origin);
                }
            }
        }
    }

    fn directory(&mut self) {
        for name in [
            "terraform.tfvars",
            "terraform.tfvars.json",
            "mlinfra.tfvars",
            "mlinfra.tfvars.json",
        ] {
            let path = self.places.root.join(name);
            if path.is_file() {
                self.file(&path, &Origin::File(name.to_owned()));
            }
        }
        let Ok(entries) = std::fs::read_dir(self.places.root) else {
            return;
        };
        let mut names: Vec<String> = entries
            .filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()))
            .filter(|n| n.ends_with(".auto.tfvars") || n.ends_with(".auto.tfvars.json"))
            .collect();
        names.sort();
        for name in names {
            self.file(&self.places.root.join(&name), &Origin::File(name));
        }
    }

    fn command_line(&mut self) {
        for given in self.places.given {
            match given {
                Given::File(path) => {
                    let full = self.places.root.join(path);
                    self.file(&full, &Origin::NamedFile(path.display().to_string()));
                }
                Given::Assignment(text) => match text.split_once('=') {
                    None => self.diagnostics.push(
                        Diagnostic::error(
                            "Invalid -var option",
                            format!("The given -var option {text:?} is not correctly specified. Must be a variable name and value separated by an equals sign, like -var=\"key=value\"."),
                        ),
                    ),
                    Some((name, value)) => self.assignment(name.trim(), value),
                },
            }
        }
    }

    fn assignment(&mut self, name: &str, value: &str) {
        if self.places.declared.contains_key(name) {
            self.text(name.into(), value, Origin::CommandLine);
            return;
        }
        let near = crate::diag::nearest(name, self.places.declared.keys().map(AsRef::as_ref));
        let mut diagnostic = Diagnostic::error(
            "Value for undeclared variable",
            format!("A variable named {name:?} was assigned on the command line, but the root module does not declare a variable of that name. To use this value, add a \"variable\" block to the configuration."),
        )
        .code("E0007");
        if let Some(near) = near {
            diagnostic = diagnostic.hint(format!("Did you mean {near:?}?"));
        }
        self.diagnostics.push(diagnostic);
    }

    /// Text from outside: literal for a string, an expression for everything else.
    fn text(&mut self, name: Arc<str>, text: &str, origin: Origin) {
        let Some(variable) = self.places.declared.get(&name) else {
            return;
        };
        let literal = !variable.has_type || variable.constraint.ty.is_primitive();
        let (value, span) = if literal {
            (Value::from(text), None)
        } else {
            let shown = format!("<value for var.{name}>");
            let source = self.sources.add(&shown, None, text);
            let parsed = lang::parse::parse_expression(source, self.sources)
                .and_then(|e| Ok((lang::evaluate(&e, &lang::NoScope::default())?, Some(e.span))));
            match self.diagnostics.keep(parsed) {
                Some(parsed) => parsed,
                None => return,
            }
        };
        let entry = Entry {
            value,
            span,
            origin,
        };
        self.values.entries.insert(name, entry);
    }

    fn file(&mut self, path: &Path, origin: &Origin) {
        let (Origin::File(name) | Origin::NamedFile(name)) = origin else {
            return;
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => {
                self.diagnostics.push(Diagnostic::error(
                    "Failed to read variables file",
                    format!("{name} cannot be read: {e}."),
                ));
                return;
            }
        };
        if name.ends_with(".json") {
            self.json(&text, name, origin);
            return;
        }
        let source = self.sources.add(name, Some(path), text);
        let body = parse(source, self.sources, self.diagnostics);
        for block in &body.blocks {
            self.diagnostics.push(
                Diagnostic::error(
                    "Unexpected block in variables file",
                    "A variables file holds assignments only: name = value.",
                )
                .at(block.ty_span),
            );
        }
        for attribute in body.attributes {
            let value = lang::evaluate(&attribute.value, &lang::NoScope::default());
            let Some(value) = self.diagnostics.keep(value) else {
                continue;
            };
            let span = attribute.value.span;
            self.take_from_file(attribute.name, value, Some(span), name, origin);
        }
    }

    fn json(&mut self, text: &str, name: &str, origin: &Origin) {
        match Value::from_json(text) {
            Ok(value) => {
                for (key, value) in value.entries().cloned().unwrap_or_default() {
                    self.take_from_file(key, value, None, name, origin);
                }
            }
            Err(e) => self.diagnostics.push(Diagnostic::error(
                "Invalid variables file",
                format!("{name} is not a JSON object: {e}."),
            )),
        }
    }

    fn take_from_file(
        &mut self,
        key: Arc<str>,
        value: Value,
        span: Option<Span>,
        name: &str,
        origin: &Origin,
    ) {
        if !self.places.declared.contains_key(&key) {
            let mut warning = Diagnostic::warning(
                "Value for undeclared variable",
                format!(
                    "The root module does not declare a variable named {key:?} but a value was found in file {name:?}. If you meant to use this value, add a \"variable\" block to the configuration."
                ),
            );
            if let Some(span) = span {
                warning = warning.at(span);
            }
            self.diagnostics.push(warning);
            return;
        }
        let entry = Entry {
            value,
            span,
            origin: origin.clone(),
        };
        self.values.entries.insert(key, entry);
    }
}
