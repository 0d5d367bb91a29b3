//! The type `local_service`: a command that is kept running.

use std::time::Duration;

use mlinfra_agent::messages::{HealthCheck, ServiceSpec, ServiceView};
use mlinfra_sdk::{
    Attribute, Context, Create, Delete, Failure, FailureKind, Find, Plan, Planned, Problem, Read,
    Resource, Schema, Type, Update, Value, async_trait, planning,
};

use crate::arguments;
use crate::checks::{Checks, refuse};
use crate::machine::{Agent, Machine};
use crate::port;
use crate::program::{Attributes, Program, Seen};
use crate::refusal;
use crate::startup::Startup;

const DEFAULT_START_TIMEOUT_S: i64 = 60;
const DEFAULT_STOP_GRACE_S: i64 = 10;

/// The type `local_service`.
pub struct Service;

#[async_trait]
impl Resource<Machine> for Service {
    fn type_name(&self) -> &'static str {
        "local_service"
    }

    fn schema(&self) -> Schema {
        let mut attributes = Attributes::new();
        attributes.command.description += " `{port}` stands for the service's port.";
        attributes.env.description += " `{port}` in a value stands for the service's port.";
        let schema = Schema::new(
            "A command that is kept running on this machine: started again when it fails, reached on \
             127.0.0.1. It counts as made once it is healthy; one that does not become healthy is removed \
             again, and the error holds the end of its log. A change restarts it only when the command, its \
             environment, its directory or its port changes; a change that does not become healthy is undone.",
        );
        attributes
            .within(schema)
            .attribute("name", Attribute::required(Type::String).force_new().describe(
                "The name, unique among the services of a configuration directory: letters, digits, `.`, `_`, `-`.",
            ))
            .attribute("port", Attribute::optional_computed(Type::Number).describe(
                "The port on 127.0.0.1. Left out, a free one is picked once and kept.",
            ))
            .attribute("health_path", Attribute::optional(Type::String).describe(
                "A path such as `/health` that answers GET with a status from 200 to 299 when the service works. \
                 Without one, a process that keeps running counts as healthy.",
            ))
            .attribute("start_timeout_s", Attribute::optional(Type::Number).default(DEFAULT_START_TIMEOUT_S).describe(
                "How many seconds it may take from its start until it is healthy.",
            ))
            .attribute("stop_grace_s", Attribute::optional(Type::Number).default(DEFAULT_STOP_GRACE_S).describe(
                "How many seconds it may take to end after SIGTERM, before SIGKILL.",
            ))
            .attribute("id", Attribute::computed(Type::String).describe("The name."))
            .attribute("url", Attribute::computed(Type::String).describe(
                "Where it is reached: `http://127.0.0.1:<port>`.",
            ))
            .attribute("log", Attribute::computed(Type::String).describe("The file with its output."))
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        let mut checks = Checks::of(config);
        checks.name();
        checks.program();
        checks.seconds("start_timeout_s");
        checks.seconds("stop_grace_s");
        if checks.known("port").is_some() && arguments::port(config, "port").is_none() {
            let detail =
                "A port is a whole number from 1 to 65535; leave it out to have a free one picked.";
            checks.wrong("port", "Invalid port", detail);
        }
        if let Some(path) = checks.known("health_path").and_then(Value::as_str)
            && (!path.starts_with('/')
                || path.contains(|c: char| c.is_whitespace() || c.is_control()))
        {
            let detail =
                format!("{path:?} is not the path of a URL: begin with /, without spaces.");
            checks.wrong("health_path", "Invalid path", detail);
        }
        checks.problems()
    }

    async fn plan(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Plan<'_>,
    ) -> Result<Planned, Failure> {
        refuse(self.validate(request.config))?;
        let prior = request.prior;
        let mut planned = planning::default_plan(&self.schema(), request);
        let Some(wanted) = arguments::port(&planned.value, "port") else {
            planned.value = planned
                .value
                .with_attribute("url", Value::unknown(Type::String));
            return Ok(planned);
        };
        planned.value = planned.value.with_attribute("url", url(wanted).into());
        let name = arguments::text(&planned.value, "name");
        let held = prior.and_then(|prior| arguments::port(prior, "port")) == Some(wanted);
        let note = port::admit(machine, wanted, name.as_deref(), held).await?;
        planned.notes.extend(note);
        Ok(planned)
    }

    async fn create(
        &self,
        machine: &Machine,
        cx: &Context,
        request: Create<'_>,
    ) -> Result<Value, Failure> {
        let spec = spec(request.planned, machine);
        let agent = machine.agent().await?;
        cx.stage("starting");
        let made = agent.create_service(request.token, &spec).await;
        if let Err(error) = made {
            drop(agent);
            machine.end_idle_agent().await?;
            return Err(refusal::failure(error));
        }
        let startup = Startup {
            agent: &agent,
            cx,
            spec: &spec,
            patience: patience(request.planned),
            before: None,
        };
        match startup.wait().await {
            Ok(view) => Ok(result(request.planned, &view)),
            Err(failure) => Err(remove(machine, agent, request.planned, failure).await),
        }
    }

    async fn read(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure> {
        let Some(name) = arguments::text(request.prior, "name") else {
            return Ok(None);
        };
        let view = view(machine, &name).await?;
        Ok(view.map(|view| seen(request.prior, machine, &view)))
    }

    async fn update(
        &self,
        machine: &Machine,
        cx: &Context,
        request: Update<'_>,
    ) -> Result<Value, Failure> {
        let spec = spec(request.planned, machine);
        let agent = machine.agent().await?;
        let before = agent.service(&spec.name).await.map_err(refusal::failure)?;
        agent
            .update_service(&spec)
            .await
            .map_err(refusal::failure)?;
        let startup = Startup {
            agent: &agent,
            cx,
            spec: &spec,
            patience: patience(request.planned),
            before,
        };
        match startup.wait().await {
            Ok(view) => Ok(result(request.planned, &view)),
            Err(failure) => Err(undo(machine, &agent, &request, failure).await),
        }
    }

    async fn delete(
        &self,
        machine: &Machine,
        cx: &Context,
        request: Delete<'_>,
    ) -> Result<(), Failure> {
        if let Some(name) = arguments::text(request.prior, "name")
            && let Some(agent) = machine.agent_of_old().await?
        {
            cx.stage("stopping");
            agent
                .delete_service(&name)
                .await
                .map_err(refusal::failure)?;
        }
        machine.end_idle_agent().await
    }

    async fn find(
        &self,
        machine: &Machine,
        cx: &Context,
        request: Find<'_>,
    ) -> Result<Option<Value>, Failure> {
        let Some(agent) = machine.agent_of_old().await? else {
            return Ok(None);
        };
        let found = agent.service_by_token(request.token).await;
        let Some(view) = found.map_err(refusal::failure)? else {
            drop(agent);
            machine.end_idle_agent().await?;
            return Ok(None);
        };
        let planned = match request.planned.is_known() {
            true => request.planned.clone(),
            false => seen(&arguments::blank(&self.schema()), machine, &view),
        };
        // The creation is carried to its end, whichever that is.
        let startup = Startup {
            agent: &agent,
            cx,
            spec: &view.spec,
            patience: patience(&planned),
            before: None,
        };
        match startup.wait().await {
            Ok(view) => Ok(Some(result(&planned, &view))),
            Err(failure) if failure.kind == FailureKind::Cancelled => Err(failure),
            Err(failure) => match remove(machine, agent, &planned, failure).await.partial {
                Some(left) => Ok(Some(*left)),
                None => Ok(None),
            },
        }
    }

    async fn import(
        &self,
        machine: &Machine,
        _cx: &Context,
        id: &str,
    ) -> Result<Option<Value>, Failure> {
        let blank = arguments::blank(&self.schema());
        let view = view(machine, id).await?;
        Ok(view.map(|view| seen(&blank, machine, &view)))
    }
}

