//! A state to be shown: what the engine remembers, decoded under its schemas.

mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::{Schema, Value};

use crate::addr::ResourceInstance;
use crate::plan::CheckResult;

pub use text::{list, render, render_object};

/// A state.
#[derive(Clone, Debug, Default)]
pub struct StateView {
    /// Its objects, sorted by address, the deposed ones after that which took their place.
    pub objects: Vec<ObjectView>,
    /// The outputs of the root module.
    pub outputs: BTreeMap<Arc<str>, OutputView>,
    /// Conditions and how they came out at the last apply.
    pub checks: Vec<CheckResult>,
}

/// An object of a state.
#[derive(Clone, Debug)]
pub struct ObjectView {
    /// Whose.
    pub address: ResourceInstance,
    /// The provider's name.
    pub provider: Arc<str>,
    /// The schema of its type.
    pub schema: Arc<Schema>,
    /// The version of the schema that it was stored under.
    pub schema_version: u32,
    /// What it is, marked where sensitive.
    pub value: Value,
    /// It is to be replaced.
    pub tainted: bool,
    /// Its key, when another object took its place.
    pub deposed: Option<Arc<str>>,
    /// The resources it depends on.
    pub depends_on: Vec<String>,
}

/// An output of the root module.
#[derive(Clone, Debug)]
pub struct OutputView {
    /// Its value.
    pub value: Value,
    /// It is declared sensitive.
    pub sensitive: bool,
}
