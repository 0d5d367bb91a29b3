//! What may happen to a state, and what it is afterwards. The journal is a list of these.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Intent, Object, Outcome, OutputValue, ProviderRef, Snapshot, Token};
use crate::addr::ResourceInstance;
use crate::state::InstanceState;

/// A change of what is remembered, without anything being done to the world.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// An object is this: read, refreshed, imported, tainted.
    Put {
        /// The instance.
        address: ResourceInstance,
        /// The key of the deposed object, when it is about one.
        deposed: Option<Arc<str>>,
        /// Who manages it.
        provider: ProviderRef,
        /// What it is.
        object: Arc<Object>,
    },
    /// An object is gone.
    Remove {
        /// The instance.
        address: ResourceInstance,
        /// The key of the deposed object, when it is about one.
        deposed: Option<Arc<str>>,
    },
    /// The instance with all its objects is no longer remembered.
    Forget {
        /// The instance.
        address: ResourceInstance,
    },
    /// The current object makes room for its successor.
    Depose {
        /// The instance.
        address: ResourceInstance,
        /// Under which key.
        key: Arc<str>,
    },
    /// The successor was not made: the deposed object is current again.
    Restore {
        /// The instance.
        address: ResourceInstance,
        /// Its key.
        key: Arc<str>,
    },
    /// Instances have other addresses, all at once: two may change places.
    Move(Vec<(ResourceInstance, ResourceInstance)>),
    /// The outputs of the root module, all of them.
    Outputs(BTreeMap<Arc<str>, OutputValue>),
}

/// One line of the journal: it counts as a whole or not at all.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// Something is about to be done.
    Intent(Arc<Intent>),
    /// It came out so.
    Done {
        /// Which.
        token: Token,
        /// How.
        outcome: Outcome,
    },
    /// What is remembered changed.
    Changed(Vec<Change>),
}

/// A record does not fit the state it comes upon.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Conflict {
    /// An operation that was never begun, or is finished.
    #[error("no operation with token {0} is open")]
    NotOpen(Token),
    /// A token that is already in use.
    #[error("an operation with token {0} is already open")]
    TokenTaken(Token),
    /// Another operation on the same object is open.
    #[error("an operation on {address} is already open (token {token})")]
    Busy {
        /// The object.
        address: String,
        /// The open operation.
        token: Token,
    },
    /// There is no such object.
    #[error("there is no object {0} in the state")]
    Missing(String),
    /// There is one already.
    #[error("there is already an object {0} in the state")]
    Taken(String),
}

