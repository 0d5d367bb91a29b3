//! The type `local_job`: a command that runs to its end once.

use std::collections::BTreeSet;

use mlinfra_agent::messages::{JobFailure, JobFailureCause, JobSpec, JobStatus, JobView};
use mlinfra_agent::{Client, ClientError};
use mlinfra_sdk::{
    Attribute, Context, Create, Delete, Failure, FailureKind, Find, Path, Plan, Planned, Problem,
    Read, Resource, Schema, Type, Update, Value, async_trait, planning,
};

use crate::arguments;
use crate::checks::{Checks, refuse, sentence};
use crate::follow::{End, follow};
use crate::machine::{Agent, Machine};
use crate::program::{Attributes, Program, Seen};
use crate::refusal;
use crate::startup::last_lines;

/// The type `local_job`.
pub struct Job;

#[async_trait]
impl Resource<Machine> for Job {
    fn type_name(&self) -> &'static str {
        "local_job"
    }

    fn schema(&self) -> Schema {
        let schema = Schema::new(
            "A command that runs on this machine to its end once, when it is made. It runs again when its \
             command, its environment, its spec or one of its triggers changes. What it writes to the file named by \
             `MLINFRA_RESULT` is its result; what it appends to the file named by `MLINFRA_EVENTS` is shown live.",
        );
        let mut attributes = Attributes::new();
        attributes.secret_env.description += " A change of them does not run the job again.";
        attributes
            .force_new()
            .within(schema)
            .attribute("name", Attribute::required(Type::String).force_new().describe(
                "The name, unique among the jobs of a configuration directory: letters, digits, `.`, `_`, `-`.",
            ))
            .attribute("spec", Attribute::optional(Type::String).force_new().describe(
                "JSON text that is handed to the command in the file named by `MLINFRA_SPEC`.",
            ))
            .attribute("triggers", Attribute::optional(Type::map(Type::String)).force_new().describe(
                "Texts whose change runs the job again, such as digests of what it reads.",
            ))
            .attribute("timeout_s", Attribute::optional(Type::Number).describe(
                "How many seconds it may take before it is stopped and counts as failed.",
            ))
            .attribute("id", Attribute::computed(Type::String).describe("The name."))
            .attribute("result", Attribute::computed(Type::String).describe(
                "The JSON text that it wrote as its result; null when it wrote none.",
            ))
            .attribute("log", Attribute::computed(Type::String).describe("The file with its output."))
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        let mut checks = Checks::of(config);
        checks.name();
        checks.program();
        checks.json("spec");
        checks.seconds("timeout_s");
        checks.problems()
    }

    async fn plan(
        &self,
        _machine: &Machine,
        _cx: &Context,
        request: Plan<'_>,
    ) -> Result<Planned, Failure> {
        refuse(self.validate(request.config))?;
        let prior = request.prior;
        let mut planned = planning::default_plan(&self.schema(), request);
        if let Some(prior) = prior
            && !planned.replace.is_empty()
        {
            let reasons = reasons(prior, &planned).join(", ");
            planned
                .notes
                .push(format!("will run again, because of a change of {reasons}"));
        }
        Ok(planned)
    }

    async fn create(
        &self,
        machine: &Machine,
        cx: &Context,
        request: Create<'_>,
    ) -> Result<Value, Failure> {
        let spec = spec(request.planned, machine)?;
        let agent = machine.agent().await?;
        cx.stage("running");
        let view = match agent.create_job(request.token, &spec).await {
            Ok(view) => view,
            Err(error) => {
                drop(agent);
                machine.end_idle_agent().await?;
                return Err(refusal::failure(error));
            }
        };
        let left = result(request.planned, &view);
        match see_through(machine, &agent, cx, &spec.name).await {
            Ok(Ok(view)) => Ok(result(request.planned, &view)),
            // A failed job stays with its log until it is run again.
            Ok(Err(failure)) => Err(failure.leaving(left)),
            // What is cancelled leaves nothing.
            Err(failure) if failure.kind == FailureKind::Cancelled => {
                match forget(machine, agent, &spec.name).await {
                    Ok(()) => Err(failure),
                    Err(_) => Err(failure.leaving(left)),
                }
            }
            // It may still run, so that it must not be forgotten.
            Err(failure) => Err(failure.leaving(left)),
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
        match view(machine, &name).await? {
            Some(view) => seen(request.prior, machine, &view).map(Some),
            None => Ok(None),
        }
    }

    /// Only what does not decide the outcome changes in place, and it counts when the job runs the next time.
    async fn update(
        &self,
        _machine: &Machine,
        _cx: &Context,
        request: Update<'_>,
    ) -> Result<Value, Failure> {
        Ok(request.planned.clone())
    }

    async fn delete(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Delete<'_>,
    ) -> Result<(), Failure> {
        let name = arguments::text(request.prior, "name");
        match (name, machine.agent_of_old().await?) {
            (Some(name), Some(agent)) => forget(machine, agent, &name).await,
            _ => Ok(()),
        }
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
        let found = agent.job_by_token(request.token).await;
        let Some(view) = found.map_err(refusal::failure)? else {
            drop(agent);
            machine.end_idle_agent().await?;
            return Ok(None);
        };
        let planned = match request.planned.is_known() {
            true => request.planned.clone(),
            false => seen(&arguments::blank(&self.schema()), machine, &view)?,
        };
        cx.stage(format!(
            "watching job {:?}, which was begun before",
            view.spec.name
        ));
        match see_through(machine, &agent, cx, &view.spec.name).await? {
            Ok(view) => Ok(Some(result(&planned, &view))),
            // It is as if it had never been run, so that it is run again.
            Err(failure) => {
                cx.stage(format!("{failure}"));
                forget(machine, agent, &view.spec.name).await?;
                Ok(None)
            }
        }
    }

    async fn import(
        &self,
        machine: &Machine,
        _cx: &Context,
        id: &str,
    ) -> Result<Option<Value>, Failure> {
        match view(machine, id).await? {
            Some(view) => seen(&arguments::blank(&self.schema()), machine, &view).map(Some),
            None => Ok(None),
        }
    }
}

