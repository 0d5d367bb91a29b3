//! The journal's bytes: records, one JSON line each, with length and checksum in front.
//!
//! ```text
//! 0000005a 3f1c22e0 {"format":"mlinfra journal","version":1,"lineage":"…","serial":3}
//! 000001b3 90ab12fe {"intent":{…}}
//! ```
//!
//! The length is that of the JSON. The checksum is CRC-32 over all JSON of the journal up to the
//! end of this record, so that a record that is missing or moved is noticed, too. The header
//! appears together with the file; records are appended. A kill may therefore leave a last record
//! that is cut, which does not count, and nothing else. Everything else is damage.

use serde::{Deserialize, Serialize};

use super::wire::{Malformed, Reader, RecordJson};
use super::{Damage, Record};

const VERSION: u32 = 1;
const FORMAT: &str = "mlinfra journal";
/// Two words of 8 hex digits, each with a space.
const FRONT: usize = 18;

/// Which snapshot a journal extends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// The snapshot's lineage, or the one it will have.
    pub lineage: String,
    /// The snapshot's serial; 0 when there is none yet.
    pub serial: u64,
}

#[derive(Serialize, Deserialize)]
struct HeaderJson {
    format: String,
    version: u32,
    #[serde(flatten)]
    rest: Option<HeaderRest>,
}

#[derive(Serialize, Deserialize)]
struct HeaderRest {
    lineage: String,
    serial: u64,
}

/// What a journal says.
#[derive(Debug)]
pub(super) struct Journal {
    pub header: Header,
    pub records: Vec<Record>,
    /// What stands behind the good records, unless it is a last record that was cut.
    pub damage: Option<Damage>,
}

/// The JSON of a record.
pub(super) fn encode(record: &Record) -> Result<Vec<u8>, Malformed> {
    let json =
        serde_json::to_vec(&RecordJson::of(record)?).map_err(|e| Malformed(e.to_string()))?;
    match u32::try_from(json.len()) {
        Ok(_) => Ok(json),
        Err(_) => Err(Malformed("a change is larger than 4 GiB".into())),
    }
}

/// Writes lines; knows the checksum so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framer {
    checksum: u32,
}

impl Framer {
    /// The line of a journal's header.
    pub fn header(&mut self, header: &Header, into: &mut Vec<u8>) -> Result<(), Malformed> {
        let json = HeaderJson {
            format: FORMAT.to_owned(),
            version: VERSION,
            rest: Some(HeaderRest {
                lineage: header.lineage.clone(),
                serial: header.serial,
            }),
        };
        let json = serde_json::to_vec(&json).map_err(|e| Malformed(e.to_string()))?;
        self.line(&json, into);
        Ok(())
    }

    /// The line of a record's JSON.
    pub fn line(&mut self, json: &[u8], into: &mut Vec<u8>) {
        self.checksum = extend(self.checksum, json);
        into.extend_from_slice(format!("{:08x} {:08x} ", json.len(), self.checksum).as_bytes());
        into.extend_from_slice(json);
        into.push(b'\n');
    }
}

fn extend(checksum: u32, json: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(checksum);
    hasher.update(json);
    hasher.finalize()
}

/// Reads a journal as far as it is good.
///
/// # Errors
/// When not even its header is: it appeared together with the file, so it was not cut by a kill.
pub(super) fn read(bytes: &[u8]) -> Result<Journal, Damage> {
    if bytes.is_empty() {
        return Err(Damage::Empty);
    }
    let mut lines = Lines {
        bytes,
        offset: 0,
        checksum: 0,
    };
    let header = match lines.next_line()? {
        Some(json) => header(json)?,
        None => return Err(record_damage(0, "its header is cut")),
    };
    let mut journal = Journal {
        header,
        records: Vec::new(),
        damage: None,
    };
    let mut reader = Reader::default();
    loop {
        let offset = lines.offset;
        let record = match lines.next_line() {
            Ok(None) => break,
            Ok(Some(json)) => record(json, &mut reader).map_err(|e| record_damage(offset, e.0)),
            Err(damage) => Err(damage),
        };
        match record {
            Ok(record) => journal.records.push(record),
            Err(damage) => {
                journal.damage = Some(damage);
                break;
            }
        }
    }
    Ok(journal)
}

fn header(json: &str) -> Result<Header, Damage> {
    let header: HeaderJson = serde_json::from_str(json).map_err(|_| Damage::Foreign)?;
    match header.rest {
        _ if header.format != FORMAT => Err(Damage::Foreign),
        _ if header.version != VERSION => Err(Damage::Version {
            found: header.version,
            known: VERSION,
        }),
        Some(HeaderRest { lineage, serial }) => Ok(Header { lineage, serial }),
        None => Err(record_damage(0, "its header names no lineage and serial")),
    }
}

fn record(json: &str, reader: &mut Reader) -> Result<Record, Malformed> {
    let json: RecordJson<'_> = serde_json::from_str(json).map_err(|e| Malformed(e.to_string()))?;
    reader.record(json)
}

fn record_damage(offset: usize, reason: impl Into<String>) -> Damage {
    Damage::Record {
        offset,
        reason: reason.into(),
    }
}

struct Lines<'b> {
    bytes: &'b [u8],
    offset: usize,
    checksum: u32,
}

impl<'b> Lines<'b> {
    /// The JSON of the next line; `None` at the end and at a last line that was cut.
    fn next_line(&mut self) -> Result<Option<&'b str>, Damage> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        if is_cut(rest) {
            return Ok(None);
        }
        let fail = |reason: &str| record_damage(self.offset, reason);
        let (length, checksum) = front(rest).ok_or_else(|| fail("its front is not readable"))?;
        let json = rest
            .get(FRONT..)
            .and_then(|r| r.get(..length))
            .filter(|json| rest.get(FRONT + json.len()) == Some(&b'\n'))
            .ok_or_else(|| fail("its length is wrong"))?;
        let expected = extend(self.checksum, json);
        if checksum != expected {
            return Err(fail("its checksum is wrong"));
        }
        let json = std::str::from_utf8(json).map_err(|_| fail("it is not text"))?;
        self.checksum = expected;
        self.offset += FRONT + length + 1;
        Ok(Some(json))
    }
}

/// Whether this is nothing, or the beginning of a line whose end was never written. A file system
/// may have made the file longer before it wrote the bytes: those read as zeros.
fn is_cut(rest: &[u8]) -> bool {
    let end = rest.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
    let written = rest.get(..end).unwrap_or(rest);
    if written.contains(&b'\n') {
        return false;
    }
    match front(written) {
        Some((length, _)) => written.len() <= FRONT + length,
        None => written.len() < FRONT && written.iter().enumerate().all(|(i, b)| fits(i, *b)),
    }
}

/// Whether a byte may stand at this place of a line's front.
fn fits(i: usize, byte: u8) -> bool {
    match i {
        8 | 17 => byte == b' ',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    }
}

/// Length and checksum.
fn front(line: &[u8]) -> Option<(usize, u32)> {
    let front = line.get(..FRONT)?;
    if !front.iter().enumerate().all(|(i, b)| fits(i, *b)) {
        return None;
    }
    let front = std::str::from_utf8(front).ok()?;
    let length = u32::from_str_radix(front.get(..8)?, 16).ok()?;
    let checksum = u32::from_str_radix(front.get(9..17)?, 16).ok()?;
    Some((usize::try_from(length).ok()?, checksum))
}
