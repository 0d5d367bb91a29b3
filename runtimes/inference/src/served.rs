//! A served model: the version that answers now, and what has become of the others.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use serde::Serialize;

use crate::model::Model;

/// A name that clients ask for, and the version that answers them.
pub(crate) struct Served {
    pub(crate) name: String,
    /// Where its versions come from, in words.
    pub(crate) source: String,
    current: RwLock<Option<Arc<Model>>>,
    progress: Mutex<Progress>,
}

/// What goes on with a served model, for its operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Progress {
    /// Since when the current version answers.
    pub(crate) since: Option<Timestamp>,
    /// The version that is being loaded beside it.
    pub(crate) loading: Option<String>,
    /// The version that was to follow and is not fit to.
    pub(crate) refused: Option<Refusal>,
    /// What keeps the server from knowing or getting the version it should serve.
    pub(crate) problem: Option<String>,
}

/// A version that is not served although it should be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Refusal {
    pub(crate) version: String,
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
}

impl Served {
    pub(crate) fn new(name: String, source: String) -> Self {
        Self {
            name,
            source,
            current: RwLock::new(None),
            progress: Mutex::default(),
        }
    }

    /// The version that answers now. A request keeps the one it has got, whatever comes after.
    pub(crate) fn current(&self) -> Option<Arc<Model>> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Why no version answers yet.
    pub(crate) fn why_not(&self) -> String {
        let progress = self.progress();
        match (progress.refused, progress.problem, progress.loading) {
            (Some(refused), ..) => {
                format!("version {} is refused: {}", refused.version, refused.reason)
            }
            (_, Some(problem), _) => problem,
            (_, _, Some(version)) => format!("version {version} is being loaded"),
            _ => "it is being looked up".to_owned(),
        }
    }

    pub(crate) fn begin(&self, version: &str) {
        self.note(|progress| progress.loading = Some(version.to_owned()));
    }

    /// Lets a version answer from now on. The one before is let go when its last request is done.
    pub(crate) fn swap(&self, model: Model) {
        let before = self
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(Arc::new(model));
        self.note(|progress| {
            *progress = Progress {
                since: Some(Timestamp::now()),
                ..Progress::default()
            }
        });
        // Outside of the lock, because closing sessions takes time.
        drop(before);
    }

    pub(crate) fn refuse(&self, version: String, reason: String) {
        let refusal = Refusal {
            version,
            reason,
            at: Timestamp::now(),
        };
        self.note(|progress| {
            progress.loading = None;
            progress.problem = None;
            progress.refused = Some(refusal);
        });
    }

    /// All is as it should be.
    pub(crate) fn settle(&self) {
        self.note(|progress| {
            *progress = Progress {
                since: progress.since,
                ..Progress::default()
            }
        });
    }

    /// Notes or clears what is in the way. Whether that is news.
    pub(crate) fn problem(&self, problem: Option<String>) -> bool {
        let mut news = false;
        self.note(|progress| {
            progress.loading = None;
            news = progress.problem != problem;
            progress.problem = problem;
        });
        news
    }

    fn note(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