async fn view(machine: &Machine, name: &str) -> Result<Option<JobView>, Failure> {
    match machine.agent_of_old().await? {
        Some(agent) => agent.job(name).await.map_err(refusal::failure),
        None => Ok(None),
    }
}

/// What runs a job again, for people: arguments, and of the triggers which.
fn reasons(prior: &Value, planned: &Planned) -> Vec<String> {
    let argument = |path: &Path| {
        let name = path.to_string();
        if name != "triggers" {
            return vec![name];
        }
        let (was, is) = (prior.get("triggers"), planned.value.get("triggers"));
        let entries = |of: Option<&Value>| of.and_then(Value::entries).cloned().unwrap_or_default();
        let (was, is) = (entries(was), entries(is));
        let keys: BTreeSet<_> = was.keys().chain(is.keys()).collect();
        let changed = keys.into_iter().filter(|key| was.get(*key) != is.get(*key));
        let changed: Vec<String> = changed.map(|key| format!("triggers[{key:?}]")).collect();
        match changed.is_empty() {
            true => vec![name],
            false => changed,
        }
    };
    planned.replace.iter().flat_map(argument).collect()
}

/// What the agent is to run.
fn spec(object: &Value, machine: &Machine) -> Result<JobSpec, Failure> {
    let program = Program::of(object, machine.root());
    let secret_env = program.secrets();
    Ok(JobSpec {
        name: arguments::text(object, "name").unwrap_or_default(),
        run_id: None,
        command: program.command,
        env: program.env,
        secret_env,
        working_dir: program.working_dir,
        spec: arguments::json(object, "spec")?,
        timeout_ms: arguments::millis(object, "timeout_s"),
        stop_grace_ms: 10_000,
    })
}

/// What was planned, with what only running it decides.
fn result(planned: &Value, view: &JobView) -> Value {
    let text = view.result.as_ref().map(serde_json::Value::to_string);
    planned
        .clone()
        .with_attribute("id", view.spec.name.as_str().into())
        .with_attribute("log", view.log.to_string_lossy().as_ref().into())
        .with_attribute("result", arguments::text_value(text.as_deref()))
}

