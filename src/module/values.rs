//! The values of module instances: variables, locals, outputs, and what the resources became.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mlinfra_sdk::Value;

use crate::addr::{InstanceKey, ModuleInstance, Resource};
use crate::config::{ModuleId, Tree};

/// A module instance among those of [`Values`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct InstanceId(pub u32);

/// How a block is repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Once.
    Single,
    /// `enabled = false`: it does not exist, and is null where it is referred to.
    Absent,
    /// By `count`.
    Count,
    /// By `for_each`.
    ForEach,
    /// Nobody knows yet.
    Unknown,
}

/// The instances of a block.
#[derive(Clone, Debug)]
pub struct Expansion<T> {
    /// How it is repeated.
    pub shape: Shape,
    /// The instances by key.
    pub items: BTreeMap<InstanceKey, T>,
    /// All instances as one value, made when it is first asked for.
    whole: OnceCell<Value>,
}

impl<T> Expansion<T> {
    /// The instances of a block.
    pub fn new(shape: Shape, items: impl IntoIterator<Item = (InstanceKey, T)>) -> Expansion<T> {
        Expansion {
            shape,
            items: items.into_iter().collect(),
            whole: OnceCell::new(),
        }
    }

    /// All instances as one value: itself, a tuple by `count`, an object by `for_each`.
    pub fn whole(&self, value: impl Fn(&T) -> Value) -> Value {
        let make = || match self.shape {
            Shape::Single => self.items.values().next().map_or(Value::UNKNOWN, &value),
            Shape::Absent => Value::NULL,
            Shape::Unknown => Value::UNKNOWN,
            Shape::Count => Value::tuple(self.items.values().map(&value)),
            Shape::ForEach => Value::object(self.items.iter().map(|(key, item)| {
                let key = match key {
                    InstanceKey::Key(key) => Arc::clone(key),
                    other => Arc::from(other.to_string()),
                };
                (key, value(item))
            })),
        };
        self.whole.get_or_init(make).clone()
    }
}

/// A module instance.
#[derive(Clone, Debug)]
pub struct Record {
    /// The module.
    pub module: ModuleId,
    /// The address.
    pub address: ModuleInstance,
    /// The instance that calls it.
    pub parent: Option<InstanceId>,
    /// Its key, and the element of `for_each` it stands for.
    pub key: InstanceKey,
    /// The element of `for_each` that it stands for.
    pub each: Option<Value>,
    /// Values of its variables.
    pub variables: HashMap<Arc<str>, Value>,
    /// Values of its locals.
    pub locals: HashMap<Arc<str>, Value>,
    /// Values of its outputs.
    pub outputs: HashMap<Arc<str>, Value>,
    /// The instances of the modules that it calls.
    pub calls: HashMap<Arc<str>, Expansion<InstanceId>>,
    /// What its resources are, or will be.
    pub resources: HashMap<Resource, Expansion<Value>>,
}

/// All module instances with their values.
#[derive(Clone, Debug)]
pub struct Values {
    records: Vec<Record>,
    by_module: Vec<Vec<InstanceId>>,
}

impl Values {
    /// Only the root instance, with nothing in it.
    pub fn new(tree: &Tree) -> Values {
        let mut values = Values {
            records: Vec::new(),
            by_module: vec![Vec::new(); tree.iter().count()],
        };
        values.add(
            tree.root().id,
            None,
            &Arc::from(""),
            InstanceKey::None,
            None,
        );
        values
    }

    /// The root instance.
    pub const ROOT: InstanceId = InstanceId(0);

    /// Adds an instance of a module, called `name` by `parent`.
    pub fn add(
        &mut self,
        module: ModuleId,
        parent: Option<InstanceId>,
        name: &Arc<str>,
        key: InstanceKey,
        each: Option<Value>,
    ) -> InstanceId {
        let address = match parent {
            None => ModuleInstance::root(),
            Some(parent) => self.get(parent).address.child(name, key.clone()),
        };
        let id = InstanceId(u32::try_from(self.records.len()).unwrap_or(u32::MAX));
        self.by_module[module.0 as usize].push(id);
        self.records.push(Record {
            module,
            address,
            parent,
            key,
            each,
            variables: HashMap::new(),
            locals: HashMap::new(),
            outputs: HashMap::new(),
            calls: HashMap::new(),
            resources: HashMap::new(),
        });
        id
    }

    /// An instance.
    ///
    /// # Panics
    /// When the id is of other values.
    pub fn get(&self, id: InstanceId) -> &Record {
        &self.records[id.0 as usize]
    }

    /// An instance, to be changed.
    ///
    /// # Panics
    /// When the id is of other values.
    pub fn get_mut(&mut self, id: InstanceId) -> &mut Record {
        &mut self.records[id.0 as usize]
    }

    /// The instances of a module.
    pub fn instances(&self, module: ModuleId) -> &[InstanceId] {
        &self.by_module[module.0 as usize]
    }

    /// All instances.
    pub fn iter(&self) -> impl Iterator<Item = (InstanceId, &Record)> {
        (0..).map(InstanceId).zip(&self.records)
    }

    /// The value of a module call where it is referred to: its outputs, an instance each.
    pub fn call(&self, caller: InstanceId, name: &str) -> Option<Value> {
        let expansion = self.get(caller).calls.get(name)?;
        Some(expansion.whole(|id| self.outputs(*id)))
    }

    /// Sets an output; what was put together of the outputs before is put together anew.
    pub fn set_output(&mut self, id: InstanceId, name: &Arc<str>, value: Value) {
        let record = self.get_mut(id);
        record.outputs.insert(Arc::clone(name), value);
        let call = record.address.0.last().map(|step| Arc::clone(&step.name));
        if let (Some(parent), Some(call)) = (record.parent, call)
            && let Some(expansion) = self.get_mut(parent).calls.get_mut(&call)
        {
            expansion.whole = OnceCell::new();
        }
    }

    /// One output of an instance of a module call, by its key.
    pub fn output(
        &self,
        caller: InstanceId,
        call: &str,
        key: &InstanceKey,
        output: &str,
    ) -> Option<&Value> {
        let expansion = self.get(caller).calls.get(call)?;
        self.get(*expansion.items.get(key)?).outputs.get(output)
    }

    /// The outputs of an instance as an object.
    pub fn outputs(&self, id: InstanceId) -> Value {
        let outputs = &self.get(id).outputs;
        Value::object(
            outputs
                .iter()
                .map(|(name, value)| (Arc::clone(name), value.clone())),
        )
    }
}
