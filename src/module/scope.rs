//! The names inside a module instance.

use mlinfra_sdk::Value;

use super::reference::Subject;
use super::values::{InstanceId, Values};
use crate::addr::InstanceKey;
use crate::diag::Diagnostic;
use crate::lang::{FunctionSettings, Scope, Traversal, TraversalStep};

/// Which repetition of a block is evaluated.
#[derive(Clone, Debug, Default)]
pub struct Repetition {
    /// `count.index`.
    pub index: Option<usize>,
    /// `each.key` and `each.value`.
    pub each: Option<(Value, Value)>,
}

impl Repetition {
    /// Of the instance with this key, which stands for this element.
    pub fn of(key: &InstanceKey, element: Option<&Value>) -> Repetition {
        match key {
            InstanceKey::None => Repetition::default(),
            InstanceKey::Index(index) => Repetition {
                index: Some(*index),
                each: None,
            },
            InstanceKey::Key(name) => Repetition {
                index: None,
                each: Some((
                    Value::from(name.as_ref()),
                    element.cloned().unwrap_or(Value::UNKNOWN),
                )),
            },
        }
    }
}

/// The names inside a module instance.
pub struct InstanceScope<'s> {
    /// All values.
    pub values: &'s Values,
    /// The instance.
    pub instance: InstanceId,
    /// Which repetition of a block is evaluated.
    pub repetition: &'s Repetition,
    /// What `self` is.
    pub this: Option<&'s Value>,
    /// What functions need to know.
    pub settings: &'s FunctionSettings,
    /// What `path.module` is.
    pub module_path: &'s str,
    /// The workspace's name.
    pub workspace: &'s str,
}

impl Scope for InstanceScope<'_> {
    fn resolve(&self, traversal: &Traversal) -> Result<(Value, usize), Diagnostic> {
        let (subject, steps) = Subject::of(traversal)?;
        let record = self.values.get(self.instance);
        let known = |value: Option<&Value>| value.cloned().unwrap_or(Value::UNKNOWN);
        match subject {
            Subject::Variable(name) => Ok((known(record.variables.get(&name)), steps)),
            Subject::Local(name) => Ok((known(record.locals.get(&name)), steps)),
            Subject::Resource(resource) => {
                let Some(expansion) = record.resources.get(&resource) else {
                    return Ok((Value::UNKNOWN, traversal.steps.len()));
                };
                // One instance is looked up without putting all of them together.
                if let Some(TraversalStep::Index(key, _)) = traversal.steps.get(steps)
                    && let Some(value) = InstanceKey::of(key).and_then(|k| expansion.items.get(&k))
                {
                    return Ok((value.clone(), steps + 1));
                }
                Ok((expansion.whole(Value::clone), steps))
            }
            Subject::Module(name, output) => {
                // One output is looked up without putting all of them together: the others may
                // not be there yet.
                let found = output.and_then(|output| self.output(traversal, &name, &output));
                if let Some(found) = found {
                    return Ok(found);
                }
                Ok((self.values.call(self.instance, &name).unwrap_or(Value::UNKNOWN), steps))
            }
            Subject::Count(name) => self.count(traversal, &name).map(|v| (v, steps)),
            Subject::Each(name) => self.each(traversal, &name).map(|v| (v, steps)),
            Subject::Path(name) => self.path(traversal, &name).map(|v| (v, steps)),
            Subject::Terraform(name) if name.as_ref() == "workspace" => {
                Ok((Value::from(self.workspace), steps))
            }
            Subject::Terraform(name) => Err(Diagnostic::error(
                format!("Invalid {:?} attribute", traversal.root),
                format!(
                    "The {:?} object does not have an attribute named {name:?}. The only supported attribute is {}.workspace, the name of the currently-selected workspace.",
                    traversal.root, traversal.root
                ),
            )
            .at(traversal.span)),
            Subject::This => self.this.cloned().map(|v| (v, 0)).ok_or_else(|| {
                Diagnostic::error(
                    "Invalid \"self\" reference",
                    "The \"self\" object is not available in this context. This object can be used only in resource provisioner, connection, and postcondition blocks.",
                )
                .at(traversal.span)
            }),
        }
    }

    fn settings(&self) -> &FunctionSettings {
        self.settings
    }
}

impl InstanceScope<'_> {
    /// The output of a module that a reference names at once, and how many steps it took.
    fn output(&self, traversal: &Traversal, call: &str, output: &str) -> Option<(Value, usize)> {
        let (key, steps) = match traversal.steps.get(1) {
            Some(TraversalStep::Index(key, _)) => (InstanceKey::of(key)?, 3),
            _ => (InstanceKey::None, 2),
        };
        let value = self.values.output(self.instance, call, &key, output)?;
        Some((value.clone(), steps))
    }

    fn count(&self, traversal: &Traversal, name: &str) -> Result<Value, Diagnostic> {
        if name != "index" {
            return Err(Diagnostic::error(
                "Invalid \"count\" attribute",
                format!("The \"count\" object does not have an attribute named {name:?}. The only supported attribute is count.index, which is the index of each instance of a resource block that has the \"count\" argument set."),
            )
            .at(traversal.span));
        }
        self.repetition.index.map(Value::from).ok_or_else(|| {
            Diagnostic::error(
                "Reference to \"count\" in non-counted context",
                "The \"count\" object can only be used in \"module\", \"resource\", and \"data\" blocks, and only when the \"count\" argument is set.",
            )
            .at(traversal.span)
            .code("E0010")
        })
    }

    fn each(&self, traversal: &Traversal, name: &str) -> Result<Value, Diagnostic> {
        let Some((key, value)) = &self.repetition.each else {
            return Err(Diagnostic::error(
                "Reference to \"each\" in context without for_each",
                "The \"each\" object can be used only in \"module\" or \"resource\" blocks, and only when the \"for_each\" argument is set.",
            )
            .at(traversal.span)
            .code("E0010"));
        };
        match name {
            "key" => Ok(key.clone()),
            "value" => Ok(value.clone()),
            _ => Err(Diagnostic::error(
                "Invalid \"each\" attribute",
                format!("The \"each\" object does not have an attribute named {name:?}. The supported attributes are each.key and each.value, the current key and value pair of the \"for_each\" attribute set."),
            )
            .at(traversal.span)),
        }
    }

    fn path(&self, traversal: &Traversal, name: &str) -> Result<Value, Diagnostic> {
        match name {
            "module" => Ok(Value::from(self.module_path)),
            "root" => Ok(Value::from(".")),
            "cwd" => {
                let base = self.settings.base_dir.display().to_string();
                Ok(Value::from(base))
            }
            _ => Err(Diagnostic::error(
                "Invalid \"path\" attribute",
                format!("The \"path\" object does not have an attribute named {name:?}."),
            )
            .at(traversal.span)),
        }
    }
}
