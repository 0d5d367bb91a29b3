//! Destroys one object.

use std::sync::Arc;

use mlinfra_sdk::{Delete, Value};

use super::executor::Executor;
use super::settle::session_of;
use crate::diag::Diagnostics;
use crate::plan::{Action, ResourceChange};
use crate::provider::{Call, failure_diagnostic};
use crate::state::{Intent, Operation, Outcome};

impl Executor<'_> {
    /// Destroys the object that a change says, or the old one of a replacement.
    pub async fn destroy(&self, change: &ResourceChange) -> Result<(), Diagnostics> {
        let operation = self.destroyed(change);
        let before = &change.before;
        self.told(&change.address, Action::Delete, before, operation, |()| {
            None
        })
        .await?;
        self.count(|counts| counts.destroyed += 1);
        Ok(())
    }

    async fn destroyed(&self, change: &ResourceChange) -> Result<(), Diagnostics> {
        let address = &change.address;
        let deposed: Option<Arc<str>> = change
            .deposed
            .clone()
            .or_else(|| self.deposed.borrow().get(address).cloned());
        let Some(instance) = self.state.instance(address) else {
            return Ok(());
        };
        let session = session_of(
            self.host,
            self.tree,
            self.nodes,
            self.expand,
            &self.sessions,
            &instance.provider,
        )
        .await?;
        let context = self.context(address, Action::Delete);
        let call = Call {
            session: &session,
            ty: &address.resource.ty,
            schema: &change.schema,
            context: &context,
        };
        let intent = Intent::new(Operation::Delete, address.clone(), instance.provider, None);
        let token = self.state.begin(intent.on_deposed(deposed)).await;
        let token = token?;
        let prior: Value = change.before.clone().unmark_deep().0;
        let result = call.delete(Delete { prior: &prior }).await;
        let outcome = match &result {
            Ok(()) => Outcome::Gone,
            Err(_) => Outcome::Unchanged,
        };
        self.state.finish(&token, outcome).await?;
        result.map_err(|f| failure_diagnostic(&f, None).about(address).into())
    }
}
