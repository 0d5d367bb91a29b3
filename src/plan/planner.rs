//! The walk that makes a plan.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use mlinfra_sdk::{Context, Value};
use tokio::sync::Semaphore;

use super::bookkeeping::Bookkeeping;
use super::execution::Execution;
use super::imports;
use super::moves::Moves;
use super::removed::{self, Forgotten};
use super::targets::Targeted;
use super::{Mode, Options, Plan, ResourceChange};
use crate::addr::{self, InstanceKey, ResourceInstance};
use crate::config::{ModuleId, ResourceBlock, Tree};
use crate::diag::{Diagnostic, Diagnostics};
use crate::graph::{Outcome, Visit, walk};
use crate::module::{
    Expand, Node, Nodes, ProviderId, Repetition, Values, decode_block, missing_body,
};
use crate::provider::{Host, Sessions};
use crate::state::{Object, ProviderRef, Snapshot};

/// A plan with everything that applying it needs.
pub struct Planned {
    /// What people and tools are shown.
    pub plan: Plan,
    /// In what order it is done.
    pub execution: Execution,
    /// What is recorded before that.
    pub bookkeeping: Bookkeeping,
    /// What data sources answered while planning.
    pub data: BTreeMap<ResourceInstance, Value>,
    /// Warnings, and errors when there is no plan.
    pub diagnostics: Diagnostics,
}

pub(super) struct Planner<'p> {
    pub tree: &'p Tree,
    pub nodes: &'p Nodes,
    pub expand: &'p Expand<'p>,
    pub host: &'p Host,
    pub sessions: Sessions,
    /// The state after all moves.
    pub prior: &'p Snapshot,
    pub moves: &'p Moves,
    pub imports: imports::Blocks<'p>,
    pub forgotten: Forgotten,
    pub options: &'p Options,
    pub context: Context,
    /// Nodes whose replacements are made before the old object is destroyed.
    pub create_first: Vec<bool>,
    pub targeted: Targeted<'p>,
    pub limit: Semaphore,
    pub changes: RefCell<Vec<ResourceChange>>,
    pub drift: RefCell<Vec<ResourceChange>>,
    pub refreshed: RefCell<BTreeMap<ResourceInstance, Option<Arc<Object>>>>,
    pub imported: RefCell<BTreeMap<ResourceInstance, (ProviderRef, Arc<Object>)>>,
    pub data: RefCell<BTreeMap<ResourceInstance, Value>>,
    pub seen: RefCell<HashSet<ResourceInstance>>,
    pub failed: Cell<bool>,
}

/// Makes a plan. The diagnostics of the answer hold errors when it must not be applied.
pub async fn plan(
    tree: &Tree,
    nodes: &Nodes,
    expand: &Expand<'_>,
    host: &Host,
    prior: &Arc<Snapshot>,
    options: &Options,
    context: Context,
) -> Planned {
    let moves = Moves::apply(tree, prior);
    if let Err(uncovered) = moves.covered_by(&options.targets) {
        expand.report(uncovered);
        return Planned {
            plan: Plan::default(),
            execution: Execution::default(),
            bookkeeping: Bookkeeping::default(),
            data: BTreeMap::new(),
            diagnostics: expand.take_diagnostics(),
        };
    }
    let prior: &Snapshot = &moves.snapshot;
    let planner = Planner {
        tree,
        nodes,
        expand,
        host,
        sessions: Sessions::default(),
        prior,
        moves: &moves,
        imports: imports::blocks(tree),
        forgotten: Forgotten::of(tree),
        options,
        context,
        create_first: create_first(tree, nodes),
        targeted: Targeted::of(tree, nodes, prior, options),
        limit: Semaphore::new(options.parallelism.max(1)),
        changes: RefCell::default(),
        drift: RefCell::default(),
        refreshed: RefCell::default(),
        imported: RefCell::default(),
        data: RefCell::default(),
        seen: RefCell::default(),
        failed: Cell::new(false),
    };
    expand.declare_checks();
    walk(&nodes.graph, |node| planner.visit(node)).await;
    if !planner.failed.get() {
        planner.orphans().await;
    }
    planner.finish()
}

/// `create_before_destroy` of a resource holds for everything that it needs, too: what it needs
/// cannot go before it does.
fn create_first(tree: &Tree, nodes: &Nodes) -> Vec<bool> {
    let own = nodes.iter().filter(|(_, node)| {
        let Node::Resource(module, address) = node else {
            return false;
        };
        let declarations = &tree.get(*module).declarations;
        let block = declarations.resources.get(address);
        block.is_some_and(|b| b.lifecycle.create_before_destroy == Some(true))
    });
    nodes.graph.closure(own.map(|(number, _)| number))
}

