//! `templatefile` and `templatestring`: templates that are not written where they are used.

use std::sync::Arc;

use mlinfra_sdk::value::Entries;
use mlinfra_sdk::{Data, Type, Value};

use super::arguments::{Arguments, CallError};
use super::files;
use super::signature::{Function, Kind, Parameter, Returns};
use super::tfvars::told;
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::eval::evaluate;
use crate::lang::expr::{Expr, Traversal};
use crate::lang::place;
use crate::lang::quote::quoted;
use crate::lang::scope::{FunctionSettings, Scope};
use crate::lang::syntax::parse_template;
use crate::source::{SourceId, Sources, Span};

const VARS: Parameter = Parameter::new("vars", Kind::Any);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "templatefile",
        "The value of the template in a file, with the variables that an object gives it.",
        &[Parameter::new("path", Kind::Text), VARS],
        Returns::Any,
        |a| {
            let text = files::text_of(a, 0)?;
            let template = Template::parse(a.text(0), text)
                .map_err(|errors| CallError::new(told(&errors.0, &errors.1)))?;
            template.render(a)
        },
    ),
    Function::new(
        "templatestring",
        "The text that a template from elsewhere makes, with the variables that an object gives it.",
        &[Parameter::new("template", Kind::Text), VARS],
        Returns::Text,
        |a| {
            let template = Template::parse("<templatestring argument>", a.text(0).to_owned());
            let template = template.map_err(|errors| {
                let reason = told(&errors.0, &errors.1);
                CallError::argument(0, format!("invalid template: {reason}"))
            })?;
            let value = template.render(a)?;
            crate::lang::convert::convert(&value, &Type::String)
                .map_err(|e| CallError::new(format!("invalid template result: {e}")))
        },
    ),
];

/// The names of these functions, which may not call one another.
pub(in crate::lang) fn is_template_function(name: &str) -> bool {
    matches!(name, "templatefile" | "templatestring")
}

struct Template {
    expr: Expr,
    sources: Sources,
}

impl Template {
    fn parse(name: &str, text: String) -> Result<Template, (Diagnostics, Sources)> {
        let mut sources = Sources::default();
        let source: SourceId = sources.add(name, None, text);
        match parse_template(source, &sources) {
            Ok(expr) => Ok(Template { expr, sources }),
            Err(errors) => Err((errors, sources)),
        }
    }

    fn render(&self, a: &Arguments<'_>) -> Result<Value, CallError> {
        let variables = variables(a.value(1))?;
        for reference in self.expr.references() {
            if !variables.contains_key(&reference.root) {
                return Err(CallError::argument(
                    1,
                    format!(
                        "vars map does not contain key {}, referenced at {}",
                        quoted(&reference.root),
                        place(&self.sources, reference.root_span)
                    ),
                ));
            }
        }
        let scope = Variables {
            variables,
            settings: a.settings,
            sources: &self.sources,
        };
        evaluate(&self.expr, &scope).map_err(|errors| CallError::new(told(&errors, &self.sources)))
    }
}

fn variables(vars: &Value) -> Result<&Entries, CallError> {
    let (Data::Map(_, entries) | Data::Object(entries)) = vars.data() else {
        return Err(CallError::argument(1, "invalid vars value: must be a map"));
    };
    for name in entries.keys() {
        let mut characters = name.chars();
        let valid = characters
            .next()
            .is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
            && characters.all(|c| c == '-' || unicode_ident::is_xid_continue(c));
        if !valid {
            return Err(CallError::argument(
                1,
                format!(
                    "invalid template variable name {}: must start with a letter, followed by zero \
                     or more letters, digits, and underscores",
                    quoted(name)
                ),
            ));
        }
    }
    Ok(entries)
}

/// The names that a template knows.
struct Variables<'t> {
    variables: &'t Entries,
    settings: &'t FunctionSettings,
    sources: &'t Sources,
}

impl Scope for Variables<'_> {
    fn resolve(&self, traversal: &Traversal) -> Result<(Value, usize), Diagnostic> {
        match self.variables.get(&traversal.root) {
            Some(value) => Ok((value.clone(), 0)),
            None => Err(Diagnostic::error(
                "Unknown variable",
                format!(
                    "There is no variable named {}.",
                    quoted(&Arc::clone(&traversal.root))
                ),
            )),
        }
    }

    fn settings(&self) -> &FunctionSettings {
        self.settings
    }

    fn within_template(&self) -> bool {
        true
    }

    fn place(&self, span: Span) -> Option<String> {
        Some(place(self.sources, span))
    }
}

fn place(sources: &Sources, span: Span) -> String {
    place::place(sources.file(span.source), span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::parse::parse_expression;

    struct Names(FunctionSettings);

    impl Scope for Names {
        fn resolve(&self, _: &Traversal) -> Result<(Value, usize), Diagnostic> {
            Ok((Value::from("${upper(x)} and ${templatestring(x, {})}"), 0))
        }
        fn settings(&self) -> &FunctionSettings {
            &self.0
        }
    }

    fn evaluated(text: &str, settings: FunctionSettings) -> Result<Value, Diagnostics> {
        let mut sources = Sources::default();
        let source = sources.add("x", None, text);
        evaluate(&parse_expression(source, &sources)?, &Names(settings))
    }

    #[test]
    fn a_file_is_a_template_with_the_variables_given() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("t.tftpl"),
            "%{ for n in names ~}\n- ${n}\n%{ endfor ~}\n",
        )
        .unwrap();
        std::fs::write(folder.path().join("one"), "${names}").unwrap();
        let settings = FunctionSettings {
            base_dir: folder.path().into(),
            ..FunctionSettings::default()
        };
        let value = evaluated(
            "templatefile(\"t.tftpl\", {names = [1, 2]})",
            settings.clone(),
        );
        assert_eq!(value.unwrap(), Value::from("- 1\n- 2\n"));
        let value = evaluated("templatefile(\"one\", {names = [1]})", settings.clone());
        assert!(matches!(value.unwrap().data(), Data::Tuple(_)));
        let errors = evaluated("templatefile(\"t.tftpl\", {})", settings).unwrap_err();
        assert!(
            errors.0[0]
                .detail
                .contains("\"names\", referenced at t.tftpl:1,13-18"),
            "{}",
            errors.0[0].detail
        );
    }

    #[test]
    fn templates_do_not_call_templates() {
        let errors = evaluated(
            "templatestring(a, {x = \"1\"})",
            FunctionSettings::default(),
        );
        let detail = &errors.unwrap_err().0[0].detail;
        assert!(
            detail.contains("cannot recursively call templatestring"),
            "{detail}"
        );
    }
}
