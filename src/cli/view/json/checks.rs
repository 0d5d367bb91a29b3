//! The outcomes of conditions as JSON.

use serde::Serialize;

use super::{KeyJson, mode_word};
use crate::addr::{InstanceKey, ResourceInstance, Target};
use crate::plan::{CheckResult, CheckStatus};

/// The outcome of the conditions of one object.
#[derive(Debug, Serialize)]
pub struct CheckJson<'c> {
    address: ObjectJson<'c>,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    instances: Vec<InstanceJson<'c>>,
}

#[derive(Debug, Default, Serialize)]
struct ObjectJson<'c> {
    kind: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    name: String,
    to_display: &'c str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    ty: Option<String>,
}

#[derive(Debug, Serialize)]
struct InstanceJson<'c> {
    address: InstanceAddress<'c>,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem<'c>>,
}

#[derive(Debug, Serialize)]
struct InstanceAddress<'c> {
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_key: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    to_display: &'c str,
}

#[derive(Debug, Serialize)]
struct Problem<'c> {
    message: &'c str,
}

fn word(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Pass => "pass",
        CheckStatus::Fail => "fail",
        CheckStatus::Error => "error",
        CheckStatus::Unknown => "unknown",
    }
}

impl<'c> CheckJson<'c> {
    /// The JSON form of an outcome.
    pub fn new(check: &'c CheckResult) -> CheckJson<'c> {
        let is_resource = check.kind == "resource";
        CheckJson {
            address: object(check, is_resource),
            status: word(check.status),
            instances: check
                .instances
                .iter()
                .map(|(address, status, problems)| InstanceJson {
                    address: instance(address, is_resource),
                    status: word(*status),
                    problems: problems.iter().map(|message| Problem { message }).collect(),
                })
                .collect(),
        }
    }
}

fn object(check: &CheckResult, is_resource: bool) -> ObjectJson<'_> {
    let plain = ObjectJson {
        kind: check.kind,
        to_display: &check.address,
        ..ObjectJson::default()
    };
    let written = Target::parse(&check.address, |_| false);
    match written {
        Ok(Target::Resource(module, resource)) if is_resource => ObjectJson {
            mode: Some(mode_word(resource.mode)),
            module: (!module.is_root()).then(|| module.to_string()),
            name: resource.name.to_string(),
            ty: Some(resource.ty.to_string()),
            ..plain
        },
        _ => {
            let (module, name) = split(&check.address);
            ObjectJson {
                module,
                name,
                ..plain
            }
        }
    }
}

fn instance(address: &str, is_resource: bool) -> InstanceAddress<'_> {
    let (instance_key, module) = match ResourceInstance::parse(address) {
        Ok(found) if is_resource => {
            let key = (found.key != InstanceKey::None)
                .then(|| serde_json::to_value(KeyJson(&found.key)).ok());
            let module = (!found.module.is_root()).then(|| found.module.to_string());
            (key.flatten(), module)
        }
        _ => (None, split(address).0),
    };
    InstanceAddress {
        instance_key,
        module,
        to_display: address,
    }
}

/// `module.m["k"].output.p` is `p` in `module.m["k"]`.
fn split(address: &str) -> (Option<String>, String) {
    let (rest, name) = address.rsplit_once('.').unwrap_or(("", address));
    // Between module and name stands the kind: `output`, `check` or `var`.
    let module = rest.rsplit_once('.').map(|(module, _)| module.to_owned());
    (module, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Terraform 1.11.4 printed them.
    #[test]
    fn outcomes_have_terraforms_shape() {
        let check = CheckResult {
            kind: "resource",
            address: "module.m.terraform_data.b".into(),
            status: CheckStatus::Fail,
            instances: vec![(
                "module.m[\"k\"].terraform_data.b[\"z\"]".into(),
                CheckStatus::Fail,
                vec!["no".into()],
            )],
        };
        let wanted = serde_json::json!({
            "address": {
                "kind": "resource", "mode": "managed", "module": "module.m", "name": "b",
                "to_display": "module.m.terraform_data.b", "type": "terraform_data"
            },
            "status": "fail",
            "instances": [{
                "address": {
                    "instance_key": "z", "module": "module.m[\"k\"]",
                    "to_display": "module.m[\"k\"].terraform_data.b[\"z\"]"
                },
                "status": "fail",
                "problems": [{"message": "no"}]
            }]
        });
        assert_eq!(
            serde_json::to_value(CheckJson::new(&check)).unwrap(),
            wanted
        );
        let check = CheckResult {
            kind: "output_value",
            address: "module.m.output.p".into(),
            status: CheckStatus::Unknown,
            instances: vec![(
                "module.m[\"k\"].output.p".into(),
                CheckStatus::Unknown,
                vec![],
            )],
        };
        let wanted = serde_json::json!({
            "address": {
                "kind": "output_value", "module": "module.m", "name": "p",
                "to_display": "module.m.output.p"
            },
            "status": "unknown",
            "instances": [{
                "address": {"module": "module.m[\"k\"]", "to_display": "module.m[\"k\"].output.p"},
                "status": "unknown"
            }]
        });
        assert_eq!(
            serde_json::to_value(CheckJson::new(&check)).unwrap(),
            wanted
        );
    }

    #[test]
    fn an_object_of_the_root_has_no_module() {
        let check = CheckResult {
            kind: "var",
            address: "var.v".into(),
            status: CheckStatus::Pass,
            instances: vec![("var.v".into(), CheckStatus::Pass, vec![])],
        };
        let wanted = serde_json::json!({
            "address": {"kind": "var", "name": "v", "to_display": "var.v"},
            "status": "pass",
            "instances": [{"address": {"to_display": "var.v"}, "status": "pass"}]
        });
        assert_eq!(
            serde_json::to_value(CheckJson::new(&check)).unwrap(),
            wanted
        );
    }
}
