//! With `-target`: what is planned, and what is left alone as if it were not there.

use std::collections::{BTreeSet, HashMap};

use super::{Mode, Options};
use crate::addr::{ResourceInstance, ResourcePath, Target};
use crate::config::Tree;
use crate::diag::Diagnostic;
use crate::module::{Node, Nodes};
use crate::state::Snapshot;

/// What the targets select, with what that needs.
pub struct Targeted<'t> {
    targets: &'t [Target],
    mode: Mode,
    /// Nodes that are visited.
    wanted: Vec<bool>,
    /// Resources that a target names; of these, only the instances that it selects.
    selected: Vec<bool>,
    /// What needs something that is selected, when everything selected goes.
    doomed: BTreeSet<ResourcePath>,
}

impl<'t> Targeted<'t> {
    /// What the targets of a plan select.
    pub fn of(tree: &Tree, nodes: &Nodes, prior: &Snapshot, options: &'t Options) -> Targeted<'t> {
        let targets = options.targets.as_slice();
        let mut targeted = Targeted {
            targets,
            mode: options.mode,
            wanted: vec![true; nodes.graph.len()],
            selected: vec![false; nodes.graph.len()],
            doomed: BTreeSet::new(),
        };
        if targets.is_empty() {
            return targeted;
        }
        for (number, node) in nodes.iter() {
            if let Node::Resource(module, resource) = node {
                let path = &tree.get(*module).path;
                targeted.selected[number] = targets.iter().any(|t| t.touches(path, resource));
            }
        }
        let selected = (0..nodes.graph.len()).filter(|n| targeted.selected[*n]);
        if options.mode == Mode::Destroy {
            targeted.doomed = doomed(prior, targets);
            let doomed = nodes.iter().filter(|(_, node)| match node {
                Node::Resource(module, resource) => targeted.doomed.contains(&ResourcePath {
                    module: tree.get(*module).path.clone(),
                    resource: resource.clone(),
                }),
                _ => false,
            });
            targeted.wanted = nodes.graph.closure(doomed.map(|(number, _)| number));
        } else {
            targeted.wanted = nodes.graph.closure(selected);
            targeted.outputs(tree, nodes);
        }
        targeted
    }

    /// Outputs of the root module are told when everything they are made of is planned.
    fn outputs(&mut self, tree: &Tree, nodes: &Nodes) {
        let root = tree.root().id;
        let told: Vec<usize> = nodes
            .iter()
            .filter(|(_, node)| matches!(node, Node::Output(module, _) if *module == root))
            .filter(|(number, _)| {
                let needed = nodes.resources_needed(*number);
                let planned = |(module, resource)| {
                    let node = nodes.find(&Node::Resource(module, resource));
                    node.is_some_and(|node| self.wanted[node])
                };
                !needed.is_empty() && needed.into_iter().all(planned)
            })
            .map(|(number, _)| number)
            .collect();
        for (wanted, needed) in self.wanted.iter_mut().zip(nodes.graph.closure(told)) {
            *wanted |= needed;
        }
    }

    /// Whether everything is planned.
    pub fn is_everything(&self) -> bool {
        self.targets.is_empty()
    }

    /// Whether a node is visited.
    pub fn wants(&self, node: usize) -> bool {
        self.wanted[node]
    }

    /// Whether an instance of a resource that is visited is planned.
    pub fn takes(&self, node: usize, address: &ResourceInstance) -> bool {
        if self.is_everything() {
            return true;
        }
        if self.selected[node] {
            return self.targets.iter().any(|t| t.selects(address));
        }
        self.mode != Mode::Destroy || self.doomed.contains(&address.path())
    }

    /// Whether an object that the configuration does not have is planned.
    pub fn takes_orphan(&self, address: &ResourceInstance) -> bool {
        self.is_everything()
            || self.targets.iter().any(|t| t.selects(address))
            || self.doomed.contains(&address.path())
    }

    /// The warning that a part only is planned.
    pub fn warning(&self) -> Option<Diagnostic> {
        (!self.is_everything()).then(|| {
            Diagnostic::warning(
                "Resource targeting is in effect",
                "You are creating a plan with the -target option, which means that the result of this plan may not represent all of the changes requested by the current configuration.\n\nThe -target option is not for routine use, and is provided only for exceptional situations such as recovering from errors or mistakes, or when mlinfra specifically suggests to use it as part of an error message.",
            )
        })
    }
}

/// The resources that targets select in a state, with everything that needs them.
fn doomed(prior: &Snapshot, targets: &[Target]) -> BTreeSet<ResourcePath> {
    let mut users: HashMap<&ResourcePath, Vec<ResourcePath>> = HashMap::new();
    for (address, instance) in &prior.resources {
        let objects = instance.current.iter().chain(instance.deposed.values());
        for dependency in objects.flat_map(|object| &object.dependencies) {
            users.entry(dependency).or_default().push(address.path());
        }
    }
    let selected = prior.resources.keys();
    let selected = selected.filter(|address| targets.iter().any(|t| t.selects(address)));
    let mut next: Vec<ResourcePath> = selected.map(ResourceInstance::path).collect();
    let mut doomed = BTreeSet::new();
    while let Some(path) = next.pop() {
        if doomed.insert(path.clone()) {
            next.extend(users.get(&path).into_iter().flatten().cloned());
        }
    }
    doomed
}
