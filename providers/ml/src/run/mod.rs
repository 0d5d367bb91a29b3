//! `ml_run`: the current run of a training job.
//!
//! The object is never replaced. What it is made of (code, command, parameters, inputs, Python) has an address by
//! content; the plan compares that with the address of the run on record, and says what changed and what will be done.

mod cause;
mod job;
mod narrator;
mod schema;
mod source;
mod wanted;

use std::collections::BTreeMap;

use async_trait::async_trait;
use mlinfra_runner::{Address, RunError, RunResult};
use mlinfra_sdk::{
    Context, Create, Delete, Failure, FailureKind, Find, Path, Plan, Planned, Problem, Read,
    Resource, Schema, Type, Update, Value,
};

use crate::arguments::{Arguments, from_json, whole};
use crate::client::{Client, blocking, open};
use crate::failure;
use wanted::Wanted;

/// What only the run itself tells.
const VOLATILE: [&str; 7] = [
    "version", "run_id", "promoted", "champion", "reason", "metrics", "cached",
];

/// What changes the outcome of a run without changing what is trained.
const DECIDING: [&str; 3] = ["registry", "model", "objective"];

/// The current run of a training job.
pub(crate) struct MlRun;

#[async_trait]
impl Resource<Client> for MlRun {
    fn type_name(&self) -> &'static str {
        "ml_run"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        wanted::problems(config)
    }

    async fn plan(
        &self,
        client: &Client,
        _cx: &Context,
        request: Plan<'_>,
    ) -> Result<Planned, Failure> {
        let Some(wanted) = Wanted::of(client, &request.proposed)? else {
            return Ok(undecided(request));
        };
        source::check(&wanted.spec)?;
        let spec = wanted.spec.clone();
        let address = blocking(move || Address::of(&spec, None)).await?;
        let address = address.map_err(|e| unaddressable(&e))?;
        let made = made_of(request.proposed, &wanted, &address)?;
        let to_do = match request.prior {
            Some(prior) if !runs_again(prior, &made) => None,
            prior => Some(note(prior, &made, &wanted, &address).await?),
        };
        let value = match (&to_do, request.prior) {
            (None, Some(prior)) => with_volatile_of(made, prior),
            _ => without_volatile(made),
        };
        Ok(Planned {
            value,
            replace: Vec::new(),
            notes: to_do.into_iter().collect(),
        })
    }

    async fn create(
        &self,
        client: &Client,
        cx: &Context,
        request: Create<'_>,
    ) -> Result<Value, Failure> {
        let run = run(client, cx, request.token, request.planned).await;
        let Err(mut failure) = run else { return run };
        if !matches!(failure.kind, FailureKind::Failed | FailureKind::Cancelled) {
            return Err(failure);
        }
        // A first run that failed leaves nothing: its last lines are in what is said of it.
        let job = Arguments(request.planned).text("job")?;
        match job::forget(client, cx, job).await {
            Ok(()) => {
                failure.remedy = None;
                Err(failure)
            }
            // What could not be removed is recorded, so that it is one day.
            Err(_) => Err(failure.leaving(with_nothing_made(request.planned.clone()))),
        }
    }

    async fn read(
        &self,
        _client: &Client,
        _cx: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure> {
        let arguments = Arguments(request.prior);
        let Some(run_id) = arguments.optional_text("run_id") else {
            // A run that failed is in no registry, and still is to be cleaned up.
            return Ok(Some(request.prior.clone()));
        };
        let Some(registry) = open(arguments.text("registry")?).await? else {
            return Ok(None);
        };
        let model = arguments.text("model")?;
        let run = registry.run(model, run_id).await;
        let run = run.map_err(|e| failure::registry(&e))?;
        let number = arguments.count("version").unwrap_or_default();
        let version = match registry.version(model, number).await {
            Err(mlinfra_registry::Error::NotFound { .. }) => None,
            version => Some(version.map_err(|e| failure::registry(&e))?),
        };
        Ok(run.and(version).map(|_| request.prior.clone()))
    }

    async fn update(
        &self,
        client: &Client,
        cx: &Context,
        request: Update<'_>,
    ) -> Result<Value, Failure> {
        if !runs_again(request.prior, request.planned) {
            return Ok(with_volatile_of(request.planned.clone(), request.prior));
        }
        run(client, cx, request.token, request.planned).await
    }

    async fn delete(
        &self,
        client: &Client,
        cx: &Context,
        request: Delete<'_>,
    ) -> Result<(), Failure> {
        job::forget(client, cx, Arguments(request.prior).text("job")?).await
    }

    async fn find(
        &self,
        client: &Client,
        cx: &Context,
        request: Find<'_>,
    ) -> Result<Option<Value>, Failure> {
        let found = job::find(client, cx, request.token).await?;
        let Some(result) = found else { return Ok(None) };
        if Some(result.content_address.to_string().as_str()) != request.planned.get_str("address") {
            return Ok(None);
        }
        outcome(request.planned.clone(), &result).map(Some)
    }
}

/// The plan while something that the run is made of is not known yet.
fn undecided(request: Plan<'_>) -> Planned {
    let followed = ["address", "files", "python", "spec"];
    let proposed = without_volatile(request.proposed);
    let value = followed.iter().fold(proposed, |value, name| {
        let ty = schema::schema().attributes.get(*name).map(|a| a.ty.clone());
        value.with_attribute(name, Value::unknown(ty.unwrap_or(Type::Dynamic)))
    });
    let value = match value.get_str("job").map(str::to_owned) {
        Some(job) => value.with_attribute("id", job.into()),
        None => value,
    };
    let note = match request.prior {
        None => "will train the first version",
        Some(_) => "will train again if what it is made of turns out to have changed",
    };
    Planned {
        value,
        replace: Vec::new(),
        notes: vec![note.to_owned()],
    }
}

