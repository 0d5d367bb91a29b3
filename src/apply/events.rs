//! What whoever watches an apply is told.

use std::sync::Arc;
use std::time::Duration;

use crate::addr::ResourceInstance;
use crate::plan::Action;

/// Something that happened to an object.
#[derive(Clone, Debug)]
pub struct Event {
    /// Which.
    pub address: ResourceInstance,
    /// What is done with it: never a replacement, but its two halves.
    pub action: Action,
    /// What happened.
    pub happening: Happening,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Happening {
    /// It is begun; the id of what is there already.
    Started(Option<String>),
    /// The provider tells of its progress.
    Progress(mlinfra_sdk::Event),
    /// It is done; the id of what there is now.
    Finished(Option<String>, Duration),
    /// It failed.
    Failed(Duration),
}

/// Takes events; must return at once.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;
