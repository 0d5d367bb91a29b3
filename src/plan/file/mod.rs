//! A saved plan: bytes <-> everything that doing the plan needs, and what it was made from.
//!
//! The file is one JSON object, a change a line, closed by a seal like a state:
//!
//! ```json
//! {"format":"mlinfra plan","version":1,"program":"0.1.0",
//! "timestamp":"…","configuration":"<digest>","options":{…},
//! "variables":{…},"ephemeral":["token"],"outputs":{…},"checks":[…],"deferred":[…],
//! "changes":[
//! {"address":"local_file.x","action":"create",…}
//! ],
//! "drift":[
//! ],
//! "moves":[…],"refreshed":{…},"imported":{…},
//! "data":{…},
//! "state":{…},
//! "sha256":"…"}
//! ```
//!
//! What is sensitive is in it, so it belongs to its owner alone; what is ephemeral never is. Nothing
//! is known here of files.

#[cfg(test)]
mod tests;
mod value;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mlinfra_sdk::Schema;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::{Bookkeeping, Options, Plan};
use crate::addr::{Resource, ResourceInstance};
use crate::state::seal::{self, Broken};
use crate::state::{self, Object, ObjectJson, ProviderRef, Snapshot};
use wire::{ChangeJson, CheckJson, OptionsJson, OutputJson, ValuesJson};

pub use value::Misread;

/// The version that is written; no other is read, for a plan is soon out of date.
pub const VERSION: u32 = 1;
const FORMAT: &str = "mlinfra plan";
/// The version of the program; a plan is done by the one that made it.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// A plan with what it was made from.
#[derive(Clone, Debug)]
pub struct SavedPlan {
    /// When it was made.
    pub timestamp: jiff::Timestamp,
    /// The digest of the configuration's text.
    pub configuration: String,
    /// What it was asked for.
    pub options: Options,
    /// Ephemeral variables that had a value, which must be given again.
    pub ephemeral: BTreeSet<Arc<str>>,
    /// The plan; ephemeral variables are not among its variables.
    pub plan: Plan,
    /// What is recorded before anything is done.
    pub bookkeeping: Bookkeeping,
    /// What data sources answered.
    pub data: BTreeMap<ResourceInstance, mlinfra_sdk::Value>,
    /// The state it was made from.
    pub prior: Arc<Snapshot>,
}

/// A file is not a plan that can be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Damage {
    /// It is something else.
    #[error("the file is not a saved plan")]
    Foreign,
    /// It ends too early.
    #[error("the file ends before its seal")]
    Cut,
    /// Its bytes are not those that were written.
    #[error("the file does not match its seal: its bytes were changed after they were written")]
    Changed,
    /// It has another format.
    #[error("the file has format version {found}, and this program knows version {VERSION}")]
    Version {
        /// The file's version.
        found: u32,
    },
    /// Another version of the program made it.
    #[error("the plan was made by version {found} of the program, and this is version {PROGRAM}")]
    Program {
        /// That version.
        found: String,
    },
    /// It is whole, and yet does not say what it should.
    #[error("{0}")]
    Contents(String),
}

