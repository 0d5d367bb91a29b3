//! What is in state and not in the configuration: it is deleted.

use std::sync::Arc;

use mlinfra_sdk::{Context, Value};

use super::planner::Planner;
use super::{Action, ActionReason, Mode, ResourceChange};
use crate::addr::{InstanceKey, ResourceInstance};
use crate::diag::{Diagnostic, Diagnostics};
use crate::module::Shape;
use crate::provider::Call;
use crate::state::{InstanceState, Object};

/// The refusal to destroy an object that holds data.
pub(super) fn protected(address: &ResourceInstance) -> Diagnostic {
    Diagnostic::error(
        "Protected object would be destroyed",
        format!("{address} holds data, and the plan calls for it to be destroyed."),
    )
    .about(address)
    .hint("Keep its block, or run the command again with -destroy-data if the data may go.")
    .code(crate::diag::codes::PROTECTED)
}

impl Planner<'_> {
    /// Plans the deletion of everything that the walk did not meet.
    pub async fn orphans(&self) {
        let wanted = |address: &&ResourceInstance| self.targeted.takes_orphan(address);
        let seen = self.seen.borrow().clone();
        let all: Vec<&ResourceInstance> = self.prior.resources.keys().filter(wanted).collect();
        for address in all {
            let Some(state) = self.prior.resources.get(address) else {
                continue;
            };
            let mut objects: Vec<(Option<Arc<str>>, &Arc<Object>)> = state
                .deposed
                .iter()
                .map(|(key, object)| (Some(Arc::clone(key)), object))
                .collect();
            if !seen.contains(address) {
                objects.extend(state.current.as_ref().map(|object| (None, object)));
            }
            for (deposed, object) in objects {
                let planned = self.orphan(address, state, deposed, object).await;
                self.outcome(planned);
            }
        }
    }

    async fn orphan(
        &self,
        address: &ResourceInstance,
        state: &InstanceState,
        deposed: Option<Arc<str>>,
        object: &Arc<Object>,
    ) -> Result<(), Diagnostics> {
        let provider = &state.provider.name;
        let schema = self
            .host
            .schema(provider, &address.resource)
            .map_err(|d| d.about(address))?;
        let session = self.orphan_session(state).await?;
        let known = self.decode(object, &schema, &session, address)?;
        let context: &Context = &self.context;
        let call = Call {
            session: &session,
            ty: &address.resource.ty,
            schema: &schema,
            context,
        };
        let now = if self.options.refresh && deposed.is_none() {
            self.refresh(&call, address, object, &known).await?
        } else {
            Some(known)
        };
        // It is gone already; there is nothing to delete but its record, which apply drops.
        let Some(now) = now else { return Ok(()) };
        if self.options.mode == Mode::RefreshOnly {
            return Ok(());
        }
        let holds_data = object.protected || schema.holds_data;
        let mut change = ResourceChange {
            address: address.clone(),
            previous_address: self.moves.moved.get(address).cloned(),
            deposed,
            provider: Arc::clone(provider),
            schema,
            action: Action::Delete,
            reason: self.reason(address),
            before: now.clone(),
            after: Value::NULL,
            replace: Vec::new(),
            notes: Vec::new(),
            importing: None,
            protected: holds_data,
        };
        if change.deposed.is_some() {
            change.reason = None;
        }
        if self.forgotten.takes(address) && self.options.mode == Mode::Normal {
            change.action = Action::Forget;
        } else if holds_data && change.deposed.is_none() && !self.options.destroy_data {
            if self.options.mode != Mode::Destroy {
                return Err(protected(address).into());
            }
            change.action = Action::NoOp;
            change.after = now.clone();
        }
        if self.options.mode == Mode::Destroy {
            change.reason = None;
        }
        self.changes.borrow_mut().push(change);
        Ok(())
    }

    /// The session of an object whose block is gone: with the configuration that still is there.
    async fn orphan_session(
        &self,
        state: &InstanceState,
    ) -> Result<Arc<dyn mlinfra_sdk::Session>, Diagnostics> {
        let same = |config: &crate::module::ProviderConfig| {
            config.provider == state.provider.name && config.alias == state.provider.alias
        };
        for (id, config) in self.nodes.providers.iter() {
            if same(config)
                && let Some(session) = self.sessions.get(id)
            {
                return Ok(session);
            }
        }
        let name = &state.provider.name;
        let provider = self.host.provider(name)?;
        let at = self.tree.root().declarations.providers.iter();
        let block = at
            .into_iter()
            .find(|b| b.name == *name && b.alias == state.provider.alias);
        let mut diagnostics = Diagnostics::new();
        let config = match block {
            Some(block) => self.expand.with_scope(
                crate::module::Values::ROOT,
                &crate::module::Repetition::default(),
                None,
                |scope| {
                    let schema = &provider.schema().config;
                    crate::module::decode_block(&block.arguments, schema, scope, &mut diagnostics)
                },
            ),
            None => empty_config(&provider.schema().config),
        };
        let config = diagnostics.into_result(config)?;
        let request = mlinfra_sdk::Configure {
            config: &config.unmark_deep().0,
            environment: self.host.environment(),
        };
        let session = provider.configure(request).await;
        session.map_err(|f| crate::provider::failure_diagnostic(&f, None).into())
    }

    fn reason(&self, address: &ResourceInstance) -> Option<ActionReason> {
        let values = self.expand.values();
        let module = self.tree.find(&address.module.path());
        let block = module.and_then(|m| m.declarations.resources.get(&address.resource));
        if block.is_none() {
            return Some(if self.moves.moved.contains_key(address) {
                ActionReason::DeleteBecauseNoMoveTarget
            } else {
                ActionReason::DeleteBecauseNoResourceConfig
            });
        }
        let instance = values
            .iter()
            .find(|(_, record)| record.address == address.module);
        let Some((_, record)) = instance else {
            return Some(ActionReason::DeleteBecauseNoModule);
        };
        let shape = record.resources.get(&address.resource).map(|e| e.shape)?;
        Some(match (shape, &address.key) {
            (Shape::Count, InstanceKey::Index(_)) => ActionReason::DeleteBecauseCountIndex,
            (Shape::ForEach, InstanceKey::Key(_)) => ActionReason::DeleteBecauseEachKey,
            _ => ActionReason::DeleteBecauseWrongRepetition,
        })
    }
}

/// A configuration in which nothing is set.
fn empty_config(schema: &mlinfra_sdk::Schema) -> Value {
    let attributes = schema
        .attributes
        .iter()
        .map(|(name, a)| (Arc::clone(name), Value::null(a.ty.clone())));
    Value::object(attributes)
}
