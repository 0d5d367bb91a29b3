//! A plan as JSON: Terraform's format 1.2, so that policies, cost tools and summarisers work on it
//! unchanged. What is ours stands under the key `mlinfra`.

use std::collections::BTreeMap;

use mlinfra_sdk::value::Value;
use mlinfra_sdk::{Path, Step};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::checks::CheckJson;
use super::flags::{Flags, Known, marked};
use super::values::{ModuleJson, OutputJson, ResourceJson, StateJson, ValuesJson};
use super::{KeyJson, TERRAFORM_VERSION, mode_word};
use crate::cli::view::state::StateView;
use crate::plan::{Action, ActionReason, Mode, OutputChange, Plan, ResourceChange};

/// A plan with what belongs to its JSON beside it.
#[derive(Clone, Copy, Debug)]
pub struct PlanDocument<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// The state it was made from.
    pub prior: Option<&'p StateView>,
    /// The configuration in Terraform's `configuration` form.
    pub configuration: Option<&'p serde_json::Value>,
    /// Attributes that the plan was drawn from: resource address and path.
    pub relevant_attributes: &'p [(String, Path)],
    /// When it was made, as RFC 3339.
    pub timestamp: &'p str,
    /// Planning did not come to an end.
    pub errored: bool,
    /// Only a part of the configuration was planned.
    pub targeted: bool,
}

/// The plan as JSON on one line.
///
/// # Errors
/// When a value has no JSON form: an infinite number.
pub fn render(document: &PlanDocument<'_>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&PlanJson::new(document)?)
}

#[derive(Debug, Serialize)]
struct PlanJson<'p> {
    format_version: &'static str,
    terraform_version: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: BTreeMap<&'p str, VariableJson>,
    planned_values: ValuesJson<'p>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_drift: Vec<ChangeJson<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_changes: Vec<ChangeJson<'p>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    output_changes: BTreeMap<&'p str, DifferenceJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prior_state: Option<StateJson<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<&'p serde_json::Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    relevant_attributes: Vec<RelevantJson<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<CheckJson<'p>>,
    timestamp: &'p str,
    applyable: bool,
    complete: bool,
    errored: bool,
    mlinfra: OursJson<'p>,
}

#[derive(Debug, Serialize)]
struct VariableJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize)]
struct RelevantJson<'p> {
    resource: &'p str,
    attribute: Vec<Box<RawValue>>,
}

/// What Terraform's format has no place for.
#[derive(Debug, Serialize)]
struct OursJson<'p> {
    version: &'static str,
    mode: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deferred: Vec<DeferredJson<'p>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    resources: BTreeMap<String, NotedJson<'p>>,
}

#[derive(Debug, Serialize)]
struct DeferredJson<'p> {
    address: &'p str,
    reason: &'p str,
}

#[derive(Debug, Serialize)]
struct NotedJson<'p> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'p [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    protected: bool,
}

impl<'p> PlanJson<'p> {
    fn new(document: &PlanDocument<'p>) -> Result<PlanJson<'p>, serde_json::Error> {
        let plan = document.plan;
        let variables = plan.variables.iter().map(|(name, value)| {
            let known = value.is_wholly_known() && !value.marks_deep().is_ephemeral();
            let value = known.then(|| to_raw_value(value)).transpose()?;
            Ok((name.as_ref(), VariableJson { value }))
        });
        let outputs = plan.outputs.iter().map(|(name, output)| {
            let change = DifferenceJson::of_output(output)?;
            Ok((name.as_ref(), change))
        });
        let relevant = document.relevant_attributes.iter().map(|(resource, path)| {
            Ok(RelevantJson {
                resource,
                attribute: steps(path)?,
            })
        });
        let changes = |changes: &'p [ResourceChange]| {
            changes
                .iter()
                .map(ChangeJson::new)
                .collect::<Result<_, _>>()
        };
        Ok(PlanJson {
            format_version: "1.2",
            terraform_version: TERRAFORM_VERSION,
            variables: variables.collect::<Result<_, serde_json::Error>>()?,
            planned_values: planned_values(plan)?,
            resource_drift: changes(&plan.drift)?,
            resource_changes: changes(&plan.changes)?,
            output_changes: outputs.collect::<Result<_, serde_json::Error>>()?,
            prior_state: document
                .prior
                .map(|state| StateJson::new(Some(state)))
                .transpose()?,
            configuration: document.configuration,
            relevant_attributes: relevant.collect::<Result<_, serde_json::Error>>()?,
            checks: plan.checks.iter().map(CheckJson::new).collect(),
            timestamp: document.timestamp,
            applyable: plan.is_applyable() && !document.errored,
            complete: !document.errored && !document.targeted && plan.deferred.is_empty(),
            errored: document.errored,
            mlinfra: OursJson::new(plan),
        })
    }
}