impl<'p> Planner<'p> {
    fn visit<'v>(&'v self, number: usize) -> Visit<'v>
    where
        'p: 'v,
    {
        if !self.targeted.wants(number) {
            return Visit::Ended(Outcome::Done);
        }
        let outcome = match self.nodes.get(number) {
            Node::Module(module) => self.expand.visit_module(*module),
            Node::ModuleDone(_) => Outcome::Done,
            Node::Variable(module, name) => self.expand.visit_variable(*module, name),
            Node::Local(module, name) => self.expand.visit_local(*module, name),
            Node::Output(module, name) => {
                let outcome = self.expand.visit_output(*module, name);
                // Outputs of what is torn down may have lost what they speak of.
                match self.options.mode {
                    Mode::Destroy => {
                        self.expand.take_diagnostics();
                        Outcome::Done
                    }
                    _ => outcome,
                }
            }
            Node::Check(..) if self.options.mode == Mode::Destroy => Outcome::Done,
            Node::Check(module, name) => self.expand.visit_check(*module, name),
            Node::Provider(id) => {
                let id = *id;
                return Visit::Running(Box::pin(async move {
                    let opened = self.open_provider(id).await;
                    self.outcome(opened)
                }));
            }
            Node::Resource(module, resource) => {
                let Some(block) = self.block(*module, resource) else {
                    return Visit::Ended(Outcome::Failed);
                };
                let module = *module;
                return Visit::Running(Box::pin(async move {
                    self.resource(number, module, block).await
                }));
            }
        };
        if outcome == Outcome::Failed {
            self.failed.set(true);
        }
        Visit::Ended(outcome)
    }

    fn block(&self, module: ModuleId, resource: &addr::Resource) -> Option<&'p ResourceBlock> {
        self.tree.get(module).declarations.resources.get(resource)
    }

    /// Notes a failure.
    pub fn outcome(&self, result: Result<(), Diagnostics>) -> Outcome {
        match result {
            Ok(()) => Outcome::Done,
            Err(diagnostics) => {
                self.expand.report_all(diagnostics);
                self.failed.set(true);
                Outcome::Failed
            }
        }
    }

    async fn open_provider(&self, id: ProviderId) -> Result<(), Diagnostics> {
        configure(
            self.tree,
            self.nodes,
            self.expand,
            self.host,
            &self.sessions,
            id,
        )
        .await
    }

    async fn resource(&self, number: usize, module: ModuleId, block: &ResourceBlock) -> Outcome {
        let instances = self.expand.instances(module);
        let imports = match self.import_targets(&self.path(module, block)) {
            Ok(imports) => imports,
            Err(diagnostics) => return self.outcome(Err(diagnostics)),
        };
        if block.lifecycle.has_conditions() {
            let object = self.path(module, block).to_string();
            self.expand.checks_mut().expanded("resource", &object);
        }
        let mut outcome = Outcome::Done;
        for instance in instances {
            let done = match block.address.mode {
                addr::Mode::Managed => self.managed(number, instance, block, &imports).await,
                addr::Mode::Data => self.data_source(number, instance, block).await,
            };
            if done == Outcome::Failed {
                outcome = Outcome::Failed;
            }
        }
        if outcome == Outcome::Failed {
            self.failed.set(true);
            return outcome;
        }
        self.outcome(self.imports_met(&imports))
    }

    fn path(&self, module: ModuleId, block: &ResourceBlock) -> addr::ResourcePath {
        addr::ResourcePath {
            module: self.tree.get(module).path.clone(),
            resource: block.address.clone(),
        }
    }

    fn finish(self) -> Planned {
        let mut diagnostics = self.expand.take_diagnostics();
        let misplaced = self.moves.problems(self.tree, &self.expand.values());
        if misplaced.has_errors() {
            // What else is wrong may be so only because an object was not found where it is.
            diagnostics = misplaced;
        }
        if self.failed.get() && !diagnostics.has_errors() {
            diagnostics.push(Diagnostic::error(
                "The plan could not be made",
                "Something that the plan needs failed, and did not say why. This is a bug in mlinfra.",
            ));
        }
        let mut changes = self.changes.take();
        changes.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
        diagnostics.extend(self.targeted.warning());
        diagnostics.extend(self.unmatched_replacements());
        diagnostics.extend(self.moves.blockage());
        diagnostics.extend(removed::warning(&changes));
        let mut drift = self.drift.take();
        drift.sort_by(|a, b| a.address.cmp(&b.address));
        let outputs = if diagnostics.has_errors() {
            BTreeMap::new()
        } else {
            self.output_changes()
        };
        let plan = Plan {
            mode: self.options.mode,
            changes,
            drift,
            outputs,
            checks: self.expand.checks().results(),
            variables: self.root_variables(),
            deferred: Vec::new(),
        };
        let execution = Execution::of(self.tree, self.nodes, self.prior, &plan, &self.targeted);
        Planned {
            plan,
            execution,
            bookkeeping: Bookkeeping {
                moves: self.moves.pairs(),
                refreshed: self.refreshed.take(),
                imported: self.imported.take(),
            },
            data: self.data.take(),
            diagnostics,
        }
    }

    /// Warns of `-replace` without the key that it needs.
    fn unmatched_replacements(&self) -> Vec<Diagnostic> {
        let seen = self.seen.borrow();
        let unkeyed = self.options.replace.iter();
        let unkeyed = unkeyed.filter(|a| a.key == InstanceKey::None && !seen.contains(*a));
        let warning = |address: &ResourceInstance| {
            let path = address.path();
            let mut instances: Vec<_> = seen
                .iter()
                .filter(|a| a.module == address.module && a.resource == address.resource)
                .collect();
            instances.sort();
            if instances.is_empty() {
                return None;
            }
            let lines = instances.iter();
            let lines = lines.map(|a| format!("\n  -replace={:?}", a.to_string()));
            Some(Diagnostic::warning(
                "Incompletely-matched force-replace resource instance",
                format!(
                    "Your force-replace request for {path} doesn't match any resource instances because it lacks an instance key.\n\nTo force replacement of particular instances, use one or more of the following options instead:{}",
                    lines.collect::<String>()
                ),
            ))
        };
        unkeyed.filter_map(warning).collect()
    }

    fn root_variables(&self) -> BTreeMap<Arc<str>, Value> {
        let values = self.expand.values();
        let variables = &values.get(Values::ROOT).variables;
        let plain = variables.iter().map(|(k, v)| (Arc::clone(k), v.clone()));
        plain.collect()
    }
}

