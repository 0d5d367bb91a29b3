//! The values of a state as JSON: `show -json` without a plan, `prior_state` and `planned_values`
//! within one, and `output -json`.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::Value;
use mlinfra_sdk::value::TypeJson;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::checks::CheckJson;
use super::flags::{Flags, Known, marked};
use super::{KeyJson, TERRAFORM_VERSION, mode_word};
use crate::addr::{ModuleInstance, ResourceInstance};
use crate::cli::view::state::{ObjectView, OutputView, StateView};

/// A state: `show -json`.
///
/// # Errors
/// When a value has no JSON form: an infinite number.
pub fn render(state: Option<&StateView>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&StateJson::new(state)?)
}

/// Outputs: `output -json`, indented.
///
/// # Errors
/// When a value has no JSON form: an infinite number.
pub fn render_outputs(
    outputs: &BTreeMap<Arc<str>, OutputView>,
) -> Result<String, serde_json::Error> {
    let outputs = outputs
        .iter()
        .map(|(name, output)| {
            Ok((
                name.as_ref(),
                OutputJson::new(&output.value, output.sensitive)?,
            ))
        })
        .collect::<Result<BTreeMap<&str, OutputJson>, serde_json::Error>>()?;
    // serde_json cannot indent what is inside of a raw value, and numbers are raw.
    let compact = serde_json::to_string(&outputs)?;
    Ok(indented(&compact))
}

/// A state, empty when nothing was ever applied.
#[derive(Debug, Serialize)]
pub struct StateJson<'s> {
    format_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    terraform_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<ValuesJson<'s>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<CheckJson<'s>>,
}

impl<'s> StateJson<'s> {
    /// The JSON form of a state.
    pub fn new(state: Option<&'s StateView>) -> Result<StateJson<'s>, serde_json::Error> {
        let Some(state) = state else {
            return Ok(StateJson {
                format_version: "1.0",
                terraform_version: None,
                values: None,
                checks: Vec::new(),
            });
        };
        let objects = state
            .objects
            .iter()
            .map(ResourceJson::of_object)
            .collect::<Result<Vec<_>, _>>()?;
        let outputs = state
            .outputs
            .iter()
            .map(|(name, output)| {
                let output = OutputJson::new(&output.value, output.sensitive)?;
                Ok((name.as_ref(), output))
            })
            .collect::<Result<_, serde_json::Error>>()?;
        Ok(StateJson {
            format_version: "1.0",
            terraform_version: Some(TERRAFORM_VERSION),
            values: Some(ValuesJson {
                outputs,
                root_module: ModuleJson::tree(objects),
            }),
            checks: state.checks.iter().map(CheckJson::new).collect(),
        })
    }
}

/// Outputs and resources.
#[derive(Debug, Default, Serialize)]
pub struct ValuesJson<'s> {
    /// The outputs of the root module.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<&'s str, OutputJson>,
    /// The resources, by module.
    pub root_module: ModuleJson<'s>,
}

/// An output.
#[derive(Debug, Serialize)]
pub struct OutputJson {
    sensitive: bool,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    ty: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
}

impl OutputJson {
    /// The JSON form of an output; one that is not wholly known has neither type nor value.
    pub fn new(value: &Value, sensitive: bool) -> Result<OutputJson, serde_json::Error> {
        let known = value.is_wholly_known();
        let ty = known.then(|| to_raw_value(&TypeJson(&value.ty())));
        Ok(OutputJson {
            sensitive,
            ty: ty.transpose()?,
            value: known.then(|| to_raw_value(value)).transpose()?,
        })
    }
}

/// A module instance with what it holds.
#[derive(Debug, Default, Serialize)]
pub struct ModuleJson<'s> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<ResourceJson<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    child_modules: Vec<ModuleJson<'s>>,
}

impl<'s> ModuleJson<'s> {
    /// The tree of modules that resources, sorted by address, lie in.
    pub fn tree(resources: Vec<ResourceJson<'s>>) -> ModuleJson<'s> {
        let mut modules: BTreeMap<ModuleInstance, Vec<ResourceJson<'s>>> = BTreeMap::new();
        for resource in resources {
            let mut module = resource.of.module.clone();
            modules.entry(module.clone()).or_default().push(resource);
            // A module that holds nothing itself is there for those inside of it.
            while let Some(parent) = module.parent() {
                modules.entry(parent.clone()).or_default();
                module = parent;
            }
        }
        let mut tree = ModuleJson::default();
        for (module, resources) in modules {
            let place = tree.place(&module);
            place.resources = resources;
            place.address = (!module.is_root()).then(|| module.to_string());
        }
        tree
    }

    /// The place of a module whose parents are there; modules come parents first.
    fn place(&mut self, module: &ModuleInstance) -> &mut ModuleJson<'s> {
        let Some(parent) = module.parent() else {
            return self;
        };
        let children = &mut self.place(&parent).child_modules;
        let address = module.to_string();
        let at = children
            .iter()
            .position(|child| child.address.as_deref() == Some(&address));
        let at = at.unwrap_or_else(|| {
            children.push(ModuleJson::default());
            children.len() - 1
        });
        &mut children[at]
    }
}

