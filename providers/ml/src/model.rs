//! data `ml_model`: a version of a model, as the registry has it now.

use async_trait::async_trait;
use mlinfra_registry::{CHAMPION, Registry, Version};
use mlinfra_sdk::{
    Attribute, Context, DataSource, Failure, FailureKind, Path, Problem, ReadData, Schema, Type,
    Value,
};

use crate::arguments::{Arguments, from_json, whole};
use crate::client::{Client, open_existing};
use crate::failure;
use crate::suggestion::did_you_mean;

/// The artefact that is the model itself.
const MODEL: &str = "model.onnx";

/// A version of a model.
pub(crate) struct MlModel;

#[async_trait]
impl DataSource<Client> for MlModel {
    fn type_name(&self) -> &'static str {
        "ml_model"
    }

    fn schema(&self) -> Schema {
        let text = || Attribute::computed(Type::String);
        Schema::new(
            "A version of a model, as the registry has it now: the one that an alias points at, or one by its number.",
        )
        .attribute(
            "registry",
            Attribute::required(Type::String).describe("The URL of the registry."),
        )
        .attribute("model", Attribute::required(Type::String).describe("The model."))
        .attribute(
            "alias",
            Attribute::optional_computed(Type::String)
                .describe("The alias to follow; `champion` unless given, or null where a version is."),
        )
        .attribute(
            "version",
            Attribute::optional_computed(Type::Number).describe("The version, by its number."),
        )
        .attribute(
            "digest",
            text().describe("The digest of the model file, `sha256:…`."),
        )
        .attribute(
            "metrics",
            Attribute::computed(Type::map(Type::Number))
                .describe("How good it is. Metrics that are not finite are left out."),
        )
        .attribute(
            "params",
            Attribute::computed(Type::Dynamic).describe("The parameters it was trained with."),
        )
        .attribute(
            "inputs",
            Attribute::computed(Type::map(Type::String))
                .describe("The digests of what it was trained on, by input."),
        )
        .attribute("code_digest", text().describe("The digest of the code that trained it."))
        .attribute(
            "commit",
            text().describe("The commit that code was, where it came from one."),
        )
        .attribute("run_id", text().describe("The run that made it."))
        .attribute("registered_at", text().describe("When it was registered."))
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        let given = |name: &str| {
            config
                .get(name)
                .is_some_and(|v| v.is_known() && !v.is_null())
        };
        let mut problems = Vec::new();
        if given("alias") && given("version") {
            problems.push(Problem::error(
                Path::attribute("alias"),
                "Alias and version",
                "Either an alias is followed or a version is named, not both.",
            ));
        }
        if given("version") && Arguments(config).count("version").is_none() {
            problems.push(Problem::error(
                Path::attribute("version"),
                "Invalid version",
                "A version is a whole number from 1 on.",
            ));
        }
        problems
    }

    async fn read(
        &self,
        _client: &Client,
        _cx: &Context,
        request: ReadData<'_>,
    ) -> Result<Value, Failure> {
        let arguments = Arguments(request.config);
        let model = arguments.text("model")?;
        let registry = open_existing(arguments.text("registry")?).await?;
        let alias = match (arguments.optional_text("alias"), arguments.count("version")) {
            (None, Some(_)) => None,
            (alias, _) => Some(alias.unwrap_or(CHAMPION)),
        };
        let number = match (alias, arguments.count("version")) {
            (Some(alias), _) => pointed_at(&registry, model, alias).await?,
            (None, version) => version.unwrap_or_default(),
        };
        let version = registry.version(model, number).await;
        let version = version.map_err(|e| failure::registry(&e).at(Path::attribute("version")))?;
        described(request.config.clone(), alias, &version)
    }
}

async fn pointed_at(registry: &Registry, model: &str, alias: &str) -> Result<u64, Failure> {
    let failed = |e| failure::registry(&e);
    if let Some(found) = registry.alias(model, alias).await.map_err(failed)? {
        return Ok(found.version);
    }
    let aliases = registry.aliases(model).await.map_err(failed)?;
    let models = registry.models().await.map_err(failed)?;
    let (at, detail) = if models.iter().any(|known| known == model) {
        let hint = did_you_mean(alias, aliases.iter().map(|a| a.name.as_str()));
        let detail = format!("Model {model:?} has no alias {alias:?}.{hint}");
        ("alias", detail)
    } else {
        let hint = did_you_mean(model, models.iter().map(String::as_str));
        let detail = format!("{} has no model {model:?}.{hint}", registry.location());
        ("model", detail)
    };
    let failure = Failure::new(FailureKind::NotFound, "Not in the model registry", detail);
    Err(failure.at(Path::attribute(at)))
}

fn described(config: Value, alias: Option<&str>, version: &Version) -> Result<Value, Failure> {
    let content = &version.content;
    let text = |text: Option<String>| text.map_or(Value::null(Type::String), Value::from);
    let digest = version.artifact(MODEL).map(|a| a.digest.to_string());
    let inputs = content
        .inputs
        .iter()
        .map(|(name, digest)| (name.as_str(), Value::from(digest.as_str())));
    Ok(config
        .with_attribute("alias", text(alias.map(str::to_owned)))
        .with_attribute("version", whole(version.number))
        .with_attribute("digest", text(digest))
        .with_attribute("metrics", metrics(&content.metrics)?)
        .with_attribute("params", from_json(&content.params)?)
        .with_attribute("inputs", Value::map(Type::String, inputs))
        .with_attribute("code_digest", content.code_digest.as_str().into())
        .with_attribute("commit", text(content.commit.clone()))
        .with_attribute("run_id", content.run_id.as_str().into())
        .with_attribute("registered_at", version.registered_at.to_string().into()))
}

/// The finite metrics as a map of numbers.
pub(crate) fn metrics(metrics: &mlinfra_registry::Metrics) -> Result<Value, Failure> {
    let finite = metrics.iter().filter(|(_, value)| value.is_finite());
    let numbers = finite
        .map(|(name, value)| Ok((name.as_str(), from_json(&serde_json::json!(value))?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok(Value::map(Type::Number, numbers))
}
