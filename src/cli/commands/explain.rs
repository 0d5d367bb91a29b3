//! `mlinfra explain`: what a kind takes and answers, or what an error code means.

use std::process::ExitCode;

use clap::Args;

use crate::cli::context::Context;
use crate::config::{Declarations, Vocabulary as _, parse};
use crate::diag::{Diagnostic, Diagnostics, codes, nearest};
use crate::source::Sources;
use crate::vocabulary::Library;

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Examples:
  mlinfra explain              the kinds there are
  mlinfra explain serving      what a kind takes and answers
  mlinfra explain E0109        what an error means and how to mend it
")]
pub struct Arguments {
    /// A kind, or the code of an error.
    what: Option<String>,
}

/// Explains.
pub fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    let library = Library::bundled();
    let Some(what) = &arguments.what else {
        cx.print(&kinds(&library));
        return ExitCode::SUCCESS;
    };
    if let Some(entry) = codes::find(what) {
        cx.print(&format!(
            "{}: {}\n\n{}\n",
            entry.code, entry.title, entry.explanation
        ));
        return ExitCode::SUCCESS;
    }
    if library.is_kind(what) {
        return match kind(&library, what) {
            Ok(text) => {
                cx.print(&text);
                ExitCode::SUCCESS
            }
            Err((diagnostics, sources)) => cx.fail(&diagnostics, &sources),
        };
    }
    let diagnostic = Diagnostic::error(
        format!("Nothing is known of {what:?}"),
        "It is neither a kind nor the code of an error. mlinfra explain lists the kinds.",
    );
    cx.fail_with(match nearest(what, library.kinds()) {
        Some(near) => diagnostic.hint(format!("Did you mean {near:?}?")),
        None => diagnostic,
    })
}

type Unreadable = (Diagnostics, Sources);

fn interface(library: &Library, kind: &str) -> Result<(Declarations, String), Unreadable> {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::new();
    let mut declarations = Declarations::default();
    let mut about = String::new();
    for file in library.files(kind).unwrap_or_default() {
        about.push_str(&opening(&file.text));
        let source = sources.add(&file.name, None, file.text);
        let body = parse(source, &mut sources, &mut diagnostics);
        declarations.read(body, &[], &sources, &mut diagnostics);
    }
    if diagnostics.has_errors() {
        return Err((diagnostics, sources));
    }
    Ok((declarations, about))
}

/// The comment at the top of a file.
fn opening(text: &str) -> String {
    let lines = text.lines().take_while(|l| l.starts_with('#'));
    lines
        .map(|l| l.trim_start_matches('#'))
        .map(|l| format!("{}\n", l.strip_prefix(' ').unwrap_or(l)))
        .collect()
}

fn kinds(library: &Library) -> String {
    let mut text = String::from("Kinds of the vocabulary:\n\n");
    let width = library.kinds().into_iter().map(str::len).max().unwrap_or(0);
    for kind in library.kinds() {
        let about = interface(library, kind)
            .map(|(_, about)| about)
            .unwrap_or_default();
        let first = about.lines().next().unwrap_or_default();
        text.push_str(&format!("  {kind:width$}  {first}\n"));
    }
    text.push_str("\nmlinfra explain KIND shows what a kind takes and answers.\n");
    text
}

fn kind(library: &Library, kind: &str) -> Result<String, Unreadable> {
    let (declarations, about) = interface(library, kind)?;
    let targets: Vec<&str> = library.targets(kind).collect();
    let mut text = format!("{kind}\n\n");
    for line in about.lines() {
        text.push_str(&format!("  {line}\n"));
    }
    text.push_str(&format!(
        "\nTargets: {}\n\nArguments:\n",
        targets.join(", ")
    ));
    let given = |name: &str| matches!(name, "name" | "target");
    for variable in declarations.variables.values().filter(|v| !given(&v.name)) {
        let need = match &variable.default {
            None => "required".to_owned(),
            Some(value) if value.is_null() => "optional".to_owned(),
            Some(value) => format!(
                "default {}",
                serde_json::to_string(value).unwrap_or_default()
            ),
        };
        text.push_str(&format!(
            "\n  {} = {}   ({need})\n",
            variable.name, variable.constraint.ty
        ));
        for line in variable.description.iter().flat_map(|d| d.trim().lines()) {
            text.push_str(&format!("      {line}\n"));
        }
    }
    text.push_str(
        "\nEvery kind also takes: target, count, for_each, enabled, depends_on\n\nOutputs:\n",
    );
    for output in declarations.outputs.values() {
        text.push_str(&format!("\n  {kind}.NAME.{}\n", output.name));
        for line in output.description.iter().flat_map(|d| d.trim().lines()) {
            text.push_str(&format!("      {line}\n"));
        }
    }
    Ok(text)
}
