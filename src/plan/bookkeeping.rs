//! What apply records before it does anything: it changes what is remembered, not the world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Action, Plan};
use crate::addr::ResourceInstance;
use crate::state::{Change, Conflict, Object, ProviderRef, Record, Snapshot};

/// Moves, what reading the world showed, and what is taken over from it.
#[derive(Clone, Debug, Default)]
pub struct Bookkeeping {
    /// Old addresses with the new ones.
    pub moves: Vec<(ResourceInstance, ResourceInstance)>,
    /// What differs from the state, by the new address: the object now, or that it is gone.
    pub refreshed: BTreeMap<ResourceInstance, Option<Arc<Object>>>,
    /// What is imported.
    pub imported: BTreeMap<ResourceInstance, (ProviderRef, Arc<Object>)>,
}

impl Bookkeeping {
    /// The changes of a state, with what the plan forgets.
    pub fn changes(&self, plan: &Plan, state: &Snapshot) -> Vec<Change> {
        let forgotten = plan.changes.iter().filter(|c| c.action == Action::Forget);
        let forgotten: BTreeSet<_> = forgotten.map(|c| c.address.clone()).collect();
        let forgotten = forgotten
            .into_iter()
            .map(|address| Change::Forget { address });
        self.before(state).into_iter().chain(forgotten).collect()
    }

    /// The state that the plan was made from: moved, read, and with what is imported.
    ///
    /// # Errors
    /// When it is not the state that this was noted of.
    pub fn planned_from(&self, state: &Snapshot) -> Result<Snapshot, Conflict> {
        let mut snapshot = state.clone();
        snapshot.apply(&Record::Changed(self.before(state)))?;
        Ok(snapshot)
    }

    fn before(&self, state: &Snapshot) -> Vec<Change> {
        let mut changes = Vec::new();
        if !self.moves.is_empty() {
            changes.push(Change::Move(self.moves.clone()));
        }
        let old: BTreeMap<_, _> = self.moves.iter().map(|(old, new)| (new, old)).collect();
        for (address, object) in &self.refreshed {
            let was = old.get(address).copied().unwrap_or(address);
            let Some(instance) = state.resources.get(was) else {
                continue;
            };
            changes.push(match object {
                Some(object) => Change::Put {
                    address: address.clone(),
                    deposed: None,
                    provider: instance.provider.clone(),
                    object: Arc::clone(object),
                },
                None => Change::Remove {
                    address: address.clone(),
                    deposed: None,
                },
            });
        }
        for (address, (provider, object)) in &self.imported {
            changes.push(Change::Put {
                address: address.clone(),
                deposed: None,
                provider: provider.clone(),
                object: Arc::clone(object),
            });
        }
        changes
    }
}
