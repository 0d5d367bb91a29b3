//! Which rule decides whether a run's version becomes the champion.

use mlinfra_registry::{PromotionRule, Registry, When};

use crate::error::RunError;
use crate::spec::{Objective, Spec};

/// The rule of the spec, else that of the registry, else a better objective. A job without an objective has nothing to
/// compare by, so its newest version counts.
pub(crate) async fn rule(spec: &Spec, registry: &Registry) -> Result<PromotionRule, RunError> {
    let given = match &spec.promote {
        Some(rule) => Some(rule.clone()),
        None => registry.policy(&spec.model).await?,
    };
    let rule = complete(given, spec.objective.as_ref());
    rule.check().map_err(mlinfra_registry::Error::from)?;
    Ok(rule)
}

fn complete(given: Option<PromotionRule>, objective: Option<&Objective>) -> PromotionRule {
    let plain = |when| PromotionRule {
        when,
        metric: None,
        goal: Default::default(),
        min_improvement: 0.0,
        floor: None,
    };
    let mut rule = match (given, objective) {
        (Some(rule), _) => rule,
        (None, Some(_)) => plain(When::Better),
        (None, None) => plain(When::Always),
    };
    // A rule that names no metric is about the objective; one that does keeps its own goal.
    if let (None, Some(objective)) = (&rule.metric, objective) {
        rule.metric = Some(objective.metric.clone());
        rule.goal = objective.goal;
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlinfra_registry::Goal;

    #[test]
    fn a_rule_without_a_metric_is_about_the_objective() {
        let objective = Objective {
            metric: "loss".into(),
            goal: Goal::Minimize,
        };
        let rule = complete(None, Some(&objective));
        assert_eq!(
            (rule.when, rule.metric.as_deref(), rule.goal),
            (When::Better, Some("loss"), Goal::Minimize)
        );
        let given: PromotionRule =
            serde_json::from_str(r#"{"when": "better", "floor": 0.5}"#).unwrap();
        let rule = complete(Some(given.clone()), Some(&objective));
        assert_eq!(
            (rule.metric.as_deref(), rule.goal, rule.floor),
            (Some("loss"), Goal::Minimize, Some(0.5))
        );
        let own = complete(Some(PromotionRule::better("auc")), Some(&objective));
        assert_eq!(own, PromotionRule::better("auc"));
        assert!(complete(Some(given), None).check().is_err());
        assert_eq!(complete(None, None).when, When::Always);
    }
}
