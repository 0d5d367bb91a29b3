//! The objects of one kind by name, with those whose files are damaged.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::locked;
use crate::messages::{Damaged, Failure, FailureKind};

/// An object that a request made.
pub(super) trait Made {
    /// What people call it.
    const KIND: &'static str;

    /// The token of the request.
    fn token(&self) -> String;
}

/// The objects of one kind.
pub(super) struct Collection<T> {
    all: Mutex<BTreeMap<String, Arc<T>>>,
    damaged: Mutex<BTreeMap<String, Damaged>>,
    admission: Mutex<()>,
}

impl<T: Made> Collection<T> {
    pub(super) fn new(damaged: Vec<Damaged>) -> Self {
        let damaged = damaged
            .into_iter()
            .map(|damaged| (damaged.name.clone(), damaged))
            .collect();
        Self {
            all: Mutex::default(),
            damaged: Mutex::new(damaged),
            admission: Mutex::default(),
        }
    }

    /// Held while an object is checked against the others and written down.
    pub(super) fn admission(&self) -> MutexGuard<'_, ()> {
        locked(&self.admission)
    }

    /// The object of this name.
    pub(super) fn get(&self, name: &str) -> Result<Arc<T>, Failure> {
        if let Some(damaged) = locked(&self.damaged).get(name) {
            let message = format!(
                "the file of {} {name:?} is damaged: {}; delete it and make it anew",
                T::KIND,
                damaged.error
            );
            return Err(Failure::new(FailureKind::Damaged, message));
        }
        let missing = || {
            Failure::new(
                FailureKind::NotFound,
                format!("there is no {} {name:?}", T::KIND),
            )
        };
        locked(&self.all).get(name).cloned().ok_or_else(missing)
    }

    /// All sound objects by name.
    pub(super) fn list(&self) -> Vec<Arc<T>> {
        locked(&self.all).values().cloned().collect()
    }

    /// What this request made already; a failure when another request took the name.
    pub(super) fn made_before(&self, name: &str, token: &str) -> Result<Option<Arc<T>>, Failure> {
        match self.get(name) {
            Ok(object) if object.token() == token => Ok(Some(object)),
            Ok(_) => Err(Failure::new(
                FailureKind::Exists,
                format!("{} {name:?} exists already", T::KIND),
            )),
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub(super) fn insert(&self, name: String, object: Arc<T>) {
        locked(&self.all).insert(name, object);
    }

    pub(super) fn remove(&self, name: &str) {
        locked(&self.all).remove(name);
        locked(&self.damaged).remove(name);
    }

    pub(super) fn damaged(&self) -> Vec<Damaged> {
        locked(&self.damaged).values().cloned().collect()
    }

    pub(super) fn is_damaged(&self, name: &str) -> bool {
        locked(&self.damaged).contains_key(name)
    }
}

/// What the disk or the kernel refused.
pub(super) fn internal(what: &str, error: &io::Error) -> Failure {
    Failure::new(FailureKind::Internal, format!("{what}: {error}"))
}
