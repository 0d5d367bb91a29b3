//! The walk that carries a plan out.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use mlinfra_sdk::{CancellationToken, Context, Value};
use tokio::sync::Semaphore;

use super::events::{Event, Happening, Sink};
use crate::addr::{InstanceKey, Mode, ResourceInstance, ResourcePath};
use crate::config::{ModuleId, ResourceBlock, Tree};
use crate::diag::{Diagnostic, Diagnostics};
use crate::graph::{Outcome, Visit, walk};
use crate::module::{Expand, InstanceId, Node, Nodes, Repetition, Values};
use crate::plan::{self, Action, Planned, ResourceChange, Step, configure};
use crate::provider::{Host, Sessions};
use crate::state::{self, OutputValue, State};

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Objects created, the new halves of replacements included.
    pub added: usize,
    /// Objects changed in place.
    pub changed: usize,
    /// Objects destroyed, the old halves of replacements included.
    pub destroyed: usize,
}

/// How an apply came out.
#[derive(Debug)]
pub struct Applied {
    /// What was done.
    pub counts: Counts,
    /// Everything that went wrong, and warnings.
    pub diagnostics: Diagnostics,
}

pub(super) struct Executor<'x> {
    pub tree: &'x Tree,
    pub nodes: &'x Nodes,
    pub expand: &'x Expand<'x>,
    pub host: &'x Host,
    pub sessions: Sessions,
    pub state: &'x State,
    pub planned: &'x Planned,
    pub sink: Sink,
    pub cancel: CancellationToken,
    pub limit: Semaphore,
    pub counts: Cell<Counts>,
    /// What each object has become, or was and stays.
    pub values: RefCell<HashMap<ResourceInstance, Value>>,
    /// The keys under which objects wait to be destroyed after their replacement was made.
    pub deposed: RefCell<HashMap<ResourceInstance, Arc<str>>>,
    instances: RefCell<HashMap<crate::addr::ModuleInstance, InstanceId>>,
    by_path: HashMap<ResourcePath, Vec<usize>>,
}

/// Carries a plan out. Everything that does not depend on a failure is done all the same.
#[allow(
    clippy::too_many_arguments,
    reason = "each is another room's value, used once"
)]
pub async fn apply(
    tree: &Tree,
    nodes: &Nodes,
    expand: &Expand<'_>,
    host: &Host,
    state: &State,
    planned: &Planned,
    parallelism: usize,
    sink: Sink,
    cancel: CancellationToken,
) -> Applied {
    let executor = Executor {
        tree,
        nodes,
        expand,
        host,
        sessions: Sessions::default(),
        state,
        planned,
        sink,
        cancel,
        limit: Semaphore::new(parallelism.max(1)),
        counts: Cell::default(),
        values: RefCell::new(kept(planned)),
        deposed: RefCell::default(),
        instances: RefCell::default(),
        by_path: by_path(planned),
    };
    if let Err(diagnostics) = executor.bookkeeping().await {
        return executor.applied(diagnostics);
    }
    walk(&planned.execution.graph, |step| executor.visit(step)).await;
    let outputs = executor.outputs().await;
    let mut diagnostics = executor.expand.take_diagnostics();
    if let Err(d) = outputs {
        diagnostics.extend(d);
    }
    if executor.cancel.is_cancelled() {
        diagnostics.push(Diagnostic::error(
            "Interrupted",
            "The run was stopped before everything was done. What was done is recorded; apply again to go on.",
        ));
    }
    executor.applied(diagnostics)
}

/// The values of what stays as it is, or is still there when everything goes.
fn kept(planned: &Planned) -> HashMap<ResourceInstance, Value> {
    let kept = planned.plan.changes.iter().filter_map(|c| match c.action {
        Action::NoOp => Some((c.address.clone(), c.after.clone())),
        Action::Delete if c.deposed.is_none() => Some((c.address.clone(), c.before.clone())),
        _ => None,
    });
    kept.chain(planned.data.iter().map(|(a, v)| (a.clone(), v.clone())))
        .collect()
}

fn by_path(planned: &Planned) -> HashMap<ResourcePath, Vec<usize>> {
    let mut by_path: HashMap<ResourcePath, Vec<usize>> = HashMap::new();
    for (i, change) in planned.plan.changes.iter().enumerate() {
        by_path.entry(change.address.path()).or_default().push(i);
    }
    by_path
}

