//! What the server is told: which models, from where, for whom, with which limits.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use mlinfra_registry::{CHAMPION, check_name};

/// Which version of a model is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The one an alias points at, now and later.
    Alias(String),
    /// This one.
    Version(u64),
}

/// A model of the registry to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The name clients ask for.
    pub name: String,
    /// The model's name in the registry.
    pub model: String,
    /// Which version.
    pub pick: Pick,
}

/// The server's settings.
#[derive(Clone)]
pub struct Settings {
    /// The registry, where models of one are served.
    pub registry: Option<String>,
    /// The models of the registry to serve.
    pub models: Vec<Follow>,
    /// Model files to serve as they are, by the name clients ask for.
    pub files: Vec<(String, PathBuf)>,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many requests a model computes at a time.
    pub sessions: usize,
    /// How many requests to a model may wait for their turn.
    pub queue: usize,
    /// What clients must send as `Authorization: Bearer`; needed when others than this machine can connect.
    pub token: Option<String>,
    /// How often the registry is asked where an alias points.
    pub poll_interval: Duration,
    /// The longest request body, after decompression.
    pub max_request_bytes: usize,
    /// How long requests in flight may take to finish after SIGTERM.
    pub drain: Duration,
    /// Where model files of a remote registry are kept.
    pub cache: PathBuf,
}

/// A setting that cannot be followed. Each message names the flag.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("\n"))]
pub struct SettingsError {
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
}

impl Settings {
    /// Everything that is wrong with the settings, at once.
    pub fn check(&self) -> Result<(), SettingsError> {
        let mut problems = Vec::new();
        if self.models.is_empty() && self.files.is_empty() {
            problems.push("nothing to serve: name a model of the registry with --model, or a file with --model-file".to_owned());
        }
        if !self.models.is_empty() && self.registry.is_none() {
            problems.push("--model needs --registry, the registry that the model is in".to_owned());
        }
        let mut names = BTreeSet::new();
        for name in self
            .models
            .iter()
            .map(|f| &f.name)
            .chain(self.files.iter().map(|(name, _)| name))
        {
            if let Err(e) = check_name("served model", name) {
                problems.push(format!("--model: {e}"));
            }
            if !names.insert(name) {
                problems.push(format!("--model: the name `{name}` is given twice; write --model NAME=MODEL to tell them apart"));
            }
        }
        if !self.listen.ip().is_loopback() && self.token.is_none() {
            problems.push(format!(
                "--listen {}: others than this machine could connect, so a token is needed; set the environment variable that --token-env names",
                self.listen
            ));
        }
        for (flag, value) in [
            ("--sessions", self.sessions),
            ("--max-request-bytes", self.max_request_bytes),
        ] {
            if value == 0 {
                problems.push(format!("{flag} must be at least 1"));
            }
        }
        if self.poll_interval.is_zero() {
            problems.push("--poll-interval-ms must be at least 1".to_owned());
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(SettingsError { problems })
        }
    }
}

/// `[NAME=]MODEL[@ALIAS]` or `[NAME=]MODEL:VERSION`.
impl FromStr for Follow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, source) = match text.split_once('=') {
            Some((name, source)) => (Some(name), source),
            None => (None, text),
        };
        let (model, pick) = if let Some((model, alias)) = source.split_once('@') {
            check_name("alias", alias).map_err(|e| e.to_string())?;
            (model, Pick::Alias(alias.to_owned()))
        } else if let Some((model, version)) = source.split_once(':') {
            let version = version
                .parse()
                .map_err(|_| format!("`{version}` is no version number"))?;
            (model, Pick::Version(version))
        } else {
            (source, Pick::Alias(CHAMPION.to_owned()))
        };
        check_name("model", model).map_err(|e| e.to_string())?;
        let name = name.unwrap_or(model);
        check_name("served model", name).map_err(|e| e.to_string())?;
        Ok(Self {
            name: name.to_owned(),
            model: model.to_owned(),
            pick,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_named_by_alias_or_version() {
        let follow = |name: &str, model: &str, pick| Follow {
            name: name.into(),
            model: model.into(),
            pick,
        };
        let alias = |name: &str| Pick::Alias(name.into());
        assert_eq!("clf".parse(), Ok(follow("clf", "clf", alias("champion"))));
        assert_eq!(
            "clf@challenger".parse(),
            Ok(follow("clf", "clf", alias("challenger")))
        );
        assert_eq!(
            "api=clf:3".parse(),
            Ok(follow("api", "clf", Pick::Version(3)))
        );
        for wrong in [
            "", "a=", "=a", "clf:", "clf:x", "clf@", "../clf", "a/b=clf", "clf@a:3",
        ] {
            assert!(wrong.parse::<Follow>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_problem_is_said_and_names_its_flag() {
        let settings = Settings {
            registry: None,
            models: vec!["a".parse().unwrap(), "a@other".parse().unwrap()],
            files: Vec::new(),
            listen: "0.0.0.0:80".parse().unwrap(),
            sessions: 0,
            queue: 0,
            token: None,
            poll_interval: Duration::ZERO,
            max_request_bytes: 1,
            drain: Duration::ZERO,
            cache: PathBuf::new(),
        };
        let problems = settings.check().unwrap_err().problems;
        assert_eq!(problems.len(), 5, "{problems:#?}");
        for flag in [
            "--registry",
            "given twice",
            "--listen",
            "--sessions",
            "--poll-interval-ms",
        ] {
            assert!(
                problems.iter().any(|p| p.contains(flag)),
                "{flag}: {problems:#?}"
            );
        }
    }
}
