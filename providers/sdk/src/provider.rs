//! What the engine calls: a provider, and a session with its world once it is configured.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::failure::{Failure, Problem};
use crate::path::Path;
use crate::schema::Schema;
use crate::value::Value;

/// Everything a provider can hold.
#[derive(Clone, Debug, Default)]
pub struct ProviderSchema {
    /// The `provider` block.
    pub config: Schema,
    /// Resource types by name.
    pub resources: BTreeMap<Arc<str>, Arc<Schema>>,
    /// Data source types by name.
    pub data_sources: BTreeMap<Arc<str>, Arc<Schema>>,
}

/// Where a command runs; the same for every provider.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The directory of the root configuration, absolute.
    pub root_dir: PathBuf,
    /// The directory for what the tool keeps beside it (`.mlinfra`), absolute; may not exist yet.
    pub data_dir: PathBuf,
}

/// Something to tell whoever watches an operation.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A phase of the work: "making the Python environment".
    Stage(String),
    /// A line that the work itself wrote.
    Log(String),
    /// Live figures, such as a loss.
    Metrics(BTreeMap<String, f64>),
}

/// Takes events; must return at once.
pub type Progress = Arc<dyn Fn(Event) + Send + Sync>;

/// What every operation is given.
#[derive(Clone)]
pub struct Context {
    /// Where to tell of progress.
    pub progress: Progress,
    /// Set when the user wants to stop: end in an orderly way and soon.
    pub cancel: CancellationToken,
}

impl Context {
    /// A context that nobody watches or stops.
    pub fn quiet() -> Context {
        Context {
            progress: Arc::new(|_| {}),
            cancel: CancellationToken::new(),
        }
    }

    /// Tells of a phase.
    pub fn stage(&self, text: impl Into<String>) {
        (self.progress)(Event::Stage(text.into()));
    }
}

/// Configure a provider.
pub struct Configure<'a> {
    /// The `provider` block, of the schema's type, wholly known.
    pub config: &'a Value,
    /// Where the command runs.
    pub environment: &'a Environment,
}

/// Plan a creation or an update.
pub struct Plan<'a> {
    /// What there is now; `None` for a creation.
    pub prior: Option<&'a Value>,
    /// What the configuration says; may hold unknown values.
    pub config: &'a Value,
    /// The configuration, with computed attributes kept from `prior` or unknown.
    pub proposed: Value,
}

/// A planned creation or update.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What the object will be; unknown where only the doing tells.
    pub value: Value,
    /// Changes at these places need a new object.
    pub replace: Vec<Path>,
    /// Why, for people: "will train, because train.py changed".
    pub notes: Vec<String>,
}

/// Create an object.
pub struct Create<'a> {
    /// What was planned, now with everything known that the configuration decides.
    pub planned: &'a Value,
    /// The configuration, wholly known; write-only attributes are only here.
    pub config: &'a Value,
    /// Recorded before the call; whatever is made carries it, so that a killed creation is found.
    pub token: &'a str,
}

/// Read an object.
pub struct Read<'a> {
    /// What was known of it.
    pub prior: &'a Value,
}

/// Change an object in place.
pub struct Update<'a> {
    /// What there is now.
    pub prior: &'a Value,
    /// What was planned.
    pub planned: &'a Value,
    /// The configuration, wholly known.
    pub config: &'a Value,
    /// Recorded before the call.
    pub token: &'a str,
}

/// Delete an object. One that is already gone is deleted.
pub struct Delete<'a> {
    /// What there is now.
    pub prior: &'a Value,
}

/// Find what a creation made whose answer was never recorded.
pub struct Find<'a> {
    /// The token of that creation.
    pub token: &'a str,
    /// What it was asked to make.
    pub planned: &'a Value,
}

/// Read a data source.
pub struct ReadData<'a> {
    /// The configuration, wholly known.
    pub config: &'a Value,
}

/// A kind of world: this machine, a cloud, a registry.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The name, which its types begin with: `local`, `aws`.
    fn name(&self) -> &str;

    /// All it can hold.
    fn schema(&self) -> &ProviderSchema;

    /// Looks at the configuration of a resource, which may hold unknown values.
    fn validate_resource(&self, type_name: &str, config: &Value) -> Vec<Problem>;

    /// Looks at the configuration of a data source, which may hold unknown values.
    fn validate_data(&self, type_name: &str, config: &Value) -> Vec<Problem>;

    /// Opens a session.
    async fn configure(&self, request: Configure<'_>) -> Result<Arc<dyn Session>, Failure>;
}

/// A configured provider. The engine checks every answer against the schema and the plan.
#[async_trait]
pub trait Session: Send + Sync {
    /// Plans a creation or update.
    async fn plan(&self, ty: &str, cx: &Context, request: Plan<'_>) -> Result<Planned, Failure>;

    /// Creates an object and answers what it became.
    async fn create(&self, ty: &str, cx: &Context, request: Create<'_>) -> Result<Value, Failure>;

    /// Reads an object; `None` when it is gone.
    async fn read(
        &self,
        ty: &str,
        cx: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure>;

    /// Changes an object in place and answers what it became.
    async fn update(&self, ty: &str, cx: &Context, request: Update<'_>) -> Result<Value, Failure>;

    /// Deletes an object.
    async fn delete(&self, ty: &str, cx: &Context, request: Delete<'_>) -> Result<(), Failure>;

    /// Finds what a killed creation made.
    async fn find(
        &self,
        ty: &str,
        cx: &Context,
        request: Find<'_>,
    ) -> Result<Option<Value>, Failure>;

    /// Reads an object by the id its type defines.
    async fn import(&self, ty: &str, cx: &Context, id: &str) -> Result<Option<Value>, Failure>;

    /// Brings a stored object of an older schema version into the present form.
    fn upgrade(&self, ty: &str, version: u32, json: &str) -> Result<Value, Failure>;

    /// Reads a data source.
    async fn read_data(
        &self,
        ty: &str,
        cx: &Context,
        request: ReadData<'_>,
    ) -> Result<Value, Failure>;
}
