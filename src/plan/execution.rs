//! The order in which a plan is done: a graph of steps that apply executes as it is.
//!
//! - What is created or changed comes after everything that its configuration refers to.
//! - What is destroyed comes before everything that it needed when it was made.
//! - A replacement destroys first, or creates first; then the old object goes after everything
//!   that referred to it has been changed.

use std::collections::{BTreeMap, HashMap};

use super::{Action, Plan, ResourceChange, Targeted};
use crate::addr::{self, ResourcePath};
use crate::config::Tree;
use crate::graph::Graph;
use crate::module::{Node, Nodes};
use crate::state::Snapshot;

/// One step of an execution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Evaluate a node of the configuration; of a resource, put its instances together.
    Evaluate(usize),
    /// Create, update or read: the change of this number.
    Make(usize),
    /// Destroy: the change of this number.
    Destroy(usize),
    /// Nothing; others wait for it.
    Gate,
}

/// Steps and their order.
#[derive(Clone, Debug, Default)]
pub struct Execution {
    /// The steps.
    pub steps: Vec<Step>,
    /// What each waits for.
    pub graph: Graph,
}

impl Execution {
    /// The execution of a plan.
    pub fn of(
        tree: &Tree,
        nodes: &Nodes,
        prior: &Snapshot,
        plan: &Plan,
        targeted: &Targeted<'_>,
    ) -> Execution {
        let mut builder = Builder {
            targeted,
            tree,
            nodes,
            prior,
            plan,
            execution: Execution::default(),
            made: HashMap::new(),
            destroyed: HashMap::new(),
            by_path: BTreeMap::new(),
        };
        builder.evaluations();
        builder.changes();
        builder.destructions();
        builder.replacements();
        let mut execution = builder.execution;
        execution.graph.tidy();
        execution
    }

    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.graph.push()
    }
}

struct Builder<'b> {
    tree: &'b Tree,
    nodes: &'b Nodes,
    prior: &'b Snapshot,
    plan: &'b Plan,
    targeted: &'b Targeted<'b>,
    execution: Execution,
    /// The step that makes each change.
    made: HashMap<usize, usize>,
    /// The step that destroys for each change.
    destroyed: HashMap<usize, usize>,
    /// The steps that destroy instances of each resource as written.
    by_path: BTreeMap<ResourcePath, Vec<usize>>,
}

fn makes(change: &ResourceChange) -> bool {
    use Action::{Create, CreateThenDelete, DeleteThenCreate, Read, Update};
    matches!(
        change.action,
        Create | Update | Read | DeleteThenCreate | CreateThenDelete
    )
}

fn destroys(change: &ResourceChange) -> bool {
    matches!(
        change.action,
        Action::Delete | Action::DeleteThenCreate | Action::CreateThenDelete
    )
}

