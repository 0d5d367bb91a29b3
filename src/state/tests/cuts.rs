//! Files that are cut or changed at any place: never taken for another state.

use std::sync::Arc;

use proptest::prelude::*;

use super::samples::*;
use crate::state::journal::{self, Framer, Header};
use crate::state::load::{self, Failed};
use crate::state::{
    Change, Damage, Outcome, OutputValue, Record, Snapshot, Stored, decode, encode,
};

#[test]
fn a_snapshot_survives_its_bytes() {
    let snapshot = snapshot();
    assert_eq!(decode(&encode(&snapshot).unwrap()).unwrap(), snapshot);
    let empty = Snapshot::default();
    assert_eq!(decode(&encode(&empty).unwrap()).unwrap(), empty);
}

#[test]
fn a_snapshot_is_json_with_a_resource_a_line() {
    let bytes = encode(&snapshot()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["serial"], 7);
    let text = String::from_utf8(bytes).unwrap();
    let lines = text
        .lines()
        .filter(|l| l.starts_with("{\"address\":\"local_file.a\""));
    assert_eq!(lines.count(), 1);
}

#[test]
fn a_snapshot_that_is_cut_anywhere_is_an_error() {
    let bytes = encode(&snapshot()).unwrap();
    for end in 0..bytes.len() {
        let damage = decode(&bytes[..end]).unwrap_err();
        assert_eq!(end == 0, damage == Damage::Empty, "cut at {end}: {damage}");
    }
}

#[test]
fn a_snapshot_with_any_bit_flipped_is_an_error() {
    let mut bytes = encode(&snapshot()).unwrap();
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&bytes).is_err(), "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn foreign_files_and_newer_versions_are_told_apart() {
    let bytes = encode(&snapshot()).unwrap();
    let newer = String::from_utf8(bytes)
        .unwrap()
        .replacen("\"version\":1", "\"version\":2", 1);
    let (found, known) = (2, 1);
    assert_eq!(
        decode(newer.as_bytes()),
        Err(Damage::Version { found, known })
    );
    let terraform = br#"{"version": 4, "terraform_version": "1.11.0", "serial": 1}"#;
    assert_eq!(decode(terraform), Err(Damage::Terraform));
    assert_eq!(decode(b"hello"), Err(Damage::Foreign));
    assert_eq!(decode(b""), Err(Damage::Empty));
    assert_eq!(decode(&[0; 4096]), Err(Damage::Foreign));
}

/// Records that fit one after the other, and the state after each of them.
fn history(choices: &[(u8, u8)]) -> (Vec<Record>, Vec<Snapshot>) {
    let mut now = Snapshot {
        lineage: "l".into(),
        ..Snapshot::default()
    };
    let mut states = vec![now.clone()];
    let mut records = Vec::new();
    for (what, which) in choices {
        let text = format!("local_file.x[{}]", which % 4);
        let oldest = now.intents.keys().next().cloned();
        let to = address(&format!("local_file.x[{}]", which.wrapping_add(1) % 4));
        let record = match (what % 8, oldest) {
            (0 | 1, _) => Record::Intent(Arc::new(create(&text))),
            (2, Some(token)) => Record::Done {
                token,
                outcome: Outcome::Is(object(&format!("made {which}"))),
            },
            (3, Some(token)) => Record::Done {
                token,
                outcome: Outcome::Gone,
            },
            (4, _) => Record::Changed(vec![Change::Depose {
                address: address(&text),
                key: format!("{which:08x}").into(),
            }]),
            (5, _) => Record::Changed(vec![Change::Move(vec![(address(&text), to)])]),
            (6, _) => Record::Changed(vec![
                Change::Forget {
                    address: address(&text),
                },
                Change::Outputs(
                    [("o".into(), OutputValue::new((*which as i64).into(), false))].into(),
                ),
            ]),
            _ => Record::Changed(vec![Change::Put {
                address: address(&text),
                deposed: None,
                provider: provider(),
                object: object(&format!("put {which}")),
            }]),
        };
        let before = now.clone();
        if now.apply(&record).is_err() {
            assert_eq!(now, before, "a record that does not fit changes nothing");
            continue;
        }
        records.push(record);
        states.push(now.clone());
    }
    (records, states)
}

