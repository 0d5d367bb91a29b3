//! Records as bytes: JSON with a schema word, so that no file is taken for what it is not.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A kind of record: its schema is written `<kind>/<revision>`.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The kind, such as `version`.
    const KIND: &'static str;
    /// The newest revision of its schema.
    const REVISION: u32 = 1;
}

#[derive(Serialize)]
struct Written<'a, T> {
    schema: String,
    #[serde(flatten)]
    record: &'a T,
}

#[derive(Deserialize)]
struct Header {
    schema: String,
}

/// The bytes of a record.
pub(crate) fn encode<T: Record>(object: &str, record: &T) -> Result<Vec<u8>, Error> {
    let written = Written {
        schema: format!("{}/{}", T::KIND, T::REVISION),
        record,
    };
    let mut bytes = serde_json::to_vec_pretty(&written).map_err(|e| Error::Damaged {
        object: object.to_owned(),
        reason: format!("it cannot be written as JSON: {e}"),
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a record back; `object` names it in errors. Truncated bytes never parse: the closing brace comes last.
pub(crate) fn decode<T: Record>(object: &str, bytes: &[u8]) -> Result<T, Error> {
    let damaged = |reason: String| Error::Damaged {
        object: object.to_owned(),
        reason,
    };
    if bytes.is_empty() {
        return Err(damaged("it is empty".into()));
    }
    let header: Header = serde_json::from_slice(bytes).map_err(|e| damaged(e.to_string()))?;
    let (kind, revision) = header
        .schema
        .split_once('/')
        .and_then(|(kind, revision)| Some((kind, revision.parse::<u32>().ok()?)))
        .ok_or_else(|| damaged(format!("`{}` is no schema", header.schema)))?;
    if kind != T::KIND {
        return Err(damaged(format!(
            "it is a `{kind}` record where a `{}` record belongs",
            T::KIND
        )));
    }
    if revision > T::REVISION {
        let known = format!("{}/{}", T::KIND, T::REVISION);
        return Err(Error::NewerFormat {
            object: object.to_owned(),
            found: header.schema,
            known,
        });
    }
    serde_json::from_slice(bytes).map_err(|e| damaged(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note {
        text: String,
    }

    impl Record for Note {
        const KIND: &'static str = "note";
        const REVISION: u32 = 2;
    }

    fn decode_note(bytes: &[u8]) -> Result<Note, Error> {
        decode("notes/1", bytes)
    }

    #[test]
    fn a_record_cut_anywhere_is_damaged() {
        let note = Note {
            text: "hello {}".into(),
        };
        let bytes = encode("notes/1", &note).unwrap();
        assert_eq!(decode_note(&bytes).unwrap(), note);
        for cut in 0..bytes.len() - 1 {
            assert!(
                matches!(decode_note(&bytes[..cut]), Err(Error::Damaged { .. })),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn schema_words_are_heeded() {
        assert!(decode_note(br#"{"schema":"note/1","text":"x"}"#).is_ok());
        assert!(matches!(
            decode_note(br#"{"schema":"note/3","text":"x"}"#),
            Err(Error::NewerFormat { .. })
        ));
        for wrong in [
            r#"{"text":"x"}"#,
            r#"{"schema":"note","text":"x"}"#,
            r#"{"schema":"alias/1","text":"x"}"#,
            "null",
        ] {
            assert!(
                matches!(decode_note(wrong.as_bytes()), Err(Error::Damaged { .. })),
                "{wrong}"
            );
        }
    }
}
