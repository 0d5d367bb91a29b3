//! Which addresses one end of a move stands for: some of its keys may be any.

use std::fmt;
use std::sync::Arc;

use crate::addr::{InstanceKey, ModuleInstance, ModuleStep, Resource, ResourceInstance};

/// A key, or any.
pub(super) type Key = Option<InstanceKey>;

/// Addresses of modules or of resources.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Pattern {
    /// The calls that lead there.
    pub steps: Vec<(Arc<str>, Key)>,
    /// How many of them lead to the module that says it: their keys stay as they are.
    pub base: usize,
    /// The resource; none of a module.
    pub resource: Option<(Resource, Key)>,
}

fn takes(pattern: &Key, key: &InstanceKey) -> bool {
    pattern.as_ref().is_none_or(|wanted| wanted == key)
}

/// Whether two patterns of a key have a key in common.
fn meet(a: &Key, b: &Key) -> bool {
    a.is_none() || b.is_none() || a == b
}

/// Whether whatever `a` takes, `b` takes, too.
fn inside(a: &Key, b: &Key) -> bool {
    b.is_none() || a == b
}

impl Pattern {
    /// What an address becomes under a move from this pattern to another.
    pub fn destination(
        &self,
        to: &Pattern,
        address: &ResourceInstance,
    ) -> Option<ResourceInstance> {
        let (Some((resource, key)), Some((new, new_key))) = (&self.resource, &to.resource) else {
            let module = self.module_destination(to, &address.module)?;
            let mut moved = address.clone();
            moved.module = module;
            return Some(moved);
        };
        let here = address.module.0.len() == self.steps.len()
            && *resource == address.resource
            && takes(key, &address.key);
        if !here {
            return None;
        }
        Some(ResourceInstance {
            module: self.module_destination(to, &address.module)?,
            resource: new.clone(),
            key: new_key.clone().unwrap_or_else(|| address.key.clone()),
        })
    }

    /// What a module instance becomes; those inside of it move along.
    pub fn module_destination(
        &self,
        to: &Pattern,
        module: &ModuleInstance,
    ) -> Option<ModuleInstance> {
        let (head, tail) = module.0.split_at_checked(self.steps.len())?;
        let mut pairs = head.iter().zip(&self.steps);
        if !pairs.all(|(step, (name, key))| step.name == *name && takes(key, &step.key)) {
            return None;
        }
        let last = head.last().map(|step| &step.key);
        let steps = to.steps.iter().enumerate().map(|(i, (name, key))| {
            let kept = if i < to.base {
                head.get(i).map(|s| &s.key)
            } else {
                last
            };
            ModuleStep {
                name: Arc::clone(name),
                key: key.as_ref().or(kept).cloned().unwrap_or_default(),
            }
        });
        Some(ModuleInstance(steps.chain(tail.iter().cloned()).collect()))
    }

    /// Whether an address is one of these, or in one of these modules.
    pub fn selects(&self, address: &ResourceInstance) -> bool {
        self.destination(self, address).is_some()
    }

    /// Whether some address is one of both, or one end of a pair lies in the other.
    pub fn touches(&self, other: &Pattern) -> bool {
        let mut pairs = self.steps.iter().zip(&other.steps);
        if !pairs.all(|(a, b)| a.0 == b.0 && meet(&a.1, &b.1)) {
            return false;
        }
        match (&self.resource, &other.resource) {
            (Some((a, ka)), Some((b, kb))) => {
                self.steps.len() == other.steps.len() && a == b && meet(ka, kb)
            }
            (None, Some(_)) => self.steps.len() <= other.steps.len(),
            (Some(_), None) => self.steps.len() >= other.steps.len(),
            (None, None) => true,
        }
    }

    /// Whether everything this stands for lies in what the other stands for, and is not all of it.
    pub fn nested_in(&self, other: &Pattern) -> bool {
        if self.steps.len() < other.steps.len() {
            return false;
        }
        let mut pairs = self.steps.iter().zip(&other.steps);
        if !pairs.all(|(a, b)| a.0 == b.0 && inside(&a.1, &b.1)) {
            return false;
        }
        let all = match (&self.resource, &other.resource) {
            (_, None) => true,
            (Some((a, ka)), Some((b, kb))) => {
                self.steps.len() == other.steps.len() && a == b && inside(ka, kb)
            }
            (None, Some(_)) => false,
        };
        all && !(self.steps == other.steps && self.resource == other.resource)
    }
}

/// As an address, with `[*]` for any key.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, key)) in self.steps.iter().enumerate() {
            let step = ModuleStep {
                name: Arc::clone(name),
                key: key.clone().unwrap_or_default(),
            };
            let dot = if i > 0 { "." } else { "" };
            write!(f, "{dot}{}", ModuleInstance([step].into()))?;
            if key.is_none() && i >= self.base {
                f.write_str("[*]")?;
            }
        }
        if let Some((resource, key)) = &self.resource {
            let dot = if self.steps.is_empty() { "" } else { "." };
            write!(f, "{dot}{resource}")?;
            match key {
                Some(key) => write!(f, "{key}")?,
                None => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}
