//! Nothing is computed twice, and what is damaged is not taken for computed.

use mlinfra_registry::{Status, Trigger};
use mlinfra_runner::{Setting, Spec};
use serde_json::json;

use super::{TRAIN, World};

#[tokio::test]
async fn the_same_is_not_computed_twice() {
    let world = World::new(TRAIN).await;
    let first = world.run(world.spec()).await.unwrap();
    let again = world.run(world.spec()).await.unwrap();
    assert_eq!(
        (again.version, again.cached, again.content_address),
        (1, true, first.content_address)
    );
    assert_eq!(world.count(), 1);
    assert_eq!(world.registry.versions("m").await.unwrap().len(), 1);
    let ends: Vec<_> = world
        .registry
        .runs("m")
        .await
        .unwrap()
        .into_iter()
        .map(|run| run.finished.unwrap().status)
        .collect();
    assert_eq!(ends, [Status::Succeeded, Status::Cached]);

    let mut deeper = world.spec();
    deeper.params.insert("depth".into(), json!(7));
    assert!(!world.run(deeper).await.unwrap().cached);
    world.script(&format!("{TRAIN}\n# changed"));
    let changed = world.run(world.spec()).await.unwrap();
    assert_eq!(
        (changed.cached, changed.version, world.count()),
        (false, 3, 3)
    );
    assert_ne!(changed.code_digest, first.code_digest);
}

#[tokio::test]
async fn an_input_that_changes_is_computed_anew() {
    let world = World::new(TRAIN).await;
    let spec = |text| Spec {
        inputs: [("orders".to_owned(), world.input("orders.csv", text))].into(),
        ..world.spec()
    };
    world.run(spec("1")).await.unwrap();
    assert!(world.run(spec("1")).await.unwrap().cached);
    assert!(!world.run(spec("2")).await.unwrap().cached);
}

#[tokio::test]
async fn force_trains_all_the_same() {
    let world = World::new(TRAIN).await;
    world.run(world.spec()).await.unwrap();
    let forced = world
        .run(Spec {
            force: true,
            ..world.spec()
        })
        .await
        .unwrap();
    assert_eq!(
        (forced.cached, forced.version, world.count()),
        (false, 2, 2)
    );
}

#[tokio::test]
async fn a_firing_trains_once_and_the_next_one_anew() {
    let world = World::new(TRAIN).await;
    let fired = |at: &str| Setting {
        fired_at: Some(at.into()),
        trigger: Some(Trigger::Schedule),
        ..Setting::default()
    };
    let monday = "2026-01-05T03:00:00Z";
    assert_eq!(
        world
            .run_in(world.spec(), fired(monday))
            .await
            .unwrap()
            .version,
        1
    );
    let again = world.run_in(world.spec(), fired(monday)).await.unwrap();
    assert_eq!(
        (again.version, again.cached),
        (1, true),
        "a firing that was killed after its end is not run again"
    );
    assert_eq!(
        world
            .run_in(world.spec(), fired("2026-01-12T03:00:00Z"))
            .await
            .unwrap()
            .version,
        2
    );
    let unchanged = Spec {
        skip_unchanged: true,
        ..world.spec()
    };
    world.run(unchanged.clone()).await.unwrap();
    let skipped = world
        .run_in(unchanged, fired("2026-01-19T03:00:00Z"))
        .await
        .unwrap();
    assert_eq!((skipped.cached, world.count()), (true, 3));
}

#[tokio::test]
async fn what_was_computed_is_published_by_the_next_run() {
    let world = World::new(TRAIN).await;
    world.run(world.spec()).await.unwrap();
    // Another model, made of the same: computed already, and not yet in the registry.
    let other = Spec {
        model: "other".into(),
        ..world.spec()
    };
    let result = world.run(other).await.unwrap();
    assert_eq!((result.version, result.cached, world.count()), (1, true, 1));
    assert_eq!(result.metrics["auc"], json!(0.8));
}

#[tokio::test]
async fn a_damaged_outcome_is_computed_again() {
    let world = World::new(TRAIN).await;
    let first = world.run(world.spec()).await.unwrap();
    let kept = world.path("cache/stages").join(first.content_address.hex());
    std::fs::write(kept.join("output/model.onnx"), "damaged").unwrap();
    let other = Spec {
        model: "other".into(),
        ..world.spec()
    };
    let result = world.run(other).await.unwrap();
    assert_eq!((result.cached, world.count()), (false, 2));
    assert_eq!(
        std::fs::read_to_string(kept.join("output/model.onnx")).unwrap(),
        "{\n  \"depth\": 6\n}"
    );
}

#[tokio::test]
async fn of_two_at_once_one_computes() {
    let world = World::new(&format!("sleep 0.3\n{TRAIN}")).await;
    let (one, two) = futures::join!(world.run(world.spec()), world.run(world.spec()));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.version, two.version, world.count()), (1, 1, 1));
    assert_ne!(one.cached, two.cached);
}