/// An object.
#[derive(Debug, Serialize)]
pub struct ResourceJson<'s> {
    #[serde(skip)]
    of: &'s ResourceInstance,
    address: String,
    mode: &'static str,
    #[serde(rename = "type")]
    ty: &'s str,
    name: &'s str,
    #[serde(skip_serializing_if = "KeyJson::is_none")]
    index: KeyJson<'s>,
    provider_name: &'s str,
    schema_version: u32,
    values: Box<RawValue>,
    sensitive_values: Flags,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    depends_on: &'s [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tainted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed_key: Option<&'s str>,
}

impl<'s> ResourceJson<'s> {
    /// An object as it will be or is. `value` is marked where sensitive and may hold unknowns.
    pub fn new(
        of: &'s ResourceInstance,
        provider: &'s str,
        schema_version: u32,
        value: &Value,
    ) -> Result<ResourceJson<'s>, serde_json::Error> {
        Ok(ResourceJson {
            of,
            address: of.to_string(),
            mode: mode_word(of.resource.mode),
            ty: &of.resource.ty,
            name: &of.resource.name,
            index: KeyJson(&of.key),
            provider_name: provider,
            schema_version,
            values: to_raw_value(&Known(value))?,
            sensitive_values: match Flags::sensitive(value) {
                Flags::Whole(false) => Flags::empty(),
                flags => flags,
            },
            depends_on: &[],
            tainted: false,
            deposed_key: None,
        })
    }

    fn of_object(object: &'s ObjectView) -> Result<ResourceJson<'s>, serde_json::Error> {
        let value = marked(&object.value, &object.schema);
        let plain = ResourceJson::new(
            &object.address,
            &object.provider,
            object.schema_version,
            &value,
        )?;
        Ok(ResourceJson {
            depends_on: &object.depends_on,
            tainted: object.tainted,
            deposed_key: object.deposed.as_deref(),
            ..plain
        })
    }
}

/// JSON text with line breaks and two blanks a level; nothing else of it changes.
fn indented(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut level = 0usize;
    let mut in_string = false;
    let mut escaped = false;
    let mut chars = compact.chars().peekable();
    let line = |out: &mut String, level: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(level));
    };
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    level += 1;
                    line(&mut out, level);
                }
            }
            '}' | ']' => {
                level = level.saturating_sub(1);
                line(&mut out, level);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, level);
            }
            ':' => out.push_str(": "),
            c => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use mlinfra_sdk::Type;

    use super::*;

    #[test]
    fn json_is_indented_and_otherwise_unchanged() {
        let compact = r#"{"a":[1,{"b":"x,{\"y\\\\"}],"c":{},"d":[],"e":1.50}"#;
        assert_eq!(
            indented(compact),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x,{\\\"y\\\\\\\\\"\n    }\n  ],\n  \"c\": {},\n  \"d\": [],\n  \"e\": 1.50\n}"
        );
    }

    #[test]
    fn outputs_have_their_type_beside_their_value() {
        let outputs = BTreeMap::from([(
            Arc::from("l"),
            OutputView {
                value: Value::list(Type::String, [Value::from("a")]),
                sensitive: true,
            },
        )]);
        assert_eq!(
            render_outputs(&outputs).unwrap(),
            "{\n  \"l\": {\n    \"sensitive\": true,\n    \"type\": [\n      \"list\",\n      \"string\"\n    ],\n    \"value\": [\n      \"a\"\n    ]\n  }\n}"
        );
        assert_eq!(render_outputs(&BTreeMap::new()).unwrap(), "{}");
    }

    #[test]
    fn nothing_applied_is_a_state_without_values() {
        assert_eq!(render(None).unwrap(), r#"{"format_version":"1.0"}"#);
    }

    #[test]
    fn modules_that_hold_only_modules_are_there() {
        let address = ResourceInstance::parse("module.a.serving.b[0].local_file.x").unwrap();
        let value = Value::object([("id", Value::from("i"))]);
        let resource = ResourceJson::new(&address, "local", 0, &value).unwrap();
        let tree = serde_json::to_value(ModuleJson::tree(vec![resource])).unwrap();
        let outer = &tree["child_modules"][0];
        assert_eq!(outer["address"], "module.a");
        assert!(outer.get("resources").is_none());
        let inner = &outer["child_modules"][0];
        assert_eq!(inner["address"], "module.a.serving.b[0]");
        assert_eq!(
            inner["resources"][0]["address"],
            "module.a.serving.b[0].local_file.x"
        );
    }
}
