//! Runs the corpus of expressions with Terraform's own answers, `tests/conformance/`, in process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlinfra_sdk::{Refinement, Type, Value};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::reference::Reference;
use super::{FunctionSettings, Scope, Traversal, constraint, display, evaluate, parse, syntax};
use crate::addr::Mode;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{SourceId, Sources, Span};

/// One expression and what Terraform says of it.
#[derive(Deserialize)]
struct Record<'c> {
    id: String,
    group: String,
    #[serde(default)]
    mode: Option<String>,
    expr: String,
    ok: bool,
    #[serde(borrow, default)]
    json: Option<&'c RawValue>,
    #[serde(default)]
    unknown: bool,
    #[serde(default, rename = "type")]
    ty: Option<String>,
    #[serde(default)]
    display: Option<String>,
    #[serde(default)]
    error_summary: Option<String>,
    #[serde(default)]
    error_detail: Option<String>,
}

/// The names of the fixture.
struct Fixture {
    settings: FunctionSettings,
    variables: BTreeMap<Arc<str>, Value>,
    locals: BTreeMap<Arc<str>, Value>,
    planned: bool,
    sources: Sources,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

impl Fixture {
    fn load(planned: bool) -> Fixture {
        let path = folder().join("fixture/main.tf");
        let text = std::fs::read_to_string(&path).unwrap();
        let body = hcl_edit::parser::parse_body(&text).unwrap();
        let mut sources = Sources::default();
        let source = sources.add("main.tf", Some(&path), text);
        let mut fixture = Fixture {
            settings: FunctionSettings {
                base_dir: folder().join("fixture"),
                console: true,
                ..FunctionSettings::default()
            },
            variables: BTreeMap::new(),
            locals: BTreeMap::new(),
            planned,
            sources,
        };
        for block in body.get_blocks("variable") {
            let name = block.labels.first().unwrap().as_str();
            fixture
                .variables
                .insert(name.into(), variable(&fixture, block, source));
        }
        for attribute in body.get_blocks("locals").flat_map(|b| b.body.attributes()) {
            let expr = parse::lower(&attribute.value, source, &fixture.sources).unwrap();
            let value = evaluate(&expr, &fixture).unwrap();
            fixture.locals.insert(attribute.key.as_str().into(), value);
        }
        fixture
    }

