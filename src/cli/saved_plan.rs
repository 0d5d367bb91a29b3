//! Saved plans on disk: written by `plan -out`, shown by `show`, done by `apply`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use mlinfra_sdk::Value;

use super::arguments::PlanArguments;
use super::configuration::Configuration;
use super::context::Context;
use super::operation::{self, Operation};
use super::view::json::plan::{PlanDocument, render};
use super::view::state::StateView;
use super::{providers, stored};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::plan::file::{self, Damage, SavedPlan};
use crate::plan::{Execution, Options, Plan, Planned, Targeted};
use crate::provider::Host;
use crate::state::{Snapshot, State};

/// The largest file that is read as a plan.
const MOST_BYTES: u64 = 4 << 30;

/// Writes a plan.
///
/// # Errors
/// When the state cannot be read or the file cannot be written.
pub async fn write(
    path: &Path,
    cx: &Context,
    operation: &Operation,
    planned: &Planned,
) -> Result<(), Diagnostic> {
    // As it will be once it is closed: settling what a killed run left may have changed it.
    let prior = State::read(&*operation::store(&cx.root)).await?;
    let mut plan = planned.plan.clone();
    plan.variables
        .retain(|_, value| !value.marks_deep().is_ephemeral());
    let saved = SavedPlan {
        timestamp: operation.timestamp,
        configuration: operation.configuration.digest.clone(),
        options: operation.options.clone(),
        ephemeral: operation.ephemeral.clone(),
        plan,
        bookkeeping: planned.bookkeeping.clone(),
        data: planned.data.clone(),
        prior,
    };
    let bytes = file::encode(&saved)
        .map_err(|e| unwritten(path, &format!("It cannot be put into words: {e}.")))?;
    put(path, &bytes).map_err(|e| unwritten(path, &format!("{e}.")))
}

fn unwritten(path: &Path, why: &str) -> Diagnostic {
    let detail = format!("The plan could not be written to {}: {why}", path.display());
    Diagnostic::error("Failed to write plan file", detail)
}

/// Writes a file whole or not at all, for its owner alone.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => {
            return Err(io::Error::other("it is there and not a regular file"));
        }
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let directory = parent.unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    std::fs::File::open(directory)?.sync_all()
}

/// A plan to be shown.
pub struct Shown {
    /// The plan.
    pub plan: Plan,
    /// The state it was made from, as it was found in the world.
    prior: StateView,
    timestamp: String,
    targeted: bool,
}

/// Reads a plan to be shown, with the state it was made from.
///
/// # Errors
/// When the file is not a plan that can be read.
pub fn read(path: &Path, cx: &Context) -> Result<Shown, Diagnostic> {
    let host = providers::host(&cx.root);
    let saved = load(path, &host)?;
    Ok(Shown {
        prior: stored::view(&found(path, &saved)?, &host)?,
        timestamp: saved.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        targeted: !saved.options.targets.is_empty(),
        plan: saved.plan,
    })
}

/// The state as planning found it.
fn found(path: &Path, saved: &SavedPlan) -> Result<Snapshot, Diagnostic> {
    let found = saved.bookkeeping.planned_from(&saved.prior);
    found.map_err(|e| damaged(path, &Damage::Contents(e.to_string())))
}

/// A plan in Terraform's JSON form.
///
/// # Errors
/// When a value has no JSON form.
pub fn json(shown: &Shown) -> Result<String, serde_json::Error> {
    render(&PlanDocument {
        plan: &shown.plan,
        prior: Some(&shown.prior),
        configuration: None,
        relevant_attributes: &[],
        timestamp: &shown.timestamp,
        errored: false,
        targeted: shown.targeted,
    })
}

fn load(path: &Path, host: &Host) -> Result<SavedPlan, Diagnostic> {
    let unread = |e: io::Error| unreadable(path, format!("{}: {e}.", path.display()));
    let there = std::fs::metadata(path).map_err(unread)?;
    if there.is_dir() {
        return Err(
            unreadable(path, "The path is a directory, not a plan file.".into())
                .hint("Use -chdir=DIR to work in another directory."),
        );
    }
    if there.len() > MOST_BYTES {
        return Err(unreadable(
            path,
            format!("It is larger than {MOST_BYTES} bytes."),
        ));
    }
    let bytes = std::fs::read(path).map_err(unread)?;
    let schema =
        |provider: &str, resource: &_| host.schema(provider, resource).map_err(|d| d.detail);
    file::decode(&bytes, &schema).map_err(|damage| damaged(path, &damage))
}

fn unreadable(path: &Path, why: String) -> Diagnostic {
    Diagnostic::error(
        format!("Failed to load {:?} as a plan file", path.display()),
        why,
    )
}

fn damaged(path: &Path, damage: &Damage) -> Diagnostic {
    let again = "Make a new plan with mlinfra plan -out=FILE.";
    let detail = format!("{}: {damage}.", path.display());
    match damage {
        Damage::Foreign => unreadable(path, detail).hint(again),
        Damage::Version { .. } | Damage::Program { .. } => {
            Diagnostic::error("Plan file of another version", detail)
                .hint("Use the version of mlinfra that made the plan, or make a new one.")
                .code(codes::PLAN_STALE)
        }
        Damage::Cut | Damage::Changed => Diagnostic::error("Plan file is damaged", detail)
            .hint(again)
            .code(codes::PLAN_STALE),
        Damage::Contents(_) => Diagnostic::error("Plan file does not fit this program", detail)
            .hint(again)
            .code(codes::PLAN_STALE),
    }
}

