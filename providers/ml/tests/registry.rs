//! `ml_registry`, `ml_promotion`, `ml_alias` and data `ml_model`.

use mlinfra_registry::{NewVersion, Registry};
use mlinfra_sdk::{FailureKind, Number, Value};

use crate::harness::{World, number, text};

/// Registers a version as a run would.
async fn version(registry: &Registry, folder: &std::path::Path, n: u64) {
    let file = folder.join("some.onnx");
    std::fs::write(&file, format!("model {n}")).unwrap();
    let digest = registry.put_blob(&file).await.unwrap();
    let new: NewVersion = serde_json::from_value(serde_json::json!({
        "artifacts": [{"name": "model.onnx", "digest": digest, "size": std::fs::metadata(&file).unwrap().len()}],
        "metrics": {"accuracy": 0.5 + n as f64 / 10.0, "loss": "NaN"},
        "params": {"depth": n},
        "code_digest": digest,
        "inputs": {"digits": digest},
        "run_id": format!("run-{n}"),
        "content_address": digest,
    }))
    .unwrap();
    registry.register_version("clf", new).await.unwrap();
}

#[tokio::test]
async fn a_registry_is_made_found_read_and_destroyed() {
    let world = World::new().await;
    let ty = "ml_registry";
    assert!(world.schema(ty).holds_data);
    let config = world.config(ty, &[("name", "models".into())]);
    let planned = world.plan(ty, None, &config).await.unwrap().value;
    assert!(
        planned.is_wholly_known(),
        "everything is known before it is made: {planned:?}"
    );
    assert_eq!(text(&planned, "path"), "registry/models");
    assert_eq!(world.find(ty, "t", &planned).await, None);

    let made = world.create(ty, &config, "t").await.unwrap();
    assert_eq!(world.find(ty, "t", &planned).await.as_ref(), Some(&made));
    assert_eq!(world.read(ty, &made).await.as_ref(), Some(&made));
    let again = world.plan(ty, Some(&made), &config).await.unwrap();
    assert_eq!(again.value, made);
    Registry::open(text(&made, "url")).await.unwrap();
    let imported = world
        .session
        .import(ty, &world.context, "registry/models")
        .await;
    assert_eq!(imported.unwrap().as_ref(), Some(&made));

    let renamed = world.config(ty, &[("name", "others".into())]);
    let planned = world.plan(ty, Some(&made), &renamed).await.unwrap();
    assert_eq!(text(&planned.value, "path"), "registry/others");
    assert!(!planned.replace.is_empty());

    world.delete(ty, &made).await;
    world.delete(ty, &made).await;
    assert_eq!(world.read(ty, &made).await, None);
    assert!(!world.root().join("registry").exists());
}

