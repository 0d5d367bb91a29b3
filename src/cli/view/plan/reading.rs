//! Reads Terraform's plan JSON back into a [`Plan`], so that measured plans can be rendered. The
//! types of values are lost in JSON; every attribute of `terraform_data` is dynamic but its id.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::{Attribute, Path, Schema, Step, Type, Value};
use serde_json::value::RawValue;

use crate::addr::ResourceInstance;
use crate::plan::{
    Action, ActionReason, CheckResult, CheckStatus, Mode, OutputChange, Plan, ResourceChange,
};

type Object<'a> = BTreeMap<String, &'a RawValue>;

fn object(json: &RawValue) -> Object<'_> {
    serde_json::from_str(json.get()).unwrap()
}

fn array(json: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(json.get()).unwrap()
}

fn text(json: Option<&&RawValue>) -> Option<String> {
    json.map(|json| serde_json::from_str(json.get()).unwrap())
}

/// A plan as `terraform show -json` prints it.
pub fn plan(json: &str, mode: Mode) -> Plan {
    let raw: &RawValue = serde_json::from_str(json).unwrap();
    let document = object(raw);
    let list = |name: &str| {
        document
            .get(name)
            .map(|json| array(json))
            .unwrap_or_default()
    };
    let mut plan = Plan {
        mode,
        changes: list("resource_changes").into_iter().map(change).collect(),
        drift: list("resource_drift").into_iter().map(change).collect(),
        checks: list("checks").into_iter().map(check).collect(),
        ..Plan::default()
    };
    if let Some(outputs) = document.get("output_changes") {
        for (name, json) in object(outputs) {
            plan.outputs.insert(name.as_str().into(), output(json));
        }
    }
    if let Some(variables) = document.get("variables") {
        for (name, json) in object(variables) {
            let value = object(json)["value"];
            plan.variables
                .insert(name.as_str().into(), Value::from_json(value.get()).unwrap());
        }
    }
    plan
}

fn check(json: &RawValue) -> CheckResult {
    let outer = object(json);
    let display = |json: &RawValue| text(object(json).get("to_display")).unwrap();
    let status = |json: &RawValue| match json.get() {
        "\"pass\"" => CheckStatus::Pass,
        "\"fail\"" => CheckStatus::Fail,
        "\"error\"" => CheckStatus::Error,
        "\"unknown\"" => CheckStatus::Unknown,
        other => panic!("{other}"),
    };
    let instances = array(outer["instances"]).into_iter().map(|instance| {
        let inner = object(instance);
        let problems = inner.get("problems").map(|json| array(json));
        let problems = problems.into_iter().flatten();
        let messages = problems.map(|p| text(object(p).get("message")).unwrap());
        let address = display(inner["address"]);
        (address, status(inner["status"]), messages.collect())
    });
    CheckResult {
        kind: match text(object(outer["address"]).get("kind")).unwrap().as_str() {
            "resource" => "resource",
            "output_value" => "output_value",
            "check" => "check",
            "var" => "var",
            other => panic!("{other}"),
        },
        address: display(outer["address"]),
        status: status(outer["status"]),
        instances: instances.collect(),
    }
}

fn change(json: &RawValue) -> ResourceChange {
    let outer = object(json);
    let inner = object(outer["change"]);
    let instance = |text: String| ResourceInstance::parse(&text).unwrap();
    let ty = text(outer.get("type")).unwrap();
    let paths = inner.get("replace_paths").map(|json| array(json));
    let importing = inner
        .get("importing")
        .and_then(|json| text(object(json).get("id")));
    ResourceChange {
        address: instance(text(outer.get("address")).unwrap()),
        previous_address: text(outer.get("previous_address")).map(instance),
        deposed: text(outer.get("deposed")).map(|key| key.as_str().into()),
        provider: text(outer.get("provider_name")).unwrap().as_str().into(),
        schema: Arc::new(schema(&ty)),
        action: action(inner["actions"].get()),
        reason: text(outer.get("action_reason")).map(|word| reason(&word)),
        before: side(&inner, "before"),
        after: side(&inner, "after"),
        replace: paths.into_iter().flatten().map(path).collect(),
        notes: Vec::new(),
        importing,
        protected: false,
    }
}

fn output(json: &RawValue) -> OutputChange {
    let inner = object(json);
    OutputChange {
        action: action(inner["actions"].get()),
        before: side(&inner, "before"),
        after: side(&inner, "after"),
        sensitive: inner["after_sensitive"].get() == "true",
    }
}

fn action(json: &str) -> Action {
    match json {
        r#"["no-op"]"# => Action::NoOp,
        r#"["create"]"# => Action::Create,
        r#"["read"]"# => Action::Read,
        r#"["update"]"# => Action::Update,
        r#"["delete"]"# => Action::Delete,
        r#"["delete","create"]"# => Action::DeleteThenCreate,
        r#"["create","delete"]"# => Action::CreateThenDelete,
        r#"["forget"]"# => Action::Forget,
        other => panic!("{other}"),
    }
}