/// What was known, with what the agent has in place of what differs. The time limit and the secrets are those of the
/// run that was; what is known of them counts for the next one.
fn seen(known: &Value, machine: &Machine, view: &JobView) -> Result<Value, Failure> {
    let (was, is) = (spec(known, machine)?, &view.spec);
    let program = Program::of(known, machine.root());
    let secret_names: Vec<String> = program.secret_env.keys().cloned().collect();
    let mut object = program.drifted(
        result(known, view),
        &Seen {
            command: &is.command,
            env: &is.env,
            secret_names: &secret_names,
            working_dir: is.working_dir.as_deref(),
        },
    );
    if was.name != is.name {
        object = object.with_attribute("name", is.name.as_str().into());
    }
    if was.spec != is.spec {
        let text = is.spec.as_ref().map(serde_json::Value::to_string);
        object = object.with_attribute("spec", arguments::text_value(text.as_deref()));
    }
    Ok(object)
}

/// Watches a job to its end; a job that did not succeed is a failure with the end of its log.
///
/// # Errors
/// When its end is not known, because the user stopped it or the agent cannot tell.
async fn see_through(
    machine: &Machine,
    agent: &Client,
    cx: &Context,
    name: &str,
) -> Result<Result<JobView, Failure>, Failure> {
    let status = match follow(machine, agent, cx, name).await? {
        End::Job(status) => status,
        End::Cancelled => {
            cx.stage("stopping");
            return Err(cancelled(name, agent.cancel_job(name).await.err()));
        }
    };
    let view = agent.job(name).await.map_err(refusal::failure)?;
    let Some(view) = view else {
        return Err(lost(name));
    };
    Ok(match status {
        JobStatus::Failed(failed) => Err(failure(&view, &failed)),
        JobStatus::Running | JobStatus::Succeeded => Ok(view),
    })
}

/// Removes a job and what it left, and the agent if that was all.
async fn forget(machine: &Machine, agent: Agent<'_>, name: &str) -> Result<(), Failure> {
    agent.delete_job(name).await.map_err(refusal::failure)?;
    drop(agent);
    machine.end_idle_agent().await
}

fn failure(view: &JobView, failed: &JobFailure) -> Failure {
    let name = &view.spec.name;
    let detail = format!(
        "{}\n\n{}",
        sentence(&failed.message),
        last_lines(&view.log_tail)
    );
    let log = view.log.display();
    let (argument, remedy) = match failed.cause {
        JobFailureCause::NotStarted => (
            "command",
            "Check that the program exists, is executable, and is found through PATH or an absolute path, \
             and that working_dir is a directory."
                .to_owned(),
        ),
        JobFailureCause::TimedOut => (
            "timeout_s",
            format!("Give it more time with `timeout_s`, or find out from its log what takes so long: {log}"),
        ),
        JobFailureCause::BadResult => (
            "command",
            "It has to write JSON, and no more than 1 MiB, to the file named by MLINFRA_RESULT.".to_owned(),
        ),
        JobFailureCause::Lost | JobFailureCause::Cancelled => {
            ("command", "Apply again to run it anew.".to_owned())
        }
        JobFailureCause::Exited => (
            "command",
            format!("Its whole log is in {log}; correct what it tells of and apply again."),
        ),
    };
    Failure::new(FailureKind::Failed, format!("Job {name:?} failed"), detail)
        .at(Path::attribute(argument))
        .remedy(remedy)
}

fn cancelled(name: &str, error: Option<ClientError>) -> Failure {
    let detail = match error {
        None => "It was stopped before its end.".to_owned(),
        Some(error) => format!("It was to be stopped before its end, and may still run: {error}."),
    };
    Failure::new(
        FailureKind::Cancelled,
        format!("Job {name:?} was cancelled"),
        detail,
    )
    .remedy("Apply again to run it.")
}

fn lost(name: &str) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        format!("Job {name:?} is gone"),
        "Someone else deleted it just when it ended, and its result with it.",
    )
    .remedy("Apply again to run it.")
}