/// Reads a plan to be done, and opens the state for it. What is wrong is reported.
pub async fn open(
    path: &Path,
    cx: &Context,
    arguments: &PlanArguments,
) -> Result<(Operation, Planned), ExitCode> {
    let host = providers::host(&cx.root);
    let saved = load(path, &host).map_err(|d| cx.fail_with(d))?;
    let mut configuration = operation::load(cx)?;
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(planning_options(arguments));
    if configuration.digest != saved.configuration {
        diagnostics.push(stale(
            "The configuration was changed after the plan was created.",
        ));
    }
    if diagnostics.has_errors() {
        return Err(cx.fail(&diagnostics, &configuration.sources));
    }
    let variables = variables(&mut configuration, cx, arguments, &saved);
    if configuration.diagnostics.has_errors() {
        return Err(cx.fail(&configuration.diagnostics, &configuration.sources));
    }
    let prior = found(path, &saved).map_err(|d| cx.fail_with(d))?;
    let state = operation::open_state(cx, &arguments.lock, "apply").await?;
    if let Some(diagnostic) = other_state(&state.snapshot(), &saved.prior) {
        let code = cx.fail_with(diagnostic);
        // Nothing was done; whatever closing has to say comes second.
        let _ = state.close().await;
        return Err(code);
    }
    let (tree, nodes) = (&configuration.tree, &configuration.nodes);
    let targeted = Targeted::of(tree, nodes, &prior, &saved.options);
    let planned = Planned {
        execution: Execution::of(tree, nodes, &prior, &saved.plan, &targeted),
        plan: saved.plan,
        bookkeeping: saved.bookkeeping,
        data: saved.data,
        diagnostics: Diagnostics::new(),
    };
    let operation = Operation {
        configuration,
        variables,
        host,
        state,
        options: Options {
            parallelism: arguments.parallelism,
            ..saved.options
        },
        ephemeral: BTreeSet::new(),
        timestamp: saved.timestamp,
    };
    Ok((operation, planned))
}

/// What was decided when the plan was made and cannot be decided anew.
fn planning_options(arguments: &PlanArguments) -> Option<Diagnostic> {
    let given = [
        (arguments.destroy, "-destroy"),
        (arguments.refresh_only, "-refresh-only"),
        (!arguments.refresh, "-refresh=false"),
        (!arguments.replace.is_empty(), "-replace"),
        (!arguments.target.is_empty(), "-target"),
        (arguments.destroy_data, "-destroy-data"),
    ];
    let given: Vec<&str> = given.iter().filter(|g| g.0).map(|g| g.1).collect();
    (!given.is_empty()).then(|| {
        Diagnostic::error(
            "Can't change how to plan when applying a saved plan",
            format!(
                "The options {} say what to plan, and a saved plan says already what is to be done.",
                given.join(", ")
            ),
        )
        .hint("Leave them out, or make a new plan with them.")
    })
}

/// The variables of the plan, and those that are ephemeral as they are given now.
fn variables(
    configuration: &mut Configuration,
    cx: &Context,
    arguments: &PlanArguments,
    saved: &SavedPlan,
) -> BTreeMap<Arc<str>, Value> {
    let given = configuration.given(&cx.root, &arguments.variables);
    let diagnostics = &mut configuration.diagnostics;
    let mut values = BTreeMap::new();
    for (name, variable) in &configuration.tree.root().declarations.variables {
        if !variable.ephemeral {
            values.extend(
                saved
                    .plan
                    .variables
                    .get(name)
                    .map(|v| (name.clone(), v.clone())),
            );
            continue;
        }
        if saved.ephemeral.contains(name) && !given.has(name) {
            diagnostics.push(
                Diagnostic::error(
                    "No value for required variable",
                    format!("The ephemeral input variable {name:?} was set during the plan phase, and so must also be set during the apply phase."),
                )
                .at(variable.header)
                .code(codes::MISSING_VARIABLE),
            );
            continue;
        }
        values.extend(given.get(variable, diagnostics).map(|v| (name.clone(), v)));
    }
    for name in given.from_command_line() {
        let variable = configuration.tree.root().declarations.variables.get(name);
        let Some(variable) = variable.filter(|v| !v.ephemeral) else {
            continue;
        };
        let now = given.get(variable, diagnostics);
        let then = saved
            .plan
            .variables
            .get(name)
            .cloned()
            .map(|v| v.unmark_deep().0);
        if now.is_some() && now.map(|v| v.unmark_deep().0) != then {
            diagnostics.push(
                Diagnostic::error(
                    "Can't change variable when applying a saved plan",
                    format!("The variable {name} cannot be set using the -var and -var-file options when applying a saved plan file, because a saved plan includes the variable values that were set when it was created. To declare an ephemeral variable which is not saved in the plan file, use ephemeral = true."),
                )
                .code(codes::MISSING_VARIABLE),
            );
        }
    }
    values
}

/// Why a plan made from one state cannot be done to another.
fn other_state(now: &Snapshot, then: &Snapshot) -> Option<Diagnostic> {
    // A state that was never written has no lineage; the first write gives it one.
    let other = !then.lineage.is_empty() && now.lineage != then.lineage;
    if other {
        return Some(
            Diagnostic::error(
                "Saved plan does not match the given state",
                "The given plan file can not be applied because it was created from a different state lineage.",
            )
            .code(codes::PLAN_STALE),
        );
    }
    (now.lineage != then.lineage || now.serial != then.serial).then(|| {
        stale("The given plan file can no longer be applied because the state was changed by another operation after the plan was created.")
    })
}

fn stale(detail: &str) -> Diagnostic {
    Diagnostic::error("Saved plan is stale", detail)
        .hint("Make a new plan, look at it, and apply that.")
        .code(codes::PLAN_STALE)
}