impl<'p> OursJson<'p> {
    fn new(plan: &'p Plan) -> OursJson<'p> {
        let deferred = plan.deferred.iter();
        let noted = plan.changes.iter().filter(|change| {
            change.deposed.is_none() && (change.protected || !change.notes.is_empty())
        });
        OursJson {
            version: env!("CARGO_PKG_VERSION"),
            mode: match plan.mode {
                Mode::Normal => "normal",
                Mode::Destroy => "destroy",
                Mode::RefreshOnly => "refresh-only",
            },
            deferred: deferred
                .map(|(address, reason)| DeferredJson { address, reason })
                .collect(),
            resources: noted
                .map(|change| {
                    let noted = NotedJson {
                        notes: &change.notes,
                        protected: change.protected,
                    };
                    (change.address.to_string(), noted)
                })
                .collect(),
        }
    }
}

/// What will be, as far as it is known.
fn planned_values(plan: &Plan) -> Result<ValuesJson<'_>, serde_json::Error> {
    let remaining = plan.changes.iter().filter(|change| {
        let goes = matches!(change.action, Action::Delete | Action::Forget);
        !goes && change.deposed.is_none() && !change.after.is_null()
    });
    let resources = remaining
        .map(|change| {
            let value = marked(&change.after, &change.schema);
            let version = change.schema.version;
            ResourceJson::new(&change.address, &change.provider, version, &value)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let outputs = plan
        .outputs
        .iter()
        .filter(|(_, output)| output.action != Action::Delete)
        .map(|(name, output)| {
            let json = OutputJson::new(&output.after, output.sensitive)?;
            Ok((name.as_ref(), json))
        })
        .collect::<Result<_, serde_json::Error>>()?;
    Ok(ValuesJson {
        outputs,
        root_module: ModuleJson::tree(resources),
    })
}

/// A change of one object.
#[derive(Debug, Serialize)]
pub(in crate::cli::view) struct ChangeJson<'p> {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module_address: Option<String>,
    mode: &'static str,
    #[serde(rename = "type")]
    ty: &'p str,
    name: &'p str,
    #[serde(skip_serializing_if = "KeyJson::is_none")]
    index: KeyJson<'p>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed: Option<&'p str>,
    provider_name: &'p str,
    change: DifferenceJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_reason: Option<&'static str>,
}

impl<'p> ChangeJson<'p> {
    fn new(change: &'p ResourceChange) -> Result<ChangeJson<'p>, serde_json::Error> {
        let address = &change.address;
        let previous = change.previous_address.as_ref();
        Ok(ChangeJson {
            address: address.to_string(),
            previous_address: previous.filter(|p| *p != address).map(ToString::to_string),
            module_address: (!address.module.is_root()).then(|| address.module.to_string()),
            mode: mode_word(address.resource.mode),
            ty: &address.resource.ty,
            name: &address.resource.name,
            index: KeyJson(&address.key),
            deposed: change.deposed.as_deref(),
            provider_name: &change.provider,
            change: DifferenceJson::of_object(change)?,
            action_reason: change.reason.map(reason_word),
        })
    }
}

/// Before and after.
#[derive(Debug, Serialize)]
struct DifferenceJson {
    actions: &'static [&'static str],
    before: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Box<RawValue>>,
    after_unknown: Flags,
    before_sensitive: Flags,
    after_sensitive: Flags,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replace_paths: Vec<Vec<Box<RawValue>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importing: Option<ImportingJson>,
}

#[derive(Debug, Serialize)]
struct ImportingJson {
    id: String,
}

/// What is known of a value; nothing when it is unknown as a whole.
fn known(value: &Value) -> Result<Option<Box<RawValue>>, serde_json::Error> {
    value
        .is_known()
        .then(|| to_raw_value(&Known(value)))
        .transpose()
}

impl DifferenceJson {
    fn of_object(change: &ResourceChange) -> Result<DifferenceJson, serde_json::Error> {
        let before = marked(&change.before, &change.schema);
        let after = marked(&change.after, &change.schema);
        let replace = change.replace.iter().map(steps);
        Ok(DifferenceJson {
            actions: words(change.action),
            before: to_raw_value(&Known(&before))?,
            after: known(&after)?,
            after_unknown: match after.is_wholly_known() {
                true => Flags::empty(),
                false => Flags::unknown(&after),
            },
            before_sensitive: Flags::sensitive(&before),
            after_sensitive: Flags::sensitive(&after),
            replace_paths: replace.collect::<Result<_, _>>()?,
            importing: change.importing.clone().map(|id| ImportingJson { id }),
        })
    }

