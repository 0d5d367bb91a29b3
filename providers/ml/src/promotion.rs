//! `ml_promotion`: the rule by which a version of a model becomes the champion.

use async_trait::async_trait;
use mlinfra_registry::{Goal, PromotionRule, When};
use mlinfra_sdk::{
    Attribute, Context, Create, Delete, Failure, Find, Number, Path, Problem, Read, Resource,
    Schema, Type, Update, Value,
};

use crate::arguments::Arguments;
use crate::client::{Client, open, open_existing};
use crate::failure;

const WHEN: [(&str, When); 4] = [
    ("better", When::Better),
    ("always", When::Always),
    ("never", When::Never),
    ("manual", When::Manual),
];

const GOALS: [(&str, Goal); 2] = [("maximize", Goal::Maximize), ("minimize", Goal::Minimize)];

/// The rule of a model.
pub(crate) struct MlPromotion;

#[async_trait]
impl Resource<Client> for MlPromotion {
    fn type_name(&self) -> &'static str {
        "ml_promotion"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "The rule by which a version of a model becomes the champion. It is kept in the registry, and every run of \
             the model is decided by the rule that stands there when the run ends. Without one, a version with a better \
             objective becomes the champion.",
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
            "when",
            Attribute::optional(Type::String).default("better").describe(
                "`better`: when its metric beats the champion's. `always`: whenever it meets the floor. `manual`: when \
                 a person says so. `never`: never.",
            ),
        )
        .attribute(
            "metric",
            Attribute::optional(Type::String)
                .describe("The metric that decides; needed by `when = \"better\"` and by `floor`."),
        )
        .attribute(
            "goal",
            Attribute::optional(Type::String)
                .default("maximize")
                .describe("Which way the metric is good: `maximize` or `minimize`."),
        )
        .attribute(
            "min_improvement",
            Attribute::optional(Type::Number).default(0i64).describe(
                "By how much the metric must beat the champion's, in the metric's unit. At 0 any improvement will do.",
            ),
        )
        .attribute(
            "floor",
            Attribute::optional(Type::Number).describe(
                "The worst value that is good enough at all: the least when maximizing, the greatest when minimizing.",
            ),
        )
        .attribute("id", Attribute::computed(Type::String).describe("The model."))
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        let known = config.is_wholly_known();
        for (name, allowed) in [("when", names(&WHEN)), ("goal", names(&GOALS))] {
            let given = config.get_str(name);
            if let Some(given) = given.filter(|given| !allowed.contains(given)) {
                let detail = format!("{given:?} is none of: {}.", allowed.join(", "));
                let summary = format!("Invalid {name}");
                problems.push(Problem::error(Path::attribute(name), summary, detail));
            }
        }
        if known
            && problems.is_empty()
            && let Err(error) = rule(config).check()
        {
            use mlinfra_registry::RuleError;
            let at = match &error {
                RuleError::NoMetric { .. } => "metric",
                RuleError::Number { field, .. } => field,
            };
            let detail = failure::sentence(&error.to_string());
            let summary = "Promotion rule cannot be followed";
            problems.push(Problem::error(Path::attribute(at), summary, detail));
        }
        problems
    }

    async fn create(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Create<'_>,
    ) -> Result<Value, Failure> {
        set(request.planned).await
    }

    async fn read(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure> {
        standing(request.prior).await
    }

    async fn update(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Update<'_>,
    ) -> Result<Value, Failure> {
        set(request.planned).await
    }

    async fn delete(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Delete<'_>,
    ) -> Result<(), Failure> {
        let arguments = Arguments(request.prior);
        let Some(registry) = open(arguments.text("registry")?).await? else {
            return Ok(());
        };
        let cleared = registry.clear_policy(arguments.text("model")?).await;
        cleared.map_err(|e| failure::registry(&e))
    }

    async fn find(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Find<'_>,
    ) -> Result<Option<Value>, Failure> {
        let model = Arguments(request.planned).text("model")?;
        let planned = request.planned.clone().with_attribute("id", model.into());
        let found = standing(&planned).await?;
        Ok(found.filter(|found| rule(found) == rule(&planned)))
    }
}

fn names<T>(words: &'static [(&'static str, T)]) -> Vec<&'static str> {
    words.iter().map(|(name, _)| *name).collect()
}

fn word<T: Copy + PartialEq>(words: &'static [(&'static str, T)], of: T) -> &'static str {
    let found = words.iter().find(|(_, meaning)| *meaning == of);
    found.map_or("", |(name, _)| name)
}

/// The meaning of a word; the first word's where there is none.
fn meaning<T: Copy>(words: &[(&str, T)], given: Option<&str>, otherwise: T) -> T {
    let found = words.iter().find(|(name, _)| given == Some(name));
    found.map_or(otherwise, |(_, meaning)| *meaning)
}

/// The rule that the arguments say.
fn rule(value: &Value) -> PromotionRule {
    let arguments = Arguments(value);
    PromotionRule {
        when: meaning(&WHEN, arguments.optional_text("when"), When::Better),
        metric: arguments.optional_text("metric").map(str::to_owned),
        goal: meaning(&GOALS, arguments.optional_text("goal"), Goal::Maximize),
        min_improvement: arguments.number("min_improvement").unwrap_or(0.0),
        floor: arguments.number("floor"),
    }
}

async fn set(planned: &Value) -> Result<Value, Failure> {
    let arguments = Arguments(planned);
    let model = arguments.text("model")?;
    let registry = open_existing(arguments.text("registry")?).await?;
    let written = registry.set_policy(model, rule(planned)).await;
    written.map_err(|e| failure::registry(&e))?;
    Ok(planned.clone().with_attribute("id", model.into()))
}

/// The object with the rule that stands in the registry.
async fn standing(prior: &Value) -> Result<Option<Value>, Failure> {
    let arguments = Arguments(prior);
    let Some(registry) = open(arguments.text("registry")?).await? else {
        return Ok(None);
    };
    let found = registry.policy(arguments.text("model")?).await;
    let Some(found) = found.map_err(|e| failure::registry(&e))? else {
        return Ok(None);
    };
    if found == rule(prior) {
        return Ok(Some(prior.clone()));
    }
    let number = |n: f64| Number::from_f64(n).map_or(Value::null(Type::Number), Value::from);
    let metric = found.metric.as_deref();
    Ok(Some(
        prior
            .clone()
            .with_attribute("when", word(&WHEN, found.when).into())
            .with_attribute("goal", word(&GOALS, found.goal).into())
            .with_attribute(
                "metric",
                metric.map_or(Value::null(Type::String), Value::from),
            )
            .with_attribute("min_improvement", number(found.min_improvement))
            .with_attribute(
                "floor",
                found.floor.map_or(Value::null(Type::Number), number),
            ),
    ))
}
