//! What a configuration consists of, and what depends on what, before anything is evaluated.
//!
//! A node stands for a block as written, in each place of the module tree; its instances are told
//! only while walking. So the graph grows with the text, not with `count` and `for_each`.

use std::collections::HashMap;
use std::sync::Arc;

use super::providers::{ProviderId, Providers};
use super::reference::Subject;
use crate::addr::{Mode, Resource};
use crate::config::{Condition, Declarations, ModuleId, ModuleNode, ResourceBlock, Tree};
use crate::diag::{Diagnostic, Diagnostics, nearest};
use crate::graph::Graph;
use crate::lang::{Expr, Traversal};

/// Something that is evaluated or done.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    /// The instances of a module come to be.
    Module(ModuleId),
    /// Everything in a module is done.
    ModuleDone(ModuleId),
    /// A variable of a module.
    Variable(ModuleId, Arc<str>),
    /// A local value.
    Local(ModuleId, Arc<str>),
    /// An output.
    Output(ModuleId, Arc<str>),
    /// A resource or data source.
    Resource(ModuleId, Resource),
    /// A provider configuration.
    Provider(ProviderId),
    /// A check block.
    Check(ModuleId, Arc<str>),
}

/// All nodes with their graph.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    nodes: Vec<Node>,
    index: HashMap<Node, usize>,
    /// The provider configuration of each resource.
    resource_providers: HashMap<usize, ProviderId>,
    /// What depends on what.
    pub graph: Graph,
    /// The provider configurations in use.
    pub providers: Providers,
}

impl Nodes {
    /// Finds all nodes and references. References that lead nowhere and cycles are errors.
    pub fn build(tree: &Tree, diagnostics: &mut Diagnostics) -> Nodes {
        let mut builder = Builder {
            tree,
            nodes: Nodes {
                nodes: Vec::new(),
                index: HashMap::new(),
                resource_providers: HashMap::new(),
                graph: Graph::default(),
                providers: Providers::default(),
            },
            diagnostics,
        };
        builder.nodes();
        builder.edges();
        builder.imports();
        builder.removals();
        let mut nodes = builder.nodes;
        nodes.graph.tidy();
        if let Err(cycle) = nodes.graph.order() {
            diagnostics.push(nodes.cycle(tree, &cycle));
        }
        nodes
    }

    /// A node by its number.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn get(&self, node: usize) -> &Node {
        &self.nodes[node]
    }

    /// The number of a node.
    pub fn find(&self, node: &Node) -> Option<usize> {
        self.index.get(node).copied()
    }

    /// The provider configuration of a resource node.
    pub fn provider_of(&self, node: usize) -> Option<ProviderId> {
        self.resource_providers.get(&node).copied()
    }

    /// Where the first resource that uses a provider configuration is written.
    pub fn user_of(&self, tree: &Tree, provider: ProviderId) -> Option<crate::source::Span> {
        let users = self.resource_providers.iter();
        let first = users
            .filter(|(_, p)| **p == provider)
            .map(|(n, _)| *n)
            .min()?;
        let Node::Resource(module, resource) = self.get(first) else {
            return None;
        };
        let declarations = &tree.get(*module).declarations;
        declarations
            .resources
            .get(resource)
            .map(|block| block.header)
    }

    /// All nodes.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate()
    }

    /// The resources as written that a node needs, at any distance, as state records them.
    pub fn resources_needed(&self, node: usize) -> Vec<(ModuleId, Resource)> {
        let mut seen = std::collections::HashSet::new();
        let mut next: Vec<usize> = self.graph.dependencies(node).collect();
        let mut found = Vec::new();
        while let Some(n) = next.pop() {
            if !seen.insert(n) {
                continue;
            }
            match self.get(n) {
                // What a resource needs is recorded with it.
                Node::Resource(module, resource) => found.push((*module, resource.clone())),
                _ => next.extend(self.graph.dependencies(n)),
            }
        }
        found
    }

    fn add(&mut self, node: Node) -> usize {
        if let Some(known) = self.index.get(&node) {
            return *known;
        }
        let number = self.graph.push();
        self.nodes.push(node.clone());
        self.index.insert(node, number);
        number
    }

    fn cycle(&self, tree: &Tree, cycle: &[usize]) -> Diagnostic {
        let mut names: Vec<String> = cycle
            .iter()
            .map(|n| self.name(tree, &self.nodes[*n]))
            .filter(|name| !name.is_empty())
            .collect();
        names.sort();
        names.dedup();
        Diagnostic::error(
            format!("Cycle: {}", names.join(", ")),
            "Each of these needs another of them first. Break the circle by taking one reference out.",
        )
        .code("E0013")
    }

    /// The address of a node for people; empty where it has none.
    pub fn name(&self, tree: &Tree, node: &Node) -> String {
        let within = |module: &ModuleId, name: String| {
            let path = &tree.get(*module).path;
            if path.is_root() {
                name
            } else {
                format!("{path}.{name}")
            }
        };
        match node {
            Node::Module(m) | Node::ModuleDone(m) => {
                let path = &tree.get(*m).path;
                if path.is_root() {
                    String::new()
                } else {
                    path.to_string()
                }
            }
            Node::Variable(m, name) => within(m, format!("var.{name}")),
            Node::Local(m, name) => within(m, format!("local.{name}")),
            Node::Output(m, name) => within(m, format!("output.{name}")),
            Node::Check(m, name) => within(m, format!("check.{name}")),
            Node::Resource(m, resource) => within(m, resource.to_string()),
            Node::Provider(id) => format!("provider[{}]", self.providers.get(*id)),
        }
    }
}