fn reason(word: &str) -> ActionReason {
    match word {
        "replace_because_tainted" => ActionReason::ReplaceBecauseTainted,
        "replace_by_request" => ActionReason::ReplaceByRequest,
        "replace_by_triggers" => ActionReason::ReplaceByTriggers,
        "replace_because_cannot_update" => ActionReason::ReplaceBecauseCannotUpdate,
        "delete_because_no_resource_config" => ActionReason::DeleteBecauseNoResourceConfig,
        "delete_because_no_module" => ActionReason::DeleteBecauseNoModule,
        "delete_because_wrong_repetition" => ActionReason::DeleteBecauseWrongRepetition,
        "delete_because_count_index" => ActionReason::DeleteBecauseCountIndex,
        "delete_because_each_key" => ActionReason::DeleteBecauseEachKey,
        "delete_because_no_move_target" => ActionReason::DeleteBecauseNoMoveTarget,
        "read_because_config_unknown" => ActionReason::ReadBecauseConfigUnknown,
        "read_because_dependency_pending" => ActionReason::ReadBecauseDependencyPending,
        "read_because_check_nested" => ActionReason::ReadBecauseCheckNested,
        other => panic!("{other}"),
    }
}

fn path(json: &RawValue) -> Path {
    let steps =
        array(json)
            .into_iter()
            .map(|step| match serde_json::from_str(step.get()).unwrap() {
                serde_json::Value::String(name) => Step::Attribute(name.as_str().into()),
                serde_json::Value::Number(n) => Step::Index(n.as_u64().unwrap() as usize),
                other => panic!("{other}"),
            });
    Path(steps.collect())
}

/// The value `before` or `after` with what is unknown and sensitive in it.
fn side(change: &Object<'_>, name: &str) -> Value {
    let value = change
        .get(name)
        .map(|json| Value::from_json(json.get()).unwrap());
    let flags = |name: String| change.get(name.as_str()).map(|json| json.get());
    let value = match flags(format!("{name}_unknown")) {
        Some(unknown) => with_unknown(value, &Value::from_json(unknown).unwrap()),
        None => value.unwrap_or(Value::NULL),
    };
    match flags(format!("{name}_sensitive")) {
        Some(sensitive) => with_sensitive(value, &Value::from_json(sensitive).unwrap()),
        None => value,
    }
}

fn with_unknown(value: Option<Value>, flags: &Value) -> Value {
    if flags.as_bool() == Some(true) {
        return Value::UNKNOWN;
    }
    let value = value.unwrap_or(Value::NULL);
    if let (Some(items), Some(flags)) = (value.elements(), flags.elements()) {
        let items = items.iter().zip(flags);
        return Value::tuple(items.map(|(v, f)| with_unknown(Some(v.clone()), f)));
    }
    if let (Some(entries), Some(flags)) = (value.entries(), flags.entries()) {
        let mut entries = entries.clone();
        for (name, flag) in flags {
            let old = entries.remove(name);
            entries.insert(name.clone(), with_unknown(old, flag));
        }
        return Value::object(entries);
    }
    value
}

fn with_sensitive(value: Value, flags: &Value) -> Value {
    if flags.as_bool() == Some(true) {
        return value.sensitive();
    }
    if let (Some(items), Some(flags)) = (value.elements(), flags.elements()) {
        let items = items.iter().zip(flags);
        return Value::tuple(items.map(|(v, f)| with_sensitive(v.clone(), f)));
    }
    if let (Some(entries), Some(flags)) = (value.entries(), flags.entries()) {
        let mut entries = entries.clone();
        for (name, flag) in flags {
            if let Some(old) = entries.remove(name) {
                entries.insert(name.clone(), with_sensitive(old, flag));
            }
        }
        return Value::object(entries);
    }
    value
}

fn schema(ty: &str) -> Schema {
    match ty {
        "terraform_data" => Schema::new("")
            .attribute("id", Attribute::computed(Type::String))
            .attribute("input", Attribute::optional(Type::Dynamic))
            .attribute("output", Attribute::computed(Type::Dynamic))
            .attribute("triggers_replace", Attribute::optional(Type::Dynamic)),
        "terraform_remote_state" => Schema::new("")
            .attribute("backend", Attribute::required(Type::String))
            .attribute("config", Attribute::optional(Type::Dynamic))
            .attribute("defaults", Attribute::optional(Type::Dynamic))
            .attribute("outputs", Attribute::computed(Type::Dynamic))
            .attribute("workspace", Attribute::optional(Type::String)),
        other => panic!("{other}"),
    }
}
