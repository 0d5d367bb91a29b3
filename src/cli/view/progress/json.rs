//! Progress as lines of JSON: Terraform's machine-readable interface. Ours are the types `stage`,
//! `log` and `metrics`.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mlinfra_sdk::Event;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value as Json, json};

use super::running::Operations;
use super::{Clock, Doing, Done, Operation, Outcome, Sink, Work, words};
use crate::addr::{InstanceKey, ResourceInstance};
use crate::cli::view::json::plan::reason_word;
use crate::cli::view::json::values::OutputJson;
use crate::cli::view::state::OutputView;
use crate::diag::Diagnostic;
use crate::diag::json::DiagnosticJson;
use crate::plan::{Action, ActionReason, Plan, ResourceChange};
use crate::source::Sources;

/// The version of Terraform's interface that this is.
const INTERFACE: &str = "1.2";

/// Lines of JSON.
pub struct JsonLines {
    clock: Clock,
    inner: Mutex<Inner>,
}

struct Inner {
    sink: Sink,
    running: Operations,
}

#[derive(Serialize)]
struct Line<'l> {
    #[serde(rename = "@level")]
    level: &'l str,
    #[serde(rename = "@message")]
    message: &'l str,
    #[serde(rename = "@module")]
    module: &'static str,
    #[serde(rename = "@timestamp")]
    timestamp: String,
    #[serde(flatten)]
    fields: BTreeMap<&'static str, Box<RawValue>>,
    #[serde(rename = "type")]
    ty: &'static str,
}