pub(super) struct Builder<'b> {
    pub tree: &'b Tree,
    pub nodes: Nodes,
    pub diagnostics: &'b mut Diagnostics,
}

impl Builder<'_> {
    fn nodes(&mut self) {
        for module in self.tree.iter() {
            let (id, declarations) = (module.id, &module.declarations);
            self.nodes.add(Node::Module(id));
            for name in declarations.variables.keys() {
                self.nodes.add(Node::Variable(id, Arc::clone(name)));
            }
            for name in declarations.locals.keys() {
                self.nodes.add(Node::Local(id, Arc::clone(name)));
            }
            for resource in declarations.resources.values() {
                let node = self.nodes.add(Node::Resource(id, resource.address.clone()));
                let provider =
                    self.nodes
                        .providers
                        .of_resource(self.tree, id, resource, self.diagnostics);
                if let Some(provider) = provider {
                    self.nodes.resource_providers.insert(node, provider);
                }
            }
            for name in declarations.outputs.keys() {
                self.nodes.add(Node::Output(id, Arc::clone(name)));
            }
            for name in declarations.checks.keys() {
                self.nodes.add(Node::Check(id, Arc::clone(name)));
            }
            self.nodes.add(Node::ModuleDone(id));
        }
        let ids: Vec<ProviderId> = self.nodes.providers.iter().map(|(id, _)| id).collect();
        for id in ids {
            self.nodes.add(Node::Provider(id));
        }
    }

    fn edges(&mut self) {
        for module in self.tree.iter() {
            self.module(module);
            let declarations = Arc::clone(&module.declarations);
            for variable in declarations.variables.values() {
                let node = self.start(module, Node::Variable(module.id, variable.name.clone()));
                self.conditions(node, module, &variable.validations);
                self.argument(node, module, &variable.name);
            }
            for local in declarations.locals.values() {
                let node = self.start(module, Node::Local(module.id, local.name.clone()));
                self.expression(node, module, &local.value);
            }
            for output in declarations.outputs.values() {
                let node = self.start(module, Node::Output(module.id, output.name.clone()));
                if let Some(expr) = &output.value {
                    self.expression(node, module, expr);
                }
                self.wait_for(node, module, &output.depends_on);
                self.conditions(node, module, &output.preconditions);
            }
            for resource in declarations.resources.values() {
                self.resource(module, resource);
            }
            for check in declarations.checks.values() {
                let node = self.start(module, Node::Check(module.id, check.name.clone()));
                self.conditions(node, module, &check.assertions);
            }
        }
        self.providers();
    }

    /// The number of a node, once it depends on its module.
    fn start(&mut self, module: &ModuleNode, node: Node) -> usize {
        let node = self.nodes.add(node);
        let entry = self.nodes.add(Node::Module(module.id));
        let done = self.nodes.add(Node::ModuleDone(module.id));
        self.nodes.graph.depend(node, entry);
        self.nodes.graph.depend(done, node);
        node
    }

    fn module(&mut self, module: &ModuleNode) {
        let entry = self.nodes.add(Node::Module(module.id));
        let done = self.nodes.add(Node::ModuleDone(module.id));
        self.nodes.graph.depend(done, entry);
        let Some(parent) = module.parent else { return };
        let parent = self.tree.get(parent);
        let parent_entry = self.nodes.add(Node::Module(parent.id));
        let parent_done = self.nodes.add(Node::ModuleDone(parent.id));
        self.nodes.graph.depend(entry, parent_entry);
        self.nodes.graph.depend(parent_done, done);
        let Some(call) = self.tree.call(module.id) else {
            return;
        };
        for expr in [&call.count, &call.for_each, &call.enabled]
            .into_iter()
            .flatten()
        {
            self.expression(entry, parent, expr);
        }
        self.wait_for(entry, parent, &call.depends_on);
        self.known_arguments(module, call);
    }

    /// Reports arguments that the called module does not take, and those it misses.
    fn known_arguments(&mut self, module: &ModuleNode, call: &crate::config::ModuleCall) {
        let variables = &module.declarations.variables;
        for argument in call.arguments.values() {
            if !variables.contains_key(&argument.name) {
                let known = variables.keys().map(AsRef::as_ref);
                let d = crate::config::body::unsupported_argument(
                    &argument.name,
                    argument.name_span,
                    known,
                );
                self.diagnostics.push(d);
            }
        }
        for variable in variables.values() {
            if variable.default.is_none() && !call.arguments.contains_key(&variable.name) {
                let d = crate::config::body::missing_argument(&variable.name, call.header);
                self.diagnostics.push(d);
            }
        }
    }

    /// A variable of a called module depends on what the caller gives.
    fn argument(&mut self, node: usize, module: &ModuleNode, name: &str) {
        let (Some(parent), Some(call)) = (module.parent, self.tree.call(module.id)) else {
            return;
        };
        if let Some(argument) = call.arguments.get(name) {
            let parent = self.tree.get(parent);
            self.expression(node, parent, &argument.value);
        }
    }

    fn resource(&mut self, module: &ModuleNode, resource: &ResourceBlock) {
        let address = &resource.address;
        let node = self.start(module, Node::Resource(module.id, address.clone()));
        if let Some(provider) = self.nodes.provider_of(node) {
            let provider = self.nodes.add(Node::Provider(provider));
            self.nodes.graph.depend(node, provider);
        }
        let repetition = [&resource.count, &resource.for_each, &resource.enabled];
        let repetition = repetition.into_iter().flatten().flat_map(Expr::references);
        for traversal in repetition.chain(resource.arguments.references()) {
            self.own(node, module, resource, traversal);
        }
        let lifecycle = &resource.lifecycle;
        for expr in &lifecycle.replace_triggered_by {
            self.expression(node, module, expr);
        }
        self.wait_for(node, module, &resource.depends_on);
        self.conditions(node, module, &lifecycle.preconditions);
        for condition in &lifecycle.postconditions {
            // These may speak of the resource itself, as `self`.
            for expr in [&condition.condition, &condition.message] {
                self.expression(node, module, expr);
            }
        }
    }

    /// A reference in a resource's own block, which may not be to that resource.
    fn own(
        &mut self,
        node: usize,
        module: &ModuleNode,
        resource: &ResourceBlock,
        traversal: &Traversal,
    ) {
        let own = matches!(
            Subject::of(traversal),
            Ok((Subject::Resource(r), _)) if r == resource.address
        );
        if !own {
            self.reference(node, module, traversal);
            return;
        }
        self.diagnostics.push(
            Diagnostic::error(
                "Self-referential block",
                format!(
                    "Configuration for {} may not refer to itself.",
                    resource.address
                ),
            )
            .at(traversal.span)
            .code("E0013"),
        );
    }

    fn conditions(&mut self, node: usize, module: &ModuleNode, conditions: &[Condition]) {
        for condition in conditions {
            self.expression(node, module, &condition.condition);
            self.expression(node, module, &condition.message);
        }
    }

    pub fn expression(&mut self, node: usize, module: &ModuleNode, expr: &Expr) {
        for traversal in expr.references() {
            self.reference(node, module, traversal);
        }
    }

    pub fn reference(&mut self, node: usize, module: &ModuleNode, traversal: &Traversal) {
        match self.subject_nodes(module, traversal) {
            Ok(needed) => {
                for needed in needed.into_iter().filter(|n| *n != node) {
                    self.nodes.graph.depend(node, needed);
                }
            }
            // A name of the vocabulary that leads nowhere was reported when it was lowered.
            Err(diagnostic) if self.reported(traversal.span) => drop(diagnostic),
            Err(diagnostic) => self.diagnostics.push(diagnostic),
        }
    }

    fn reported(&self, span: crate::source::Span) -> bool {
        let mut diagnostics = self.diagnostics.0.iter();
        diagnostics.any(|d| d.is_error() && d.subject == Some(span))
    }

    /// `depends_on`: of a module, everything in it.
    fn wait_for(&mut self, node: usize, module: &ModuleNode, references: &[Expr]) {
        for traversal in references.iter().flat_map(Expr::references) {
            if let Ok((Subject::Module(name, _), _)) = Subject::of(traversal)
                && let Some(child) = module.children.get(&name)
            {
                let done = self.nodes.add(Node::ModuleDone(*child));
                self.nodes.graph.depend(node, done);
            } else {
                self.reference(node, module, traversal);
            }
        }
    }

    /// The nodes that a reference needs.
    fn subject_nodes(
        &mut self,
        module: &ModuleNode,
        traversal: &Traversal,
    ) -> Result<Vec<usize>, Diagnostic> {
        let (subject, _) = Subject::of(traversal)?;
        let id = module.id;
        let node = match &subject {
            Subject::Variable(name) => Node::Variable(id, Arc::clone(name)),
            Subject::Local(name) => Node::Local(id, Arc::clone(name)),
            Subject::Resource(resource) => Node::Resource(id, resource.clone()),
            Subject::Module(name, output) => {
                return self.module_nodes(module, traversal, name, output.as_ref());
            }
            _ => return Ok(Vec::new()),
        };
        match self.nodes.find(&node) {
            Some(node) => Ok(vec![node]),
            None => Err(undeclared(module, traversal, &subject)),
        }
    }

    fn module_nodes(
        &mut self,
        module: &ModuleNode,
        traversal: &Traversal,
        name: &Arc<str>,
        output: Option<&Arc<str>>,
    ) -> Result<Vec<usize>, Diagnostic> {
        let Some(child) = module.children.get(name) else {
            if module.declarations.calls.contains_key(name) {
                // The call is there and its module could not be read, which was reported.
                return Ok(Vec::new());
            }
            let subject = Subject::Module(Arc::clone(name), None);
            return Err(undeclared(module, traversal, &subject));
        };
        let declarations = Arc::clone(&self.tree.get(*child).declarations);
        if let Some(output) = output
            && let Some(node) = self.nodes.find(&Node::Output(*child, Arc::clone(output)))
        {
            return Ok(vec![node]);
        }
        if let Some(output) = output
            && is_single(module, name)
        {
            return Err(no_output(traversal, name, output, &declarations));
        }
        let mut nodes = vec![self.nodes.add(Node::Module(*child))];
        for output in declarations.outputs.keys() {
            nodes.push(self.nodes.add(Node::Output(*child, Arc::clone(output))));
        }
        Ok(nodes)
    }

    fn providers(&mut self) {
        let configs: Vec<_> = self
            .nodes
            .providers
            .iter()
            .map(|(id, config)| (id, config.clone()))
            .collect();
        for (id, config) in configs {
            let node = self.nodes.add(Node::Provider(id));
            let module = self.tree.get(config.module);
            let entry = self.nodes.add(Node::Module(module.id));
            self.nodes.graph.depend(node, entry);
            if let Some(block) = config.block(self.tree) {
                for traversal in block.arguments.references() {
                    self.reference(node, module, traversal);
                }
            }
        }
    }
}

