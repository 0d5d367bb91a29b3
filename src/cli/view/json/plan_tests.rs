//! Plans of Terraform 1.11.4, read from its JSON and written again.

use mlinfra_sdk::Path;
use serde_json::Value as Json;

use super::plan::{PlanDocument, render};
use crate::cli::view::plan::reading;
use crate::plan::Mode;

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
