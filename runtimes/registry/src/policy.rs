//! The promotion rule that holds for a model, with its history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::log::Log;
use crate::promote::PromotionRule;
use crate::record::Record;
use crate::registry::Registry;
use crate::store::Created;

/// One record of the history: a rule was set, or (`rule` is `null`) cleared.
#[derive(Serialize, Deserialize)]
struct Policy {
    model: String,
    revision: u64,
    rule: Option<PromotionRule>,
    at: Timestamp,
}

impl Record for Policy {
    const KIND: &'static str = "policy";
}

impl Registry {
    /// The rule that holds for a model.
    pub async fn policy(&self, model: &str) -> Result<Option<PromotionRule>, Error> {
        Ok(self.newest_policy(model).await?.1)
    }

    /// Sets the rule for a model. The last writer's rule holds; setting the rule that holds changes nothing.
    pub async fn set_policy(&self, model: &str, rule: PromotionRule) -> Result<(), Error> {
        rule.check()?;
        self.write_policy(model, Some(rule)).await
    }

    /// Clears the rule for a model.
    pub async fn clear_policy(&self, model: &str) -> Result<(), Error> {
        self.write_policy(model, None).await
    }

    async fn write_policy(&self, model: &str, rule: Option<PromotionRule>) -> Result<(), Error> {
        loop {
            let (newest, standing) = self.newest_policy(model).await?;
            if standing == rule {
                return Ok(());
            }
            let revision = newest + 1;
            let policy = Policy {
                model: model.to_owned(),
                revision,
                rule: rule.clone(),
                at: Timestamp::now(),
            };
            if self.policy_log(model)?.append(revision, &policy).await? == Created::Yes {
                return Ok(());
            }
        }
    }

    async fn newest_policy(&self, model: &str) -> Result<(u64, Option<PromotionRule>), Error> {
        let log = self.policy_log(model)?;
        match log.newest().await? {
            Some((number, found)) if found.model == model && found.revision == number => {
                Ok((number, found.rule))
            }
            Some((number, found)) => {
                let reason = format!(
                    "it holds revision {} of the rule of model `{}`",
                    found.revision, found.model
                );
                Err(log.misplaced(number, &reason))
            }
            None => Ok((0, None)),
        }
    }

    fn policy_log(&self, model: &str) -> Result<Log<'_, Policy>, Error> {
        Ok(Log::new(
            &self.store,
            self.model_folder(model)?.join("policy"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promote::When;
    use crate::registry::tests::fresh;

    #[tokio::test]
    async fn the_last_rule_holds_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        assert_eq!(registry.policy("m").await.unwrap(), None);
        let always = PromotionRule {
            when: When::Always,
            ..PromotionRule::better("auc")
        };
        for rule in [PromotionRule::better("auc"), always.clone(), always.clone()] {
            registry.set_policy("m", rule).await.unwrap();
        }
        assert_eq!(registry.policy("m").await.unwrap(), Some(always));
        assert_eq!(registry.newest_policy("m").await.unwrap().0, 2);
        registry.clear_policy("m").await.unwrap();
        assert_eq!(registry.policy("m").await.unwrap(), None);
        assert!(
            registry
                .set_policy(
                    "m",
                    PromotionRule {
                        min_improvement: -1.0,
                        ..PromotionRule::better("auc")
                    }
                )
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn a_damaged_rule_is_not_no_rule() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        registry
            .set_policy("m", PromotionRule::better("auc"))
            .await
            .unwrap();
        std::fs::write(
            folder.path().join("registry/models/m/policy/00000001.json"),
            "{",
        )
        .unwrap();
        assert!(matches!(
            registry.policy("m").await,
            Err(Error::Damaged { .. })
        ));
    }
}
