//! `ml_alias`: a name of a model that is pinned to a version by hand.

use async_trait::async_trait;
use mlinfra_registry::{Alias, CHAMPION, Registry, check_name};
use mlinfra_sdk::{
    Attribute, Context, Create, Delete, Failure, Find, Path, Problem, Read, Resource, Schema, Type,
    Update, Value,
};

use crate::arguments::{Arguments, whole};
use crate::client::{Client, open, open_existing};
use crate::failure;

/// A pinned alias.
pub(crate) struct MlAlias;

#[async_trait]
impl Resource<Client> for MlAlias {
    fn type_name(&self) -> &'static str {
        "ml_alias"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "An alias of a model, such as `challenger`, pinned to a version by hand. It is moved by a conditional \
             write: where someone else has moved it since the plan was made, nothing is changed. Destroying it removes \
             the alias, except `champion`, which runs keep up and which stays where it is.",
        )
        .attribute(
            "registry",
            Attribute::required(Type::String)
                .force_new()
                .describe("The URL of the registry."),
        )
        .attribute(
            "model",
            Attribute::required(Type::String)
                .force_new()
                .describe("The model."),
        )
        .attribute(
            "alias",
            Attribute::required(Type::String)
                .force_new()
                .describe("The alias: letters, digits, `.`, `_` and `-`."),
        )
        .attribute(
            "version",
            Attribute::required(Type::Number).describe("The version that it points at."),
        )
        .attribute(
            "id",
            Attribute::computed(Type::String).describe("`<model>@<alias>`."),
        )
        .attribute(
            "revision",
            Attribute::computed(Type::Number)
                .volatile()
                .describe("The place of this setting in the alias's history."),
        )
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        let arguments = Arguments(config);
        let mut problems = Vec::new();
        for name in ["model", "alias"] {
            let wrong = config.get_str(name).map(|given| check_name(name, given));
            if let Some(Err(error)) = wrong {
                let detail = failure::sentence(&error.to_string());
                let summary = format!("Invalid {name}");
                problems.push(Problem::error(Path::attribute(name), summary, detail));
            }
        }
        let version = config.get("version").and_then(Value::as_number);
        if version.is_some() && arguments.count("version").is_none() {
            let detail = "A version is a whole number from 1 on.";
            let at = Path::attribute("version");
            problems.push(Problem::error(at, "Invalid version", detail));
        }
        problems
    }

    async fn create(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Create<'_>,
    ) -> Result<Value, Failure> {
        let pin = Pin::of(request.planned)?;
        let registry = open_existing(pin.registry).await?;
        let standing = pin.standing(&registry).await?;
        let set = match standing {
            Some(alias) if alias.version == pin.version => alias,
            standing => {
                pin.set(&registry, standing.map(|alias| alias.revision))
                    .await?
            }
        };
        Ok(value(request.planned, &set))
    }

    async fn read(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure> {
        let pin = Pin::of(request.prior)?;
        let Some(registry) = open(pin.registry).await? else {
            return Ok(None);
        };
        let standing = pin.standing(&registry).await?;
        Ok(standing.map(|alias| value(request.prior, &alias)))
    }

    async fn update(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Update<'_>,
    ) -> Result<Value, Failure> {
        let pin = Pin::of(request.planned)?;
        let registry = open_existing(pin.registry).await?;
        let seen = Arguments(request.prior).count("revision");
        let set = pin.set(&registry, seen).await?;
        Ok(value(request.planned, &set))
    }

    async fn delete(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Delete<'_>,
    ) -> Result<(), Failure> {
        let pin = Pin::of(request.prior)?;
        let Some(registry) = open(pin.registry).await? else {
            return Ok(());
        };
        let standing = pin.standing(&registry).await?;
        let Some(standing) = standing.filter(|_| pin.alias != CHAMPION) else {
            return Ok(());
        };
        let why = "removed from the configuration";
        registry
            .remove_alias(pin.model, pin.alias, standing.revision, why)
            .await
            .map_err(|e| failure::registry(&e))
    }

    async fn find(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Find<'_>,
    ) -> Result<Option<Value>, Failure> {
        let pin = Pin::of(request.planned)?;
        let Some(registry) = open(pin.registry).await? else {
            return Ok(None);
        };
        let standing = pin.standing(&registry).await?;
        let made = standing.filter(|alias| alias.version == pin.version);
        Ok(made.map(|alias| value(request.planned, &alias)))
    }
}

/// What the arguments ask for.
struct Pin<'v> {
    registry: &'v str,
    model: &'v str,
    alias: &'v str,
    version: u64,
}

impl<'v> Pin<'v> {
    fn of(value: &'v Value) -> Result<Self, Failure> {
        let arguments = Arguments(value);
        let version = arguments.count("version");
        Ok(Self {
            registry: arguments.text("registry")?,
            model: arguments.text("model")?,
            alias: arguments.text("alias")?,
            version: version.ok_or_else(|| Failure::internal("version is no version"))?,
        })
    }

    async fn standing(&self, registry: &Registry) -> Result<Option<Alias>, Failure> {
        let found = registry.alias(self.model, self.alias).await;
        found.map_err(|e| failure::registry(&e))
    }

    async fn set(&self, registry: &Registry, seen: Option<u64>) -> Result<Alias, Failure> {
        let why = "pinned by the configuration";
        let set = registry.set_alias(self.model, self.alias, self.version, seen, why);
        set.await.map_err(|error| {
            let failed = failure::registry(&error);
            match error {
                mlinfra_registry::Error::NotFound { .. } => failed.at(Path::attribute("version")),
                error if error.is_conflict() => {
                    failed.remedy("Plan again: the plan will show where the alias points now.")
                }
                _ => failed,
            }
        })
    }
}

fn value(from: &Value, alias: &Alias) -> Value {
    from.clone()
        .with_attribute("id", format!("{}@{}", alias.model, alias.name).into())
        .with_attribute("version", whole(alias.version))
        .with_attribute("revision", whole(alias.revision))
}
