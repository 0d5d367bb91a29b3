//! What is about to be done, recorded before it is: a killed operation is found by its token.

use std::fmt;
use std::sync::Arc;

use super::{Object, Planned, ProviderRef};
use crate::addr::ResourceInstance;

/// Tells one operation from every other; what is created carries it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Token(Arc<str>);

impl Token {
    /// A new one.
    pub fn fresh() -> Token {
        Token(uuid::Uuid::now_v7().to_string().into())
    }

    /// One that was recorded.
    pub fn from_recorded(text: &str) -> Token {
        Token(text.into())
    }

    /// The text, for the provider.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is done with an object of the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Remove it.
    Delete,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Delete => "delete",
        })
    }
}

/// An operation on one object.
#[derive(Clone, PartialEq, Debug)]
pub struct Intent {
    /// Its token.
    pub token: Token,
    /// The instance.
    pub address: ResourceInstance,
    /// The key of the deposed object, when it is about one.
    pub deposed: Option<Arc<str>>,
    /// What is done.
    pub operation: Operation,
    /// Who does it.
    pub provider: ProviderRef,
    /// What it is to become; `None` for a deletion.
    pub planned: Option<Planned>,
}

impl Intent {
    /// An operation on the current object of an instance, under a fresh token.
    pub fn new(
        operation: Operation,
        address: ResourceInstance,
        provider: ProviderRef,
        planned: Option<Planned>,
    ) -> Intent {
        Intent {
            token: Token::fresh(),
            address,
            deposed: None,
            operation,
            provider,
            planned,
        }
    }

    /// The same on a deposed object.
    #[must_use]
    pub fn on_deposed(mut self, key: Option<Arc<str>>) -> Intent {
        self.deposed = key;
        self
    }
}

/// How an operation came out.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// The object is now this. A creation that failed half-way leaves a tainted one.
    Is(Arc<Object>),
    /// There is no such object: it was deleted, or was never made.
    Gone,
    /// It failed and left everything as it was.
    Unchanged,
}
