//! The promotion rule and the decision it leads to: a pure function of metrics.

use serde::{Deserialize, Serialize};

use crate::metrics::Metrics;

/// When a new version becomes the champion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// When its metric beats the champion's.
    Better,
    /// Whenever it meets the floor, however good the champion is.
    Always,
    /// Never.
    Never,
    /// When a person says so.
    Manual,
}

/// Which way a metric is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// More is better, as with accuracy.
    #[default]
    Maximize,
    /// Less is better, as with an error.
    Minimize,
}

/// The rule by which a version is promoted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromotionRule {
    /// When to promote.
    pub when: When,
    /// The metric that decides; needed by [`When::Better`] and by a floor.
    #[serde(default)]
    pub metric: Option<String>,
    /// Which way that metric is good.
    #[serde(default)]
    pub goal: Goal,
    /// By how much the metric must beat the champion's, in the metric's unit. At 0 any improvement will do.
    #[serde(default)]
    pub min_improvement: f64,
    /// The worst value that is good enough at all: the least when maximizing, the greatest when minimizing.
    #[serde(default)]
    pub floor: Option<f64>,
}

/// A rule that cannot be followed.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// The rule compares a metric and names none.
    #[error(
        "a promotion rule with {with} needs the metric that decides: name it as the job's objective"
    )]
    NoMetric {
        /// What needs it.
        with: &'static str,
    },
    /// A number in the rule is out of its range.
    #[error("`{field}` is {value}; it must be {expected}")]
    Number {
        /// The field.
        field: &'static str,
        /// What it is.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
}

/// Whether to promote, and why or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the candidate becomes the champion.
    pub promote: bool,
    /// A sentence for the alias's history and for people.
    pub reason: String,
}

impl PromotionRule {
    /// The plain rule: a better metric, more being better, by any margin.
    pub fn better(metric: &str) -> Self {
        let metric = Some(metric.to_owned());
        Self {
            when: When::Better,
            metric,
            goal: Goal::Maximize,
            min_improvement: 0.0,
            floor: None,
        }
    }

    /// Whether the rule can be followed.
    pub fn check(&self) -> Result<(), RuleError> {
        if self.metric.is_none() {
            if self.when == When::Better {
                return Err(RuleError::NoMetric {
                    with: "`when = \"better\"`",
                });
            }
            if self.floor.is_some() {
                return Err(RuleError::NoMetric { with: "a `floor`" });
            }
        }
        if !(self.min_improvement.is_finite() && self.min_improvement >= 0.0) {
            let (field, value) = ("min_improvement", self.min_improvement);
            return Err(RuleError::Number {
                field,
                value,
                expected: "a number that is not negative",
            });
        }
        match self.floor {
            Some(value) if !value.is_finite() => Err(RuleError::Number {
                field: "floor",
                value,
                expected: "a finite number",
            }),
            _ => Ok(()),
        }
    }
}

/// Decides whether a candidate becomes the champion; `champion` is `None` where there is none yet.
///
/// What cannot be shown to be better is not promoted: a missing or non-finite metric keeps the champion.
pub fn decide(rule: &PromotionRule, candidate: &Metrics, champion: Option<&Metrics>) -> Decision {
    match judge(rule, candidate, champion) {
        Ok(reason) => Decision {
            promote: true,
            reason,
        },
        Err(reason) => Decision {
            promote: false,
            reason,
        },
    }
}

/// The reason to promote, or the reason not to.
fn judge(
    rule: &PromotionRule,
    candidate: &Metrics,
    champion: Option<&Metrics>,
) -> Result<String, String> {
    rule.check()
        .map_err(|e| format!("the promotion rule cannot be followed: {e}"))?;
    match rule.when {
        When::Never => return Err("the rule says never".to_owned()),
        When::Manual => return Err("promotion is left to a person".to_owned()),
        When::Always => {
            meets_floor(rule, candidate)?;
            return Ok("the rule says always".to_owned());
        }
        When::Better => {}
    }
    let metric = rule.metric.as_deref().unwrap_or_default();
    let new = measured(candidate, metric).map_err(|what| format!("the candidate has {what}"))?;
    meets_floor(rule, candidate)?;
    let Some(champion) = champion else {
        return Ok(format!("the first champion, with {metric} {new}"));
    };
    let old = measured(champion, metric).map_err(|what| {
        format!("the champion has {what}, so nothing can be shown to be better; promote by hand")
    })?;
    let improvement = match rule.goal {
        Goal::Maximize => new - old,
        Goal::Minimize => old - new,
    };
    // 0.902 - 0.9 is a little less or more than 0.002 in binary; what was meant is the decimal difference.
    let rounding = 4.0 * f64::EPSILON * new.abs().max(old.abs());
    let enough = improvement > 0.0 && improvement >= rule.min_improvement - rounding;
    let comparison = format!(
        "{metric} is {new}, the champion's is {old}, and {}",
        asked(rule)
    );
    if enough {
        Ok(comparison)
    } else {
        Err(comparison)
    }
}

