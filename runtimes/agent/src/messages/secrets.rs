//! Environment variables whose values are never shown.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Secret environment variables: sent to the agent, kept in a file of mode 0600, never sent back.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Secrets from names and values.
    pub fn new(values: BTreeMap<String, String>) -> Self {
        Self(values)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, which are no secret.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// The values, for the one who starts the process.
    pub fn reveal(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_only() {
        let secrets = Secrets::new(BTreeMap::from([("TOKEN".to_owned(), "hush".to_owned())]));
        assert_eq!(format!("{secrets:?}"), r#"{"TOKEN"}"#);
    }
}
