//! The plan as data. Everything that people or tools see of a plan is rendered from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::{Path, Schema, Value};
use serde::{Deserialize, Serialize};

use crate::addr::ResourceInstance;
use crate::module::CheckResult;

/// What kind of plan it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Bring the world to the configuration.
    #[default]
    Normal,
    /// Remove everything.
    Destroy,
    /// Only take note of what changed in the world.
    RefreshOnly,
}

/// What is done with an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// Make it.
    Create,
    /// Read a data source while applying.
    Read,
    /// Change it in place.
    Update,
    /// Remove it.
    Delete,
    /// Remove it, then make it anew.
    DeleteThenCreate,
    /// Make it anew, then remove the old one.
    CreateThenDelete,
    /// Forget it and leave it be.
    Forget,
}

impl Action {
    /// Whether the object is replaced, in either order.
    pub fn is_replace(self) -> bool {
        matches!(self, Action::DeleteThenCreate | Action::CreateThenDelete)
    }
}

/// Why an action was chosen, where that is not plain from the values.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionReason {
    /// It is tainted.
    ReplaceBecauseTainted,
    /// The command line asks for it.
    ReplaceByRequest,
    /// `replace_triggered_by`.
    ReplaceByTriggers,
    /// It cannot be changed in place.
    ReplaceBecauseCannotUpdate,
    /// Its block is gone.
    DeleteBecauseNoResourceConfig,
    /// Its module is gone.
    DeleteBecauseNoModule,
    /// Its key fits neither `count` nor `for_each`.
    DeleteBecauseWrongRepetition,
    /// `count` is smaller than its index.
    DeleteBecauseCountIndex,
    /// `for_each` has no such key.
    DeleteBecauseEachKey,
    /// It was to be moved to an address that is not in the configuration.
    DeleteBecauseNoMoveTarget,
    /// Its configuration holds what is known only after apply.
    ReadBecauseConfigUnknown,
    /// It depends on an object that changes.
    ReadBecauseDependencyPending,
    /// A check block reads it again.
    ReadBecauseCheckNested,
}

/// A change of one object.
#[derive(Clone, Debug)]
pub struct ResourceChange {
    /// Whose.
    pub address: ResourceInstance,
    /// Where it was before a `moved` block, when that differs.
    pub previous_address: Option<ResourceInstance>,
    /// The key of the deposed object that this is about.
    pub deposed: Option<Arc<str>>,
    /// The provider's name: `local`.
    pub provider: Arc<str>,
    /// The schema of its type.
    pub schema: Arc<Schema>,
    /// What is done.
    pub action: Action,
    /// Why, where that is not plain.
    pub reason: Option<ActionReason>,
    /// What is, marked where sensitive; null when there is nothing.
    pub before: Value,
    /// What will be, marked where sensitive, unknown where only the doing tells; null for nothing.
    pub after: Value,
    /// Changes at these places need a new object.
    pub replace: Vec<Path>,
    /// What the provider has to say for people: "will train, because train.py changed".
    pub notes: Vec<String>,
    /// The id under which it is taken over from the world.
    pub importing: Option<String>,
    /// It holds data and is not destroyed unless that is said.
    pub protected: bool,
}

/// A change of an output of the root module.
#[derive(Clone, Debug)]
pub struct OutputChange {
    /// [`Action::NoOp`], `Create`, `Update` or `Delete`.
    pub action: Action,
    /// What was; null when there was none.
    pub before: Value,
    /// What will be.
    pub after: Value,
    /// Declared sensitive; the values are marked, too.
    pub sensitive: bool,
}

/// A plan.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What kind of plan it is.
    pub mode: Mode,
    /// Every object, sorted by address; those that stay as they are, too.
    pub changes: Vec<ResourceChange>,
    /// Changes found in the world since the last apply.
    pub drift: Vec<ResourceChange>,
    /// The outputs of the root module.
    pub outputs: BTreeMap<Arc<str>, OutputChange>,
    /// Conditions and how they came out.
    pub checks: Vec<CheckResult>,
    /// The values of the root module's variables.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// Objects that wait for something this plan makes, with the reason.
    pub deferred: Vec<(String, String)>,
}

impl Plan {
    /// Whether applying would change anything.
    pub fn is_applyable(&self) -> bool {
        let changes = self.changes.iter().any(|c| {
            c.action != Action::NoOp || c.previous_address.is_some() || c.importing.is_some()
        });
        let outputs = self.outputs.values().any(|o| o.action != Action::NoOp);
        changes || outputs || (self.mode == Mode::RefreshOnly && !self.drift.is_empty())
    }
}
