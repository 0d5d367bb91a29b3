//! Opening, changing and closing.

use std::collections::BTreeMap;
use std::fs;

use mlinfra_sdk::Value;

use super::samples::*;
use crate::state::{Change, Conflict, Error, Intent, Operation, Outcome, OutputValue, State};

#[tokio::test]
async fn a_state_that_was_never_written_is_empty_and_stays_unwritten() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let seen = State::read(&*store).await.unwrap();
    assert!(seen.is_empty() && seen.lineage.is_empty() && seen.serial == 0);
    let closed = open(&store).await.close().await.unwrap();
    assert!(!closed.written);
    assert!(!dir.path().join("mlinfra.state.json").exists());
}

#[tokio::test]
async fn every_change_grows_the_serial_by_one_and_keeps_the_lineage() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    session(&store, &["local_file.a"]).await;
    let first = State::read(&*store).await.unwrap();
    assert_eq!(first.serial, 1);
    assert_eq!(first.lineage.len(), 36);
    session(&store, &["local_file.b", "local_file.c"]).await;
    let second = State::read(&*store).await.unwrap();
    assert_eq!(second.serial, 2);
    assert_eq!(second.lineage, first.lineage);
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    session(&store, &["local_file.a"]).await;
    let before = fs::read(dir.path().join("mlinfra.state.json")).unwrap();
    let state = open(&store).await;
    // The same again; an operation that failed; a change and its opposite.
    put(&state, "local_file.a", "local_file.a").await;
    assert!(!dir.path().join("mlinfra.state.journal").exists());
    let token = state.begin(create("local_file.b")).await.unwrap();
    state.finish(&token, Outcome::Unchanged).await.unwrap();
    let key = state.depose(&address("local_file.a")).await.unwrap();
    state.restore(&address("local_file.a"), &key).await.unwrap();
    let closed = state.close().await.unwrap();
    assert!(!closed.written);
    assert_eq!(closed.serial, 1);
    assert_eq!(
        fs::read(dir.path().join("mlinfra.state.json")).unwrap(),
        before
    );
    assert!(!dir.path().join("mlinfra.state.journal").exists());
}

#[tokio::test]
async fn replacing_before_destroying_goes_through_a_deposed_object() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    session(&store, &["local_file.a"]).await;
    let state = open(&store).await;
    let a = address("local_file.a");
    let key = state.depose(&a).await.unwrap();
    assert!(state.object(&a, None).is_none());
    assert!(state.object(&a, Some(&key)).is_some());
    let token = state.begin(create("local_file.a")).await.unwrap();
    state
        .finish(&token, Outcome::Is(object("new")))
        .await
        .unwrap();
    let delete = Intent::new(Operation::Delete, a.clone(), provider(), None);
    let token = state.begin(delete.on_deposed(Some(key))).await.unwrap();
    state.finish(&token, Outcome::Gone).await.unwrap();
    assert!(state.instance(&a).unwrap().deposed.is_empty());
    assert_eq!(names(&state.snapshot()), ["local_file.a=new"]);
    // The last object takes its instance with it.
    let delete = Intent::new(Operation::Delete, a.clone(), provider(), None);
    let token = state.begin(delete).await.unwrap();
    state.finish(&token, Outcome::Gone).await.unwrap();
    assert!(state.instance(&a).is_none());
    state.close().await.unwrap();
    assert!(State::read(&*store).await.unwrap().is_empty());
}

#[tokio::test]
async fn instances_change_places_all_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    session(&store, &["local_file.a", "local_file.b", "local_file.c"]).await;
    let state = open(&store).await;
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|n| address(&format!("local_file.{n}")));
    let swap = vec![(a.clone(), b.clone()), (b.clone(), a.clone())];
    state.change(vec![Change::Move(swap)]).await.unwrap();
    let onto = vec![(a.clone(), d), (b, c)];
    let error = state.change(vec![Change::Move(onto)]).await.unwrap_err();
    assert!(
        matches!(error, Error::Conflict(Conflict::Taken(_))),
        "{error}"
    );
    let expected = ["local_file.a=local_file.b", "local_file.b=local_file.a"];
    assert_eq!(names(&state.snapshot())[..2], expected);
    state
        .change(vec![Change::Forget { address: a }])
        .await
        .unwrap();
    state.close().await.unwrap();
    assert_eq!(State::read(&*store).await.unwrap().resources.len(), 2);
}

#[tokio::test]
async fn a_change_that_does_not_fit_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    session(&store, &["local_file.a"]).await;
    let state = open(&store).await;
    let before = state.snapshot();
    let changes = vec![
        Change::Forget {
            address: address("local_file.a"),
        },
        Change::Forget {
            address: address("local_file.b"),
        },
    ];
    assert!(state.change(changes).await.is_err());
    let token = crate::state::Token::fresh();
    let error = state.finish(&token, Outcome::Gone).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(Conflict::NotOpen(_))));
    assert_eq!(state.snapshot(), before);
    // Two operations on one object.
    state.begin(create("local_file.b")).await.unwrap();
    let error = state.begin(create("local_file.b")).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(Conflict::Busy { .. })));
    assert_eq!(state.open_intents().len(), 1);
}

#[tokio::test]
async fn outputs_are_kept_with_their_types_and_marks() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let outputs: BTreeMap<_, _> = [
        (
            "list".into(),
            OutputValue::new(Value::list(mlinfra_sdk::Type::Number, []), false),
        ),
        ("key".into(), OutputValue::new(Value::from("hush"), true)),
        ("none".into(), OutputValue::new(Value::NULL, false)),
    ]
    .into();
    let state = open(&store).await;
    state.set_outputs(outputs.clone()).await.unwrap();
    state.close().await.unwrap();
    let seen = State::read(&*store).await.unwrap();
    assert_eq!(seen.outputs, outputs);
    assert!(seen.outputs["key"].value.marks().is_sensitive());
}

#[tokio::test]
async fn changes_that_follow_one_another_are_all_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    session(&store, &["local_file.a"]).await;
    let state = open(&store).await;
    let put = |name: &str| Change::Put {
        address: address("local_file.a"),
        deposed: None,
        provider: provider(),
        object: object(name),
    };
    // The last says what was so at first, and is no less true for it.
    state
        .change(vec![put("x"), put("local_file.a")])
        .await
        .unwrap();
    assert_eq!(names(&state.snapshot()), ["local_file.a=local_file.a"]);
}
