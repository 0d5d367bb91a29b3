//! The way back from damaged files.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::samples::*;
use crate::diag::Diagnostic;
use crate::state::{Access, Damage, Error, Loss, State, decode, restore, survey};

async fn recover(dir: &Path) -> (crate::state::Survey, Vec<String>) {
    let access = Access::Locked(holder("state recover"), Duration::from_secs(10));
    restore(&*store(dir), access).await.unwrap()
}

fn file(dir: &Path, ending: &str) -> std::path::PathBuf {
    dir.join(format!("mlinfra.state.{ending}"))
}

/// A state after two sessions, cut in the middle.
async fn damaged() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    session(&store(dir.path()), &["local_file.a"]).await;
    session(&store(dir.path()), &["local_file.b"]).await;
    let path = file(dir.path(), "json");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    dir
}

#[tokio::test]
async fn a_damaged_snapshot_is_an_error_that_names_the_way_back() {
    let dir = damaged().await;
    for (contents, summary) in [
        (&b""[..], "The state is damaged"),
        (
            b"{\"format\":\"mlinfra state\",\"ver",
            "The state is damaged",
        ),
        (b"hello", "Unsupported state file format"),
    ] {
        fs::write(file(dir.path(), "json"), contents).unwrap();
        let error = State::read(&*store(dir.path())).await.unwrap_err();
        let diagnostic = Diagnostic::from(error);
        assert_eq!(diagnostic.summary, summary);
        assert!(
            diagnostic.detail.contains("serial 1, is in"),
            "{diagnostic}"
        );
        assert!(diagnostic.detail.contains("mlinfra.state.backup.json"));
        // Opening for writing changes nothing either.
        let access = Access::Unlocked;
        assert!(State::open(store(dir.path()), access).await.is_err());
        assert_eq!(fs::read(file(dir.path(), "json")).unwrap(), contents);
    }
}

#[tokio::test]
async fn a_damaged_snapshot_comes_back_whole_from_its_backup_and_its_journal() {
    let dir = damaged().await;
    let (survey, aside) = recover(dir.path()).await;
    assert_eq!(survey.losses, []);
    assert_eq!(survey.sources.len(), 2);
    assert_eq!(aside.len(), 1);
    assert!(fs::metadata(&aside[0]).unwrap().len() > 0);
    let seen = State::read(&*store(dir.path())).await.unwrap();
    assert_eq!(
        names(&seen),
        ["local_file.a=local_file.a", "local_file.b=local_file.b"]
    );
    assert_eq!(seen.serial, 3);
}

#[tokio::test]
async fn the_first_snapshot_comes_back_from_its_journal_alone() {
    let dir = tempfile::tempdir().unwrap();
    session(&store(dir.path()), &["local_file.a"]).await;
    let before = State::read(&*store(dir.path())).await.unwrap();
    fs::write(file(dir.path(), "json"), b"").unwrap();
    let (survey, _) = recover(dir.path()).await;
    assert_eq!(survey.losses, []);
    let seen = State::read(&*store(dir.path())).await.unwrap();
    assert!(seen.same_content(&before));
    assert_eq!(seen.lineage, before.lineage);
}

#[tokio::test]
async fn a_snapshot_that_is_gone_is_not_an_empty_state() {
    let dir = damaged().await;
    fs::remove_file(file(dir.path(), "json")).unwrap();
    let error = State::read(&*store(dir.path())).await.unwrap_err();
    let Error::Damaged { damage, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*damage, Damage::Missing);
    recover(dir.path()).await;
    let seen = State::read(&*store(dir.path())).await.unwrap();
    assert_eq!(seen.resources.len(), 2);
}

#[tokio::test]
async fn a_recovery_that_is_killed_at_any_step_is_begun_again() {
    for step in 0..100 {
        let dir = damaged().await;
        // An apply that was killed, on top of the damage.
        let doomed = store(dir.path());
        doomed.faults().end_at(step);
        let through = restore(&*doomed, Access::Unlocked).await.is_ok();
        match survey(&*store(dir.path())).await {
            Err(Error::Whole { .. }) => {}
            Ok(_) => {
                assert!(!through);
                recover(dir.path()).await;
            }
            Err(error) => panic!("killed at step {step}: {error}"),
        }
        let seen = State::read(&*store(dir.path())).await.unwrap();
        assert_eq!(seen.resources.len(), 2, "killed at step {step}");
        if through {
            assert!(step > 3);
            return;
        }
    }
    panic!("it never got through");
}