/// The object with everything that follows from what it is made of.
fn made_of(proposed: Value, wanted: &Wanted, address: &Address) -> Result<Value, Failure> {
    let files = &address.source.files;
    let files = files
        .iter()
        .map(|(path, digest)| (path.as_str(), Value::from(digest.as_str())));
    let python = match &address.python {
        Some(python) => Value::from(python.as_str()),
        None => Value::null(Type::String),
    };
    Ok(proposed
        .with_attribute("id", wanted.spec.job.as_str().into())
        .with_attribute("address", address.digest.to_string().into())
        .with_attribute("files", Value::map(Type::String, files))
        .with_attribute("python", python)
        .with_attribute("spec", wanted.for_schedules()?))
}

fn without_volatile(value: Value) -> Value {
    let schema = schema::schema();
    VOLATILE.iter().fold(value, |value, name| {
        let ty = schema.attributes.get(*name).map(|a| a.ty.clone());
        value.with_attribute(name, Value::unknown(ty.unwrap_or(Type::Dynamic)))
    })
}

fn with_volatile_of(value: Value, prior: &Value) -> Value {
    VOLATILE
        .iter()
        .fold(value, |value, name| match prior.get(name) {
            Some(was) => value.with_attribute(name, was.clone()),
            None => value,
        })
}

fn with_nothing_made(value: Value) -> Value {
    let schema = schema::schema();
    VOLATILE.iter().fold(value, |value, name| {
        let ty = schema.attributes.get(*name).map(|a| a.ty.clone());
        value.with_attribute(name, Value::null(ty.unwrap_or(Type::Dynamic)))
    })
}

/// Whether the change from `prior` needs a run, or only another record of how to run.
fn runs_again(prior: &Value, planned: &Value) -> bool {
    let differs = |name: &&'static str| prior.get(name) != planned.get(name);
    differs(&"address") || DECIDING.iter().any(differs)
}

/// What will be done, and why.
async fn note(
    prior: Option<&Value>,
    made: &Value,
    wanted: &Wanted,
    address: &Address,
) -> Result<String, Failure> {
    let done = match next(wanted, address).await? {
        Next::First => "will train the first version".to_owned(),
        Next::New(number) => format!("will train version {number}"),
        Next::Made(number) => format!("will use version {number}, which was made of the same"),
    };
    let causes = prior
        .map(|prior| cause::causes(prior, made))
        .unwrap_or_default();
    if causes.is_empty() {
        return Ok(done);
    }
    Ok(format!("{done}, because {}", cause::joined(&causes)))
}

/// What a run would come to, as the registry stands now.
enum Next {
    First,
    New(u64),
    Made(u64),
}

async fn next(wanted: &Wanted, address: &Address) -> Result<Next, Failure> {
    let Some(url) = &wanted.registry else {
        return Ok(Next::First);
    };
    let Some(registry) = open(url).await? else {
        return Ok(Next::First);
    };
    let versions = registry.versions(&wanted.spec.model).await;
    let versions = versions.map_err(|e| failure::registry(&e))?;
    let address = address.digest.to_string();
    let made = versions
        .iter()
        .rev()
        .find(|v| v.content.content_address == address);
    Ok(match (made, versions.last()) {
        (Some(version), _) => Next::Made(version.number),
        (None, Some(last)) => Next::New(last.number + 1),
        (None, None) => Next::First,
    })
}

/// Runs the job to its end and answers the object that it makes.
async fn run(
    client: &Client,
    cx: &Context,
    token: &str,
    planned: &Value,
) -> Result<Value, Failure> {
    let wanted = Wanted::of(client, planned)?
        .filter(|wanted| wanted.registry.is_some())
        .ok_or_else(|| Failure::internal("a run was asked for that is not wholly known"))?;
    let result = job::run(client, cx, token, &wanted).await?;
    let address = result.content_address.to_string();
    if planned.get_str("address") != Some(address.as_str()) {
        return Err(Failure::new(
            FailureKind::Conflict,
            "The source changed while it was applied",
            format!(
                "Version {} of {} was made of something other than what was planned.",
                result.version, wanted.spec.model
            ),
        )
        .at(Path::attribute("source"))
        .remedy("Apply again."));
    }
    outcome(planned.clone(), &result)
}

/// The object after a run.
fn outcome(planned: Value, result: &RunResult) -> Result<Value, Failure> {
    let numbers: BTreeMap<&str, Value> = result
        .metrics
        .iter()
        // What is not finite stands as a word, and the language has no number for it.
        .filter(|(_, value)| value.is_number())
        .map(|(name, value)| Ok((name.as_str(), from_json(value)?)))
        .collect::<Result<_, Failure>>()?;
    let champion = result.champion.map_or(Value::null(Type::Number), whole);
    Ok(planned
        .with_attribute("version", whole(result.version))
        .with_attribute("run_id", result.run_id.as_str().into())
        .with_attribute("promoted", result.promoted.into())
        .with_attribute("champion", champion)
        .with_attribute("reason", result.reason.as_str().into())
        .with_attribute("metrics", Value::map(Type::Number, numbers))
        .with_attribute("cached", result.cached.into()))
}

/// Why a run has no address, at the argument at fault.
fn unaddressable(error: &RunError) -> Failure {
    let (at, summary) = match error {
        RunError::Inputs(_) | RunError::InputChanged { .. } => ("inputs", "Input cannot be used"),
        RunError::NoPython { .. } => ("command", "Python is missing"),
        _ => ("source", "Source cannot be read"),
    };
    Failure::invalid(
        Path::attribute(at),
        summary,
        failure::sentence(&failure::chain(error)),
    )
}
