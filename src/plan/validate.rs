//! Looks at a configuration without state or world: every block once, whatever it is repeated by.

use std::sync::Arc;

use mlinfra_sdk::{Path, Value};

use crate::addr::{InstanceKey, Resource};
use crate::config::{ModuleId, Tree};
use crate::diag::Diagnostics;
use crate::graph::{Outcome, Visit, walk};
use crate::module::{Expand, Node, Nodes, Repetition, Shape, decode_block};
use crate::provider::{Host, problem_diagnostic};

/// Evaluates what can be without a plan, with every resource unknown; answers what is wrong.
pub async fn validate(tree: &Tree, nodes: &Nodes, expand: &Expand<'_>, host: &Host) -> Diagnostics {
    let validator = Validator {
        tree,
        nodes,
        expand,
        host,
    };
    walk(&nodes.graph, |node| {
        validator.visit(node);
        // What depends on something wrong is looked at all the same: it may be wrong by itself.
        Visit::Ended(Outcome::Done)
    })
    .await;
    expand.take_diagnostics()
}

struct Validator<'v> {
    tree: &'v Tree,
    nodes: &'v Nodes,
    expand: &'v Expand<'v>,
    host: &'v Host,
}

impl Validator<'_> {
    fn visit(&self, number: usize) {
        match self.nodes.get(number) {
            Node::Module(module) => {
                self.expand.visit_module(*module);
            }
            Node::Variable(module, name) => {
                self.expand.visit_variable(*module, name);
            }
            Node::Local(module, name) => {
                self.expand.visit_local(*module, name);
            }
            Node::Output(module, name) => {
                self.expand.visit_output(*module, name);
            }
            Node::Provider(id) => {
                let config = self.nodes.providers.get(*id);
                if let Some(block) = config.block(self.tree) {
                    match self.host.provider(&config.provider) {
                        Ok(provider) => {
                            let schema = &provider.schema().config;
                            self.decode(config.module, &block.arguments, schema);
                        }
                        Err(d) => self.expand.report(d.at(block.header)),
                    }
                }
            }
            Node::Resource(module, resource) => self.resource(number, *module, resource),
            Node::ModuleDone(_) | Node::Check(..) => {}
        }
    }

    fn decode(
        &self,
        module: ModuleId,
        body: &crate::config::body::Body,
        schema: &mlinfra_sdk::Schema,
    ) {
        for instance in self.expand.instances(module) {
            let mut diagnostics = Diagnostics::new();
            self.expand
                .with_scope(instance, &Repetition::default(), None, |scope| {
                    decode_block(body, schema, scope, &mut diagnostics)
                });
            self.expand.report_all(diagnostics);
        }
    }

    fn resource(&self, number: usize, module: ModuleId, resource: &Resource) {
        let declarations = &self.tree.get(module).declarations;
        let Some(block) = declarations.resources.get(resource) else {
            return;
        };
        let Some(provider) = self.nodes.provider_of(number) else {
            return;
        };
        let provider = &self.nodes.providers.get(provider).provider;
        let schema = match self.host.schema(provider, resource) {
            Ok(schema) => schema,
            Err(d) => return self.expand.report(d.at(block.header)),
        };
        for instance in self.expand.instances(module) {
            let Some((shape, repetitions)) = self.expand.expand_resource(instance, block) else {
                continue;
            };
            for (_, repetition) in &repetitions {
                let body = &block.arguments;
                let (config, diagnostics) = self.expand.decode(instance, repetition, body, &schema);
                let valid = !diagnostics.has_errors();
                self.expand.report_all(diagnostics);
                if valid {
                    let place = |path: &Path| self.expand.written_at(instance, body, path);
                    let (config, _) = config.unmark_deep();
                    self.problems(provider, resource, &config, &place);
                }
            }
            let unknown = Value::unknown(schema.ty());
            let items: Vec<(InstanceKey, Value)> = match shape {
                Shape::Single => vec![(InstanceKey::None, unknown)],
                _ => Vec::new(),
            };
            self.expand.set_resource(instance, resource, shape, items);
        }
    }

    fn problems(
        &self,
        provider: &Arc<str>,
        resource: &Resource,
        config: &Value,
        place: &dyn Fn(&Path) -> crate::source::Span,
    ) {
        let Ok(provider) = self.host.provider(provider) else {
            return;
        };
        let problems = match resource.mode {
            crate::addr::Mode::Managed => provider.validate_resource(&resource.ty, config),
            crate::addr::Mode::Data => provider.validate_data(&resource.ty, config),
        };
        for problem in &problems {
            self.expand.report(problem_diagnostic(problem, place));
        }
    }
}