fn asked(rule: &PromotionRule) -> String {
    let better = match rule.goal {
        Goal::Maximize => "more",
        Goal::Minimize => "less",
    };
    if rule.min_improvement > 0.0 {
        format!(
            "{better} by at least {} was asked for",
            rule.min_improvement
        )
    } else {
        format!("{better} was asked for")
    }
}

fn meets_floor(rule: &PromotionRule, candidate: &Metrics) -> Result<(), String> {
    let Some(floor) = rule.floor else {
        return Ok(());
    };
    let metric = rule.metric.as_deref().unwrap_or_default();
    let value = measured(candidate, metric).map_err(|what| format!("the candidate has {what}"))?;
    match rule.goal {
        Goal::Maximize if value < floor => {
            Err(format!("{metric} is {value}, below the floor of {floor}"))
        }
        Goal::Minimize if value > floor => {
            Err(format!("{metric} is {value}, above the ceiling of {floor}"))
        }
        _ => Ok(()),
    }
}

/// A finite metric, or what there is instead.
fn measured(metrics: &Metrics, name: &str) -> Result<f64, String> {
    match metrics.get(name) {
        Some(value) if value.is_finite() => Ok(*value),
        Some(value) => Err(format!("{name} {value}")),
        None if metrics.is_empty() => Err(format!("no metric {name}, nor any other")),
        None => {
            let known: Vec<_> = metrics.keys().map(String::as_str).collect();
            Err(format!("no metric {name}; it has {}", known.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auc(value: f64) -> Metrics {
        [("auc".to_owned(), value)].into()
    }

    fn promotes(rule: &PromotionRule, candidate: f64, champion: Option<f64>) -> bool {
        let decision = decide(rule, &auc(candidate), champion.map(auc).as_ref());
        assert!(!decision.reason.is_empty());
        decision.promote
    }

    #[test]
    fn better_means_strictly_better() {
        let rule = PromotionRule::better("auc");
        assert!(promotes(&rule, 0.81, Some(0.80)));
        assert!(!promotes(&rule, 0.80, Some(0.80)));
        assert!(!promotes(&rule, 0.79, Some(0.80)));
        assert!(promotes(&rule, 0.1, None));
        assert!(promotes(&rule, -0.1, Some(-0.2)));
        assert!(promotes(&rule, 0.0, Some(-1e-300)));
    }

    #[test]
    fn minimizing_turns_everything_round() {
        let rule = PromotionRule {
            goal: Goal::Minimize,
            floor: Some(0.5),
            ..PromotionRule::better("auc")
        };
        assert!(promotes(&rule, 0.3, Some(0.4)));
        assert!(!promotes(&rule, 0.4, Some(0.4)));
        assert!(!promotes(&rule, 0.45, Some(0.4)));
        assert!(!promotes(&rule, 0.51, Some(0.9)), "the floor is a ceiling");
        assert!(
            promotes(&rule, 0.5, None),
            "the ceiling itself is good enough"
        );
        assert!(
            !promotes(&rule, 0.6, None),
            "even the first champion must be good enough"
        );
    }

    #[test]
    fn the_improvement_asked_for_is_decimal() {
        let rule = PromotionRule {
            min_improvement: 0.002,
            ..PromotionRule::better("auc")
        };
        for thousandths in 1..998 {
            let old = f64::from(thousandths) / 1000.0;
            let new = f64::from(thousandths + 2) / 1000.0;
            assert!(promotes(&rule, new, Some(old)), "{old} -> {new}");
            assert!(
                !promotes(&rule, new - 1e-9, Some(old)),
                "{old} -> {new} less a little"
            );
            assert!(!promotes(
                &rule,
                f64::from(thousandths + 1) / 1000.0,
                Some(old)
            ));
        }
    }

    #[test]
    fn the_floor_holds_for_better_and_always() {
        for when in [When::Better, When::Always] {
            let rule = PromotionRule {
                when,
                floor: Some(0.8),
                ..PromotionRule::better("auc")
            };
            assert!(!promotes(&rule, 0.79, Some(0.1)));
            assert!(!promotes(&rule, 0.79, None));
            assert!(promotes(&rule, 0.8, Some(0.1)));
            assert!(promotes(&rule, 0.8, None));
        }
    }

    #[test]
    fn always_needs_no_metric_and_never_and_manual_never_promote() {
        let rule = |when| PromotionRule {
            when,
            metric: None,
            ..PromotionRule::better("auc")
        };
        assert!(decide(&rule(When::Always), &Metrics::new(), None).promote);
        assert!(decide(&rule(When::Always), &auc(f64::NAN), Some(&auc(0.9))).promote);
        for when in [When::Never, When::Manual] {
            assert!(!decide(&rule(when), &auc(1.0), None).promote);
            assert!(!decide(&rule(when), &auc(1.0), Some(&auc(0.0))).promote);
        }
    }

    #[test]
    fn what_cannot_be_compared_is_not_promoted() {
        let rule = PromotionRule::better("auc");
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(!promotes(&rule, bad, None), "{bad}");
            assert!(!promotes(&rule, bad, Some(0.5)), "{bad}");
            assert!(!promotes(&rule, 0.9, Some(bad)), "{bad}");
            let floored = PromotionRule {
                when: When::Always,
                floor: Some(0.1),
                ..rule.clone()
            };
            assert!(!promotes(&floored, bad, Some(0.5)), "{bad}");
        }
        let other: Metrics = [("f1".to_owned(), 0.9)].into();
        assert_eq!(
            decide(&rule, &other, None).reason,
            "the candidate has no metric auc; it has f1"
        );
        assert!(!decide(&rule, &Metrics::new(), None).promote);
        assert!(!decide(&rule, &auc(0.9), Some(&other)).promote);
        assert!(!decide(&rule, &auc(0.9), Some(&Metrics::new())).promote);
    }

    #[test]
    fn rules_that_cannot_be_followed_are_refused_and_promote_nothing() {
        let rule = PromotionRule::better("auc");
        let wrong = [
            PromotionRule {
                metric: None,
                ..rule.clone()
            },
            PromotionRule {
                when: When::Always,
                metric: None,
                floor: Some(0.1),
                ..rule.clone()
            },
            PromotionRule {
                min_improvement: -0.1,
                ..rule.clone()
            },
            PromotionRule {
                min_improvement: f64::NAN,
                ..rule.clone()
            },
            PromotionRule {
                floor: Some(f64::NAN),
                ..rule.clone()
            },
        ];
        for rule in wrong {
            assert!(rule.check().is_err(), "{rule:?}");
            assert!(!decide(&rule, &auc(1.0), None).promote, "{rule:?}");
        }
    }

    #[test]
    fn a_rule_reads_as_users_write_it() {
        let rule: PromotionRule = serde_json::from_str(
            r#"{"when":"better","metric":"auc","min_improvement":0.002,"floor":0.80}"#,
        )
        .unwrap();
        let expected = PromotionRule {
            min_improvement: 0.002,
            floor: Some(0.8),
            ..PromotionRule::better("auc")
        };
        assert_eq!(rule, expected);
        assert!(serde_json::from_str::<PromotionRule>(r#"{"when":"better","flor":1}"#).is_err());
    }

    #[test]
    fn the_reason_says_the_numbers() {
        let rule = PromotionRule {
            min_improvement: 0.002,
            ..PromotionRule::better("auc")
        };
        let decision = decide(&rule, &auc(0.801), Some(&auc(0.8)));
        assert_eq!(
            decision.reason,
            "auc is 0.801, the champion's is 0.8, and more by at least 0.002 was asked for"
        );
    }
}
