//! What plan, apply and destroy have in common: configuration, variables, state, plan.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mlinfra_sdk::{CancellationToken, Context as OperationContext};

use super::arguments::{LockArguments, PlanArguments};
use super::configuration::Configuration;
use super::context::Context;
use super::{environment, providers};
use crate::addr::{ResourceInstance, Target};
use crate::apply;
use crate::config::Vocabulary as _;
use crate::diag::{Diagnostic, Diagnostics};
use crate::module::Expand;
use crate::plan::{self, Mode, Options, Planned};
use crate::provider::Host;
use crate::state::{Access, Holder, LocalStore, State, StatePaths, Store};

/// A configuration with an open state.
pub struct Operation {
    /// The configuration.
    pub configuration: Configuration,
    /// The values of the root module's variables.
    pub variables: std::collections::BTreeMap<Arc<str>, mlinfra_sdk::Value>,
    /// The providers.
    pub host: Host,
    /// The state, locked.
    pub state: State,
    /// What the plan is asked for.
    pub options: Options,
    /// Ephemeral variables that are given: a saved plan does not hold them.
    pub ephemeral: std::collections::BTreeSet<Arc<str>>,
    /// When the plan is made, as its functions tell it.
    pub timestamp: jiff::Timestamp,
}

/// The store of a directory's state.
pub fn store(root: &Path) -> Arc<dyn Store> {
    Arc::new(LocalStore::new(StatePaths::in_dir(root)))
}

/// Loads a configuration; reports what is wrong with it.
pub fn load(cx: &Context) -> Result<Configuration, ExitCode> {
    let configuration = Configuration::load(&cx.root);
    if configuration.is_empty() && !configuration.diagnostics.has_errors() {
        return Err(cx.fail_with(no_configuration(&cx.root)));
    }
    if configuration.diagnostics.has_errors() {
        return Err(cx.fail(&configuration.diagnostics, &configuration.sources));
    }
    Ok(configuration)
}

fn no_configuration(root: &Path) -> Diagnostic {
    Diagnostic::error(
        "No configuration files",
        format!(
            "The directory {} has no file whose name ends in .hcl or .tf.",
            root.display()
        ),
    )
    .hint("Use -chdir=DIR to work in another directory.")
}

/// Opens the state for writing.
pub async fn open_state(cx: &Context, lock: &LockArguments, what: &str) -> Result<State, ExitCode> {
    let access = if lock.lock {
        let wait = duration(&lock.lock_timeout).map_err(|d| cx.fail_with(d))?;
        Access::Locked(Holder::new(what, &environment::who()), wait)
    } else {
        Access::Unlocked
    };
    State::open(store(&cx.root), access)
        .await
        .map_err(|e| cx.fail_with(e))
}

fn duration(text: &str) -> Result<Duration, Diagnostic> {
    let span: Result<jiff::SignedDuration, _> = text.parse();
    span.ok()
        .and_then(|span| Duration::try_from(span).ok())
        .ok_or_else(|| {
            Diagnostic::error(
                "Invalid -lock-timeout",
                format!("{text:?} is not a length of time, such as 30s or 2m."),
            )
        })
}

impl Operation {
    /// Loads the configuration and opens the state.
    pub async fn open(
        cx: &Context,
        arguments: &PlanArguments,
        what: &str,
    ) -> Result<Operation, ExitCode> {
        let mut configuration = load(cx)?;
        let options = options(&configuration, arguments).map_err(|d| cx.fail_with(d))?;
        let given = configuration.given(&cx.root, &arguments.variables);
        let variables = configuration.variables(&given);
        if configuration.diagnostics.has_errors() {
            return Err(cx.fail(&configuration.diagnostics, &configuration.sources));
        }
        let host = providers::host(&cx.root);
        let state = open_state(cx, &arguments.lock, what).await?;
        let declared = &configuration.tree.root().declarations.variables;
        let ephemeral = declared
            .values()
            .filter(|v| v.ephemeral && given.has(&v.name));
        Ok(Operation {
            ephemeral: ephemeral.map(|v| Arc::clone(&v.name)).collect(),
            configuration,
            variables,
            host,
            state,
            options,
            timestamp: jiff::Timestamp::now(),
        })
    }

