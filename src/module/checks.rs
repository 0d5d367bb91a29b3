//! How conditions came out: of resources, outputs, variables and check blocks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a check, precondition, postcondition or variable validation came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// It holds.
    Pass,
    /// It is known only after apply.
    Unknown,
    /// It does not hold.
    Fail,
    /// It could not be evaluated.
    Error,
}

/// The outcome of the conditions of one object.
#[derive(Clone, PartialEq, Debug)]
pub struct CheckResult {
    /// `resource`, `output_value`, `check` or `var`.
    pub kind: &'static str,
    /// The object as written, instances apart.
    pub address: String,
    /// The worst of the instances.
    pub status: CheckStatus,
    /// Each instance with what it complains of.
    pub instances: Vec<(String, CheckStatus, Vec<String>)>,
}

/// All outcomes so far.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    objects: BTreeMap<(&'static str, String), Object>,
}

#[derive(Clone, Debug, Default)]
struct Object {
    /// Its instances are told; there may be none.
    expanded: bool,
    instances: BTreeMap<String, (Vec<CheckStatus>, Vec<String>)>,
}

impl Checks {
    /// Notes an object that has conditions.
    pub fn declare(&mut self, kind: &'static str, object: &str) {
        self.object(kind, object);
    }

    /// Notes that its instances are told.
    pub fn expanded(&mut self, kind: &'static str, object: &str) {
        self.object(kind, object).expanded = true;
    }

    /// Notes the outcome of one condition of an instance.
    pub fn record(
        &mut self,
        kind: &'static str,
        object: &str,
        instance: &str,
        status: CheckStatus,
        problem: Option<String>,
    ) {
        let object = self.object(kind, object);
        object.expanded = true;
        let (statuses, problems) = object.instances.entry(instance.to_owned()).or_default();
        statuses.push(status);
        problems.extend(problem);
    }

    fn object(&mut self, kind: &'static str, object: &str) -> &mut Object {
        self.objects.entry((kind, object.to_owned())).or_default()
    }

    /// The outcome of each object.
    pub fn results(&self) -> Vec<CheckResult> {
        let result = |((kind, address), object): (&(&'static str, String), &Object)| {
            let instances = object.instances.iter();
            let instances: Vec<_> = instances
                .map(|(name, (statuses, problems))| {
                    let worst = statuses.iter().copied().max();
                    (
                        name.clone(),
                        worst.unwrap_or(CheckStatus::Pass),
                        problems.clone(),
                    )
                })
                .collect();
            let none = if object.expanded {
                CheckStatus::Pass
            } else {
                CheckStatus::Unknown
            };
            CheckResult {
                kind,
                address: address.clone(),
                status: instances.iter().map(|i| i.1).max().unwrap_or(none),
                instances,
            }
        };
        self.objects.iter().map(result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_instance_tells_how_an_object_came_out() {
        let mut checks = Checks::default();
        checks.declare("var", "var.untold");
        checks.expanded("resource", "a.none");
        checks.record("check", "check.c", "check.c", CheckStatus::Pass, None);
        let no = Some("no".to_owned());
        checks.record(
            "check",
            "check.c",
            "module.m.check.c",
            CheckStatus::Fail,
            no,
        );
        let status: Vec<_> = checks.results().into_iter().map(|r| r.status).collect();
        assert_eq!(
            status,
            [CheckStatus::Fail, CheckStatus::Pass, CheckStatus::Unknown]
        );
    }
}
