//! What the author of a provider writes: a way to connect, and one implementation a type.

use async_trait::async_trait;

use crate::failure::{Failure, FailureKind, Problem};
use crate::planning;
use crate::provider::{
    Configure, Context, Create, Delete, Find, Plan, Planned, Read, ReadData, Update,
};
use crate::schema::Schema;
use crate::value::Value;

/// How a provider reaches its world.
#[async_trait]
pub trait Connect: Send + Sync {
    /// What the resources work with: an SDK client, a connection.
    type Client: Send + Sync + 'static;

    /// The provider's name.
    fn name(&self) -> &str;

    /// The `provider` block.
    fn schema(&self) -> Schema;

    /// Makes the client; as lazily as possible, because a plan may need it for very little.
    async fn connect(&self, request: Configure<'_>) -> Result<Self::Client, Failure>;
}

/// A type of object that is created, read, updated and deleted.
#[async_trait]
pub trait Resource<C: Send + Sync + 'static>: Send + Sync {
    /// The type's name, with the provider's name in front.
    fn type_name(&self) -> &'static str;

    /// Attributes and blocks.
    fn schema(&self) -> Schema;

    /// Looks at a configuration, which may hold unknown values.
    fn validate(&self, _config: &Value) -> Vec<Problem> {
        Vec::new()
    }

    /// Plans a creation or an update. Unless overridden: what is proposed, with a replacement
    /// where an attribute marked so changes.
    async fn plan(
        &self,
        _client: &C,
        _cx: &Context,
        request: Plan<'_>,
    ) -> Result<Planned, Failure> {
        Ok(planning::default_plan(&self.schema(), request))
    }

    /// Creates the object and answers what it became. Must be found again by its token.
    async fn create(&self, client: &C, cx: &Context, request: Create<'_>)
    -> Result<Value, Failure>;

    /// Reads the object; `None` when it is gone.
    async fn read(
        &self,
        client: &C,
        cx: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure>;

    /// Changes the object in place. A type whose every argument needs a new object has none.
    async fn update(
        &self,
        _client: &C,
        _cx: &Context,
        _request: Update<'_>,
    ) -> Result<Value, Failure> {
        Err(Failure::internal(format!(
            "{} cannot be updated in place",
            self.type_name()
        )))
    }

    /// Deletes the object; one that is gone is deleted.
    async fn delete(&self, client: &C, cx: &Context, request: Delete<'_>) -> Result<(), Failure>;

    /// Finds what a creation made whose answer was never recorded.
    async fn find(
        &self,
        _client: &C,
        _cx: &Context,
        _request: Find<'_>,
    ) -> Result<Option<Value>, Failure> {
        Ok(None)
    }

    /// Reads an object by the id that its type defines; `None` when there is none.
    async fn import(
        &self,
        _client: &C,
        _cx: &Context,
        _id: &str,
    ) -> Result<Option<Value>, Failure> {
        Err(Failure::new(
            FailureKind::Invalid,
            "Import is not supported",
            format!("Objects of type {} cannot be imported.", self.type_name()),
        ))
    }

    /// Brings a stored object of an older schema version into the present form.
    fn upgrade(&self, _version: u32, json: &str) -> Result<Value, Failure> {
        Value::decode(json, &self.schema().ty()).map_err(Failure::internal)
    }
}

/// A type of object that is only read.
#[async_trait]
pub trait DataSource<C: Send + Sync + 'static>: Send + Sync {
    /// The type's name, with the provider's name in front.
    fn type_name(&self) -> &'static str;

    /// Attributes and blocks.
    fn schema(&self) -> Schema;

    /// Looks at a configuration, which may hold unknown values.
    fn validate(&self, _config: &Value) -> Vec<Problem> {
        Vec::new()
    }

    /// Reads it: the configuration with its computed attributes filled in.
    async fn read(&self, client: &C, cx: &Context, request: ReadData<'_>)
    -> Result<Value, Failure>;
}
