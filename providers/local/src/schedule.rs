//! The type `local_schedule`: a command that is run at given times.

use jiff::Timestamp;
use mlinfra_agent::cron::{Cadence, CadenceError};
use mlinfra_agent::messages::{CatchUp, JobTemplate, Overlap, ScheduleSpec, ScheduleView};
use mlinfra_sdk::{
    Attribute, Context, Create, Delete, Failure, Find, Plan, Planned, Problem, Read, Resource,
    Schema, Type, Update, Value, async_trait, planning,
};

use crate::arguments;
use crate::checks::{Checks, refuse, sentence};
use crate::machine::Machine;
use crate::program::{Attributes, Program, Seen};
use crate::refusal;

const SKIP: &str = "skip";
const ALLOW: &str = "allow";
const ONCE: &str = "once";
const NONE: &str = "none";

/// The type `local_schedule`.
pub struct Schedule;

#[async_trait]
impl Resource<Machine> for Schedule {
    fn type_name(&self) -> &'static str {
        "local_schedule"
    }

    fn schema(&self) -> Schema {
        let schema = Schema::new(
            "A command that is run on this machine at given times, as a job of its own each time. \
             A change counts from the next firing on.",
        );
        let mut attributes = Attributes::new();
        attributes.env.description += " `MLINFRA_TRIGGER` and `MLINFRA_FIRED_AT` are added.";
        attributes
            .within(schema)
            .attribute("name", Attribute::required(Type::String).force_new().describe(
                "The name, unique among the schedules of a configuration directory: letters, digits, `.`, `_`, `-`.",
            ))
            .attribute("schedule", Attribute::required(Type::String).describe(
                "When: five fields of cron (minute, hour, day of the month, month, day of the week), six with \
                 seconds first, a nickname such as `@daily`, or `@every 5s`.",
            ))
            .attribute("timezone", Attribute::optional(Type::String).describe(
                "The IANA time zone in which the fields count, such as `Europe/Berlin`; UTC when left out.",
            ))
            .attribute("spec", Attribute::optional(Type::String).describe(
                "JSON text that is handed to the command in the file named by `MLINFRA_SPEC`.",
            ))
            .attribute("overlap", Attribute::optional(Type::String).default(SKIP).describe(
                "What happens when the last run has not ended: `skip` this one, or `allow` both.",
            ))
            .attribute("catch_up", Attribute::optional(Type::String).default(ONCE).describe(
                "What happens about firings that were missed while the machine was off: run `once` for all, or `none`.",
            ))
            .attribute("paused", Attribute::optional(Type::Bool).default(false).describe(
                "Whether nothing is fired until this is `false` again.",
            ))
            .attribute("timeout_s", Attribute::optional(Type::Number).describe(
                "How many seconds a run may take before it is stopped and counts as failed.",
            ))
            .attribute("id", Attribute::computed(Type::String).describe("The name."))
            .attribute("log", Attribute::computed(Type::String).describe(
                "The directory with the logs of its runs, each named `<name>-<time>.log`.",
            ))
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        let mut checks = Checks::of(config);
        checks.name();
        checks.program();
        check_times(&mut checks);
        checks.json("spec");
        checks.one_of("overlap", &[SKIP, ALLOW]);
        checks.one_of("catch_up", &[ONCE, NONE]);
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
        Ok(planning::default_plan(&self.schema(), request))
    }

    async fn create(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Create<'_>,
    ) -> Result<Value, Failure> {
        let spec = spec(request.planned, machine)?;
        let agent = machine.agent().await?;
        match agent.create_schedule(request.token, &spec).await {
            Ok(view) => Ok(result(request.planned, machine, &view)),
            Err(error) => {
                drop(agent);
                machine.end_idle_agent().await?;
                Err(refusal::failure(error))
            }
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

    async fn update(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Update<'_>,
    ) -> Result<Value, Failure> {
        let spec = spec(request.planned, machine)?;
        let agent = machine.agent().await?;
        let view = agent
            .update_schedule(&spec)
            .await
            .map_err(refusal::failure)?;
        Ok(result(request.planned, machine, &view))
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
                .delete_schedule(&name)
                .await
                .map_err(refusal::failure)?;
        }
        machine.end_idle_agent().await
    }

    async fn find(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Find<'_>,
    ) -> Result<Option<Value>, Failure> {
        let Some(agent) = machine.agent_of_old().await? else {
            return Ok(None);
        };
        let found = agent.schedule_by_token(request.token).await;
        match found.map_err(refusal::failure)? {
            Some(view) if request.planned.is_known() => {
                Ok(Some(result(request.planned, machine, &view)))
            }
            Some(view) => seen(&arguments::blank(&self.schema()), machine, &view).map(Some),
            None => {
                drop(agent);
                machine.end_idle_agent().await?;
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

async fn view(machine: &Machine, name: &str) -> Result<Option<ScheduleView>, Failure> {
    match machine.agent_of_old().await? {
        Some(agent) => agent.schedule(name).await.map_err(refusal::failure),
        None => Ok(None),
    }
}

/// The schedule in its time zone is one that fires.
fn check_times(checks: &mut Checks<'_>) {
    let timezone = checks.known("timezone").and_then(Value::as_str);
    let Some(times) = checks.known("schedule").and_then(Value::as_str) else {
        return;
    };
    match Cadence::parse(times, timezone, Timestamp::now()) {
        Ok(_) => {}
        Err(error @ CadenceError::TimeZone { .. }) => {
            checks.wrong(
                "timezone",
                "Invalid time zone",
                sentence(&error.to_string()),
            );
        }
        Err(error) => {
            checks.wrong("schedule", "Invalid schedule", sentence(&error.to_string()));
        }
    }
}

/// What the agent is to fire.
fn spec(object: &Value, machine: &Machine) -> Result<ScheduleSpec, Failure> {
    let program = Program::of(object, machine.root());
    let secret_env = program.secrets();
    Ok(ScheduleSpec {
        name: arguments::text(object, "name").unwrap_or_default(),
        cron: arguments::text(object, "schedule").unwrap_or_default(),
        timezone: arguments::text(object, "timezone"),
        job: JobTemplate {
            command: program.command,
            env: program.env,
            secret_env,
            working_dir: program.working_dir,
            spec: arguments::json(object, "spec")?,
            timeout_ms: arguments::millis(object, "timeout_s"),
        },
        overlap: match object.get_str("overlap") {
            Some(ALLOW) => Overlap::Allow,
            _ => Overlap::Skip,
        },
        catch_up: match object.get_str("catch_up") {
            Some(NONE) => CatchUp::None,
            _ => CatchUp::Once,
        },
        paused: arguments::flag(object, "paused").unwrap_or(false),
    })
}

/// What was planned, with what only the agent decides.
fn result(planned: &Value, machine: &Machine, view: &ScheduleView) -> Value {
    let log = machine.layout().log("job", &view.spec.name);
    let logs = log.parent().unwrap_or(&log).to_string_lossy();
    planned
        .clone()
        .with_attribute("id", view.spec.name.as_str().into())
        .with_attribute("log", logs.as_ref().into())
}

/// What was known, with what the agent has in place of what differs.
fn seen(known: &Value, machine: &Machine, view: &ScheduleView) -> Result<Value, Failure> {
    let (was, is) = (spec(known, machine)?, &view.spec);
    let mut object = Program::of(known, machine.root()).drifted(
        result(known, machine, view),
        &Seen {
            command: &is.job.command,
            env: &is.job.env,
            secret_names: &view.secret_env_names,
            working_dir: is.job.working_dir.as_deref(),
        },
    );
    let mut differs = |differs: bool, argument: &str, value: Value| {
        if differs {
            object = std::mem::replace(&mut object, Value::NULL).with_attribute(argument, value);
        }
    };
    differs(was.name != is.name, "name", is.name.as_str().into());
    differs(was.cron != is.cron, "schedule", is.cron.as_str().into());
    differs(
        was.timezone != is.timezone,
        "timezone",
        arguments::text_value(is.timezone.as_deref()),
    );
    let spec = is.job.spec.as_ref().map(serde_json::Value::to_string);
    differs(
        was.job.spec != is.job.spec,
        "spec",
        arguments::text_value(spec.as_deref()),
    );
    let timeout = is.job.timeout_ms.map(arguments::seconds_value);
    differs(
        was.job.timeout_ms != is.job.timeout_ms,
        "timeout_s",
        timeout.unwrap_or_else(|| Value::null(Type::Number)),
    );
    let overlap = match is.overlap {
        Overlap::Skip => SKIP,
        Overlap::Allow => ALLOW,
    };
    differs(was.overlap != is.overlap, "overlap", overlap.into());
    let catch_up = match is.catch_up {
        CatchUp::Once => ONCE,
        CatchUp::None => NONE,
    };
    differs(was.catch_up != is.catch_up, "catch_up", catch_up.into());
    differs(was.paused != is.paused, "paused", is.paused.into());
    Ok(object)
}
