//! Aliases: names such as `champion` that point at a version and can be moved, with their history.

use jiff::Timestamp;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::log::Log;
use crate::name;
use crate::record::Record;
use crate::registry::Registry;
use crate::store::Created;

/// Where an alias pointed from one moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// The model.
    pub model: String,
    /// The alias.
    pub name: String,
    /// The version it points at.
    pub version: u64,
    /// Its place in the alias's history, from 1; a conditional change names the revision it has seen.
    pub revision: u64,
    /// Why it was set.
    pub reason: String,
    /// When it was set.
    pub at: Timestamp,
    /// The version it pointed at before.
    pub previous: Option<u64>,
}

/// One record of an alias's history: it was set, or (`version` is `null`) removed.
#[derive(Clone, Serialize, Deserialize)]
struct Move {
    model: String,
    name: String,
    revision: u64,
    version: Option<u64>,
    previous: Option<u64>,
    reason: String,
    at: Timestamp,
}

impl Record for Move {
    const KIND: &'static str = "alias";
}

impl Move {
    fn alias(self) -> Option<Alias> {
        let Self {
            model,
            name,
            revision,
            version,
            previous,
            reason,
            at,
        } = self;
        version.map(|version| Alias {
            model,
            name,
            version,
            revision,
            reason,
            at,
            previous,
        })
    }
}

impl Registry {
    /// Where an alias points now.
    pub async fn alias(&self, model: &str, name: &str) -> Result<Option<Alias>, Error> {
        Ok(self.newest_move(model, name).await?.1.and_then(Move::alias))
    }

    /// Where an alias has pointed, oldest first. Removals leave a gap in the revisions.
    pub async fn alias_history(&self, model: &str, name: &str) -> Result<Vec<Alias>, Error> {
        let log = self.alias_log(model, name)?;
        let moves = log.after(0).await?;
        let checked = moves
            .into_iter()
            .zip(1..)
            .map(|(found, number)| checked(&log, model, name, number, found));
        Ok(checked
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .filter_map(Move::alias)
            .collect())
    }

    /// A model's aliases, by name.
    pub async fn aliases(&self, model: &str) -> Result<Vec<Alias>, Error> {
        let names = self.store.folders(&self.alias_folder(model)?).await?;
        let mut aliases = Vec::new();
        for name in names {
            aliases.extend(self.alias(model, &name).await?);
        }
        Ok(aliases)
    }

    /// Points an alias at a version, if it still stands at the revision the caller has seen (`None`: not set).
    pub async fn set_alias(
        &self,
        model: &str,
        name: &str,
        version: u64,
        expected_revision: Option<u64>,
        reason: &str,
    ) -> Result<Alias, Error> {
        self.version(model, version).await?;
        let made = self
            .move_alias(model, name, Some(version), expected_revision, reason)
            .await?;
        let revision = made.revision;
        made.alias()
            .ok_or_else(|| self.not_found(format!("revision {revision} of alias `{name}`")))
    }

    /// Removes an alias, if it still stands at the revision the caller has seen. Its history remains.
    pub async fn remove_alias(
        &self,
        model: &str,
        name: &str,
        expected_revision: u64,
        reason: &str,
    ) -> Result<(), Error> {
        self.move_alias(model, name, None, Some(expected_revision), reason)
            .await
            .map(drop)
    }

    async fn move_alias(
        &self,
        model: &str,
        name: &str,
        version: Option<u64>,
        expected_revision: Option<u64>,
        reason: &str,
    ) -> Result<Move, Error> {
        let (newest, standing) = self.newest_move(model, name).await?;
        let standing = standing.filter(|found| found.version.is_some());
        let conflict = |found: Option<u64>| Error::Conflict {
            what: format!("alias `{name}` of model `{model}`"),
            expected: shown(expected_revision),
            found: shown(found),
        };
        if standing.as_ref().map(|found| found.revision) != expected_revision {
            return Err(conflict(standing.map(|found| found.revision)));
        }
        let made = Move {
            model: model.to_owned(),
            name: name.to_owned(),
            revision: newest + 1,
            version,
            previous: standing.and_then(|found| found.version),
            reason: reason.to_owned(),
            at: Timestamp::now(),
        };
        match self
            .alias_log(model, name)?
            .append(made.revision, &made)
            .await?
        {
            Created::Yes => Ok(made),
            Created::AlreadyThere => Err(conflict(Some(made.revision))),
        }
    }

    /// The newest revision (0: none) and its record, be it a removal.
    async fn newest_move(&self, model: &str, name: &str) -> Result<(u64, Option<Move>), Error> {
        let log = self.alias_log(model, name)?;
        match log.newest().await? {
            Some((number, found)) => Ok((number, Some(checked(&log, model, name, number, found)?))),
            None => Ok((0, None)),
        }
    }

    fn alias_folder(&self, model: &str) -> Result<Path, Error> {
        Ok(self.model_folder(model)?.join("aliases"))
    }

    fn alias_log(&self, model: &str, name: &str) -> Result<Log<'_, Move>, Error> {
        name::check_name("alias", name)?;
        Ok(Log::new(&self.store, self.alias_folder(model)?.join(name)))
    }
}

fn shown(revision: Option<u64>) -> String {
    revision.map_or_else(|| "none".to_owned(), |n| format!("revision {n}"))
}