#[tokio::test]
async fn what_is_in_the_way_of_a_registry_stays() {
    let world = World::new().await;
    world.write("store/models/mine.txt", "mine");
    let arguments = [("name", "models".into()), ("path", "store".into())];
    let config = world.config("ml_registry", &arguments);
    let failure = world.create("ml_registry", &config, "t").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert_eq!(failure.path.unwrap().to_string(), "path");
    assert!(world.root().join("store/models/mine.txt").exists());
    let problems = world.problems("ml_registry", &[("name", "../up".into())]);
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[tokio::test]
async fn a_promotion_rule_is_kept_in_the_registry() {
    let world = World::new().await;
    let url = Value::from(text(&world.registry().await, "url"));
    let registry = Registry::open(url.as_str().unwrap()).await.unwrap();
    let config = |improvement: &str| {
        let arguments = [
            ("registry", url.clone()),
            ("model", "clf".into()),
            ("metric", "accuracy".into()),
            ("min_improvement", Value::from_json(improvement).unwrap()),
            ("floor", Value::from_json("0.8").unwrap()),
        ];
        world.config("ml_promotion", &arguments)
    };
    let ty = "ml_promotion";
    let made = world.create(ty, &config("0.002"), "t").await.unwrap();
    let rule = registry.policy("clf").await.unwrap().unwrap();
    assert_eq!((rule.min_improvement, rule.floor), (0.002, Some(0.8)));
    let again = world.plan(ty, Some(&made), &config("0.002")).await.unwrap();
    assert_eq!(again.value, made);

    let made = world.update(ty, &made, &config("0.01"), "u").await.unwrap();
    let rule = registry.policy("clf").await.unwrap().unwrap();
    assert_eq!(rule.min_improvement, 0.01);

    // Someone else's change is seen.
    let other = mlinfra_registry::PromotionRule::better("auc");
    registry.set_policy("clf", other).await.unwrap();
    let drifted = world.read(ty, &made).await.unwrap();
    assert_eq!(text(&drifted, "metric"), "auc");
    assert!(drifted.get("floor").unwrap().is_null());

    world.delete(ty, &made).await;
    assert_eq!(registry.policy("clf").await.unwrap(), None);
    assert_eq!(world.read(ty, &made).await, None);
}

#[tokio::test]
async fn a_rule_that_cannot_be_followed_is_told_at_its_argument() {
    let world = World::new().await;
    let common = [
        ("registry", Value::from("file:///r")),
        ("model", "clf".into()),
    ];
    let told = |more: &[(&str, Value)]| {
        let mut arguments = common.to_vec();
        arguments.extend(more.iter().cloned());
        world.problems("ml_promotion", &arguments)
    };
    assert!(told(&[])[0].starts_with("metric: A promotion rule with `when = \"better\"`"));
    assert!(told(&[("when", "often".into())])[0].starts_with("when: \"often\" is none of: better"));
    let negative = Value::from(Number::from(-1i64));
    let told = told(&[("metric", "auc".into()), ("min_improvement", negative)]);
    assert!(told[0].starts_with("min_improvement: "), "{told:?}");
}

#[tokio::test]
async fn an_alias_is_pinned_by_conditional_writes() {
    let world = World::new().await;
    let url = Value::from(text(&world.registry().await, "url"));
    let registry = Registry::open(url.as_str().unwrap()).await.unwrap();
    for n in 1..=3 {
        version(&registry, &world.root(), n).await;
    }
    let ty = "ml_alias";
    let config = |version: i64| {
        let arguments = [
            ("registry", url.clone()),
            ("model", "clf".into()),
            ("alias", "challenger".into()),
            ("version", version.into()),
        ];
        world.config(ty, &arguments)
    };
    let made = world.create(ty, &config(1), "t").await.unwrap();
    assert_eq!(text(&made, "id"), "clf@challenger");
    let moved = world.update(ty, &made, &config(2), "u").await.unwrap();
    assert_eq!(number(&moved, "revision"), 2.0);

    // Someone moves it after it was read: nothing is changed.
    registry
        .set_alias("clf", "challenger", 3, Some(2), "by hand")
        .await
        .unwrap();
    let failure = world.update(ty, &moved, &config(1), "v").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert_eq!(
        registry
            .alias("clf", "challenger")
            .await
            .unwrap()
            .unwrap()
            .version,
        3
    );
    let now = world.read(ty, &moved).await.unwrap();
    assert_eq!(number(&now, "version"), 3.0);
    let back = world.update(ty, &now, &config(1), "w").await.unwrap();

    let failure = world.update(ty, &back, &config(9), "x").await.unwrap_err();
    assert_eq!(failure.path.unwrap().to_string(), "version");
    world.delete(ty, &back).await;
    assert_eq!(registry.alias("clf", "challenger").await.unwrap(), None);
}

#[tokio::test]
async fn a_model_is_read_by_alias_or_version() {
    let world = World::new().await;
    let url = Value::from(text(&world.registry().await, "url"));
    let registry = Registry::open(url.as_str().unwrap()).await.unwrap();
    let model = |more: &[(&'static str, Value)]| {
        let mut arguments = vec![("registry", url.clone()), ("model", Value::from("clf"))];
        arguments.extend(more.iter().cloned());
        arguments
    };
    let failure = world.read_data("ml_model", &model(&[])).await.unwrap_err();
    assert_eq!(failure.path.unwrap().to_string(), "model");
    for n in 1..=2 {
        version(&registry, &world.root(), n).await;
    }
    let failure = world.read_data("ml_model", &model(&[])).await.unwrap_err();
    assert_eq!(failure.path.unwrap().to_string(), "alias");
    registry
        .set_alias("clf", "champion", 2, None, "by hand")
        .await
        .unwrap();

    let champion = world.read_data("ml_model", &model(&[])).await.unwrap();
    assert_eq!(number(&champion, "version"), 2.0);
    assert_eq!(champion.get("metrics").unwrap().entries().unwrap().len(), 1);
    assert_eq!(number(champion.get("metrics").unwrap(), "accuracy"), 0.7);
    assert!(text(&champion, "digest").starts_with("sha256:"));
    let first = model(&[("version", 1i64.into())]);
    let first = world.read_data("ml_model", &first).await.unwrap();
    assert_eq!(text(&first, "run_id"), "run-1");
    assert!(first.get("alias").unwrap().is_null());
}