impl<'x> Executor<'x> {
    fn visit<'v>(&'v self, step: usize) -> Visit<'v>
    where
        'x: 'v,
    {
        let planned = self.planned;
        match &planned.execution.steps[step] {
            Step::Gate => Visit::Ended(Outcome::Done),
            Step::Evaluate(node) => self.evaluate(*node),
            Step::Make(change) => {
                let change = &planned.plan.changes[*change];
                Visit::Running(Box::pin(async move {
                    let made = self.make(change).await;
                    self.outcome(made)
                }))
            }
            Step::Destroy(change) => {
                let change = &planned.plan.changes[*change];
                Visit::Running(Box::pin(async move {
                    let destroyed = self.destroy(change).await;
                    self.outcome(destroyed)
                }))
            }
        }
    }

    fn outcome(&self, result: Result<(), Diagnostics>) -> Outcome {
        match result {
            Ok(()) => Outcome::Done,
            Err(diagnostics) => {
                self.expand.report_all(diagnostics);
                Outcome::Failed
            }
        }
    }

    fn evaluate<'v>(&'v self, number: usize) -> Visit<'v>
    where
        'x: 'v,
    {
        let outcome = match self.nodes.get(number) {
            Node::Module(module) => self.expand.visit_module(*module),
            Node::ModuleDone(_) => Outcome::Done,
            Node::Variable(module, name) => self.expand.visit_variable(*module, name),
            Node::Local(module, name) => self.expand.visit_local(*module, name),
            Node::Output(module, name) => self.expand.visit_output(*module, name),
            Node::Check(module, name) => self.expand.visit_check(*module, name),
            Node::Provider(id) => {
                let id = *id;
                return Visit::Running(Box::pin(async move {
                    let (tree, nodes, expand) = (self.tree, self.nodes, self.expand);
                    let opened =
                        configure(tree, nodes, expand, self.host, &self.sessions, id).await;
                    self.outcome(opened)
                }));
            }
            Node::Resource(module, resource) => {
                let declarations = &self.tree.get(*module).declarations;
                let Some(block) = declarations.resources.get(resource) else {
                    return Visit::Ended(Outcome::Failed);
                };
                let module = *module;
                return Visit::Running(Box::pin(async move {
                    self.assemble(number, module, block).await
                }));
            }
        };
        if self.planned.plan.mode == plan::Mode::Destroy {
            // What is torn down need not be described any more. A provider that misses a value
            // says so itself.
            self.expand.take_diagnostics();
            return Visit::Ended(Outcome::Done);
        }
        Visit::Ended(outcome)
    }

    /// Puts the instances of a resource together, for whatever refers to it.
    async fn assemble(&self, number: usize, module: ModuleId, block: &ResourceBlock) -> Outcome {
        let unchanged = self.unchanged(module, block);
        for instance in self.expand.instances(module) {
            let Some((shape, repetitions)) = self.expand.expand_resource(instance, block) else {
                return Outcome::Failed;
            };
            let within = self.expand.values().get(instance).address.clone();
            let mut items: Vec<(InstanceKey, Value)> = Vec::new();
            for (key, repetition) in repetitions {
                let address = ResourceInstance {
                    module: within.clone(),
                    resource: block.address.clone(),
                    key,
                };
                let value = self.values.borrow().get(&address).cloned();
                let Some(value) = value.or_else(|| self.remembered(&address)) else {
                    continue;
                };
                if unchanged.contains(&address)
                    && !self.still_holds(instance, &repetition, block, &address, &value)
                {
                    return Outcome::Failed;
                }
                if block.address.mode == Mode::Managed {
                    let recorded = self.needs(number, &address).await;
                    if self.outcome(recorded) == Outcome::Failed {
                        return Outcome::Failed;
                    }
                }
                items.push((address.key, value));
            }
            self.expand
                .set_resource(instance, &block.address, shape, items);
        }
        Outcome::Done
    }

    /// The instances that stay as they are and have conditions, which could perhaps not be tested
    /// while planning.
    fn unchanged(&self, module: ModuleId, block: &ResourceBlock) -> HashSet<ResourceInstance> {
        if !block.lifecycle.has_conditions() {
            return HashSet::new();
        }
        let path = ResourcePath {
            module: self.tree.get(module).path.clone(),
            resource: block.address.clone(),
        };
        let stay = self.changes_of(&path).filter(|c| c.action == Action::NoOp);
        stay.map(|c| c.address.clone()).collect()
    }

    fn still_holds(
        &self,
        instance: InstanceId,
        repetition: &Repetition,
        block: &ResourceBlock,
        address: &ResourceInstance,
        value: &Value,
    ) -> bool {
        let test = |this| {
            let lifecycle = &block.lifecycle;
            self.expand
                .test_resource(address, instance, repetition, lifecycle, this)
        };
        test(None) && test(Some(value))
    }

    /// What is known of an instance that the plan has nothing to say of, because no target
    /// selects it.
    fn remembered(&self, address: &ResourceInstance) -> Option<Value> {
        let instance = self.state.instance(address)?;
        let schema = self.host.schema(&instance.provider.name, &address.resource);
        instance.current?.decode(&*schema.ok()?).ok()
    }

    /// Records what an unchanged object needs by now, so that it is destroyed in the right order.
    async fn needs(&self, number: usize, address: &ResourceInstance) -> Result<(), Diagnostics> {
        let Some(instance) = self.state.instance(address) else {
            return Ok(());
        };
        let Some(object) = instance.current else {
            return Ok(());
        };
        let dependencies = self.dependencies(number);
        if object.dependencies == dependencies {
            return Ok(());
        }
        let mut object = state::Object::clone(&object);
        object.dependencies = dependencies;
        let put = self
            .state
            .put(address, None, &instance.provider, Arc::new(object))
            .await;
        put.map_err(Into::into)
    }

    /// The managed resources that a node needs.
    pub fn dependencies(&self, number: usize) -> Vec<ResourcePath> {
        let mut paths: Vec<ResourcePath> = self
            .nodes
            .resources_needed(number)
            .into_iter()
            .filter(|(_, resource)| resource.mode == Mode::Managed)
            .map(|(module, resource)| ResourcePath {
                module: self.tree.get(module).path.clone(),
                resource,
            })
            .collect();
        paths.sort();
        paths
    }

    /// The module instance of an address.
    pub fn instance(&self, address: &ResourceInstance) -> Option<InstanceId> {
        if let Some(known) = self.instances.borrow().get(&address.module) {
            return Some(*known);
        }
        let values = self.expand.values();
        let mut instances = self.instances.borrow_mut();
        instances.clear();
        instances.extend(values.iter().map(|(id, r)| (r.address.clone(), id)));
        instances.get(&address.module).copied()
    }

    /// Records what is told before anything is done: moves, what reading the world showed, what
    /// is imported or forgotten.
    async fn bookkeeping(&self) -> Result<(), Diagnostics> {
        let planned = self.planned;
        let changes = planned
            .bookkeeping
            .changes(&planned.plan, &self.state.snapshot());
        let recorded = self.state.change(changes).await;
        recorded.map_err(Into::into)
    }

    /// Records the outputs of the root module, as far as they are known.
    async fn outputs(&self) -> Result<(), Diagnostics> {
        let recorded = self.state.set_outputs(self.known_outputs()).await;
        recorded.map_err(Into::into)
    }

    /// The outputs of the root module: those that are known as they are now, the others as they
    /// were.
    fn known_outputs(&self) -> BTreeMap<Arc<str>, OutputValue> {
        let mut outputs = self.state.snapshot().outputs.clone();
        let values = self.expand.values();
        let root = values.get(Values::ROOT);
        for (name, change) in &self.planned.plan.outputs {
            if change.action == Action::Delete && change.after.is_null() {
                outputs.remove(name);
            }
            // What it needs may have failed: then it is what it was.
            let value = root.outputs.get(name).filter(|v| v.is_wholly_known());
            match value {
                Some(value) if value.is_null() => {
                    outputs.remove(name);
                }
                Some(value) => {
                    let value = OutputValue::new(value.clone(), change.sensitive);
                    outputs.insert(Arc::clone(name), value);
                }
                None => {}
            }
        }
        outputs
    }

    /// The changes of a resource as written.
    fn changes_of(&self, path: &ResourcePath) -> impl Iterator<Item = &ResourceChange> {
        let numbers = self.by_path.get(path).into_iter().flatten();
        numbers.map(|i| &self.planned.plan.changes[*i])
    }

    /// A context whose progress is told of one object.
    pub fn context(&self, address: &ResourceInstance, action: Action) -> Context {
        let (sink, address) = (Arc::clone(&self.sink), address.clone());
        Context {
            progress: Arc::new(move |event| {
                sink(Event {
                    address: address.clone(),
                    action,
                    happening: Happening::Progress(event),
                });
            }),
            cancel: self.cancel.clone(),
        }
    }

    /// Tells of the begin and the end of an operation on an object.
    pub async fn told<T>(
        &self,
        address: &ResourceInstance,
        action: Action,
        before: &Value,
        operation: impl Future<Output = Result<T, Diagnostics>>,
        id: impl FnOnce(&T) -> Option<String>,
    ) -> Result<T, Diagnostics> {
        let _turn = self.limit.acquire().await;
        if self.cancel.is_cancelled() {
            return Err(Diagnostics::new());
        }
        let tell = |happening| {
            (self.sink)(Event {
                address: address.clone(),
                action,
                happening,
            });
        };
        let start = Instant::now();
        tell(Happening::Started(id_of(before)));
        let result = operation.await;
        let elapsed = start.elapsed();
        tell(match &result {
            Ok(value) => Happening::Finished(id(value), elapsed),
            Err(_) => Happening::Failed(elapsed),
        });
        result
    }

    /// Counts something done.
    pub fn count(&self, count: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        count(&mut counts);
        self.counts.set(counts);
    }

    fn applied(&self, diagnostics: Diagnostics) -> Applied {
        Applied {
            counts: self.counts.get(),
            diagnostics,
        }
    }
}

/// The id of an object, when it has one that may be shown.
pub(super) fn id_of(value: &Value) -> Option<String> {
    let id = value.get("id")?;
    if id.marks().is_sensitive() {
        return None;
    }
    id.as_str().map(str::to_owned)
}
