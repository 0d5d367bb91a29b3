//! One writer at a time, within a process and between processes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::samples::*;
use crate::diag::Diagnostic;
use crate::state::{Access, Error, LockError, State, Store, lock};

#[tokio::test]
async fn of_many_that_race_for_a_lock_one_wins_and_the_others_see_who() {
    let dir = tempfile::tempdir().unwrap();
    let race = (0..8).map(|n| {
        let store = store(dir.path());
        tokio::spawn(async move { store.lock(&holder(&format!("apply {n}"))).await })
    });
    let race: Vec<_> = race.collect();
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for racer in race {
        match racer.await.unwrap() {
            Ok(lock) => won.push(lock),
            Err(LockError::Taken { holder, .. }) => lost.push(holder.unwrap()),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(lost.len(), 7);
    assert!(lost.iter().all(|holder| **holder == *won[0].holder()));
}

#[tokio::test]
async fn a_taken_lock_tells_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(&store(dir.path())).await;
    let access = Access::Locked(holder("plan"), Duration::ZERO);
    let error = State::open(store(dir.path()), access).await.unwrap_err();
    let diagnostic = Diagnostic::from(error);
    assert_eq!(diagnostic.summary, "Error acquiring the state lock");
    for part in ["Lock Info:", "Operation: apply", "Who:       ada@example"] {
        assert!(diagnostic.detail.contains(part), "{}", diagnostic.detail);
    }
    // Reading needs no lock, and closing frees it.
    State::read(&*store(dir.path())).await.unwrap();
    first.close().await.unwrap();
    open(&store(dir.path())).await;
}

#[tokio::test]
async fn who_waits_gets_the_lock_when_it_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(&store(dir.path())).await;
    let waiting = store(dir.path());
    let second = tokio::spawn(async move {
        lock::acquire(&*waiting, &holder("plan"), Duration::from_secs(30)).await
    });
    tokio::task::yield_now().await;
    first.close().await.unwrap();
    assert_eq!(second.await.unwrap().unwrap().holder().operation, "plan");
}

#[tokio::test]
async fn a_lock_is_not_forced_from_who_is_alive() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    assert!(matches!(
        store.force_unlock("x").await,
        Err(LockError::NotLocked { .. })
    ));
    let held = store.lock(&holder("apply")).await.unwrap();
    let id = held.holder().id.clone();
    assert!(matches!(
        store.force_unlock(&id).await,
        Err(LockError::Taken { .. })
    ));
    drop(held);
    assert!(matches!(
        store.force_unlock(&id).await,
        Err(LockError::NotLocked { .. })
    ));

    // What a killed process leaves: the text, and nobody who holds it.
    let dead = holder("apply");
    let path = dir.path().join("mlinfra.state.lock");
    std::fs::write(&path, serde_json::to_vec(&dead).unwrap()).unwrap();
    assert!(matches!(
        store.force_unlock("x").await,
        Err(LockError::OtherId { .. })
    ));
    assert_eq!(store.force_unlock(&dead.id).await.unwrap(), dead);
    // It would not have been in the way.
    std::fs::write(&path, serde_json::to_vec(&dead).unwrap()).unwrap();
    store.lock(&holder("apply")).await.unwrap();
}

/// Names the directory to the child of the next test.
const CHILD: &str = "MLINFRA_TEST_LOCK_DIRECTORY";

#[tokio::test]
async fn another_process_holds_its_lock_until_it_is_killed() {
    if let Some(dir) = std::env::var_os(CHILD) {
        let _held = store(Path::new(&dir)).lock(&holder("apply")).await.unwrap();
        println!("locked");
        // Until the other side goes away, should it fail before it kills this one.
        std::io::read_to_string(std::io::stdin()).unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("state::tests::locks::another_process_holds_its_lock_until_it_is_killed")
        .env(CHILD, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("locked")));
    let store = store(dir.path());
    match store.lock(&holder("plan")).await {
        Err(LockError::Taken { holder, .. }) => assert_eq!(holder.unwrap().pid, child.id()),
        other => panic!("{other:?}"),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    store.lock(&holder("plan")).await.unwrap();
}

#[tokio::test]
async fn a_lock_file_that_was_removed_does_not_let_two_in() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let path = dir.path().join("mlinfra.state.lock");
    let first = store.lock(&holder("apply")).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    // The first has lost the file that all others find; the next ones are told apart again.
    let second = store.lock(&holder("apply")).await.unwrap();
    assert!(store.lock(&holder("apply")).await.is_err());
    drop((first, second));
    store.lock(&holder("apply")).await.unwrap();
}

#[tokio::test]
async fn without_locking_nobody_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(&store(dir.path())).await;
    let second = State::open(store(dir.path()), Access::Unlocked)
        .await
        .unwrap();
    drop((first, second));
}

#[tokio::test]
async fn a_closed_state_takes_no_changes() {
    let dir = tempfile::tempdir().unwrap();
    let state = Arc::new(open(&store(dir.path())).await);
    state.close().await.unwrap();
    assert!(matches!(
        state.begin(create("local_file.a")).await,
        Err(Error::Closed)
    ));
    assert!(matches!(state.close().await, Err(Error::Closed)));
}
