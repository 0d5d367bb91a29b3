//! `ml_registry`: a model registry in a folder.

use std::path::PathBuf;

use async_trait::async_trait;
use mlinfra_registry::{Registry, check_name};
use mlinfra_sdk::{
    Attribute, Context, Create, Data, Delete, Failure, Find, Path, Plan, Planned, Problem, Read,
    Resource, Schema, Type, Value, planning,
};

use crate::arguments::Arguments;
use crate::client::{Client, file_url, open};
use crate::failure;

/// The folder of registries that name no folder of their own.
const FOLDER: &str = "registry";

/// A model registry.
pub(crate) struct MlRegistry;

#[async_trait]
impl Resource<Client> for MlRegistry {
    fn type_name(&self) -> &'static str {
        "ml_registry"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "A model registry in a folder: immutable versions of models with metrics and origin, runs, and aliases such \
             as `champion`. It holds data, so a plan destroys it only when told to. A registry that is already in the \
             folder is taken over as it is.",
        )
        .attribute(
            "name",
            Attribute::required(Type::String)
                .force_new()
                .describe("The name of the registry: letters, digits, `.`, `_` and `-`."),
        )
        .attribute(
            "path",
            Attribute::optional_computed(Type::String)
                .force_new()
                .describe("The folder, relative to that of the root configuration. `registry/<name>` unless given."),
        )
        .attribute("id", Attribute::computed(Type::String).describe("The path."))
        .attribute(
            "url",
            Attribute::computed(Type::String).describe("Where the registry is, as a `file://` URL."),
        )
        .holds_data()
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        let name = config.get_str("name");
        let wrong = name.and_then(|name| check_name("registry", name).err());
        let problem = wrong.map(|e| {
            let detail = failure::sentence(&e.to_string());
            Problem::error(
                Path::attribute("name"),
                "Invalid name of a registry",
                detail,
            )
        });
        problem.into_iter().collect()
    }

    async fn plan(
        &self,
        client: &Client,
        _cx: &Context,
        request: Plan<'_>,
    ) -> Result<Planned, Failure> {
        let prior = request.prior;
        let Some(name) = request.proposed.get_str("name").map(str::to_owned) else {
            return Ok(planning::default_plan(&self.schema(), request));
        };
        // What is not configured follows the name, also where the name changes.
        let path = match request.config.get("path").map(Value::data) {
            Some(Data::String(path)) => path.to_string(),
            Some(Data::Unknown(..)) => {
                return Ok(planning::default_plan(&self.schema(), request));
            }
            _ => format!("{FOLDER}/{name}"),
        };
        let value = located(client, request.proposed, &path)?;
        let replace = prior
            .map(|prior| planning::replacements(&self.schema(), prior, &value))
            .unwrap_or_default();
        Ok(Planned {
            value,
            replace,
            notes: Vec::new(),
        })
    }

    async fn create(
        &self,
        client: &Client,
        _cx: &Context,
        request: Create<'_>,
    ) -> Result<Value, Failure> {
        let folder = folder(client, request.planned)?;
        Registry::create(&folder.display().to_string())
            .await
            .map_err(|e| failure::registry(&e).at(Path::attribute("path")))?;
        Ok(request.planned.clone())
    }

    async fn read(
        &self,
        client: &Client,
        _cx: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure> {
        let path = Arguments(request.prior).text("path")?;
        // The URL is taken anew: the folder of the configuration may have moved, and the registry with it.
        let value = located(client, request.prior.clone(), path)?;
        let there = open(Arguments(&value).text("url")?).await?;
        Ok(there.map(|_| value))
    }

    async fn delete(
        &self,
        client: &Client,
        _cx: &Context,
        request: Delete<'_>,
    ) -> Result<(), Failure> {
        let folder = folder(client, request.prior)?;
        let Some(registry) = open(&folder.display().to_string()).await? else {
            return Ok(());
        };
        registry
            .destroy()
            .await
            .map_err(|e| failure::registry(&e))?;
        let parent = client.root_dir.join(FOLDER);
        if folder.parent() == Some(parent.as_path()) {
            // The folder that was made for registries goes with the last of them; with anything else in it, it stays.
            let _ = tokio::fs::remove_dir(parent).await;
        }
        Ok(())
    }

    async fn find(
        &self,
        client: &Client,
        _cx: &Context,
        request: Find<'_>,
    ) -> Result<Option<Value>, Failure> {
        // Making a registry is one conditional write, so one that is there is what was to be made.
        let folder = folder(client, request.planned)?;
        let there = open(&folder.display().to_string()).await?;
        Ok(there.map(|_| request.planned.clone()))
    }

    /// The id is the path.
    async fn import(
        &self,
        client: &Client,
        _cx: &Context,
        id: &str,
    ) -> Result<Option<Value>, Failure> {
        let name = id.rsplit('/').find(|part| !part.is_empty()).unwrap_or(id);
        let value = Value::object([("name", Value::from(name))]);
        let value = located(client, value, id)?;
        let there = open(Arguments(&value).text("url")?).await?;
        Ok(there.map(|_| value))
    }
}

/// The value with everything that follows from the path.
fn located(client: &Client, value: Value, path: &str) -> Result<Value, Failure> {
    let url = file_url(&client.absolute(path))?;
    Ok(value
        .with_attribute("path", path.into())
        .with_attribute("id", path.into())
        .with_attribute("url", url.into()))
}

fn folder(client: &Client, value: &Value) -> Result<PathBuf, Failure> {
    Ok(client.absolute(Arguments(value).text("path")?))
}