impl Snapshot {
    /// What the state is after a record; the state is unchanged when the record does not fit.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn apply(&mut self, record: &Record) -> Result<(), Conflict> {
        match record {
            Record::Intent(intent) => self.begin(intent),
            Record::Done { token, outcome } => self.finish(token, outcome),
            Record::Changed(changes) if changes.len() == 1 => {
                changes.iter().try_for_each(|change| self.change(change))
            }
            Record::Changed(changes) => {
                let mut next = self.clone();
                changes.iter().try_for_each(|change| next.change(change))?;
                *self = next;
                Ok(())
            }
        }
    }

    /// The changes without those that say what is so already. One that follows a change of the
    /// same instance is kept, whatever it says.
    pub(super) fn news(&self, changes: Vec<Change>) -> Vec<Change> {
        let mut touched = BTreeSet::new();
        let (mut moved, mut outputs) = (false, false);
        let mut news = Vec::new();
        for change in changes {
            let again = match &change {
                Change::Put { address, .. } => moved || touched.contains(address),
                Change::Outputs(_) => outputs,
                _ => false,
            };
            if !again && self.says(&change) {
                continue;
            }
            match &change {
                Change::Move(_) => moved = true,
                Change::Put { address, .. }
                | Change::Remove { address, .. }
                | Change::Forget { address }
                | Change::Depose { address, .. }
                | Change::Restore { address, .. } => {
                    touched.insert(address.clone());
                }
                Change::Outputs(_) => outputs = true,
            }
            news.push(change);
        }
        news
    }

    /// Whether a change, coming first, would change nothing.
    fn says(&self, change: &Change) -> bool {
        match change {
            Change::Put {
                address,
                deposed,
                provider,
                object,
            } => {
                let same = self.object(address, deposed.as_deref()) == Some(object);
                same && self.resources.get(address).map(|i| &i.provider) == Some(provider)
            }
            Change::Outputs(outputs) => self.outputs == *outputs,
            Change::Move(moves) => moves.is_empty(),
            Change::Remove { .. }
            | Change::Forget { .. }
            | Change::Depose { .. }
            | Change::Restore { .. } => false,
        }
    }

    fn begin(&mut self, intent: &Arc<Intent>) -> Result<(), Conflict> {
        if self.intents.contains_key(&intent.token) {
            return Err(Conflict::TokenTaken(intent.token.clone()));
        }
        let same = |other: &&Arc<Intent>| {
            other.address == intent.address && other.deposed == intent.deposed
        };
        if let Some(other) = self.intents.values().find(same) {
            return Err(Conflict::Busy {
                address: name(&intent.address, intent.deposed.as_deref()),
                token: other.token.clone(),
            });
        }
        self.intents.insert(intent.token.clone(), intent.clone());
        Ok(())
    }

    fn finish(&mut self, token: &Token, outcome: &Outcome) -> Result<(), Conflict> {
        let Some(intent) = self.intents.remove(token) else {
            return Err(Conflict::NotOpen(token.clone()));
        };
        match outcome {
            Outcome::Is(object) => {
                self.put(
                    &intent.address,
                    intent.deposed.as_ref(),
                    &intent.provider,
                    object,
                );
            }
            Outcome::Gone => {
                self.take(&intent.address, intent.deposed.as_deref());
            }
            Outcome::Unchanged => {}
        }
        Ok(())
    }

    fn change(&mut self, change: &Change) -> Result<(), Conflict> {
        match change {
            Change::Put {
                address,
                deposed,
                provider,
                object,
            } => self.put(address, deposed.as_ref(), provider, object),
            Change::Remove { address, deposed } => {
                let deposed = deposed.as_deref();
                if self.take(address, deposed).is_none() {
                    return Err(Conflict::Missing(name(address, deposed)));
                }
            }
            Change::Forget { address } => {
                self.idle(address)?;
                if self.resources.remove(address).is_none() {
                    return Err(Conflict::Missing(name(address, None)));
                }
            }
            Change::Depose { address, key } => self.depose(address, key)?,
            Change::Restore { address, key } => self.restore(address, key)?,
            Change::Move(moves) => self.relocate(moves)?,
            Change::Outputs(outputs) => self.outputs = outputs.clone(),
        }
        Ok(())
    }

    fn put(
        &mut self,
        address: &ResourceInstance,
        deposed: Option<&Arc<str>>,
        provider: &ProviderRef,
        object: &Arc<Object>,
    ) {
        let instance = match self.resources.get_mut(address) {
            Some(instance) => instance,
            None => self
                .resources
                .entry(address.clone())
                .or_insert_with(|| InstanceState::of(provider.clone())),
        };
        if instance.provider != *provider {
            instance.provider = provider.clone();
        }
        match deposed {
            None => instance.current = Some(object.clone()),
            Some(key) => {
                instance.deposed.insert(key.clone(), object.clone());
            }
        }
    }

    /// Takes an object out, and its instance with the last one.
    fn take(&mut self, address: &ResourceInstance, deposed: Option<&str>) -> Option<Arc<Object>> {
        let instance = self.resources.get_mut(address)?;
        let object = match deposed {
            None => instance.current.take(),
            Some(key) => instance.deposed.remove(key),
        };
        if instance.current.is_none() && instance.deposed.is_empty() {
            self.resources.remove(address);
        }
        object
    }

    fn depose(&mut self, address: &ResourceInstance, key: &Arc<str>) -> Result<(), Conflict> {
        let missing = || Conflict::Missing(name(address, None));
        let instance = self.resources.get_mut(address).ok_or_else(missing)?;
        if instance.deposed.contains_key(key) {
            return Err(Conflict::Taken(name(address, Some(key))));
        }
        let object = instance.current.take().ok_or_else(missing)?;
        instance.deposed.insert(key.clone(), object);
        Ok(())
    }

    fn restore(&mut self, address: &ResourceInstance, key: &Arc<str>) -> Result<(), Conflict> {
        let missing = || Conflict::Missing(name(address, Some(key)));
        let instance = self.resources.get_mut(address).ok_or_else(missing)?;
        if instance.current.is_some() {
            return Err(Conflict::Taken(name(address, None)));
        }
        instance.current = Some(instance.deposed.remove(key).ok_or_else(missing)?);
        Ok(())
    }

    /// Whether no operation on an instance is open, whose outcome would bring it back.
    fn idle(&self, address: &ResourceInstance) -> Result<(), Conflict> {
        match self.intents.values().find(|i| i.address == *address) {
            None => Ok(()),
            Some(intent) => Err(Conflict::Busy {
                address: name(address, intent.deposed.as_deref()),
                token: intent.token.clone(),
            }),
        }
    }

    fn relocate(&mut self, moves: &[(ResourceInstance, ResourceInstance)]) -> Result<(), Conflict> {
        // Looked at first, so that nothing is half moved.
        for address in moves.iter().flat_map(|(from, to)| [from, to]) {
            self.idle(address)?;
        }
        let mut leaving = BTreeSet::new();
        for (from, _) in moves {
            if !self.resources.contains_key(from) || !leaving.insert(from) {
                return Err(Conflict::Missing(name(from, None)));
            }
        }
        let mut arriving = BTreeSet::new();
        for (_, to) in moves {
            let taken = self.resources.contains_key(to) && !leaving.contains(to);
            if taken || !arriving.insert(to) {
                return Err(Conflict::Taken(name(to, None)));
            }
        }
        let mut moving = Vec::new();
        for (from, to) in moves {
            moving.extend(self.resources.remove(from).map(|i| (to.clone(), i)));
        }
        self.resources.extend(moving);
        Ok(())
    }
}

impl InstanceState {
    fn of(provider: ProviderRef) -> InstanceState {
        InstanceState {
            provider,
            current: None,
            deposed: BTreeMap::new(),
        }
    }
}

/// What an object is called in messages.
pub(super) fn name(address: &ResourceInstance, deposed: Option<&str>) -> String {
    match deposed {
        None => address.to_string(),
        Some(key) => format!("{address} (deposed object {key})"),
    }
}
