//! Turns a way to connect and a set of types into a provider.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::failure::{Failure, Problem};
use crate::provider::{
    Configure, Context, Create, Delete, Find, Plan, Planned, Provider, ProviderSchema, Read,
    ReadData, Session, Update,
};
use crate::resource::{Connect, DataSource, Resource};
use crate::value::Value;

type Resources<C> = BTreeMap<&'static str, Box<dyn Resource<C>>>;
type DataSources<C> = BTreeMap<&'static str, Box<dyn DataSource<C>>>;

/// A provider made of parts.
pub struct Plugin<P: Connect> {
    connect: P,
    schema: ProviderSchema,
    types: Arc<Types<P::Client>>,
}

struct Types<C> {
    resources: Resources<C>,
    data_sources: DataSources<C>,
}

impl<P: Connect> Plugin<P> {
    /// A provider with these types.
    pub fn new(
        connect: P,
        resources: Vec<Box<dyn Resource<P::Client>>>,
        data_sources: Vec<Box<dyn DataSource<P::Client>>>,
    ) -> Plugin<P> {
        let schema = ProviderSchema {
            config: connect.schema(),
            resources: resources
                .iter()
                .map(|r| (r.type_name().into(), Arc::new(r.schema())))
                .collect(),
            data_sources: data_sources
                .iter()
                .map(|d| (d.type_name().into(), Arc::new(d.schema())))
                .collect(),
        };
        let types = Types {
            resources: resources.into_iter().map(|r| (r.type_name(), r)).collect(),
            data_sources: data_sources
                .into_iter()
                .map(|d| (d.type_name(), d))
                .collect(),
        };
        Plugin {
            connect,
            schema,
            types: Arc::new(types),
        }
    }
}

impl<C: Send + Sync + 'static> Types<C> {
    fn resource(&self, ty: &str) -> Result<&dyn Resource<C>, Failure> {
        self.resources
            .get(ty)
            .map(AsRef::as_ref)
            .ok_or_else(|| Failure::internal(format!("no resource type {ty}")))
    }

    fn data_source(&self, ty: &str) -> Result<&dyn DataSource<C>, Failure> {
        self.data_sources
            .get(ty)
            .map(AsRef::as_ref)
            .ok_or_else(|| Failure::internal(format!("no data source type {ty}")))
    }
}

#[async_trait]
impl<P: Connect> Provider for Plugin<P> {
    fn name(&self) -> &str {
        self.connect.name()
    }

    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn validate_resource(&self, ty: &str, config: &Value) -> Vec<Problem> {
        self.types
            .resource(ty)
            .map(|r| r.validate(config))
            .unwrap_or_default()
    }

    fn validate_data(&self, ty: &str, config: &Value) -> Vec<Problem> {
        self.types
            .data_source(ty)
            .map(|d| d.validate(config))
            .unwrap_or_default()
    }

    async fn configure(&self, request: Configure<'_>) -> Result<Arc<dyn Session>, Failure> {
        Ok(Arc::new(Connected {
            client: self.connect.connect(request).await?,
            types: Arc::clone(&self.types),
        }))
    }
}

struct Connected<C> {
    client: C,
    types: Arc<Types<C>>,
}

#[async_trait]
impl<C: Send + Sync + 'static> Session for Connected<C> {
    async fn plan(&self, ty: &str, cx: &Context, request: Plan<'_>) -> Result<Planned, Failure> {
        self.types
            .resource(ty)?
            .plan(&self.client, cx, request)
            .await
    }

    async fn create(&self, ty: &str, cx: &Context, request: Create<'_>) -> Result<Value, Failure> {
        self.types
            .resource(ty)?
            .create(&self.client, cx, request)
            .await
    }

    async fn read(
        &self,
        ty: &str,
        cx: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure> {
        self.types
            .resource(ty)?
            .read(&self.client, cx, request)
            .await
    }

    async fn update(&self, ty: &str, cx: &Context, request: Update<'_>) -> Result<Value, Failure> {
        self.types
            .resource(ty)?
            .update(&self.client, cx, request)
            .await
    }

    async fn delete(&self, ty: &str, cx: &Context, request: Delete<'_>) -> Result<(), Failure> {
        self.types
            .resource(ty)?
            .delete(&self.client, cx, request)
            .await
    }

    async fn find(
        &self,
        ty: &str,
        cx: &Context,
        request: Find<'_>,
    ) -> Result<Option<Value>, Failure> {
        self.types
            .resource(ty)?
            .find(&self.client, cx, request)
            .await
    }

    async fn import(&self, ty: &str, cx: &Context, id: &str) -> Result<Option<Value>, Failure> {
        self.types.resource(ty)?.import(&self.client, cx, id).await
    }

    fn upgrade(&self, ty: &str, version: u32, json: &str) -> Result<Value, Failure> {
        self.types.resource(ty)?.upgrade(version, json)
    }

    async fn read_data(
        &self,
        ty: &str,
        cx: &Context,
        request: ReadData<'_>,
    ) -> Result<Value, Failure> {
        self.types
            .data_source(ty)?
            .read(&self.client, cx, request)
            .await
    }
}