    /// What evaluates the configuration.
    pub fn expand(&self, cx: &Context) -> Expand<'_> {
        let variables = self.variables.clone();
        let mut expand = self.configuration.expand(&cx.root, variables);
        expand.settings.plan_timestamp = Some(self.timestamp);
        expand
    }

    /// Settles what a killed run left, then makes a plan. Its diagnostics are reported.
    pub async fn plan(
        &self,
        cx: &Context,
        cancel: &CancellationToken,
    ) -> Result<Planned, ExitCode> {
        let Configuration {
            tree,
            nodes,
            sources,
            ..
        } = &self.configuration;
        let context = OperationContext {
            progress: Arc::new(|_| {}),
            cancel: cancel.clone(),
        };
        let settled = apply::settle(
            tree,
            nodes,
            &self.expand(cx),
            &self.host,
            &self.state,
            &context,
        )
        .await;
        match settled {
            Ok(settled) => {
                for line in settled {
                    cx.print(&format!("{line}\n"));
                }
            }
            Err(diagnostics) => return Err(cx.fail(&diagnostics, sources)),
        }
        let invalid = self.invalid(cx).await;
        if invalid.has_errors() {
            let mut diagnostics = self.configuration.diagnostics.clone();
            diagnostics.extend(invalid);
            return Err(cx.fail(&diagnostics, sources));
        }
        let snapshot = self.state.snapshot();
        let mut planned = plan::plan(
            tree,
            nodes,
            &self.expand(cx),
            &self.host,
            &snapshot,
            &self.options,
            context,
        )
        .await;
        let mut diagnostics = self.configuration.diagnostics.clone();
        diagnostics.extend(std::mem::take(&mut planned.diagnostics));
        if cancel.is_cancelled() {
            diagnostics.push(Diagnostic::error(
                "Interrupted",
                "The plan was not finished.",
            ));
        }
        if diagnostics.has_errors() {
            return Err(cx.fail(&diagnostics, sources));
        }
        planned.diagnostics = diagnostics;
        Ok(planned)
    }

    /// What is wrong with the configuration whatever the variables and the world: with blocks that
    /// this plan would not come to, too.
    async fn invalid(&self, cx: &Context) -> Diagnostics {
        let Configuration { tree, nodes, .. } = &self.configuration;
        let mut expand = self.configuration.expand(&cx.root, Default::default());
        expand.abstractly = true;
        plan::validate(tree, nodes, &expand, &self.host).await
    }

    /// Closes the state; reports when that fails.
    pub async fn close(&self, cx: &Context, code: ExitCode) -> ExitCode {
        if let Err(e) = self.state.close().await {
            return cx.fail_with(e);
        }
        if self.options.mode != Mode::Destroy {
            return code;
        }
        // Nothing is left behind of what is wholly destroyed: neither an empty state nor the
        // empty directory of the providers.
        let holder = Holder::new("destroy", &environment::who());
        let removed = State::remove_if_empty(store(&cx.root), &holder).await;
        let _ = std::fs::remove_dir(&self.host.environment().data_dir);
        match removed {
            Ok(_) => code,
            Err(e) => cx.fail_with(e),
        }
    }
}

fn options(configuration: &Configuration, given: &PlanArguments) -> Result<Options, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let is_kind = |name: &str| configuration.library.is_kind(name);
    let mut replace = Vec::new();
    for text in &given.replace {
        match ResourceInstance::parse(text) {
            Ok(address) if address.resource.mode == crate::addr::Mode::Data => {
                diagnostics.push(Diagnostic::error(
                    format!("Invalid force-replace address {text:?}"),
                    "Only managed resources can be used with the -replace=... option.",
                ));
            }
            Ok(address) => replace.push(address),
            Err(e) => diagnostics.push(Diagnostic::error(
                format!("Invalid force-replace address {text:?}"),
                format!("{e}."),
            )),
        }
    }
    let mut targets = Vec::new();
    for text in &given.target {
        match Target::parse(text, is_kind) {
            Ok(target) => targets.push(target),
            Err(e) => diagnostics.push(Diagnostic::error(
                format!("Invalid target {text:?}"),
                format!("{e}."),
            )),
        }
    }
    let mode = match (given.destroy, given.refresh_only) {
        (true, _) => Mode::Destroy,
        (_, true) => Mode::RefreshOnly,
        _ => Mode::Normal,
    };
    if mode != Mode::Normal && !replace.is_empty() {
        diagnostics.push(Diagnostic::error(
            "Unsupported plan mode",
            "Forcing resource instance replacement (with -replace=...) is allowed only in normal planning mode.",
        ));
    }
    if mode == Mode::RefreshOnly && !given.refresh {
        diagnostics.push(Diagnostic::error(
            "Incompatible refresh options",
            "It doesn't make sense to use -refresh-only at the same time as -refresh=false, because mlinfra would have nothing to do.",
        ));
    }
    diagnostics.into_result(Options {
        mode,
        refresh: given.refresh,
        replace,
        targets,
        parallelism: given.parallelism,
        destroy_data: given.destroy_data,
    })
}