/// A journal, and where each record ends.
fn journal(records: &[Record]) -> (Vec<u8>, Vec<usize>) {
    let mut framer = Framer::default();
    let mut bytes = Vec::new();
    let header = Header {
        lineage: "l".into(),
        serial: 0,
    };
    framer.header(&header, &mut bytes).unwrap();
    let mut ends = vec![bytes.len()];
    for record in records {
        framer.line(&journal::encode(record).unwrap(), &mut bytes);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

fn load(journal: &[u8]) -> Result<Snapshot, Damage> {
    let stored = Stored {
        snapshot: None,
        journal: Some(journal.to_owned()),
    };
    match load::read(&stored) {
        Ok(loaded) => Ok(loaded.now),
        Err(Failed::Snapshot(damage) | Failed::Journal(damage)) => Err(damage),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// The oracle is the list of states that were gone through while the journal was written.
    #[test]
    fn a_journal_cut_anywhere_is_the_state_before_or_after_the_cut_record(
        choices in prop::collection::vec((any::<u8>(), any::<u8>()), 1..8),
        zeros in 0usize..3,
    ) {
        let (records, states) = history(&choices);
        let (bytes, ends) = journal(&records);
        for cut in 0..=bytes.len() {
            let mut kept = bytes[..cut].to_owned();
            kept.resize(cut + zeros, 0);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            match load(&kept) {
                Ok(now) => prop_assert!(now.same_content(&states[whole - 1]), "cut at {}", cut),
                // The header comes together with the file, so a cut there is damage.
                Err(damage) => prop_assert_eq!(whole, 0, "cut at {}: {}", cut, damage),
            }
        }
    }

    #[test]
    fn a_journal_with_any_bit_flipped_is_an_error(
        choices in prop::collection::vec((any::<u8>(), any::<u8>()), 1..4),
    ) {
        let (mut bytes, _) = journal(&history(&choices).0);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(load(&bytes).is_err(), "bit {}", bit);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn damage_before_the_end_names_its_byte() {
    let choices = [(7, 0), (7, 1), (7, 2)];
    let (mut bytes, ends) = journal(&history(&choices).0);
    bytes[ends[1] + 40] ^= 1;
    let Err(Damage::Record { offset, .. }) = load(&bytes) else {
        panic!("the damage was not noticed");
    };
    assert_eq!(offset, ends[1]);
}

#[test]
fn a_record_that_is_missing_or_repeated_is_noticed() {
    let (bytes, ends) = journal(&history(&[(7, 0), (7, 1), (7, 2)]).0);
    let without = [&bytes[..ends[1]], &bytes[ends[2]..]].concat();
    assert!(load(&without).is_err());
    let twice = [&bytes[..ends[2]], &bytes[ends[1]..]].concat();
    assert!(load(&twice).is_err());
}

#[test]
fn a_journal_of_a_newer_version_is_refused() {
    let mut framer = Framer::default();
    let mut bytes = Vec::new();
    let header = br#"{"format":"mlinfra journal","version":2,"something":"else"}"#;
    framer.line(header, &mut bytes);
    let (found, known) = (2, 1);
    assert_eq!(load(&bytes), Err(Damage::Version { found, known }));
}

#[test]
fn a_journal_extends_its_own_snapshot_and_no_other() {
    let (bytes, _) = journal(&history(&[(7, 0)]).0);
    let with = |lineage: &str, serial| {
        let snapshot = Snapshot {
            lineage: lineage.into(),
            serial,
            ..Snapshot::default()
        };
        let stored = Stored {
            snapshot: Some(encode(&snapshot).unwrap()),
            journal: Some(bytes.clone()),
        };
        match load::read(&stored) {
            Ok(loaded) => Ok(loaded.now.resources.len()),
            Err(Failed::Snapshot(damage) | Failed::Journal(damage)) => Err(damage),
        }
    };
    assert_eq!(with("l", 0), Ok(1));
    // Older than the snapshot, which holds what it says already.
    assert_eq!(with("l", 1), Ok(0));
    assert!(matches!(with("other", 1), Err(Damage::Lineage { .. })));
    // It extends serial 4, and there is no snapshot at all.
    let mut later = Vec::new();
    let header = Header {
        lineage: "l".into(),
        serial: 4,
    };
    Framer::default().header(&header, &mut later).unwrap();
    let (extends, found) = (4, None);
    assert_eq!(load(&later), Err(Damage::Serial { extends, found }));
}