fn fields<const N: usize>(
    fields: [(&'static str, Json); N],
) -> BTreeMap<&'static str, Box<RawValue>> {
    // A JSON value can always be written.
    let raw = fields.map(|(name, json)| Some((name, to_raw_value(&json).ok()?)));
    raw.into_iter().flatten().collect()
}

impl JsonLines {
    /// Lines written to a sink; the first tells the version.
    pub fn new(sink: Sink, clock: Clock) -> JsonLines {
        let view = JsonLines {
            clock,
            inner: Mutex::new(Inner {
                sink,
                running: Operations::default(),
            }),
        };
        let version = env!("CARGO_PKG_VERSION");
        view.say(
            "version",
            &format!("mlinfra {version}"),
            fields([
                ("mlinfra", json!(version)),
                (
                    "terraform",
                    json!(crate::cli::view::json::TERRAFORM_VERSION),
                ),
                ("ui", json!(INTERFACE)),
            ]),
        );
        view
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, ty: &'static str, message: &str, fields: BTreeMap<&'static str, Box<RawValue>>) {
        self.say_at("info", ty, message, fields);
    }

    fn say_at(
        &self,
        level: &str,
        ty: &'static str,
        message: &str,
        fields: BTreeMap<&'static str, Box<RawValue>>,
    ) {
        let line = Line {
            level,
            message,
            module: "mlinfra.ui",
            timestamp: format!("{:.6}", (self.clock)().wall),
            fields,
            ty,
        };
        if let Ok(mut text) = serde_json::to_string(&line) {
            text.push('\n');
            let mut inner = self.inner();
            // A reader that went away must not stop what is being applied.
            let _ = inner.sink.write_all(text.as_bytes());
            let _ = inner.sink.flush();
        }
    }

    fn hook(&self, ty: &'static str, work: &Work, message: &str, more: &[(&str, Json)]) {
        let mut hook = Map::new();
        hook.insert("resource".into(), resource(&work.address));
        if work.doing != Doing::Refresh {
            hook.insert("action".into(), json!(action_word(work.doing)));
        }
        for (name, value) in more {
            hook.insert((*name).to_owned(), value.clone());
        }
        let message = format!("{}: {message}", words::subject(work));
        self.say(ty, &message, fields([("hook", Json::Object(hook))]));
    }

    pub(super) fn started(&self, work: &Work, id: Option<&str>) {
        let now = (self.clock)().passed;
        self.inner().running.start(work, id, now);
        let ty = match work.doing {
            Doing::Refresh => "refresh_start",
            _ => "apply_start",
        };
        self.hook(ty, work, &words::started(work, id), &id_fields(id));
    }

    pub(super) fn event(&self, work: &Work, event: &Event) {
        let now = (self.clock)().passed;
        let metrics = match event {
            Event::Stage(stage) => {
                let text = words::plain(stage);
                return self.hook("stage", work, &text, &[("stage", json!(stage))]);
            }
            Event::Log(line) => {
                let text = words::plain(line);
                return self.hook("log", work, &text, &[("line", json!(line))]);
            }
            Event::Metrics(metrics) => {
                let mut inner = self.inner();
                let running = inner.running.get(work);
                running.and_then(|running| running.measure(now, metrics))
            }
        };
        if let Some(metrics) = metrics {
            self.metrics(work, &metrics);
        }
    }

    fn metrics(&self, work: &Work, metrics: &BTreeMap<String, f64>) {
        let text = words::metrics(metrics);
        self.hook("metrics", work, &text, &[("metrics", json!(metrics))]);
    }

    pub(super) fn finished(&self, work: &Work, outcome: &Outcome, elapsed: Duration) {
        let ended = self.inner().running.end(work);
        if let Some(metrics) = ended.and_then(|running| running.metrics) {
            self.metrics(work, &metrics);
        }
        let mut message = words::finished(work, outcome, elapsed);
        let mut more = Vec::new();
        let ty = match (work.doing, outcome) {
            (Doing::Refresh, Outcome::Done(id)) => {
                message = match id {
                    Some(id) => format!("Refresh complete [id={}]", words::plain(id)),
                    None => "Refresh complete".to_owned(),
                };
                more.extend(id_fields(id.as_deref()));
                return self.hook("refresh_complete", work, &message, &more);
            }
            (_, Outcome::Done(id)) => {
                let id = id.as_deref().filter(|_| work.doing != Doing::Delete);
                more.extend(id_fields(id));
                "apply_complete"
            }
            (_, Outcome::Failed) => "apply_errored",
        };
        more.push(("elapsed_seconds", json!(elapsed.as_secs())));
        self.hook(ty, work, &message, &more);
    }

    pub(super) fn tick(&self) {
        let now = (self.clock)().passed;
        let due = self.inner().running.still(now);
        for (running, elapsed) in due {
            let work = &running.work;
            if work.doing != Doing::Refresh {
                let message = words::still(work, running.id.as_deref(), elapsed);
                let seconds = [("elapsed_seconds", json!(elapsed.as_secs()))];
                self.hook("apply_progress", work, &message, &seconds);
            }
        }
    }

    pub(super) fn planned(&self, plan: &Plan) {
        for drift in plan.drift.iter().filter(|d| d.action != Action::NoOp) {
            let word = change_word(drift);
            let message = format!("{}: Drift detected ({word})", drift.address);
            let change = change(drift, word);
            self.say("resource_drift", &message, fields([("change", change)]));
        }
        for planned in plan.changes.iter().filter(|c| is_told(c)) {
            let word = change_word(planned);
            let message = format!("{}: Plan to {word}", planned.address);
            let change = change(planned, word);
            self.say("planned_change", &message, fields([("change", change)]));
        }
        self.summary(Operation::Plan, Done::planned(plan));
        let outputs = plan
            .outputs
            .iter()
            .filter(|(_, o)| o.action != Action::NoOp);
        let outputs: Map<String, Json> = outputs
            .map(|(name, output)| {
                let action = match output.action {
                    Action::Create => "create",
                    Action::Delete => "delete",
                    _ => "update",
                };
                let told = json!({"sensitive": output.sensitive, "action": action});
                (name.to_string(), told)
            })
            .collect();
        if !outputs.is_empty() {
            let message = format!("Outputs: {}", outputs.len());
            self.say(
                "outputs",
                &message,
                fields([("outputs", Json::Object(outputs))]),
            );
        }
    }

    pub(super) fn diagnostic(&self, diagnostic: &Diagnostic, sources: &Sources) {
        let (level, word) = match diagnostic.is_error() {
            true => ("error", "Error"),
            false => ("warn", "Warning"),
        };
        let message = format!("{word}: {}", diagnostic.summary);
        let told = json!(DiagnosticJson::new(diagnostic, sources));
        self.say_at(
            level,
            "diagnostic",
            &message,
            fields([("diagnostic", told)]),
        );
    }

    pub(super) fn summary(&self, operation: Operation, done: Done) {
        let word = match operation {
            Operation::Plan => "plan",
            Operation::Apply => "apply",
            Operation::Destroy => "destroy",
        };
        let changes = json!({
            "add": done.added,
            "change": done.changed,
            "import": done.imported,
            "remove": done.destroyed,
            "operation": word,
        });
        let message = words::summary(operation, done);
        self.say("change_summary", &message, fields([("changes", changes)]));
    }

    pub(super) fn outputs(&self, outputs: &BTreeMap<Arc<str>, OutputView>) {
        // What is sensitive is told by name only.
        let told: BTreeMap<&str, Box<RawValue>> = outputs
            .iter()
            .filter_map(|(name, output)| {
                let told = match output.sensitive || output.value.marks_deep().is_sensitive() {
                    true => to_raw_value(&json!({"sensitive": true})),
                    false => OutputJson::new(&output.value, false).and_then(|o| to_raw_value(&o)),
                };
                Some((name.as_ref(), told.ok()?))
            })
            .collect();
        let message = format!("Outputs: {}", outputs.len());
        if let Ok(raw) = to_raw_value(&told) {
            self.say("outputs", &message, BTreeMap::from([("outputs", raw)]));
        }
    }
}

fn id_fields(id: Option<&str>) -> Vec<(&'static str, Json)> {
    let fields = id.map(|id| [("id_key", json!("id")), ("id_value", json!(id))]);
    fields.into_iter().flatten().collect()
}

fn action_word(doing: Doing) -> &'static str {
    match doing {
        Doing::Create => "create",
        Doing::Update => "update",
        Doing::Delete => "delete",
        Doing::Read => "read",
        Doing::Refresh => "refresh",
    }
}

