//! The JSON forms of what a saved plan holds beside values.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::{Path, Schema, Step, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::Misread;
use super::value::{self, Tree};
use crate::addr::{Resource, ResourceInstance, Target};
use crate::plan::{
    Action, ActionReason, CheckResult, CheckStatus, Mode, Options, OutputChange, ResourceChange,
};

/// Finds the schema of a resource of a provider.
pub(super) type Schemas<'s> = &'s dyn Fn(&str, &Resource) -> Result<Arc<Schema>, Misread>;

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn tree(value: &Value, ty: &Type) -> Result<Box<RawValue>, Misread> {
    Ok(to_raw_value(&Tree(value, ty))?)
}

/// The address, which must be written as we write it.
pub(super) fn address(text: &str) -> Result<ResourceInstance, Misread> {
    match ResourceInstance::parse(text) {
        Ok(address) if address.to_string() == text => Ok(address),
        _ => Err(Misread(format!("{text:?} is not an address"))),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StepJson {
    Attribute(Arc<str>),
    Index(usize),
    Key(Arc<str>),
    Element(Box<RawValue>),
}

impl StepJson {
    fn of(step: &Step) -> Result<StepJson, Misread> {
        Ok(match step {
            Step::Attribute(name) => StepJson::Attribute(name.clone()),
            Step::Index(i) => StepJson::Index(*i),
            Step::Key(key) => StepJson::Key(key.clone()),
            Step::Element(element) => StepJson::Element(tree(element, &Type::Dynamic)?),
        })
    }

    fn read(self) -> Result<Step, Misread> {
        Ok(match self {
            StepJson::Attribute(name) => Step::Attribute(name),
            StepJson::Index(i) => Step::Index(i),
            StepJson::Key(key) => Step::Key(key),
            StepJson::Element(json) => Step::Element(value::read(json.get(), &Type::Dynamic)?),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeJson {
    address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<Arc<str>>,
    provider: Arc<str>,
    schema_version: u32,
    action: Action,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<ActionReason>,
    before: Box<RawValue>,
    after: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replace: Vec<Vec<StepJson>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    importing: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    protected: bool,
}

impl ChangeJson {
    pub fn of(change: &ResourceChange) -> Result<ChangeJson, Misread> {
        let ty = change.schema.ty();
        let steps = |path: &Path| path.0.iter().map(StepJson::of).collect();
        Ok(ChangeJson {
            address: change.address.to_string(),
            previous_address: change.previous_address.as_ref().map(ToString::to_string),
            deposed: change.deposed.clone(),
            provider: change.provider.clone(),
            schema_version: change.schema.version,
            action: change.action,
            reason: change.reason,
            before: tree(&change.before, &ty)?,
            after: tree(&change.after, &ty)?,
            replace: change.replace.iter().map(steps).collect::<Result<_, _>>()?,
            notes: change.notes.clone(),
            importing: change.importing.clone(),
            protected: change.protected,
        })
    }

    pub fn read(self, schemas: Schemas<'_>) -> Result<ResourceChange, Misread> {
        let address = address(&self.address)?;
        let within = |e: Misread| Misread(format!("{}: {e}", self.address));
        let schema = schemas(&self.provider, &address.resource)?;
        if schema.version != self.schema_version {
            return Err(Misread(format!(
                "{}: the plan has schema version {}, the provider {}",
                self.address, self.schema_version, schema.version
            )));
        }
        let ty = schema.ty();
        let steps = |steps: Vec<StepJson>| {
            let steps = steps.into_iter().map(StepJson::read);
            steps.collect::<Result<_, _>>().map(Path)
        };
        Ok(ResourceChange {
            before: value::read(self.before.get(), &ty).map_err(within)?,
            after: value::read(self.after.get(), &ty).map_err(within)?,
            previous_address: self
                .previous_address
                .as_deref()
                .map(self::address)
                .transpose()?,
            address,
            deposed: self.deposed,
            provider: self.provider,
            schema,
            action: self.action,
            reason: self.reason,
            replace: self
                .replace
                .into_iter()
                .map(steps)
                .collect::<Result<_, _>>()?,
            notes: self.notes,
            importing: self.importing,
            protected: self.protected,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputJson {
    action: Action,
    before: Box<RawValue>,
    after: Box<RawValue>,
    #[serde(default, skip_serializing_if = "is_default")]
    sensitive: bool,
}

impl OutputJson {
    pub fn of(output: &OutputChange) -> Result<OutputJson, Misread> {
        Ok(OutputJson {
            action: output.action,
            before: tree(&output.before, &Type::Dynamic)?,
            after: tree(&output.after, &Type::Dynamic)?,
            sensitive: output.sensitive,
        })
    }

    pub fn read(&self) -> Result<OutputChange, Misread> {
        Ok(OutputChange {
            action: self.action,
            before: value::read(self.before.get(), &Type::Dynamic)?,
            after: value::read(self.after.get(), &Type::Dynamic)?,
            sensitive: self.sensitive,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckJson {
    kind: String,
    address: String,
    status: CheckStatus,
    instances: Vec<(String, CheckStatus, Vec<String>)>,
}

impl CheckJson {
    pub fn of(check: &CheckResult) -> CheckJson {
        CheckJson {
            kind: check.kind.to_owned(),
            address: check.address.clone(),
            status: check.status,
            instances: check.instances.clone(),
        }
    }

    pub fn read(self) -> Result<CheckResult, Misread> {
        let kinds = ["resource", "output_value", "check", "var"];
        let kind = kinds.into_iter().find(|kind| *kind == self.kind);
        Ok(CheckResult {
            kind: kind.ok_or_else(|| Misread(format!("{:?} is checked by nothing", self.kind)))?,
            address: self.address,
            status: self.status,
            instances: self.instances,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TargetJson {
    Module(String),
    Resource(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OptionsJson {
    mode: Mode,
    refresh: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replace: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<TargetJson>,
    parallelism: usize,
    destroy_data: bool,
}

impl OptionsJson {
    pub fn of(options: &Options) -> OptionsJson {
        let target = |target: &Target| match target {
            Target::Module(_) => TargetJson::Module(target.to_string()),
            _ => TargetJson::Resource(target.to_string()),
        };
        OptionsJson {
            mode: options.mode,
            refresh: options.refresh,
            replace: options.replace.iter().map(ToString::to_string).collect(),
            targets: options.targets.iter().map(target).collect(),
            parallelism: options.parallelism,
            destroy_data: options.destroy_data,
        }
    }

    pub fn read(self) -> Result<Options, Misread> {
        let replace = self.replace.iter().map(|text| address(text));
        // Two bare names are a resource or a block of the vocabulary: which, was decided before.
        let target = |json: TargetJson| match json {
            TargetJson::Module(text) => Target::parse(&text, |_| true),
            TargetJson::Resource(text) => Target::parse(&text, |_| false),
        };
        let targets = self.targets.into_iter().map(target);
        Ok(Options {
            mode: self.mode,
            refresh: self.refresh,
            replace: replace.collect::<Result<_, _>>()?,
            targets: targets
                .collect::<Result<_, _>>()
                .map_err(|e| Misread(e.to_string()))?,
            parallelism: self.parallelism,
            destroy_data: self.destroy_data,
        })
    }
}

/// Values by name, each with its type.
#[derive(Serialize, Deserialize, Default)]
#[serde(transparent)]
pub(super) struct ValuesJson(BTreeMap<String, Box<RawValue>>);

impl ValuesJson {
    pub fn of<'v, K: ToString>(
        values: impl IntoIterator<Item = (K, &'v Value)>,
    ) -> Result<ValuesJson, Misread> {
        let values = values.into_iter();
        let values = values.map(|(k, v)| Ok((k.to_string(), tree(v, &Type::Dynamic)?)));
        Ok(ValuesJson(values.collect::<Result<_, Misread>>()?))
    }

    pub fn read<K: Ord>(
        self,
        key: impl Fn(&str) -> Result<K, Misread>,
    ) -> Result<BTreeMap<K, Value>, Misread> {
        let values = self.0.iter();
        let values = values.map(|(k, v)| Ok((key(k)?, value::read(v.get(), &Type::Dynamic)?)));
        values.collect()
    }
}