    fn of_output(output: &OutputChange) -> Result<DifferenceJson, serde_json::Error> {
        let sensitive = Flags::Whole(output.sensitive);
        Ok(DifferenceJson {
            actions: words(output.action),
            before: to_raw_value(&Known(&output.before))?,
            after: known(&output.after)?,
            after_unknown: match output.after.is_wholly_known() {
                true => Flags::Whole(false),
                false => Flags::unknown(&output.after),
            },
            before_sensitive: sensitive.clone(),
            after_sensitive: sensitive,
            replace_paths: Vec::new(),
            importing: None,
        })
    }
}

fn steps(path: &Path) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
    let step = |step: &Step| match step {
        Step::Attribute(name) | Step::Key(name) => to_raw_value(name),
        Step::Index(n) => to_raw_value(n),
        Step::Element(element) => to_raw_value(&Known(element)),
    };
    path.0.iter().map(step).collect()
}

/// The actions as Terraform lists them.
pub(in crate::cli::view) fn words(action: Action) -> &'static [&'static str] {
    match action {
        Action::NoOp => &["no-op"],
        Action::Create => &["create"],
        Action::Read => &["read"],
        Action::Update => &["update"],
        Action::Delete => &["delete"],
        Action::DeleteThenCreate => &["delete", "create"],
        Action::CreateThenDelete => &["create", "delete"],
        Action::Forget => &["forget"],
    }
}

