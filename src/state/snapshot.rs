//! The whole state at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::{Type, Value};

use super::{Intent, Object, ProviderRef, Token};
use crate::addr::ResourceInstance;

/// The whole state at one moment. Cheap enough to clone: objects are shared.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Snapshot {
    /// Tells this state from every other one; a UUID. Empty until something was written, so that
    /// a plan made where there is no state fits as long as there is none.
    pub lineage: String,
    /// Grows with every change that was written; 0 when nothing was.
    pub serial: u64,
    /// The outputs of the root module.
    pub outputs: BTreeMap<Arc<str>, OutputValue>,
    /// What there is.
    pub resources: BTreeMap<ResourceInstance, InstanceState>,
    /// What was begun and not finished: it may have happened.
    pub intents: BTreeMap<Token, Arc<Intent>>,
}

/// An output of the root module.
#[derive(Clone, PartialEq, Debug)]
pub struct OutputValue {
    /// The value; marked sensitive as a whole when the output is.
    pub value: Value,
    /// Declared sensitive.
    pub sensitive: bool,
}

impl OutputValue {
    /// An output.
    pub fn new(value: Value, sensitive: bool) -> OutputValue {
        let value = if sensitive { value.sensitive() } else { value };
        OutputValue { value, sensitive }
    }

    /// The type of the value.
    pub fn ty(&self) -> Type {
        self.value.ty()
    }
}

/// What is known of one resource instance. Its key tells whether `count` or `for_each` made it.
#[derive(Clone, PartialEq, Debug)]
pub struct InstanceState {
    /// Who manages its objects.
    pub provider: ProviderRef,
    /// The object that the configuration means.
    pub current: Option<Arc<Object>>,
    /// Objects that were replaced and are yet to be destroyed, by a key of 8 hex digits.
    pub deposed: BTreeMap<Arc<str>, Arc<Object>>,
}

impl Snapshot {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty() && self.resources.is_empty() && self.intents.is_empty()
    }

    /// Whether both remember the same, whatever their serials.
    pub fn same_content(&self, other: &Snapshot) -> bool {
        self.outputs == other.outputs
            && self.resources == other.resources
            && self.intents == other.intents
    }

    /// The current object of an instance.
    pub fn current(&self, address: &ResourceInstance) -> Option<&Arc<Object>> {
        self.resources.get(address)?.current.as_ref()
    }

    /// The current object of an instance, or the deposed one of that key.
    pub fn object(
        &self,
        address: &ResourceInstance,
        deposed: Option<&str>,
    ) -> Option<&Arc<Object>> {
        let instance = self.resources.get(address)?;
        match deposed {
            None => instance.current.as_ref(),
            Some(key) => instance.deposed.get(key),
        }
    }
}