/// Evaluates the configuration of a provider and opens a session with it.
///
/// # Errors
/// What is wrong with the configuration, or what the provider says.
pub async fn configure(
    tree: &Tree,
    nodes: &Nodes,
    expand: &Expand<'_>,
    host: &Host,
    sessions: &Sessions,
    id: ProviderId,
) -> Result<(), Diagnostics> {
    let config = nodes.providers.get(id);
    let provider = host.provider(&config.provider);
    let block = config.block(tree);
    let header = block.map(|b| b.header).or_else(|| nodes.user_of(tree, id));
    let schema = &provider.map_err(|d| d.at(header))?.schema().config;
    let instances = expand.instances(config.module);
    let Some(instance) = instances.first().copied() else {
        return Ok(());
    };
    let mut diagnostics = Diagnostics::new();
    let value = match block {
        Some(block) => expand.with_scope(instance, &Repetition::default(), None, |scope| {
            decode_block(&block.arguments, schema, scope, &mut diagnostics)
        }),
        None => {
            // What is missing is reported at the first resource that needs it.
            match header {
                Some(header) => missing_body(schema, header, &mut diagnostics),
                None => Value::object::<Arc<str>>([]),
            }
        }
    };
    let value = diagnostics.into_result(value)?;
    if !value.is_wholly_known() {
        return Err(Diagnostic::error(
            "Provider configuration is not known yet",
            format!("The configuration of provider {config} depends on something that is known only after apply."),
        )
        .at(header)
        .into());
    }
    let (value, _) = value.unmark_deep();
    let opened = sessions.open(host, id, &config.provider, &value).await;
    opened.map_err(|d| d.at(header).into())
}

/// How state names a provider configuration.
pub fn provider_ref(tree: &Tree, nodes: &Nodes, id: ProviderId) -> ProviderRef {
    let config = nodes.providers.get(id);
    ProviderRef {
        module: tree.get(config.module).path.clone(),
        name: Arc::clone(&config.provider),
        alias: config.alias.clone(),
    }
}