async fn view(machine: &Machine, name: &str) -> Result<Option<ServiceView>, Failure> {
    match machine.agent_of_old().await? {
        Some(agent) => agent.service(name).await.map_err(refusal::failure),
        None => Ok(None),
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn patience(object: &Value) -> Duration {
    let millis = arguments::millis(object, "start_timeout_s");
    millis.map_or(Duration::from_secs(60), Duration::from_millis)
}

/// What the agent is to run.
fn spec(object: &Value, machine: &Machine) -> ServiceSpec {
    let program = Program::of(object, machine.root());
    let secret_env = program.secrets();
    let health = arguments::text(object, "health_path").map(|path| HealthCheck {
        start_deadline_ms: u64::try_from(patience(object).as_millis()).unwrap_or(u64::MAX),
        ..HealthCheck::new(path)
    });
    ServiceSpec {
        name: arguments::text(object, "name").unwrap_or_default(),
        command: program.command,
        env: program.env,
        secret_env,
        working_dir: program.working_dir,
        port: arguments::port(object, "port"),
        health,
        stop_grace_ms: arguments::millis(object, "stop_grace_s").unwrap_or(10_000),
    }
}

/// What was planned, with what only the agent decides.
fn result(planned: &Value, view: &ServiceView) -> Value {
    planned
        .clone()
        .with_attribute("id", view.spec.name.as_str().into())
        .with_attribute("port", i64::from(view.port).into())
        .with_attribute("url", view.url().into())
        .with_attribute("log", view.log.to_string_lossy().as_ref().into())
}

/// What was known, with what the agent has in place of what differs.
fn seen(known: &Value, machine: &Machine, view: &ServiceView) -> Value {
    let spec_known = spec(known, machine);
    let program = Program::of(known, machine.root());
    let mut object = program.drifted(
        result(known, view),
        &Seen {
            command: &view.spec.command,
            env: &view.spec.env,
            secret_names: &view.secret_env_names,
            working_dir: view.spec.working_dir.as_deref(),
        },
    );
    if spec_known.name != view.spec.name {
        object = object.with_attribute("name", view.spec.name.as_str().into());
    }
    let (was, is) = (spec_known.health.as_ref(), view.spec.health.as_ref());
    if was.map(|health| &health.http_path) != is.map(|health| &health.http_path) {
        let path = arguments::text_value(is.map(|health| health.http_path.as_str()));
        object = object.with_attribute("health_path", path);
    }
    if let Some(is) = is
        && is.start_deadline_ms != u64::try_from(patience(known).as_millis()).unwrap_or(u64::MAX)
    {
        let seconds = arguments::seconds_value(is.start_deadline_ms);
        object = object.with_attribute("start_timeout_s", seconds);
    }
    if spec_known.stop_grace_ms != view.spec.stop_grace_ms {
        let seconds = arguments::seconds_value(view.spec.stop_grace_ms);
        object = object.with_attribute("stop_grace_s", seconds);
    }
    object
}

/// Nothing half-done stays: removes a service that did not become healthy.
async fn remove(machine: &Machine, agent: Agent<'_>, planned: &Value, failure: Failure) -> Failure {
    let name = arguments::text(planned, "name").unwrap_or_default();
    // Read before it goes, to tell what is left when it does not go.
    let last = agent.service(&name).await.ok().flatten();
    let deleted = agent.delete_service(&name).await;
    drop(agent);
    let ended = match deleted {
        Ok(_) => machine.end_idle_agent().await,
        Err(error) => Err(refusal::failure(error)),
    };
    match (ended, last) {
        (Ok(()), _) | (Err(_), None) => failure,
        (Err(error), Some(view)) => {
            let detail = format!("{}\n\nIt could not be removed: {error}.", failure.detail);
            let left = result(planned, &view);
            Failure { detail, ..failure }.leaving(left)
        }
    }
}

/// Puts a service back to what it was before a change that did not become healthy.
async fn undo(
    machine: &Machine,
    agent: &Agent<'_>,
    request: &Update<'_>,
    mut failure: Failure,
) -> Failure {
    match agent.update_service(&spec(request.prior, machine)).await {
        Ok(_) => {
            failure.detail += "\n\nThe service was put back to what it was before.";
            failure
        }
        Err(error) => {
            let error = refusal::failure(error);
            failure.detail +=
                &format!("\n\nIt could not be put back to what it was before: {error}.");
            let last = agent.service(&spec(request.planned, machine).name).await;
            match last.ok().flatten() {
                Some(view) => failure.leaving(result(request.planned, &view)),
                None => failure,
            }
        }
    }
}