fn checked(
    log: &Log<'_, Move>,
    model: &str,
    name: &str,
    number: u64,
    found: Move,
) -> Result<Move, Error> {
    if found.model == model && found.name == name && found.revision == number {
        return Ok(found);
    }
    let reason = format!(
        "it holds revision {} of alias `{}` of model `{}`",
        found.revision, found.name, found.model
    );
    Err(log.misplaced(number, &reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::tests::fresh;
    use crate::version::tests::new_version;

    async fn with_versions(folder: &std::path::Path, count: usize) -> Registry {
        let registry = fresh(folder).await;
        for n in 0..count {
            let new = new_version(&registry, folder, &format!("run{n}")).await;
            registry.register_version("m", new).await.unwrap();
        }
        registry
    }

    #[tokio::test]
    async fn an_alias_moves_and_remembers() {
        let folder = tempfile::tempdir().unwrap();
        let registry = with_versions(folder.path(), 2).await;
        assert_eq!(registry.alias("m", "champion").await.unwrap(), None);
        let first = registry
            .set_alias("m", "champion", 1, None, "the first")
            .await
            .unwrap();
        let second = registry
            .set_alias("m", "champion", 2, Some(first.revision), "better")
            .await
            .unwrap();
        assert_eq!(
            (second.version, second.revision, second.previous),
            (2, 2, Some(1))
        );
        assert_eq!(
            registry.alias("m", "champion").await.unwrap(),
            Some(second.clone())
        );
        assert_eq!(
            registry.alias_history("m", "champion").await.unwrap(),
            [first, second.clone()]
        );
        assert_eq!(registry.aliases("m").await.unwrap(), [second]);
    }

    #[tokio::test]
    async fn a_stale_change_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let registry = with_versions(folder.path(), 2).await;
        registry
            .set_alias("m", "champion", 1, None, "")
            .await
            .unwrap();
        for stale in [None, Some(0), Some(2), Some(7)] {
            let refused = registry
                .set_alias("m", "champion", 2, stale, "")
                .await
                .unwrap_err();
            assert!(refused.is_conflict(), "{stale:?}: {refused}");
        }
        assert!(matches!(
            registry.set_alias("m", "champion", 3, Some(1), "").await,
            Err(Error::NotFound { .. })
        ));
        assert_eq!(
            registry
                .alias("m", "champion")
                .await
                .unwrap()
                .unwrap()
                .version,
            1
        );
    }

    #[tokio::test]
    async fn a_removed_alias_is_not_set_and_can_be_set_anew() {
        let folder = tempfile::tempdir().unwrap();
        let registry = with_versions(folder.path(), 1).await;
        registry
            .set_alias("m", "champion", 1, None, "")
            .await
            .unwrap();
        registry
            .remove_alias("m", "champion", 1, "retired")
            .await
            .unwrap();
        assert_eq!(registry.alias("m", "champion").await.unwrap(), None);
        assert!(registry.aliases("m").await.unwrap().is_empty());
        assert!(
            registry
                .remove_alias("m", "champion", 2, "")
                .await
                .unwrap_err()
                .is_conflict()
        );
        let again = registry
            .set_alias("m", "champion", 1, None, "back")
            .await
            .unwrap();
        assert_eq!((again.revision, again.previous), (3, None));
        assert_eq!(
            registry.alias_history("m", "champion").await.unwrap().len(),
            2
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn each_revision_has_one_winner_of_sixteen() {
        let folder = tempfile::tempdir().unwrap();
        let registry = with_versions(folder.path(), 16).await;
        for round in 0..8 {
            let expected = (round > 0).then_some(round);
            let writers = (1..=16).map(|version| {
                let registry = registry.clone();
                tokio::spawn(async move {
                    registry
                        .set_alias("m", "champion", version, expected, "race")
                        .await
                })
            });
            let outcomes: Vec<_> = futures::future::join_all(writers)
                .await
                .into_iter()
                .map(Result::unwrap)
                .collect();
            let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
            assert_eq!(won.len(), 1, "round {round}");
            assert!(
                lost.iter()
                    .all(|l| l.as_ref().is_err_and(Error::is_conflict)),
                "{lost:?}"
            );
            let winner = won.into_iter().next().unwrap().unwrap();
            assert_eq!(registry.alias("m", "champion").await.unwrap(), Some(winner));
        }
        assert_eq!(
            registry.alias_history("m", "champion").await.unwrap().len(),
            8
        );
    }

    #[tokio::test]
    async fn a_damaged_history_is_not_an_unset_alias() {
        let folder = tempfile::tempdir().unwrap();
        let registry = with_versions(folder.path(), 1).await;
        registry
            .set_alias("m", "champion", 1, None, "")
            .await
            .unwrap();
        registry.set_alias("m", "other", 1, None, "").await.unwrap();
        let record = |alias: &str| {
            folder
                .path()
                .join(format!("registry/models/m/aliases/{alias}/00000001.json"))
        };
        let other = std::fs::read(record("other")).unwrap();
        for damage in [&b""[..], &other[..other.len() - 3], &other] {
            std::fs::write(record("champion"), damage).unwrap();
            assert!(matches!(
                registry.alias("m", "champion").await,
                Err(Error::Damaged { .. })
            ));
            let refused = registry.set_alias("m", "champion", 1, None, "").await;
            assert!(matches!(refused, Err(Error::Damaged { .. })));
        }
        std::fs::rename(
            record("champion"),
            record("champion").with_file_name("1.json"),
        )
        .unwrap();
        assert!(matches!(
            registry.alias("m", "champion").await,
            Err(Error::Damaged { .. })
        ));
    }

    #[tokio::test]
    async fn names_cannot_climb() {
        let folder = tempfile::tempdir().unwrap();
        let registry = with_versions(folder.path(), 1).await;
        for (model, name) in [
            ("m", "../../x"),
            ("..", "champion"),
            ("m", ""),
            ("m/versions", "a"),
        ] {
            assert!(matches!(
                registry.alias(model, name).await,
                Err(Error::Name { .. })
            ));
            assert!(matches!(
                registry.set_alias(model, name, 1, None, "").await,
                Err(Error::Name { .. })
            ));
        }
    }
}
