//! The laws of integrity that every state keeps. They are checked when a state is opened, before a
//! change is recorded (for what changes), and before a snapshot is written (for all of it).
//!
//! A violation is a defect of this program or of a provider, never of the user: the write is
//! refused, and what is on disk stays as it was.
//!
//! What concerns values while they become an [`Object`] (nothing unknown, ephemeral or write-only
//! is stored) is law 2 and kept by [`Object::encode`], the only way to make one from a value.

use std::fmt;

use super::change::name;
use super::{
    Change, InstanceState, Intent, Object, Operation, Outcome, OutputValue, Record, Snapshot,
};
use crate::addr::{Mode, ResourceInstance};

/// A law.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Law {
    /// L1: every address, dependency and provider reference reads back as it is written.
    Names,
    /// L2: no unknown, ephemeral or write-only value is stored.
    Values,
    /// L3: the lineage stays and the serial grows.
    Serial,
    /// L4: the key of a deposed object is 8 hex digits.
    DeposedKeys,
    /// L5: an instance has an object.
    NoHusks,
    /// L6: no two open operations are about the same object.
    OneOperation,
    /// L7: an object of a data source is neither deposed nor tainted nor operated on.
    DataSources,
    /// L8: an output that holds something sensitive is declared so.
    Outputs,
    /// L9: the attributes of an object are a JSON object.
    Attributes,
    /// L10: an object does not depend on its own resource, nor twice on another.
    Dependencies,
    /// L11: an operation that makes or changes an object tells what is planned, a deletion does not.
    Planned,
}

impl Law {
    /// Its number.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L{}", self.number())
    }
}

/// A law that a state does not keep.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{law}: {subject}: {reason}")]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// The object, output or operation.
    pub subject: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Everything that is wrong with a state.
pub fn check(snapshot: &Snapshot) -> Vec<Violation> {
    let mut found = Findings::default();
    for (address, instance) in &snapshot.resources {
        found.instance(address, instance);
    }
    for (name, output) in &snapshot.outputs {
        found.output(name, output);
    }
    for intent in snapshot.intents.values() {
        found.intent(intent);
    }
    found.operations(snapshot);
    found.0
}

/// Everything that is wrong with what a record brings.
pub fn check_record(record: &Record, snapshot: &Snapshot) -> Vec<Violation> {
    let mut found = Findings::default();
    match record {
        Record::Intent(intent) => found.intent(intent),
        Record::Done { token, outcome } => {
            if let (Outcome::Is(object), Some(intent)) = (outcome, snapshot.intents.get(token)) {
                found.object(&intent.address, intent.deposed.as_deref(), object);
            }
        }
        Record::Changed(changes) => changes.iter().for_each(|change| found.change(change)),
    }
    found.0
}

/// L3: whether `next` may follow `last`.
pub fn check_succession(last: &Snapshot, next: &Snapshot) -> Vec<Violation> {
    let mut found = Findings::default();
    if !last.lineage.is_empty() && last.lineage != next.lineage {
        let reason = format!("the lineage {} became {}", last.lineage, next.lineage);
        found.add(Law::Serial, "the state", reason);
    }
    if next.serial <= last.serial {
        let reason = format!("serial {} follows serial {}", next.serial, last.serial);
        found.add(Law::Serial, "the state", reason);
    }
    found.0
}

