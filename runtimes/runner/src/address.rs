//! The address of a run by content: what is the same has the same address, on every machine.

use std::collections::BTreeMap;

use mlinfra_registry::Digest;
use serde_json::{Map, Value, json};

use crate::error::RunError;
pub use crate::source::{SourceDigest, source_digest};
use crate::spec::Spec;
use crate::{inputs, python};

/// The address of a run and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub digest: Digest,
    /// The code.
    pub source: SourceDigest,
    /// The inputs.
    pub inputs: BTreeMap<String, Digest>,
    /// The Python that runs it, where one does.
    pub python: Option<String>,
}

impl Address {
    /// Reads everything that a run depends on. Blocks; digests all inputs.
    ///
    /// # Errors
    /// When the source or an input cannot be read, an input is not what the spec says, or Python is missing.
    pub fn of(spec: &Spec, occasion: Option<&str>) -> Result<Self, RunError> {
        let source = source_digest(&spec.source)?;
        let inputs = inputs::digests(spec)?;
        let python = python::version_for(&spec.command, &spec.source)?;
        let digest = content_address(spec, &source, &inputs, python.as_deref(), occasion);
        Ok(Self {
            digest,
            source,
            inputs,
            python,
        })
    }
}

/// The address of a run, from digests taken before. `occasion` tells runs apart that are to be computed again although
/// nothing differs: the time of a schedule's firing, or the name of a forced run.
pub fn content_address(
    spec: &Spec,
    source: &SourceDigest,
    inputs: &BTreeMap<String, Digest>,
    python: Option<&str>,
    occasion: Option<&str>,
) -> Digest {
    let inputs: Map<String, Value> = inputs
        .iter()
        .map(|(name, digest)| (name.clone(), json!(digest)))
        .collect();
    let content = json!({
        "format": 1,
        "source": source.digest,
        "command": spec.command,
        "params": spec.params,
        "inputs": inputs,
        "python": python,
        "occasion": occasion,
    });
    Digest::of(canonical(&content).to_string().as_bytes())
}

/// The value with the keys of all its objects in order.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let sorted: BTreeMap<&String, &Value> = object.iter().collect();
            Value::Object(
                sorted
                    .into_iter()
                    .map(|(key, value)| (key.clone(), canonical(value)))
                    .collect(),
            )
        }
        Value::Array(values) => Value::Array(values.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlinfra_registry::Trigger;

    fn spec(params: Value) -> Spec {
        Spec {
            version: 1,
            job: "j".into(),
            model: "m".into(),
            source: "/s".into(),
            command: vec!["sh".into(), "train.sh".into()],
            inputs: BTreeMap::new(),
            params: params.as_object().unwrap().clone(),
            objective: None,
            registry: "file:///r".into(),
            promote: None,
            trigger: Trigger::Apply,
            force: false,
            skip_unchanged: false,
            timeout_s: None,
            cache_dir: "/c".into(),
        }
    }

    fn address(spec: &Spec, input: &str, python: Option<&str>, occasion: Option<&str>) -> Digest {
        let source = SourceDigest {
            digest: Digest::of(b"source"),
            files: BTreeMap::new(),
        };
        let inputs = BTreeMap::from([("orders".to_owned(), Digest::of(input.as_bytes()))]);
        content_address(spec, &source, &inputs, python, occasion)
    }

    #[test]
    fn the_order_of_keys_does_not_matter_and_all_else_does() {
        let one = spec(json!({"a": 1, "b": {"c": [1, 2], "d": null}}));
        let same = spec(json!({"b": {"d": null, "c": [1, 2]}, "a": 1}));
        let base = address(&one, "x", None, None);
        assert_eq!(address(&same, "x", None, None), base);
        let other_params = spec(json!({"a": 1, "b": {"c": [2, 1], "d": null}}));
        let mut other_command = one.clone();
        other_command.command.push("--fast".into());
        let others = [
            address(&other_params, "x", None, None),
            address(&other_command, "x", None, None),
            address(&one, "y", None, None),
            address(&one, "x", Some("CPython 3.12"), None),
            address(&one, "x", None, Some("2026-01-01T00:00:00Z")),
        ];
        assert!(!others.contains(&base));
    }

    #[test]
    fn who_asks_and_where_it_is_kept_does_not_matter() {
        let one = spec(json!({}));
        let other = Spec {
            job: "other".into(),
            registry: "file:///elsewhere".into(),
            cache_dir: "/other".into(),
            timeout_s: Some(5),
            trigger: Trigger::Schedule,
            ..one.clone()
        };
        assert_eq!(
            address(&one, "x", None, None),
            address(&other, "x", None, None)
        );
    }
}