impl Builder<'_> {
    /// Steps `0..nodes` are the nodes of the configuration, in their own order.
    fn evaluations(&mut self) {
        for (number, _) in self.nodes.iter() {
            let step = if self.targeted.wants(number) {
                Step::Evaluate(number)
            } else {
                Step::Gate
            };
            self.execution.push(step);
        }
        for (number, _) in self.nodes.iter() {
            for dependency in self.nodes.graph.dependencies(number) {
                self.execution.graph.depend(number, dependency);
            }
        }
    }

    fn node_of(&self, path: &ResourcePath) -> Option<usize> {
        let module = self.tree.find(&path.module)?.id;
        self.nodes
            .find(&Node::Resource(module, path.resource.clone()))
    }

    fn changes(&mut self) {
        let plan = self.plan;
        for (i, change) in plan.changes.iter().enumerate() {
            let path = change.address.path();
            if makes(change) && change.deposed.is_none() {
                let step = self.execution.push(Step::Make(i));
                self.made.insert(i, step);
                if let Some(node) = self.node_of(&path) {
                    let needed: Vec<usize> = self.nodes.graph.dependencies(node).collect();
                    for needed in needed {
                        self.execution.graph.depend(step, needed);
                    }
                    self.execution.graph.depend(node, step);
                }
            }
            if destroys(change) {
                let step = self.execution.push(Step::Destroy(i));
                self.destroyed.insert(i, step);
                self.by_path.entry(path).or_default().push(step);
            }
        }
    }

    /// What was needed by something that is destroyed goes after it.
    fn destructions(&mut self) {
        let mut gates: HashMap<ResourcePath, usize> = HashMap::new();
        let plan = self.plan;
        for (i, change) in plan.changes.iter().enumerate() {
            let Some(step) = self.destroyed.get(&i).copied() else {
                continue;
            };
            for needed in self.needed_by(change) {
                if needed == change.address.path() || !self.by_path.contains_key(&needed) {
                    continue;
                }
                let gate = *gates
                    .entry(needed)
                    .or_insert_with(|| self.execution.push(Step::Gate));
                self.execution.graph.depend(gate, step);
            }
            // The provider must be there to destroy it.
            if let Some(provider) = self
                .node_of(&change.address.path())
                .and_then(|n| self.nodes.provider_of(n))
                && let Some(node) = self.nodes.find(&Node::Provider(provider))
            {
                self.execution.graph.depend(step, node);
            }
        }
        for (path, gate) in gates {
            for step in self.by_path.get(&path).into_iter().flatten() {
                self.execution.graph.depend(*step, gate);
            }
        }
    }

    /// What an object needed when it was made.
    fn needed_by(&self, change: &ResourceChange) -> Vec<ResourcePath> {
        let deposed = change.deposed.as_deref();
        let object = self.prior.object(&change.address, deposed);
        object.map(|o| o.dependencies.clone()).unwrap_or_default()
    }

    fn replacements(&mut self) {
        let plan = self.plan;
        let users = self.users();
        for (i, change) in plan.changes.iter().enumerate() {
            let Some(destroy) = self.destroyed.get(&i).copied() else {
                continue;
            };
            let path = change.address.path();
            match change.action {
                Action::DeleteThenCreate => {
                    if let Some(make) = self.made.get(&i) {
                        self.execution.graph.depend(*make, destroy);
                    }
                }
                Action::CreateThenDelete => {
                    if let Some(make) = self.made.get(&i) {
                        self.execution.graph.depend(destroy, *make);
                    }
                    // Whoever refers to it has let go of the old object before that goes.
                    for user in users.get(&path).into_iter().flatten() {
                        self.execution.graph.depend(destroy, *user);
                    }
                }
                // An object whose block is gone goes after those that used it were changed.
                _ if self.node_of(&path).is_none() => {
                    for user in self.former_users(&path) {
                        self.execution.graph.depend(destroy, user);
                    }
                }
                _ => {}
            }
        }
    }

    /// The nodes of the resources that refer to each resource that is replaced creating first.
    fn users(&self) -> HashMap<ResourcePath, Vec<usize>> {
        let mut users: HashMap<ResourcePath, Vec<usize>> = HashMap::new();
        let first = |c: &ResourceChange| c.action == Action::CreateThenDelete;
        if !self.plan.changes.iter().any(first) {
            return users;
        }
        for (number, node) in self.nodes.iter() {
            if !matches!(node, Node::Resource(..)) {
                continue;
            }
            for (module, resource) in self.nodes.resources_needed(number) {
                let module = self.tree.get(module).path.clone();
                users
                    .entry(ResourcePath { module, resource })
                    .or_default()
                    .push(number);
            }
        }
        users
    }

    /// The steps that change, in place or by replacement, what needed a resource when it was made.
    fn former_users(&self, path: &addr::ResourcePath) -> Vec<usize> {
        let made = self
            .plan
            .changes
            .iter()
            .enumerate()
            .filter_map(|(i, change)| {
                let step = *self.made.get(&i)?;
                self.needed_by(change).contains(path).then_some(step)
            });
        made.collect()
    }
}