impl Damage {
    fn contents(error: impl ToString) -> Damage {
        Damage::Contents(error.to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileJson<'a> {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u32,
    #[serde(rename = "program")]
    _program: String,
    timestamp: jiff::Timestamp,
    configuration: String,
    options: OptionsJson,
    variables: ValuesJson,
    ephemeral: BTreeSet<Arc<str>>,
    outputs: BTreeMap<Arc<str>, OutputJson>,
    checks: Vec<CheckJson>,
    deferred: Vec<(String, String)>,
    changes: Vec<ChangeJson>,
    drift: Vec<ChangeJson>,
    moves: Vec<(String, String)>,
    refreshed: BTreeMap<String, Option<Box<RawValue>>>,
    imported: BTreeMap<String, (String, Box<RawValue>)>,
    data: ValuesJson,
    #[serde(borrow)]
    state: &'a RawValue,
    #[serde(rename = "sha256")]
    _seal: String,
}

/// A saved plan as bytes.
///
/// # Errors
/// When it holds what must not be written: an ephemeral value.
pub fn encode(saved: &SavedPlan) -> Result<Vec<u8>, Misread> {
    let plan = &saved.plan;
    let bookkeeping = &saved.bookkeeping;
    let moves = bookkeeping.moves.iter();
    let moves: Vec<_> = moves.map(|(a, b)| (a.to_string(), b.to_string())).collect();
    let mut refreshed = BTreeMap::new();
    for (address, found) in &bookkeeping.refreshed {
        let found = found.as_deref().map(object).transpose()?;
        refreshed.insert(address.to_string(), found);
    }
    let mut imported = BTreeMap::new();
    for (address, (provider, found)) in &bookkeeping.imported {
        imported.insert(address.to_string(), (provider.to_string(), object(found)?));
    }
    let mut outputs = BTreeMap::new();
    for (name, output) in &plan.outputs {
        outputs.insert(name, OutputJson::of(output)?);
    }
    let changes = |changes: &[super::ResourceChange]| {
        let changes = changes.iter().map(ChangeJson::of);
        changes.collect::<Result<Vec<_>, _>>()
    };
    let state = state::encode(&saved.prior).map_err(|e| Misread(e.to_string()))?;
    let state: &RawValue = serde_json::from_slice(&state)?;
    let checks: Vec<CheckJson> = plan.checks.iter().map(CheckJson::of).collect();

    let mut text = Writer(Vec::new());
    text.raw("{");
    text.member("format", &FORMAT)?;
    text.member("version", &VERSION)?;
    text.member("program", &PROGRAM)?;
    text.raw("\n");
    text.member("timestamp", &saved.timestamp)?;
    text.member("configuration", &saved.configuration)?;
    text.member("options", &OptionsJson::of(&saved.options))?;
    text.raw("\n");
    text.member("variables", &ValuesJson::of(&plan.variables)?)?;
    text.member("ephemeral", &saved.ephemeral)?;
    text.member("outputs", &outputs)?;
    text.member("checks", &checks)?;
    text.member("deferred", &plan.deferred)?;
    text.raw("\n");
    text.lines("changes", &changes(&plan.changes)?)?;
    text.lines("drift", &changes(&plan.drift)?)?;
    text.member("moves", &moves)?;
    text.member("refreshed", &refreshed)?;
    text.member("imported", &imported)?;
    text.raw("\n");
    text.member("data", &ValuesJson::of(&saved.data)?)?;
    text.raw("\n");
    text.member("state", state)?;
    text.raw("\n");
    seal::seal(&mut text.0);
    Ok(text.0)
}

fn object(object: &Object) -> Result<Box<RawValue>, Misread> {
    let json = ObjectJson::of(object).map_err(|e| Misread(e.to_string()))?;
    Ok(to_raw_value(&json)?)
}

struct Writer(Vec<u8>);

impl Writer {
    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Misread> {
        self.raw(&format!("\"{name}\":"));
        serde_json::to_writer(&mut self.0, value)?;
        self.raw(",");
        Ok(())
    }

    fn lines(&mut self, name: &str, values: &[impl Serialize]) -> Result<(), Misread> {
        self.raw(&format!("\"{name}\":["));
        for (i, value) in values.iter().enumerate() {
            self.raw(if i == 0 { "\n" } else { ",\n" });
            serde_json::to_writer(&mut self.0, value)?;
        }
        self.raw("\n],\n");
        Ok(())
    }
}

/// What the first line tells, whatever follows.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
    program: String,
}

/// Finds the schema of a provider's type, or says why there is none.
pub type Schemas<'s> = &'s dyn Fn(&str, &Resource) -> Result<Arc<Schema>, String>;

/// The plan that the bytes are.
///
/// # Errors
/// When they are something else, cut, changed, of another version, or when a provider does not
/// have a type any more.
pub fn decode(bytes: &[u8], schema: Schemas<'_>) -> Result<SavedPlan, Damage> {
    head(bytes)?;
    let bytes = seal::unsealed(bytes).map_err(|broken| match broken {
        Broken::Cut => Damage::Cut,
        Broken::Changed => Damage::Changed,
    })?;
    let text = std::str::from_utf8(bytes).map_err(Damage::contents)?;
    let json: FileJson<'_> = serde_json::from_str(text).map_err(Damage::contents)?;
    let schemas = |provider: &str, resource: &Resource| schema(provider, resource).map_err(Misread);
    read(json, &schemas).map_err(Damage::contents)
}

/// Tells foreign files from damaged ones, and those of other versions from both.
fn head(bytes: &[u8]) -> Result<(), Damage> {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or(bytes);
    // The first line is an object that goes on: closed, it can be read by itself.
    let mut line = line.strip_suffix(b",").unwrap_or(line).to_vec();
    line.push(b'}');
    match serde_json::from_slice::<Head>(&line) {
        Ok(head) if head.format != FORMAT => Err(Damage::Foreign),
        Ok(head) if head.version != VERSION => Err(Damage::Version {
            found: head.version,
        }),
        Ok(head) if head.program != PROGRAM => Err(Damage::Program {
            found: head.program,
        }),
        Ok(_) => Ok(()),
        Err(_) if bytes.starts_with(b"{\"format\":\"mlinfra plan\"") => Err(Damage::Cut),
        Err(_) => Err(Damage::Foreign),
    }
}

fn read(json: FileJson<'_>, schemas: wire::Schemas<'_>) -> Result<SavedPlan, Misread> {
    let mut reader = state::Reader::default();
    let mut object = |address: &str, json: Box<RawValue>| {
        let object: ObjectJson<'_> = serde_json::from_str(json.get())?;
        let object = reader.object(object);
        object.map_err(|e| Misread(format!("{address}: {e}")))
    };
    let mut bookkeeping = Bookkeeping::default();
    for (old, new) in json.moves {
        let pair = (wire::address(&old)?, wire::address(&new)?);
        bookkeeping.moves.push(pair);
    }
    for (text, json) in json.refreshed {
        let found = json.map(|json| object(&text, json)).transpose()?;
        bookkeeping.refreshed.insert(wire::address(&text)?, found);
    }
    for (text, (provider, json)) in json.imported {
        let provider: ProviderRef = provider
            .parse()
            .map_err(|e| Misread(format!("{text}: {e}")))?;
        let found = (provider, object(&text, json)?);
        bookkeeping.imported.insert(wire::address(&text)?, found);
    }
    let changes = |changes: Vec<ChangeJson>| {
        let changes = changes.into_iter().map(|c| c.read(schemas));
        changes.collect::<Result<Vec<_>, _>>()
    };
    let options = json.options.read()?;
    let outputs = json.outputs.into_iter();
    let outputs = outputs.map(|(name, output)| Ok((name, output.read()?)));
    let checks = json.checks.into_iter().map(CheckJson::read);
    let plan = Plan {
        mode: options.mode,
        changes: changes(json.changes)?,
        drift: changes(json.drift)?,
        outputs: outputs.collect::<Result<_, Misread>>()?,
        checks: checks.collect::<Result<_, _>>()?,
        variables: json.variables.read(|name| Ok(name.into()))?,
        deferred: json.deferred,
    };
    // A state file ends with its line.
    let state = format!("{}\n", json.state.get());
    let prior = state::decode(state.as_bytes()).map_err(|e| Misread(e.to_string()))?;
    Ok(SavedPlan {
        timestamp: json.timestamp,
        configuration: json.configuration,
        options,
        ephemeral: json.ephemeral,
        plan,
        bookkeeping,
        data: json.data.read(wire::address)?,
        prior: Arc::new(prior),
    })
}