#[derive(Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn add(&mut self, law: Law, subject: impl ToString, reason: impl Into<String>) {
        self.0.push(Violation {
            law,
            subject: subject.to_string(),
            reason: reason.into(),
        });
    }

    /// L1
    fn address(&mut self, address: &ResourceInstance) {
        let text = address.to_string();
        if ResourceInstance::parse(&text).as_ref() != Ok(address) {
            self.add(Law::Names, text, "the address does not read back");
        }
    }

    /// L1
    fn provider(&mut self, address: &ResourceInstance, provider: &super::ProviderRef) {
        if provider.to_string().parse().as_ref() != Ok(provider) {
            let reason = format!("the provider reference {provider} does not read back");
            self.add(Law::Names, address, reason);
        }
    }

    /// L4
    fn deposed_key(&mut self, address: &ResourceInstance, key: &str) {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if key.len() != 8 || !key.bytes().all(hex) {
            let reason = format!("{key:?} is not a key of a deposed object");
            self.add(Law::DeposedKeys, address, reason);
        }
    }

    fn instance(&mut self, address: &ResourceInstance, instance: &InstanceState) {
        self.address(address);
        self.provider(address, &instance.provider);
        // L5
        if instance.current.is_none() && instance.deposed.is_empty() {
            self.add(Law::NoHusks, address, "the instance has no object");
        }
        if let Some(object) = &instance.current {
            self.object(address, None, object);
        }
        for (key, object) in &instance.deposed {
            self.object(address, Some(key), object);
        }
    }

    fn object(&mut self, address: &ResourceInstance, deposed: Option<&str>, object: &Object) {
        if let Some(key) = deposed {
            self.deposed_key(address, key);
        }
        self.data_source(address, deposed.is_some() || object.is_tainted());
        // L9
        if !object.attributes.get().starts_with('{') {
            let subject = name(address, deposed);
            self.add(Law::Attributes, subject, "the attributes are not an object");
        }
        self.dependencies(address, deposed, object);
    }

    /// L1, L10
    fn dependencies(&mut self, address: &ResourceInstance, deposed: Option<&str>, object: &Object) {
        for (i, path) in object.dependencies.iter().enumerate() {
            let subject = || name(address, deposed);
            let text = path.to_string();
            if !ResourceInstance::parse(&text).is_ok_and(|a| a.path() == *path) {
                let reason = format!("the dependency {text} does not read back");
                self.add(Law::Names, subject(), reason);
            }
            if *path == address.path() {
                self.add(Law::Dependencies, subject(), "it depends on itself");
            }
            if object.dependencies.iter().take(i).any(|p| p == path) {
                let reason = format!("it depends twice on {text}");
                self.add(Law::Dependencies, subject(), reason);
            }
        }
    }

    /// L7
    fn data_source(&mut self, address: &ResourceInstance, managed_only: bool) {
        if managed_only && address.resource.mode == Mode::Data {
            let reason = "a data source cannot be deposed, tainted or operated on";
            self.add(Law::DataSources, address, reason);
        }
    }

    /// L2, L8
    fn output(&mut self, name: &str, output: &OutputValue) {
        let marks = output.value.marks_deep();
        if !output.value.is_wholly_known() {
            self.add(Law::Values, format!("output {name}"), "it is not known");
        }
        if marks.is_ephemeral() {
            self.add(Law::Values, format!("output {name}"), "it is ephemeral");
        }
        if marks.is_sensitive() && !output.sensitive {
            let reason = "it holds something sensitive and is not declared so";
            self.add(Law::Outputs, format!("output {name}"), reason);
        }
    }

    fn intent(&mut self, intent: &Intent) {
        self.address(&intent.address);
        self.provider(&intent.address, &intent.provider);
        self.data_source(&intent.address, true);
        if let Some(key) = &intent.deposed {
            self.deposed_key(&intent.address, key);
        }
        // L11
        if intent.planned.is_some() != (intent.operation != Operation::Delete) {
            let reason = format!("the plan does not fit the operation {}", intent.operation);
            self.add(Law::Planned, &intent.address, reason);
        }
        let planned = intent.planned.as_ref();
        if planned.is_some_and(|p| !p.attributes.get().starts_with('{')) {
            let reason = "the planned attributes are not an object";
            self.add(Law::Attributes, &intent.address, reason);
        }
    }

    /// L6
    fn operations(&mut self, snapshot: &Snapshot) {
        let mut seen = std::collections::BTreeSet::new();
        for intent in snapshot.intents.values() {
            if !seen.insert((&intent.address, &intent.deposed)) {
                let subject = name(&intent.address, intent.deposed.as_deref());
                self.add(Law::OneOperation, subject, "two operations on it are open");
            }
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Put {
                address,
                deposed,
                provider,
                object,
            } => {
                self.address(address);
                self.provider(address, provider);
                self.object(address, deposed.as_deref(), object);
            }
            Change::Depose { address, key } => {
                self.deposed_key(address, key);
                self.data_source(address, true);
            }
            Change::Move(moves) => moves.iter().for_each(|(_, to)| self.address(to)),
            Change::Outputs(outputs) => {
                for (name, output) in outputs {
                    self.output(name, output);
                }
            }
            Change::Remove { .. } | Change::Forget { .. } | Change::Restore { .. } => {}
        }
    }
}