/// Whether a call has neither `count` nor `for_each`, so that its outputs follow its name.
fn is_single(module: &ModuleNode, name: &str) -> bool {
    let call = module.declarations.calls.get(name);
    call.is_some_and(|call| call.count.is_none() && call.for_each.is_none())
}

fn no_output(
    traversal: &Traversal,
    name: &str,
    output: &str,
    declarations: &Declarations,
) -> Diagnostic {
    let kind = name.contains('.');
    let detail = if kind {
        let known: Vec<&str> = declarations.outputs.keys().map(AsRef::as_ref).collect();
        format!(
            "{name} does not have an output named {output:?}. It has: {}.",
            known.join(", ")
        )
    } else {
        format!("This object does not have an attribute named {output:?}.")
    };
    let mut diagnostic = Diagnostic::error("Unsupported attribute", detail)
        .at(traversal.span)
        .code("E0012");
    let known = declarations.outputs.keys().map(AsRef::as_ref);
    if let Some(near) = nearest(output, known) {
        diagnostic = diagnostic.hint(format!("Did you mean {near:?}?"));
    }
    diagnostic
}

fn undeclared(module: &ModuleNode, traversal: &Traversal, subject: &Subject) -> Diagnostic {
    let declarations = &module.declarations;
    let place = if module.path.is_root() {
        "the root module".to_owned()
    } else {
        module.path.to_string()
    };
    let (summary, mut detail, near) = match subject {
        Subject::Variable(name) => (
            "Reference to undeclared input variable",
            format!("An input variable with the name {name:?} has not been declared."),
            nearest(name, declarations.variables.keys().map(AsRef::as_ref)).map(str::to_owned),
        ),
        Subject::Local(name) => (
            "Reference to undeclared local value",
            format!("A local value with the name {name:?} has not been declared."),
            nearest(name, declarations.locals.keys().map(AsRef::as_ref)).map(str::to_owned),
        ),
        Subject::Module(name, _) => (
            "Reference to undeclared module",
            format!("No module call named {name:?} is declared in {place}."),
            nearest(name, declarations.calls.keys().map(AsRef::as_ref)).map(str::to_owned),
        ),
        Subject::Resource(resource) => {
            let mode = match resource.mode {
                Mode::Managed => "managed",
                Mode::Data => "data",
            };
            let names: Vec<String> = declarations
                .resources
                .keys()
                .map(|r| r.to_string())
                .collect();
            let near = nearest(&resource.to_string(), names.iter().map(String::as_str));
            (
                "Reference to undeclared resource",
                format!(
                    "A {mode} resource {:?} {:?} has not been declared in {place}.",
                    resource.ty, resource.name
                ),
                near.map(str::to_owned),
            )
        }
        _ => (
            "Invalid reference",
            "This reference leads nowhere.".to_owned(),
            None,
        ),
    };
    if let (Subject::Variable(name), None) = (subject, &near) {
        detail.push_str(&format!(
            " This variable can be declared with a variable {name:?} {{}} block."
        ));
    }
    let mut diagnostic = Diagnostic::error(summary, detail)
        .at(traversal.span)
        .code("E0012");
    if let Some(near) = near {
        diagnostic = diagnostic.hint(format!("Did you mean {near:?}?"));
    }
    diagnostic
}
