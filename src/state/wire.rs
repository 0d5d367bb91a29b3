//! The JSON forms of objects, instances, intents and changes, shared by snapshot and journal.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mlinfra_sdk::{Path, Step, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Change, InstanceState, Intent, Object, Operation, Outcome, OutputValue, Planned, ProviderRef,
    Record, Status, Token,
};
use crate::addr::{ResourceInstance, ResourcePath};

/// JSON that is not what it should be, although nothing damaged it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

impl Malformed {
    fn because(reason: impl ToString) -> Malformed {
        Malformed(reason.to_string())
    }
}

/// Reads names; those that come often are kept and shared.
#[derive(Default)]
pub(crate) struct Reader {
    dependencies: HashMap<String, ResourcePath>,
    providers: HashMap<String, ProviderRef>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StepJson {
    Attribute(Arc<str>),
    Index(usize),
    Key { key: Arc<str> },
}

type PathJson = Vec<StepJson>;

fn is_false(flag: &bool) -> bool {
    !flag
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectJson<'a> {
    schema_version: u32,
    #[serde(borrow)]
    attributes: &'a RawValue,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sensitive: Vec<PathJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    tainted: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    create_before_destroy: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    protected: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlannedJson<'a> {
    schema_version: u32,
    #[serde(borrow)]
    attributes: &'a RawValue,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sensitive: Vec<PathJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<PathJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstanceJson<'a> {
    address: String,
    provider: String,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    current: Option<ObjectJson<'a>>,
    #[serde(borrow, default, skip_serializing_if = "BTreeMap::is_empty")]
    deposed: BTreeMap<String, ObjectJson<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IntentJson<'a> {
    token: String,
    address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<Arc<str>>,
    operation: OperationJson,
    provider: String,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    planned: Option<PlannedJson<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Operation", rename_all = "lowercase")]
enum OperationForm {
    Create,
    Update,
    Delete,
}

#[derive(Serialize, Deserialize)]
struct OperationJson(#[serde(with = "OperationForm")] Operation);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputJson {
    value: Box<RawValue>,
    #[serde(default, skip_serializing_if = "is_false")]
    sensitive: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeJson<'a> {
    Is(#[serde(borrow)] ObjectJson<'a>),
    Gone,
    Unchanged,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ChangeJson<'a> {
    Put {
        address: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deposed: Option<Arc<str>>,
        provider: String,
        #[serde(borrow)]
        object: ObjectJson<'a>,
    },
    Remove {
        address: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deposed: Option<Arc<str>>,
    },
    Forget {
        address: String,
    },
    Depose {
        address: String,
        key: Arc<str>,
    },
    Restore {
        address: String,
        key: Arc<str>,
    },
    Move(Vec<(String, String)>),
    Outputs(BTreeMap<Arc<str>, OutputJson>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RecordJson<'a> {
    Intent(#[serde(borrow)] IntentJson<'a>),
    Done(#[serde(borrow)] DoneJson<'a>),
    Changed(#[serde(borrow)] Vec<ChangeJson<'a>>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoneJson<'a> {
    token: String,
    #[serde(borrow)]
    outcome: OutcomeJson<'a>,
}

fn path_json(path: &Path) -> Result<PathJson, Malformed> {
    let step = |step: &Step| match step {
        Step::Attribute(name) => Ok(StepJson::Attribute(name.clone())),
        Step::Index(i) => Ok(StepJson::Index(*i)),
        Step::Key(key) => Ok(StepJson::Key { key: key.clone() }),
        // Nothing in this room makes one: marks of elements lie on their set.
        Step::Element(_) => Err(Malformed::because(
            "an element of a set has no place of its own",
        )),
    };
    path.0.iter().map(step).collect()
}

fn paths_json(paths: &[Path]) -> Result<Vec<PathJson>, Malformed> {
    paths.iter().map(path_json).collect()
}

fn paths(json: Vec<PathJson>) -> Vec<Path> {
    let step = |step| match step {
        StepJson::Attribute(name) => Step::Attribute(name),
        StepJson::Index(i) => Step::Index(i),
        StepJson::Key { key } => Step::Key(key),
    };
    json.into_iter()
        .map(|steps| Path(steps.into_iter().map(step).collect()))
        .collect()
}

impl<'a> ObjectJson<'a> {
    pub(crate) fn of(object: &'a Object) -> Result<ObjectJson<'a>, Malformed> {
        Ok(ObjectJson {
            schema_version: object.schema_version,
            attributes: object.attributes.raw(),
            sensitive: paths_json(&object.sensitive)?,
            dependencies: object.dependencies.iter().map(|d| d.to_string()).collect(),
            tainted: object.status == Status::Tainted,
            create_before_destroy: object.create_before_destroy,
            protected: object.protected,
        })
    }
}

impl<'a> InstanceJson<'a> {
    pub(super) fn of(
        address: &ResourceInstance,
        instance: &'a InstanceState,
    ) -> Result<InstanceJson<'a>, Malformed> {
        let current = instance
            .current
            .as_deref()
            .map(ObjectJson::of)
            .transpose()?;
        let mut deposed = BTreeMap::new();
        for (key, object) in &instance.deposed {
            deposed.insert(key.to_string(), ObjectJson::of(object)?);
        }
        Ok(InstanceJson {
            address: address.to_string(),
            provider: instance.provider.to_string(),
            current,
            deposed,
        })
    }
}

impl<'a> IntentJson<'a> {
    pub(super) fn of(intent: &'a Intent) -> Result<IntentJson<'a>, Malformed> {
        let planned = |planned: &'a Planned| -> Result<PlannedJson<'a>, Malformed> {
            Ok(PlannedJson {
                schema_version: planned.schema_version,
                attributes: planned.attributes.raw(),
                sensitive: paths_json(&planned.sensitive)?,
                unknown: paths_json(&planned.unknown)?,
            })
        };
        Ok(IntentJson {
            token: intent.token.to_string(),
            address: intent.address.to_string(),
            deposed: intent.deposed.clone(),
            operation: OperationJson(intent.operation),
            provider: intent.provider.to_string(),
            planned: intent.planned.as_ref().map(planned).transpose()?,
        })
    }
}

impl OutputJson {
    pub(super) fn of(output: &OutputValue) -> Result<OutputJson, Malformed> {
        Ok(OutputJson {
            value: output
                .value
                .encode(&Type::Dynamic)
                .map_err(Malformed::because)?,
            sensitive: output.sensitive,
        })
    }

    pub(super) fn read(&self) -> Result<OutputValue, Malformed> {
        let value = Value::decode(self.value.get(), &Type::Dynamic).map_err(Malformed::because)?;
        Ok(OutputValue::new(value, self.sensitive))
    }
}

impl<'a> ChangeJson<'a> {
    fn of(change: &'a Change) -> Result<ChangeJson<'a>, Malformed> {
        Ok(match change {
            Change::Put {
                address,
                deposed,
                provider,
                object,
            } => ChangeJson::Put {
                address: address.to_string(),
                deposed: deposed.clone(),
                provider: provider.to_string(),
                object: ObjectJson::of(object)?,
            },
            Change::Remove { address, deposed } => ChangeJson::Remove {
                address: address.to_string(),
                deposed: deposed.clone(),
            },
            Change::Forget { address } => ChangeJson::Forget {
                address: address.to_string(),
            },
            Change::Depose { address, key } => ChangeJson::Depose {
                address: address.to_string(),
                key: key.clone(),
            },
            Change::Restore { address, key } => ChangeJson::Restore {
                address: address.to_string(),
                key: key.clone(),
            },
            Change::Move(moves) => ChangeJson::Move(
                moves
                    .iter()
                    .map(|(from, to)| (from.to_string(), to.to_string()))
                    .collect(),
            ),
            Change::Outputs(outputs) => {
                let mut json = BTreeMap::new();
                for (name, output) in outputs {
                    json.insert(name.clone(), OutputJson::of(output)?);
                }
                ChangeJson::Outputs(json)
            }
        })
    }
}

impl<'a> RecordJson<'a> {
    pub(super) fn of(record: &'a Record) -> Result<RecordJson<'a>, Malformed> {
        Ok(match record {
            Record::Intent(intent) => RecordJson::Intent(IntentJson::of(intent)?),
            Record::Done { token, outcome } => RecordJson::Done(DoneJson {
                token: token.to_string(),
                outcome: match outcome {
                    Outcome::Is(object) => OutcomeJson::Is(ObjectJson::of(object)?),
                    Outcome::Gone => OutcomeJson::Gone,
                    Outcome::Unchanged => OutcomeJson::Unchanged,
                },
            }),
            Record::Changed(changes) => {
                let changes: Result<_, Malformed> = changes.iter().map(ChangeJson::of).collect();
                RecordJson::Changed(changes?)
            }
        })
    }
}

impl Reader {
    /// The address of an instance, which must be written as we write it.
    pub(crate) fn address(&self, text: &str) -> Result<ResourceInstance, Malformed> {
        let address = ResourceInstance::parse(text).map_err(Malformed::because)?;
        if address.to_string() == text {
            Ok(address)
        } else {
            Err(Malformed(format!("{text:?} is not an address")))
        }
    }

    fn provider(&mut self, text: String) -> Result<ProviderRef, Malformed> {
        if let Some(provider) = self.providers.get(&text) {
            return Ok(provider.clone());
        }
        let provider: ProviderRef = text.parse().map_err(Malformed::because)?;
        self.providers.insert(text, provider.clone());
        Ok(provider)
    }

    fn dependency(&mut self, text: String) -> Result<ResourcePath, Malformed> {
        if let Some(path) = self.dependencies.get(&text) {
            return Ok(path.clone());
        }
        let path = self.address(&text)?.path();
        if path.to_string() != text {
            return Err(Malformed(format!("{text:?} is not a resource")));
        }
        self.dependencies.insert(text, path.clone());
        Ok(path)
    }

    pub(crate) fn object(&mut self, json: ObjectJson<'_>) -> Result<Arc<Object>, Malformed> {
        let dependencies = json.dependencies.into_iter().map(|d| self.dependency(d));
        Ok(Arc::new(Object {
            schema_version: json.schema_version,
            attributes: json.attributes.to_owned().into(),
            sensitive: paths(json.sensitive),
            dependencies: dependencies.collect::<Result<_, _>>()?,
            status: if json.tainted {
                Status::Tainted
            } else {
                Status::Ready
            },
            create_before_destroy: json.create_before_destroy,
            protected: json.protected,
        }))
    }

    pub(super) fn instance(
        &mut self,
        json: InstanceJson<'_>,
    ) -> Result<(ResourceInstance, InstanceState), Malformed> {
        let mut deposed = BTreeMap::new();
        for (key, object) in json.deposed {
            deposed.insert(key.into(), self.object(object)?);
        }
        let instance = InstanceState {
            provider: self.provider(json.provider)?,
            current: json.current.map(|o| self.object(o)).transpose()?,
            deposed,
        };
        Ok((self.address(&json.address)?, instance))
    }

    pub(super) fn intent(&mut self, json: IntentJson<'_>) -> Result<Arc<Intent>, Malformed> {
        let planned = |json: PlannedJson<'_>| Planned {
            schema_version: json.schema_version,
            attributes: json.attributes.to_owned().into(),
            sensitive: paths(json.sensitive),
            unknown: paths(json.unknown),
        };
        Ok(Arc::new(Intent {
            token: Token::from_recorded(&json.token),
            address: self.address(&json.address)?,
            deposed: json.deposed,
            operation: json.operation.0,
            provider: self.provider(json.provider)?,
            planned: json.planned.map(planned),
        }))
    }

    pub(super) fn record(&mut self, json: RecordJson<'_>) -> Result<Record, Malformed> {
        Ok(match json {
            RecordJson::Intent(intent) => Record::Intent(self.intent(intent)?),
            RecordJson::Done(done) => Record::Done {
                token: Token::from_recorded(&done.token),
                outcome: match done.outcome {
                    OutcomeJson::Is(object) => Outcome::Is(self.object(object)?),
                    OutcomeJson::Gone => Outcome::Gone,
                    OutcomeJson::Unchanged => Outcome::Unchanged,
                },
            },
            RecordJson::Changed(changes) => {
                let changes = changes.into_iter().map(|change| self.change(change));
                Record::Changed(changes.collect::<Result<_, _>>()?)
            }
        })
    }

    fn change(&mut self, json: ChangeJson<'_>) -> Result<Change, Malformed> {
        Ok(match json {
            ChangeJson::Put {
                address,
                deposed,
                provider,
                object,
            } => Change::Put {
                address: self.address(&address)?,
                deposed,
                provider: self.provider(provider)?,
                object: self.object(object)?,
            },
            ChangeJson::Remove { address, deposed } => Change::Remove {
                address: self.address(&address)?,
                deposed,
            },
            ChangeJson::Forget { address } => Change::Forget {
                address: self.address(&address)?,
            },
            ChangeJson::Depose { address, key } => Change::Depose {
                address: self.address(&address)?,
                key,
            },
            ChangeJson::Restore { address, key } => Change::Restore {
                address: self.address(&address)?,
                key,
            },
            ChangeJson::Move(moves) => {
                let pair = |(from, to): (String, String)| -> Result<_, Malformed> {
                    Ok((self.address(&from)?, self.address(&to)?))
                };
                Change::Move(moves.into_iter().map(pair).collect::<Result<_, _>>()?)
            }
            ChangeJson::Outputs(json) => {
                let mut outputs = BTreeMap::new();
                for (name, output) in json {
                    outputs.insert(name, output.read()?);
                }
                Change::Outputs(outputs)
            }
        })
    }
}