/// Why, as Terraform calls it.
pub(in crate::cli::view) fn reason_word(reason: ActionReason) -> &'static str {
    match reason {
        ActionReason::ReplaceBecauseTainted => "replace_because_tainted",
        ActionReason::ReplaceByRequest => "replace_by_request",
        ActionReason::ReplaceByTriggers => "replace_by_triggers",
        ActionReason::ReplaceBecauseCannotUpdate => "replace_because_cannot_update",
        ActionReason::DeleteBecauseNoResourceConfig => "delete_because_no_resource_config",
        ActionReason::DeleteBecauseNoModule => "delete_because_no_module",
        ActionReason::DeleteBecauseWrongRepetition => "delete_because_wrong_repetition",
        ActionReason::DeleteBecauseCountIndex => "delete_because_count_index",
        ActionReason::DeleteBecauseEachKey => "delete_because_each_key",
        ActionReason::DeleteBecauseNoMoveTarget => "delete_because_no_move_target",
        ActionReason::ReadBecauseConfigUnknown => "read_because_config_unknown",
        ActionReason::ReadBecauseDependencyPending => "read_because_dependency_pending",
        ActionReason::ReadBecauseCheckNested => "read_because_check_nested",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::cli::view::plan::reading;

    /// What our document adds, or has from elsewhere than the plan.
    const APART: [&str; 8] = [
        "mlinfra",
        "configuration",
        "prior_state",
        "relevant_attributes",
        "timestamp",
        "complete",
        "errored",
        "applyable",
    ];

    fn ours(json: &str) -> Json {
        let plan = reading::plan(json, Mode::Normal);
        let document = PlanDocument {
            plan: &plan,
            prior: None,
            configuration: None,
            relevant_attributes: &[],
            timestamp: "2026-01-01T00:00:00Z",
            errored: false,
            targeted: false,
        };
        serde_json::from_str(&render(&document).unwrap()).unwrap()
    }

    fn without(mut json: Json, keys: &[&str]) -> Json {
        for key in keys {
            json.as_object_mut().unwrap().remove(*key);
        }
        json
    }

    /// Types of values are lost in JSON: of an unknown object Terraform says `{}`, of an unknown
    /// value nothing; and lists read back are tuples.
    fn without_types(json: Json) -> Json {
        match json {
            Json::Object(entries) => Json::Object(
                entries
                    .into_iter()
                    .filter(|(name, _)| name != "type")
                    .map(|(name, value)| (name, without_types(value)))
                    .filter(|(name, value)| !(name == "output" && is_empty(value)))
                    .collect(),
            ),
            Json::Array(items) => items.into_iter().map(without_types).collect(),
            json => json,
        }
    }

    fn is_empty(json: &Json) -> bool {
        *json == serde_json::json!({}) || *json == serde_json::json!([])
    }

    #[test]
    fn a_plan_of_terraform_survives_being_read_and_written() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/view/measured");
        let (mut count, mut wrong) = (0, Vec::new());
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let mut apart = APART.to_vec();
            if text.contains("[\"forget\"]") {
                // Of what is forgotten Terraform leaves a husk without values.
                apart.push("planned_values");
            }
            let theirs: Json = serde_json::from_str(&text).unwrap();
            let theirs = without_types(without(theirs, &apart));
            let ours = without_types(without(ours(&text), &apart));
            if ours != theirs {
                wrong.push(format!(
                    "{}\n ours  {ours}\n theirs {theirs}",
                    path.display()
                ));
            }
            count += 1;
        }
        assert!(count > 60, "{count}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_is_ours_stands_apart() {
        let text = include_str!("../measured/replace.json");
        let mut plan = reading::plan(text, Mode::Destroy);
        plan.changes[0].protected = true;
        plan.changes[0].notes = vec!["because".into()];
        plan.deferred = vec![("x.y".into(), "later".into())];
        let document = PlanDocument {
            plan: &plan,
            prior: None,
            configuration: None,
            relevant_attributes: &[("x.y".into(), Path::attribute("id"))],
            timestamp: "2026-01-01T00:00:00Z",
            errored: false,
            targeted: false,
        };
        let json: Json = serde_json::from_str(&render(&document).unwrap()).unwrap();
        assert_eq!(
            json["mlinfra"],
            serde_json::json!({
                "version": env!("CARGO_PKG_VERSION"),
                "mode": "destroy",
                "deferred": [{"address": "x.y", "reason": "later"}],
                "resources": {"terraform_data.a": {"notes": ["because"], "protected": true}}
            })
        );
        assert_eq!(json["complete"], false);
        assert_eq!(
            json["relevant_attributes"],
            serde_json::json!([{"resource": "x.y", "attribute": ["id"]}])
        );
    }
}
