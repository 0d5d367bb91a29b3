//! What a configuration asks to be run, as the runner understands it.

use std::collections::BTreeMap;

use mlinfra_registry::{Digest, Goal, Trigger, check_name};
use mlinfra_runner::Spec;
use mlinfra_runner::spec::{Input, Objective, VERSION};
use mlinfra_sdk::{Failure, Path, Problem, Step, Type, Value};

use crate::arguments::{Arguments, to_json};
use crate::client::Client;
use crate::failure;

/// What decides about a run; all of it must be known to address one.
const DECISIVE: [&str; 8] = [
    "job",
    "model",
    "source",
    "command",
    "inputs",
    "params",
    "objective",
    "timeout_s",
];

/// What is to be run.
pub(super) struct Wanted {
    /// For the runner; its registry is empty while that is not known.
    pub(super) spec: Spec,
    /// The registry, once it is known.
    pub(super) registry: Option<String>,
    /// Environment variables of the command.
    pub(super) env: BTreeMap<String, String>,
}

impl Wanted {
    /// What the arguments ask for; `None` while something decisive is unknown.
    pub(super) fn of(client: &Client, value: &Value) -> Result<Option<Self>, Failure> {
        let known = |name: &&'static str| value.get(name).is_none_or(Value::is_wholly_known);
        if !DECISIVE.iter().all(known) {
            return Ok(None);
        }
        let arguments = Arguments(value);
        let registry = arguments.optional_text("registry").map(str::to_owned);
        let spec = Spec {
            version: VERSION,
            job: arguments.text("job")?.to_owned(),
            model: arguments.text("model")?.to_owned(),
            source: client.absolute(arguments.text("source")?),
            command: arguments.texts("command"),
            inputs: inputs(value)?,
            params: params(value)?,
            objective: objective(value),
            registry: registry.clone().unwrap_or_default(),
            promote: None,
            trigger: Trigger::Apply,
            force: false,
            skip_unchanged: false,
            timeout_s: arguments.count("timeout_s"),
            cache_dir: client.cache_dir(),
        };
        Ok(Some(Self {
            spec,
            registry,
            env: arguments.text_map("env"),
        }))
    }

    /// The spec for a schedule: it takes the inputs as they are by then, so it promises no digests.
    pub(super) fn for_schedules(&self) -> Result<Value, Failure> {
        if self.registry.is_none() {
            return Ok(Value::unknown(Type::String));
        }
        let mut spec = self.spec.clone();
        spec.trigger = Trigger::Schedule;
        for input in spec.inputs.values_mut() {
            input.digest = None;
        }
        let text = serde_json::to_string(&spec).map_err(Failure::internal)?;
        Ok(Value::from(text))
    }
}

fn inputs(value: &Value) -> Result<BTreeMap<String, Input>, Failure> {
    let mut inputs = BTreeMap::new();
    let entries = value.get("inputs").and_then(Value::entries);
    for (name, input) in entries.into_iter().flatten() {
        let arguments = Arguments(input);
        let at = || Path::attribute("inputs").then(Step::Key(name.clone()));
        let digest: Digest = arguments.text("digest")?.parse().map_err(|error| {
            let error: mlinfra_registry::DigestError = error;
            let detail = failure::sentence(&error.to_string());
            Failure::invalid(at(), "Invalid digest", detail)
        })?;
        let input = Input {
            uri: arguments.text("uri")?.to_owned(),
            digest: Some(digest),
        };
        inputs.insert(name.to_string(), input);
    }
    Ok(inputs)
}

fn params(value: &Value) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
    match value.get("params") {
        Some(params) if !params.is_null() => match to_json(params)? {
            serde_json::Value::Object(params) => Ok(params),
            _ => Err(not_an_object()),
        },
        _ => Ok(serde_json::Map::new()),
    }
}

fn not_an_object() -> Failure {
    Failure::invalid(
        Path::attribute("params"),
        "Invalid parameters",
        "The parameters must be an object, such as { max_depth = 6 }.",
    )
}

fn objective(value: &Value) -> Option<Objective> {
    let objective = Arguments(value.get("objective")?);
    Some(Objective {
        metric: objective.optional_text("metric")?.to_owned(),
        goal: match objective.optional_text("goal") {
            Some("minimize") => Goal::Minimize,
            _ => Goal::Maximize,
        },
    })
}

/// What is wrong with the arguments by themselves. They may hold unknown values.
pub(super) fn problems(config: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |at: Path, summary: &str, detail: String| {
        problems.push(Problem::error(at, summary, detail));
    };
    for name in ["job", "model"] {
        let wrong = config.get_str(name).map(|given| check_name(name, given));
        if let Some(Err(error)) = wrong {
            let detail = failure::sentence(&error.to_string());
            problem(Path::attribute(name), &format!("Invalid {name}"), detail);
        }
    }
    let inputs = config.get("inputs").and_then(Value::entries);
    for name in inputs.into_iter().flatten().map(|(name, _)| name) {
        if let Err(error) = check_name("input", name) {
            let at = Path::attribute("inputs").then(Step::Key(name.clone()));
            problem(
                at,
                "Invalid name of an input",
                failure::sentence(&error.to_string()),
            );
        }
    }
    let command = config.get("command").and_then(Value::elements);
    if command.is_some_and(|c| c.first().is_none_or(|program| program.as_str() == Some(""))) {
        let detail = "It is empty. A command is a program and its arguments, such as [\"python\", \"train.py\"].";
        problem(Path::attribute("command"), "Invalid command", detail.into());
    }
    let params = config
        .get("params")
        .filter(|p| p.is_known() && !p.is_null());
    if params.is_some_and(|params| params.entries().is_none()) {
        problem(
            Path::attribute("params"),
            "Invalid parameters",
            not_an_object().detail,
        );
    }
    let goal = config.get("objective").and_then(|o| o.get_str("goal"));
    if let Some(goal) = goal.filter(|goal| !["maximize", "minimize"].contains(goal)) {
        let at = Path::attribute("objective").then(Step::Attribute("goal".into()));
        let detail = format!("{goal:?} is neither \"maximize\" nor \"minimize\".");
        problem(at, "Invalid goal", detail);
    }
    let timeout = config.get("timeout_s").and_then(Value::as_number);
    if timeout.is_some() && Arguments(config).count("timeout_s").is_none() {
        let detail = "It must be a whole number of seconds, and at least 1.";
        problem(
            Path::attribute("timeout_s"),
            "Invalid timeout",
            detail.into(),
        );
    }
    problems
}