    fn resource(&self, name: &str) -> Option<Value> {
        let one = |input: Value| {
            let ty = input.ty();
            let computed = |ty: Type| {
                if self.planned {
                    Value::unknown_refined(ty, Refinement::not_null())
                } else {
                    Value::unknown(ty)
                }
            };
            Value::object([
                ("id", computed(Type::String)),
                ("input", input),
                ("output", Value::unknown(ty)),
                ("triggers_replace", Value::NULL),
            ])
        };
        if !self.planned {
            return matches!(name, "u" | "c" | "f").then_some(Value::UNKNOWN);
        }
        match name {
            "u" => Some(one(Value::from("known"))),
            "c" => Some(Value::tuple([
                one(Value::from(0i64)),
                one(Value::from(1i64)),
            ])),
            "f" => Some(Value::object([
                ("one", one(Value::from(1i64))),
                ("two", one(Value::from(2i64))),
            ])),
            _ => None,
        }
    }
}

fn variable(fixture: &Fixture, block: &hcl_edit::structure::Block, source: SourceId) -> Value {
    let value = match block.body.get_attribute("default") {
        Some(attribute) => {
            let expr = parse::lower(&attribute.value, source, &fixture.sources).unwrap();
            evaluate(&expr, fixture).unwrap()
        }
        None => Value::NULL,
    };
    let value = match block.body.get_attribute("type") {
        Some(attribute) => {
            let expr = parse::lower(&attribute.value, source, &fixture.sources).unwrap();
            constraint::type_constraint(&expr)
                .unwrap()
                .apply(value)
                .unwrap()
        }
        None => value,
    };
    if block.body.get_attribute("sensitive").is_some() {
        value.sensitive()
    } else {
        value
    }
}

impl Scope for Fixture {
    fn resolve(&self, traversal: &Traversal) -> Result<(Value, usize), Diagnostic> {
        let (reference, consumed) = Reference::parse(traversal)?;
        let undeclared = |summary: &str, detail: String| Err(Diagnostic::error(summary, detail));
        match reference {
            Reference::Variable(name) => match self.variables.get(&name) {
                Some(value) => Ok((value.clone(), consumed)),
                None => undeclared(
                    "Reference to undeclared input variable",
                    format!("An input variable with the name {name:?} has not been declared. This variable can be declared with a variable {name:?} {{}} block."),
                ),
            },
            Reference::Local(name) => match self.locals.get(&name) {
                Some(value) => Ok((value.clone(), consumed)),
                None => undeclared(
                    "Reference to undeclared local value",
                    format!("A local value with the name {name:?} has not been declared."),
                ),
            },
            Reference::Resource(r) if r.mode == Mode::Managed && &*r.ty == "terraform_data" => {
                let value = self.resource(&r.name);
                let value = value.ok_or_else(|| undeclared_resource(&r.ty, &r.name))?;
                check_resource(traversal, &r.name)?;
                Ok((value, consumed))
            }
            Reference::Resource(r) => Err(undeclared_resource(&r.ty, &r.name)),
            Reference::Module(name) => undeclared(
                "Reference to undeclared module",
                format!("No module call named {name:?} is declared in the root module."),
            ),
            Reference::Each(name) if &*name == "value" => undeclared(
                "each.value cannot be used in this context",
                "A reference to \"each.value\" has been used in a context in which it is unavailable, such as when the configuration no longer contains the value in its \"for_each\" expression. Remove this reference to each.value in your configuration to work around this error.".into(),
            ),
            Reference::Each(_) => undeclared(
                "Reference to \"each\" in context without for_each",
                "The \"each\" object can be used only in \"module\" or \"resource\" blocks, and only when the \"for_each\" argument is set.".into(),
            ),
            Reference::Count(_) => undeclared(
                "Reference to \"count\" in non-counted context",
                "The \"count\" object can only be used in \"module\", \"resource\", and \"data\" blocks, and only when the \"count\" argument is set.".into(),
            ),
            Reference::Itself => undeclared(
                "Invalid \"self\" reference",
                "The \"self\" object is not available in this context. This object can be used only in resource provisioner, connection, and postcondition blocks.".into(),
            ),
            Reference::Path(name) if matches!(&*name, "module" | "root") => {
                Ok((Value::from("."), consumed))
            }
            Reference::Terraform(name) if &*name == "workspace" => {
                Ok((Value::from("default"), consumed))
            }
            Reference::Path(_) | Reference::Terraform(_) => {
                undeclared("Invalid attribute", "There is no such attribute.".into())
            }
        }
    }

    fn settings(&self) -> &FunctionSettings {
        &self.settings
    }

    fn place(&self, span: Span) -> Option<String> {
        let file = self.sources.files().find(|(id, _)| *id == span.source);
        if file.is_some() {
            return None;
        }
        // The text of the console is one line.
        Some(format!(
            "<console-input>:1,{}-{}",
            span.start + 1,
            span.end + 1
        ))
    }
}

fn undeclared_resource(ty: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        "Reference to undeclared resource",
        format!("A managed resource {ty:?} {name:?} has not been declared in the root module."),
    )
}

/// What can be said against a reference to a resource without knowing its value.
fn check_resource(traversal: &Traversal, name: &str) -> Result<(), Diagnostic> {
    let attributes = ["id", "input", "output", "triggers_replace"];
    match traversal.steps.get(1).map(|s| s.as_attribute()) {
        Some(Some(attribute)) if name == "c" => Err(Diagnostic::error(
            "Missing resource instance key",
            format!(
                "Because terraform_data.c has \"count\" set, its attributes must be accessed on specific instances. For example, to correlate with indices of a referring resource, use: terraform_data.c[count.index]{}",
                if attribute.is_empty() { "." } else { "" }
            ),
        )),
        Some(Some(attribute)) if name == "u" && !attributes.contains(&attribute.as_ref()) => {
            Err(Diagnostic::error(
                "Unsupported attribute",
                format!(
                    "This object has no argument, nested block, or exported attribute named {attribute:?}."
                ),
            ))
        }
        _ => Ok(()),
    }
}

/// What our own evaluation gives.
struct Answer {
    value: Result<Value, Diagnostics>,
}

impl Answer {
    fn to(record: &Record<'_>, fixture: &mut Fixture) -> Answer {
        let mut sources = fixture.sources.clone();
        let value = if record.mode.as_deref() == Some("file") {
            let text = format!("locals {{\n  x_ = {}\n\n}}\n", record.expr);
            file_expression(&mut sources, text)
        } else {
            let source = sources.add("<console-input>", None, record.expr.as_str());
            parse::parse_expression(source, &sources)
        };
        Answer {
            value: value.and_then(|expr| evaluate(&expr, &*fixture)),
        }
    }

