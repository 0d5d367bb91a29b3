//! Promotion: decide by the rule, then move the alias `champion`, as one conditional write.

use crate::alias::Alias;
use crate::error::Error;
use crate::promote::{PromotionRule, decide};
use crate::registry::Registry;

/// The alias that serving follows.
pub const CHAMPION: &str = "champion";

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is the champion now.
    Promoted(Alias),
    /// It was the champion already.
    AlreadyChampion(Alias),
    /// The champion stays, or there is still none.
    Kept {
        /// The champion that stays.
        champion: Option<Alias>,
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// Whether the candidate is the champion.
    pub fn is_champion(&self) -> bool {
        !matches!(self, Self::Kept { .. })
    }

    /// Why it is or is not.
    pub fn reason(&self) -> &str {
        match self {
            Self::Promoted(alias) | Self::AlreadyChampion(alias) => &alias.reason,
            Self::Kept { reason, .. } => reason,
        }
    }
}

impl Registry {
    /// Makes a version the champion if the rule holds. Where another promotion comes first, it decides anew against
    /// that one.
    ///
    /// A version is promoted by rule once: a runner that was killed and asks again does not undo a rollback that a
    /// person has made since.
    pub async fn promote_champion(
        &self,
        model: &str,
        version: u64,
        rule: &PromotionRule,
    ) -> Result<Outcome, Error> {
        let candidate = self.version(model, version).await?;
        loop {
            let champion = self.alias(model, CHAMPION).await?;
            if let Some(alias) = champion.as_ref().filter(|alias| alias.version == version) {
                return Ok(Outcome::AlreadyChampion(alias.clone()));
            }
            if let Some(was) = self
                .alias_history(model, CHAMPION)
                .await?
                .into_iter()
                .find(|a| a.version == version)
            {
                let reason = format!(
                    "version {version} was the champion since {} and has been replaced",
                    was.at
                );
                return Ok(Outcome::Kept { champion, reason });
            }
            let standing = match &champion {
                Some(alias) => Some(self.version(model, alias.version).await?),
                None => None,
            };
            let decision = decide(
                rule,
                &candidate.content.metrics,
                standing.as_ref().map(|v| &v.content.metrics),
            );
            if !decision.promote {
                return Ok(Outcome::Kept {
                    champion,
                    reason: decision.reason,
                });
            }
            let revision = champion.map(|alias| alias.revision);
            match self
                .set_alias(model, CHAMPION, version, revision, &decision.reason)
                .await
            {
                Err(e) if e.is_conflict() => {}
                other => return other.map(Outcome::Promoted),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::tests::fresh;
    use crate::version::tests::new_version;

    async fn register(registry: &Registry, folder: &std::path::Path, run: &str, auc: f64) -> u64 {
        let mut new = new_version(registry, folder, run).await;
        new.metrics = [("auc".to_owned(), auc)].into();
        registry.register_version("m", new).await.unwrap().number
    }

    #[tokio::test]
    async fn the_better_version_becomes_champion() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        let rule = PromotionRule::better("auc");
        let first = register(&registry, folder.path(), "a", 0.8).await;
        let worse = register(&registry, folder.path(), "b", 0.7).await;
        assert!(matches!(
            registry.promote_champion("m", first, &rule).await.unwrap(),
            Outcome::Promoted(_)
        ));
        assert!(matches!(
            registry.promote_champion("m", first, &rule).await.unwrap(),
            Outcome::AlreadyChampion(_)
        ));
        assert!(
            !registry
                .promote_champion("m", worse, &rule)
                .await
                .unwrap()
                .is_champion()
        );
        assert_eq!(
            registry
                .alias("m", CHAMPION)
                .await
                .unwrap()
                .unwrap()
                .version,
            first
        );
        assert!(registry.promote_champion("m", 9, &rule).await.is_err());
    }

    #[tokio::test]
    async fn asking_again_does_not_undo_a_rollback() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        let rule = PromotionRule::better("auc");
        let old = register(&registry, folder.path(), "a", 0.8).await;
        let new = register(&registry, folder.path(), "b", 0.9).await;
        registry.promote_champion("m", old, &rule).await.unwrap();
        let promoted = registry.promote_champion("m", new, &rule).await.unwrap();
        let Outcome::Promoted(alias) = promoted else {
            panic!("{promoted:?}")
        };
        registry
            .set_alias("m", CHAMPION, old, Some(alias.revision), "rolled back")
            .await
            .unwrap();
        assert!(
            !registry
                .promote_champion("m", new, &rule)
                .await
                .unwrap()
                .is_champion()
        );
        assert_eq!(
            registry
                .alias("m", CHAMPION)
                .await
                .unwrap()
                .unwrap()
                .version,
            old
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_racing_candidates_the_best_ends_as_champion() {
        let folder = tempfile::tempdir().unwrap();
        let registry = fresh(folder.path()).await;
        let mut versions = Vec::new();
        for n in 0..16_u32 {
            versions.push(
                register(
                    &registry,
                    folder.path(),
                    &format!("r{n}"),
                    f64::from((n * 7) % 16) / 100.0,
                )
                .await,
            );
        }
        let tasks = versions.into_iter().map(|version| {
            let registry = registry.clone();
            tokio::spawn(async move {
                registry
                    .promote_champion("m", version, &PromotionRule::better("auc"))
                    .await
            })
        });
        for task in futures::future::join_all(tasks).await {
            task.unwrap().unwrap();
        }
        let champion = registry.alias("m", CHAMPION).await.unwrap().unwrap();
        assert_eq!(
            registry
                .version("m", champion.version)
                .await
                .unwrap()
                .content
                .metrics["auc"],
            0.15
        );
        let mut metrics = Vec::new();
        for alias in registry.alias_history("m", CHAMPION).await.unwrap() {
            metrics.push(
                registry
                    .version("m", alias.version)
                    .await
                    .unwrap()
                    .content
                    .metrics["auc"],
            );
        }
        assert!(
            metrics.is_sorted(),
            "each champion was better than the one before: {metrics:?}"
        );
    }
}
