//! Plans data sources, which are read while planning whenever that is possible.

use std::sync::Arc;

use mlinfra_sdk::{Path, ReadData, Value};

use super::instance::about;
use super::planner::Planner;
use super::{Action, ActionReason, Mode, ResourceChange};
use crate::addr::{InstanceKey, ResourceInstance};
use crate::config::ResourceBlock;
use crate::diag::{Diagnostic, Diagnostics};
use crate::graph::Outcome;
use crate::lang::Expr;
use crate::module::{InstanceId, Repetition, Subject, path_span};
use crate::provider::{Call, failure_diagnostic, problem_diagnostic};
use crate::state::paths;

impl Planner<'_> {
    /// Reads or plans all instances in one module instance.
    pub async fn data_source(
        &self,
        number: usize,
        instance: InstanceId,
        block: &ResourceBlock,
    ) -> Outcome {
        let Some((shape, instances)) = self.expand.expand_resource(instance, block) else {
            return Outcome::Failed;
        };
        let module = self.expand.values().get(instance).address.clone();
        let reads = instances.into_iter().map(|(key, repetition)| {
            let address = ResourceInstance {
                module: module.clone(),
                resource: block.address.clone(),
                key,
            };
            async move {
                let value = self
                    .read_one(number, instance, block, &address, &repetition)
                    .await;
                value.map(|value| (address.key, value))
            }
        });
        let mut items: Vec<(InstanceKey, Value)> = Vec::new();
        let mut outcome = Outcome::Done;
        for result in futures::future::join_all(reads).await {
            match result {
                Ok(item) => items.push(item),
                Err(diagnostics) => outcome = self.outcome(Err(diagnostics)),
            }
        }
        self.expand
            .set_resource(instance, &block.address, shape, items);
        outcome
    }

    async fn read_one(
        &self,
        number: usize,
        instance: InstanceId,
        block: &ResourceBlock,
        address: &ResourceInstance,
        repetition: &Repetition,
    ) -> Result<Value, Diagnostics> {
        let at = |d: Diagnostic| Diagnostics::from(d.at(block.header));
        let id = self.nodes.provider_of(number).ok_or_else(|| {
            at(Diagnostic::error(
                "Provider configuration not present",
                "No provider.",
            ))
        })?;
        let provider = Arc::clone(&self.nodes.providers.get(id).provider);
        let schema = self.host.schema(&provider, &block.address).map_err(at)?;
        let body = &block.arguments;
        let (config, diagnostics) = self.expand.decode(instance, repetition, body, &schema);
        let config = about(diagnostics, address).into_result(config);
        let config = match (config, self.options.mode) {
            // What is torn down need not be described any more.
            (Err(_), Mode::Destroy) => return Ok(Value::unknown(schema.ty())),
            (config, _) => config?,
        };
        let sensitive = paths::Found::within(&config).sensitive;
        let (config, _) = config.unmark_deep();
        let place = |path: &Path| path_span(body, path);
        let problems = self
            .host
            .provider(&provider)?
            .validate_data(&block.address.ty, &config);
        let problems = problems
            .iter()
            .map(|p| problem_diagnostic(p, &place).about(address));
        Diagnostics(problems.collect()).into_result(())?;
        let marked =
            |value: Value| paths::mark_by_schema(paths::mark_sensitive(value, &sensitive), &schema);
        let test = |this: Option<&Value>| {
            let lifecycle = &block.lifecycle;
            let tested = self
                .expand
                .test_resource(address, instance, repetition, lifecycle, this);
            tested.then_some(()).ok_or_else(Diagnostics::new)
        };
        test(None)?;
        let pending = self.pending(address, block);
        if !config.is_wholly_known() || pending {
            let unread = unread(&config, &schema);
            let reason = if pending {
                ActionReason::ReadBecauseDependencyPending
            } else {
                ActionReason::ReadBecauseConfigUnknown
            };
            let after = marked(unread);
            self.changes.borrow_mut().push(ResourceChange {
                address: address.clone(),
                previous_address: None,
                deposed: None,
                provider,
                schema: Arc::clone(&schema),
                action: Action::Read,
                reason: Some(reason),
                before: Value::NULL,
                after: after.clone(),
                replace: Vec::new(),
                notes: Vec::new(),
                importing: None,
                protected: false,
            });
            test(Some(&after))?;
            return Ok(after);
        }
        let session = self.sessions.get(id).ok_or_else(|| {
            at(Diagnostic::error(
                "Provider is not configured",
                "Its configuration failed.",
            ))
        })?;
        let call = Call {
            session: &session,
            ty: &block.address.ty,
            schema: &schema,
            context: &self.context,
        };
        let _turn = self.limit.acquire().await;
        let read = call.read_data(ReadData { config: &config }).await;
        let value = match (read, self.options.mode) {
            (Err(_), Mode::Destroy) => return Ok(Value::unknown(schema.ty())),
            (read, _) => read.map_err(|f| failure_diagnostic(&f, Some(&place)).about(address))?,
        };
        let value = marked(value);
        test(Some(&value))?;
        self.data
            .borrow_mut()
            .insert(address.clone(), value.clone());
        Ok(value)
    }

    /// Whether something that `depends_on` names is going to change.
    fn pending(&self, address: &ResourceInstance, block: &ResourceBlock) -> bool {
        let changes = self.changes.borrow();
        let references = block.depends_on.iter().flat_map(Expr::references);
        references
            .into_iter()
            .any(|traversal| match Subject::of(traversal) {
                Ok((Subject::Resource(resource), _)) => changes.iter().any(|c| {
                    c.address.resource == resource
                        && c.address.module == address.module
                        && c.action != Action::NoOp
                }),
                Ok((Subject::Module(name, _), _)) => changes.iter().any(|c| {
                    let inside = c.address.module.0.get(address.module.0.len());
                    c.address.module.is_within(&address.module)
                        && inside.is_some_and(|step| step.name == name)
                        && c.action != Action::NoOp
                }),
                _ => false,
            })
    }
}

/// What is known of a data source before it is read: its arguments.
fn unread(config: &Value, schema: &mlinfra_sdk::Schema) -> Value {
    let attributes = config.entries().into_iter().flatten().map(|(name, value)| {
        let computed = schema.attributes.get(name).filter(|a| a.is_computed());
        let value = match computed {
            Some(attribute) if value.is_null() => Value::unknown(attribute.ty.clone()),
            _ => value.clone(),
        };
        (Arc::clone(name), value)
    });
    Value::object(attributes)
}