fn resource(address: &ResourceInstance) -> Json {
    let resource = &address.resource;
    json!({
        "addr": address.to_string(),
        "module": address.module.to_string(),
        "resource": format!("{resource}{}", address.key),
        "implied_provider": resource.implied_provider(),
        "resource_type": resource.ty.as_ref(),
        "resource_name": resource.name.as_ref(),
        "resource_key": match &address.key {
            InstanceKey::None => Json::Null,
            InstanceKey::Index(n) => json!(n),
            InstanceKey::Key(key) => json!(key.as_ref()),
        },
    })
}

/// Whether a planned change is worth a line.
fn is_told(change: &ResourceChange) -> bool {
    change.action != Action::NoOp || change.previous_address.is_some() || change.importing.is_some()
}

fn change_word(change: &ResourceChange) -> &'static str {
    match change.action {
        Action::NoOp if change.importing.is_some() => "import",
        Action::NoOp => "move",
        Action::Create => "create",
        Action::Read => "read",
        Action::Update => "update",
        Action::Delete => "delete",
        Action::DeleteThenCreate | Action::CreateThenDelete => "replace",
        Action::Forget => "forget",
    }
}

fn change(change: &ResourceChange, word: &str) -> Json {
    let mut told = Map::new();
    told.insert("resource".into(), resource(&change.address));
    if let Some(previous) = &change.previous_address {
        told.insert("previous_resource".into(), resource(previous));
    }
    told.insert("action".into(), json!(word));
    if let Some(reason) = change.reason {
        let word = match reason {
            ActionReason::ReplaceBecauseTainted => "tainted",
            ActionReason::ReplaceByRequest => "requested",
            ActionReason::ReplaceByTriggers => "replace_triggered_by",
            ActionReason::ReplaceBecauseCannotUpdate => "cannot_update",
            other => reason_word(other),
        };
        told.insert("reason".into(), json!(word));
    }
    if let Some(id) = &change.importing {
        told.insert("importing".into(), json!({"id": id}));
    }
    if !change.notes.is_empty() {
        told.insert("notes".into(), json!(change.notes));
    }
    Json::Object(told)
}
