//! Bytes <-> snapshot. Whoever encrypts wraps these bytes.
//!
//! The file is one JSON object, a resource a line. Its last member is the SHA-256 of everything
//! before it, so that a file that was cut or changed is never taken for another state:
//!
//! ```json
//! {"format":"mlinfra state","version":1,"lineage":"…","serial":3,
//! "outputs":{},
//! "resources":[
//! {"address":"local_file.x","provider":"provider[\"local\"]","current":{…}}
//! ],
//! "intents":[
//! ],
//! "sha256":"…"}
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::seal::{self, Broken};
use super::wire::{InstanceJson, IntentJson, Malformed, OutputJson, Reader};
use super::{Damage, Snapshot};

/// The version that is written. Older ones are upgraded when they are read, newer ones refused.
pub const VERSION: u32 = 1;

const FORMAT: &str = "mlinfra state";

/// A snapshot as bytes.
///
/// # Errors
/// When it holds what has no JSON form; see [`super::laws`].
pub fn encode(snapshot: &Snapshot) -> Result<Vec<u8>, Malformed> {
    let mut outputs = BTreeMap::new();
    for (name, output) in &snapshot.outputs {
        outputs.insert(name, OutputJson::of(output)?);
    }
    let mut text = Writer(Vec::with_capacity(1024 * (1 + snapshot.resources.len())));
    text.raw("{\"format\":");
    text.json(&FORMAT)?;
    text.raw(",\"version\":");
    text.json(&VERSION)?;
    text.raw(",\"lineage\":");
    text.json(&snapshot.lineage)?;
    text.raw(",\"serial\":");
    text.json(&snapshot.serial)?;
    text.raw(",\n\"outputs\":");
    text.json(&outputs)?;
    text.raw(",\n\"resources\":[");
    let instances = snapshot.resources.iter();
    text.lines(instances.map(|(address, instance)| InstanceJson::of(address, instance)))?;
    text.raw("],\n\"intents\":[");
    text.lines(
        snapshot
            .intents
            .values()
            .map(|intent| IntentJson::of(intent)),
    )?;
    text.raw("],\n");
    seal::seal(&mut text.0);
    Ok(text.0)
}

struct Writer(Vec<u8>);

impl Writer {
    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn json(&mut self, value: &impl Serialize) -> Result<(), Malformed> {
        serde_json::to_writer(&mut self.0, value).map_err(|e| Malformed(e.to_string()))
    }

    fn lines<T: Serialize>(
        &mut self,
        values: impl Iterator<Item = Result<T, Malformed>>,
    ) -> Result<(), Malformed> {
        for (i, value) in values.enumerate() {
            self.raw(if i == 0 { "\n" } else { ",\n" });
            self.json(&value?)?;
        }
        self.raw("\n");
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotJson<'a> {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u32,
    lineage: String,
    serial: u64,
    outputs: BTreeMap<Arc<str>, OutputJson>,
    #[serde(borrow)]
    resources: Vec<InstanceJson<'a>>,
    #[serde(borrow)]
    intents: Vec<IntentJson<'a>>,
    #[serde(rename = "sha256")]
    _seal: String,
}

/// What the first line of a file tells, whatever follows.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// The snapshot that the bytes are.
///
/// # Errors
/// When they are cut, changed, of a newer version, or something else altogether. An empty file is
/// one that was cut.
pub fn decode(bytes: &[u8]) -> Result<Snapshot, Damage> {
    match version(bytes)? {
        VERSION => {}
        found => {
            return Err(Damage::Version {
                found,
                known: VERSION,
            });
        }
    }
    let text = unsealed(bytes)?;
    let json: SnapshotJson<'_> = serde_json::from_str(text).map_err(Damage::contents)?;
    let mut reader = Reader::default();
    let mut snapshot = Snapshot {
        lineage: json.lineage,
        serial: json.serial,
        ..Snapshot::default()
    };
    for (name, output) in json.outputs {
        snapshot
            .outputs
            .insert(name, output.read().map_err(Damage::contents)?);
    }
    for json in json.resources {
        let (address, instance) = reader.instance(json).map_err(Damage::contents)?;
        if let Some(_twice) = snapshot.resources.insert(address.clone(), instance) {
            return Err(Damage::contents(format!("{address} is there twice")));
        }
    }
    for json in json.intents {
        let intent = reader.intent(json).map_err(Damage::contents)?;
        let token = intent.token.clone();
        if let Some(_twice) = snapshot.intents.insert(token.clone(), intent) {
            return Err(Damage::contents(format!(
                "operation {token} is there twice"
            )));
        }
    }
    Ok(snapshot)
}

/// The version of the format; tells foreign files from damaged ones.
fn version(bytes: &[u8]) -> Result<u32, Damage> {
    if bytes.is_empty() {
        return Err(Damage::Empty);
    }
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or(bytes);
    // The first line is an object that goes on: closed, it can be read by itself.
    let mut head = line.strip_suffix(b",").unwrap_or(line).to_vec();
    head.push(b'}');
    match serde_json::from_slice::<Head>(&head) {
        Ok(head) if head.format == FORMAT => Ok(head.version),
        _ if bytes.starts_with(b"{\"format\":\"mlinfra") => Err(Damage::Cut),
        _ if is_terraform(bytes) => Err(Damage::Terraform),
        _ => Err(Damage::Foreign),
    }
}

fn is_terraform(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(512)).unwrap_or(bytes);
    String::from_utf8_lossy(head).contains("\"terraform_version\"")
}

/// The text, after its seal was found whole.
fn unsealed(bytes: &[u8]) -> Result<&str, Damage> {
    let bytes = seal::unsealed(bytes).map_err(|broken| match broken {
        Broken::Cut => Damage::Cut,
        Broken::Changed => Damage::Changed,
    })?;
    std::str::from_utf8(bytes).map_err(Damage::contents)
}
