//! Promotion: by the rule of the run, of the registry, or the objective.

use mlinfra_registry::{PromotionRule, When};
use mlinfra_runner::Spec;
use serde_json::json;

use super::World;

/// Measures what its parameter says.
const MEASURE: &str = r#"
value=$(sed -n 's/.*"auc": \([0-9.]*\).*/\1/p' "$MLINFRA_PARAMS")
echo "{\"auc\": $value}" >> "$MLINFRA_METRICS"
cp "$MLINFRA_PARAMS" "$MLINFRA_OUTPUT/model.onnx"
"#;

fn spec(world: &World, auc: f64) -> Spec {
    let mut spec = world.spec();
    spec.params.insert("auc".into(), json!(auc));
    spec
}

#[tokio::test]
async fn the_better_one_becomes_champion() {
    let world = World::new(MEASURE).await;
    assert!(world.run(spec(&world, 0.8)).await.unwrap().promoted);
    let worse = world.run(spec(&world, 0.7)).await.unwrap();
    assert_eq!(
        (worse.version, worse.promoted, worse.champion),
        (2, false, Some(1))
    );
    assert!(
        worse.reason.contains("0.7") && worse.reason.contains("0.8"),
        "{}",
        worse.reason
    );
    let better = world.run(spec(&world, 0.9)).await.unwrap();
    assert_eq!((better.promoted, better.champion), (true, Some(3)));
}

#[tokio::test]
async fn the_rule_of_the_run_comes_before_that_of_the_registry() {
    let world = World::new(MEASURE).await;
    let floor = PromotionRule {
        floor: Some(0.85),
        ..PromotionRule::better("auc")
    };
    world.registry.set_policy("m", floor).await.unwrap();
    let first = world.run(spec(&world, 0.8)).await.unwrap();
    assert_eq!((first.promoted, first.champion), (false, None));
    let rule = PromotionRule {
        when: When::Always,
        ..PromotionRule::better("auc")
    };
    let promoted = world
        .run(Spec {
            promote: Some(rule),
            ..spec(&world, 0.8)
        })
        .await
        .unwrap();
    assert_eq!(
        (promoted.cached, promoted.promoted),
        (true, true),
        "the rule is judged anew, nothing is computed anew"
    );
}

#[tokio::test]
async fn a_rule_that_cannot_be_followed_is_told_before_training() {
    let world = World::new(&format!("echo run >> \"$COUNTER\"\n{MEASURE}")).await;
    let rule = PromotionRule {
        metric: None,
        ..PromotionRule::better("auc")
    };
    let error = world
        .run(Spec {
            objective: None,
            promote: Some(rule),
            ..spec(&world, 0.8)
        })
        .await
        .unwrap_err();
    assert!(error.to_string().contains("objective"), "{error}");
    assert_eq!(world.count(), 0);
}

#[tokio::test]
async fn without_an_objective_the_newest_counts() {
    let world = World::new(MEASURE).await;
    for (auc, version) in [(0.8, 1), (0.7, 2)] {
        let result = world
            .run(Spec {
                objective: None,
                ..spec(&world, auc)
            })
            .await
            .unwrap();
        assert_eq!(result.champion, Some(version));
    }
}
