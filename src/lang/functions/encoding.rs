//! Encodings of text: base64, percent signs, other character sets.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use flate2::{Compress, Compression, Crc, FlushCompress};
use mlinfra_sdk::Value;

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};

const STR: Parameter = Parameter::new("str", Kind::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "base64decode",
        "The text that base64 stands for.",
        &[STR],
        Returns::Text,
        base64_decode,
    ),
    Function::new(
        "base64encode",
        "The bytes of a text as base64.",
        &[STR],
        Returns::Text,
        |a| Ok(Value::from(STANDARD.encode(a.text(0)))),
    ),
    Function::new(
        "base64gzip",
        "The bytes of a text, compressed with gzip, as base64.",
        &[STR],
        Returns::Text,
        |a| {
            let packed = gzip(a.text(0).as_bytes())
                .map_err(|e| CallError::new(format!("failed to compress: {e}")))?;
            Ok(Value::from(STANDARD.encode(packed)))
        },
    ),
    Function::new(
        "textdecodebase64",
        "The text that base64 of its bytes in another encoding stands for.",
        &[
            Parameter::new("source", Kind::Text),
            Parameter::new("encoding", Kind::Text),
        ],
        Returns::Text,
        text_decode,
    ),
    Function::new(
        "textencodebase64",
        "The bytes of a text in another encoding as base64.",
        &[
            Parameter::new("string", Kind::Text),
            Parameter::new("encoding", Kind::Text),
        ],
        Returns::Text,
        text_encode,
    ),
    Function::new(
        "urlencode",
        "The text with percent signs for what may not stand in a URL.",
        &[STR],
        Returns::Text,
        |a| Ok(Value::from(url_encode(a.text(0)))),
    ),
];

fn base64_decode(a: &Arguments<'_>) -> Result<Value, CallError> {
    let bytes = STANDARD
        .decode(without_breaks(a.text(0)))
        .map_err(|_| CallError::new(format!("failed to decode base64 data {}", a.told(0))))?;
    String::from_utf8(bytes).map(Value::from).map_err(|_| {
        CallError::new("the result of decoding the provided string is not valid UTF-8")
    })
}

/// Line breaks may stand anywhere in base64.
fn without_breaks(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect()
}

/// The gzip format, with a flush before the end: some compare the result with what other
/// programs of this field make.
fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];
    let mut out = HEADER.to_vec();
    let mut packed = Vec::with_capacity(bytes.len() + 64);
    if bytes.is_empty() {
        packed.extend([0, 0, 0, 0xff, 0xff]);
    } else {
        let mut compress = Compress::new(Compression::default(), false);
        loop {
            let read = usize::try_from(compress.total_in()).unwrap_or(bytes.len());
            let rest = bytes.get(read..).unwrap_or_default();
            packed.reserve(rest.len() / 2 + 64);
            let before = compress.total_out();
            compress.compress_vec(rest, &mut packed, FlushCompress::Sync)?;
            let all_read = compress.total_in() >= bytes.len() as u64;
            let room_left = packed.len() < packed.capacity();
            if all_read && (room_left || compress.total_out() == before) {
                break;
            }
        }
    }
    out.write_all(&packed)?;
    out.write_all(&LAST_BLOCK)?;
    let mut crc = Crc::new();
    crc.update(bytes);
    out.write_all(&crc.sum().to_le_bytes())?;
    // The length counts modulo 2^32.
    out.write_all(&(bytes.len() as u32).to_le_bytes())?;
    Ok(out)
}

/// A character set.
enum CharacterSet {
    /// The big-endian form is written with a byte order mark.
    Utf16,
    Other(&'static Encoding),
    /// The first 256 characters of Unicode.
    Latin1,
}

fn character_set(a: &Arguments<'_>) -> Result<CharacterSet, CallError> {
    let name = a.text(1);
    let found = match name.to_ascii_lowercase().as_str() {
        "utf-16" => Some(CharacterSet::Utf16),
        "iso-8859-1" | "latin1" | "l1" | "iso_8859-1" | "iso_8859-1:1987" => {
            Some(CharacterSet::Latin1)
        }
        // Names that browsers know and the register of names does not.
        "utf8" | "unicode-1-1-utf-8" | "x-sjis" | "cp1252" | "x-cp1252" => None,
        name => Encoding::for_label(name.as_bytes()).map(CharacterSet::Other),
    };
    found.ok_or_else(|| {
        CallError::argument(
            1,
            format!(
                "{} is not a supported IANA encoding name or alias in this Terraform version",
                a.told(1)
            ),
        )
    })
}

impl CharacterSet {
    fn name(&self) -> &'static str {
        match self {
            CharacterSet::Utf16 => "UTF-16",
            CharacterSet::Latin1 => "ISO_8859-1:1987",
            CharacterSet::Other(encoding) => encoding.name(),
        }
    }

    fn encode(&self, text: &str) -> Option<Vec<u8>> {
        match self {
            CharacterSet::Utf16 => {
                let units = std::iter::once(0xfeff).chain(text.encode_utf16());
                Some(units.flat_map(u16::to_be_bytes).collect())
            }
            CharacterSet::Latin1 => text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).ok())
                .collect(),
            // The library decodes these two, but encodes only to UTF-8.
            CharacterSet::Other(e) if *e == UTF_16LE => {
                Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect())
            }
            CharacterSet::Other(e) if *e == UTF_16BE => {
                Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect())
            }
            CharacterSet::Other(encoding) => {
                let (bytes, _, replaced) = encoding.encode(text);
                (!replaced).then(|| bytes.into_owned())
            }
        }
    }

    fn decode(&self, bytes: &[u8]) -> Option<String> {
        match self {
            CharacterSet::Latin1 => Some(bytes.iter().map(|b| char::from(*b)).collect()),
            CharacterSet::Utf16 => {
                let (encoding, rest) = match bytes {
                    [0xff, 0xfe, rest @ ..] => (UTF_16LE, rest),
                    [0xfe, 0xff, rest @ ..] => (UTF_16BE, rest),
                    _ => (UTF_16BE, bytes),
                };
                encoding
                    .decode_without_bom_handling_and_without_replacement(rest)
                    .map(|text| text.into_owned())
            }
            CharacterSet::Other(encoding) => encoding
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(|text| text.into_owned()),
        }
    }
}

fn text_decode(a: &Arguments<'_>) -> Result<Value, CallError> {
    let set = character_set(a)?;
    let bytes = STANDARD
        .decode(without_breaks(a.text(0)))
        .map_err(|error| {
            let what = match error {
                base64::DecodeError::InvalidByte(at, _)
                | base64::DecodeError::InvalidLastSymbol { offset: at, .. } => {
                    format!("has an invalid base64 symbol at offset {at}")
                }
                _ => "has an invalid base64 symbol at offset 0".to_owned(),
            };
            CallError::argument(0, format!("the given value is {what}"))
        })?;
    set.decode(&bytes).map(Value::from).ok_or_else(|| {
        CallError::argument(
            0,
            format!(
                "the given string contains symbols that are not defined for {}",
                set.name()
            ),
        )
    })
}

fn text_encode(a: &Arguments<'_>) -> Result<Value, CallError> {
    let set = character_set(a)?;
    let bytes = set.encode(a.text(0)).ok_or_else(|| {
        CallError::argument(
            0,
            format!(
                "the given string contains characters that cannot be represented in {}",
                set.name()
            ),
        )
    })?;
    Ok(Value::from(STANDARD.encode(bytes)))
}

fn url_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(b));
            }
            b' ' => out.push('+'),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