    fn differs(&self, record: &Record<'_>, strict: bool) -> Option<String> {
        match &self.value {
            Ok(value) if record.ok => differing_value(value, record),
            Err(errors) if !record.ok => differing_error(errors, record, strict),
            Ok(value) => Some(format!(
                "must fail with {:?}, is {}",
                record.error_summary,
                display::value(value)
            )),
            Err(errors) => {
                let errors: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
                Some(format!("must succeed: {}", errors.join("; ")))
            }
        }
    }
}

fn file_expression(sources: &mut Sources, text: String) -> Result<super::Expr, Diagnostics> {
    let source = sources.add("x.tf", None, text);
    let (body, errors) = syntax::parse_file(source, sources);
    errors.into_result(())?;
    let block = body.blocks_of("locals").next().unwrap();
    Ok(block.body.attribute("x_").unwrap().value.clone())
}

fn differing_value(value: &Value, record: &Record<'_>) -> Option<String> {
    let differs = |what: &str, want: &str, got: &str| {
        (want != got).then(|| format!("{what}: want {want}\n      got {got}"))
    };
    if let Some(want) = &record.display
        && let Some(d) = differs("display", want, &display::value(value))
    {
        return Some(d);
    }
    if let Some(want) = &record.ty
        && let Some(d) = differs("type", want, &display::ty(&value.ty()))
    {
        return Some(d);
    }
    let (plain, _) = value.clone().unmark_deep();
    if record.unknown && plain.is_wholly_known() {
        return Some("must be unknown".into());
    }
    let want = record.json?;
    let got = serde_json::to_string(&plain).unwrap();
    let canonical = |json: &str| Value::from_json(json).unwrap();
    (canonical(want.get()) != canonical(&got))
        .then(|| format!("json: want {}\n      got {got}", want.get()))
}

fn differing_error(errors: &Diagnostics, record: &Record<'_>, strict: bool) -> Option<String> {
    let fold = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let same = errors.0.iter().any(|e| {
        let summary = record.error_summary.as_ref() == Some(&e.summary);
        let detail = record
            .error_detail
            .as_ref()
            .is_none_or(|d| *d == fold(&e.detail));
        summary && (detail || !strict)
    });
    (!same).then(|| {
        let got: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
        format!(
            "error: want {}: {}\n      got {}",
            record.error_summary.as_deref().unwrap_or_default(),
            record.error_detail.as_deref().unwrap_or_default(),
            got.join("; ")
        )
    })
}

/// Where we say something else, and why.
const DEVIATIONS: &[(&str, &str)] = &[
    (
        "index-db8bf3cc",
        "a local value with an empty name is told of besides",
    ),
    (
        "index-e960d363",
        "a local value with an empty name is told of besides",
    ),
];

#[test]
fn expressions_give_what_terraform_gives() {
    // Another corpus may be named, to compare more than is kept here.
    let path = std::env::var_os("CORPUS").map_or(folder().join("corpus_open.jsonl"), Into::into);
    let corpus = std::fs::read_to_string(path).unwrap();
    let mut fixtures = [Fixture::load(false), Fixture::load(true)];
    let wanted = std::env::var("CORPUS_GROUP").ok();
    let mut failures = Vec::new();
    let mut groups: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut loose = 0;
    for line in corpus.lines() {
        let record: Record<'_> = serde_json::from_str(line).unwrap();
        if wanted
            .as_ref()
            .is_some_and(|g| !g.split(',').any(|g| g == record.group))
        {
            continue;
        }
        let planned = usize::from(record.mode.as_deref() == Some("plan"));
        let answer = Answer::to(&record, &mut fixtures[planned]);
        let count = groups.entry(record.group.clone()).or_default();
        count.1 += 1;
        let deviates = DEVIATIONS.iter().any(|(id, _)| *id == record.id);
        match answer.differs(&record, true) {
            None if deviates => failures.push(format!("{} deviates no more", record.id)),
            None => count.0 += 1,
            Some(_) if deviates => count.0 += 1,
            Some(why) => {
                loose += usize::from(answer.differs(&record, false).is_none());
                failures.push(format!("{} {}\n    {why}", record.id, record.expr));
            }
        }
    }
    let total: usize = groups.values().map(|(_, n)| n).sum();
    let table: Vec<String> = groups
        .iter()
        .map(|(g, (k, n))| format!("{g} {k}/{n}"))
        .collect();
    assert!(
        failures.is_empty(),
        "{}\n{}\n{} of {total} differ ({loose} of them only in the detail of an error)",
        failures.join("\n"),
        table.join(", "),
        failures.len()
    );
}