#[tokio::test]
async fn a_damaged_snapshot_with_a_journal_of_a_killed_apply_comes_back_with_it() {
    let dir = tempfile::tempdir().unwrap();
    session(&store(dir.path()), &["local_file.a"]).await;
    session(&store(dir.path()), &["local_file.b"]).await;
    let state = open(&store(dir.path())).await;
    put(&state, "local_file.c", "c").await;
    state.begin(create("local_file.d")).await.unwrap();
    drop(state);
    fs::write(file(dir.path(), "json"), b"").unwrap();
    let (survey, aside) = recover(dir.path()).await;
    assert_eq!(survey.losses, []);
    assert_eq!(survey.sources.len(), 3);
    assert_eq!(aside.len(), 2);
    let seen = State::read(&*store(dir.path())).await.unwrap();
    assert_eq!(seen.resources.len(), 3);
    assert_eq!(seen.intents.len(), 1);
}

#[tokio::test]
async fn of_a_damaged_journal_the_good_part_comes_back_and_the_loss_is_named() {
    let dir = tempfile::tempdir().unwrap();
    session(&store(dir.path()), &["local_file.a"]).await;
    let state = open(&store(dir.path())).await;
    for name in ["local_file.b", "local_file.c", "local_file.d"] {
        put(&state, name, name).await;
    }
    drop(state);
    let path = file(dir.path(), "journal");
    let mut bytes = fs::read(&path).unwrap();
    let third = bytes
        .windows(12)
        .position(|w| w == b"local_file.c")
        .unwrap();
    bytes[third] ^= 1;
    fs::write(&path, bytes).unwrap();

    let error = State::read(&*store(dir.path())).await.unwrap_err();
    let Error::Damaged { place, damage, .. } = &error else {
        panic!("{error}");
    };
    assert!(place.ends_with("mlinfra.state.journal"));
    assert!(matches!(damage, Damage::Record { .. }));
    let (survey, _) = recover(dir.path()).await;
    assert!(matches!(&survey.losses[..], [Loss::Damaged { .. }]));
    let seen = State::read(&*store(dir.path())).await.unwrap();
    assert_eq!(seen.resources.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_had_back_is_said() {
    let dir = damaged().await;
    fs::remove_file(file(dir.path(), "backup.journal")).unwrap();
    let found = survey(&*store(dir.path())).await.unwrap();
    assert_eq!(found.losses, [Loss::After(1)]);
    assert_eq!(found.snapshot.serial, 3);
    // Looking changed nothing.
    assert!(decode(&fs::read(file(dir.path(), "json")).unwrap()).is_err());
    fs::remove_file(file(dir.path(), "backup.json")).unwrap();
    let error = survey(&*store(dir.path())).await.unwrap_err();
    assert!(matches!(error, Error::Unrecoverable { .. }), "{error}");
}

#[tokio::test]
async fn a_whole_state_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = survey(&*store(dir.path())).await;
    assert!(matches!(nothing, Err(Error::Whole { .. })));
    session(&store(dir.path()), &["local_file.a"]).await;
    let whole = survey(&*store(dir.path())).await;
    assert!(matches!(whole, Err(Error::Whole { .. })));
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_not_recovered_over() {
    let dir = tempfile::tempdir().unwrap();
    session(&store(dir.path()), &["local_file.a"]).await;
    let path = file(dir.path(), "json");
    let newer = fs::read_to_string(&path)
        .unwrap()
        .replacen("\"version\":1", "\"version\":9", 1);
    fs::write(&path, newer).unwrap();
    let error = survey(&*store(dir.path())).await.unwrap_err();
    let diagnostic = Diagnostic::from(error);
    assert_eq!(diagnostic.summary, "Unsupported state file version");
}
