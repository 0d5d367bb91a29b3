//! Failures: told with their cause, on record, and without anything left behind that counts.

use mlinfra_registry::{Digest, Status};
use mlinfra_runner::spec::Input;
use mlinfra_runner::{RunError, Setting, Spec, execute};
use tokio::sync::watch;

use super::{TRAIN, World};

#[tokio::test]
async fn a_failing_command_is_on_record_with_its_last_lines() {
    let world =
        World::new("for i in $(seq 100); do echo line $i; done\necho broken >&2\nexit 3").await;
    let error = world.run(world.spec()).await.unwrap_err().to_string();
    assert!(
        error.contains("exit code 3") && error.contains("line 100\nbroken"),
        "{error}"
    );
    assert!(
        !error.contains("line 81\n"),
        "only the last 20 lines: {error}"
    );
    let end = world.only_run().await.finished.unwrap();
    assert_eq!((end.status, end.version), (Status::Failed, None));
    assert_eq!(end.reason.unwrap(), error);
    assert!(world.registry.versions("m").await.unwrap().is_empty());
    world.script(TRAIN);
    assert_eq!(world.run(world.spec()).await.unwrap().version, 1);
}

#[tokio::test]
async fn a_run_without_a_model_is_told_and_not_kept() {
    let world = World::new("echo run >> \"$COUNTER\"; echo x > $MLINFRA_OUTPUT/model.pkl").await;
    for times in 1..=2 {
        let error = world.run(world.spec()).await.unwrap_err();
        assert!(
            matches!(&error, RunError::NoModel { found } if found == &["model.pkl"]),
            "{error}"
        );
        assert_eq!(world.count(), times, "it is computed again");
    }
}

#[tokio::test]
async fn all_missing_inputs_are_named() {
    let world = World::new(TRAIN).await;
    let mut spec = world.spec();
    for (name, uri) in [
        ("orders", "file:///no/such/orders.csv"),
        ("users", "s3://bucket/users.csv"),
    ] {
        spec.inputs.insert(
            name.into(),
            Input {
                uri: uri.into(),
                digest: None,
            },
        );
    }
    let error = world.run(spec).await.unwrap_err().to_string();
    assert!(
        error.contains("`orders`") && error.contains("/no/such/orders.csv"),
        "{error}"
    );
    assert!(
        error.contains("`users`") && error.contains("file://"),
        "{error}"
    );
    assert_eq!(world.count(), 0);
}

#[tokio::test]
async fn an_input_that_is_not_what_was_planned_is_refused() {
    let world = World::new(TRAIN).await;
    let mut spec = world.spec();
    let input = Input {
        digest: Some(Digest::of(b"planned")),
        ..world.input("orders.csv", "planned")
    };
    spec.inputs.insert("orders".into(), input);
    world.run(spec.clone()).await.unwrap();
    std::fs::write(world.path("orders.csv"), "changed").unwrap();
    let error = world.run(spec).await.unwrap_err();
    assert!(
        matches!(&error, RunError::InputChanged { name, .. } if name == "orders"),
        "{error}"
    );
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let world = World::new("").await;
    let spec = Spec {
        command: vec!["no-such-program".into()],
        ..world.spec()
    };
    let error = world.run(spec).await.unwrap_err().to_string();
    assert!(error.contains("no-such-program"), "{error}");
    let elsewhere = Spec {
        source: "/no/such/folder".into(),
        ..world.spec()
    };
    assert!(
        world
            .run(elsewhere)
            .await
            .unwrap_err()
            .to_string()
            .contains("/no/such/folder")
    );
    let nowhere = Spec {
        registry: world.path("nothing").display().to_string(),
        ..world.spec()
    };
    assert!(matches!(
        world.run(nowhere).await.unwrap_err(),
        RunError::Registry(_)
    ));
}

#[tokio::test]
async fn too_long_is_too_long() {
    let world = World::new("echo started; sleep 1000").await;
    let error = world
        .run(Spec {
            timeout_s: Some(1),
            ..world.spec()
        })
        .await
        .unwrap_err();
    assert!(
        matches!(&error, RunError::TimedOut { seconds: 1, log, .. } if log[0] == "started"),
        "{error}"
    );
}

#[tokio::test]
async fn a_cancelled_run_is_on_record() {
    let world = World::new("touch \"$COUNTER\"; sleep 1000").await;
    let (ask, stop) = watch::channel(false);
    let canceller = async {
        while !world.path("counter").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        ask.send_replace(true);
    };
    let (outcome, ()) = futures::join!(execute(world.spec(), Setting::default(), stop), canceller);
    assert!(matches!(outcome.unwrap_err(), RunError::Cancelled));
    let end = world.only_run().await.finished.unwrap();
    assert_eq!(
        (end.status, end.reason.as_deref()),
        (Status::Failed, Some("the run was cancelled"))
    );
}

#[tokio::test]
async fn a_run_that_waits_for_its_turn_can_be_cancelled() {
    let world = World::new("touch \"$COUNTER\"; sleep 1000").await;
    let (stop_first, first) = watch::channel(false);
    let (stop_second, second) = watch::channel(false);
    let events = world.path("events");
    let waiting = Setting {
        events: Some(events.clone()),
        ..Setting::default()
    };
    let second = async {
        while !world.path("counter").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        execute(world.spec(), waiting, second).await
    };
    let script = async {
        while !std::fs::read_to_string(&events)
            .unwrap_or_default()
            .contains("waiting")
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        stop_second.send_replace(true);
    };
    let second = async {
        let (outcome, ()) = futures::join!(second, script);
        stop_first.send_replace(true);
        outcome
    };
    let first = execute(world.spec(), Setting::default(), first);
    let (first, second) = futures::join!(first, second);
    assert!(matches!(second.unwrap_err(), RunError::Cancelled));
    assert!(matches!(first.unwrap_err(), RunError::Cancelled));
    assert_eq!(world.registry.runs("m").await.unwrap().len(), 2);
}
