//! What a provider says when it refuses or fails: facts, which the engine turns into a diagnostic.

use std::fmt;

use crate::path::Path;
use crate::value::Value;

/// Why an operation failed; the engine decides by it whether to try again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureKind {
    /// What was asked is wrong and will stay wrong.
    Invalid,
    /// The object does not exist.
    NotFound,
    /// The caller may not do this.
    Denied,
    /// Something else stands in the way: a name or port that is taken, a concurrent change.
    Conflict,
    /// Too many requests; try later.
    Throttled,
    /// The other side does not answer; try later.
    Unavailable,
    /// The user stopped it.
    Cancelled,
    /// What was run did not succeed: a job that exited with an error.
    Failed,
    /// The provider itself is at fault.
    Internal,
}

/// A failed operation.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The class of the failure.
    pub kind: FailureKind,
    /// One line: what could not be done.
    pub summary: String,
    /// Why, in sentences; may hold lines of a log.
    pub detail: String,
    /// What the user can do about it.
    pub remedy: Option<String>,
    /// The argument at fault.
    pub path: Option<Path>,
    /// What exists all the same: recorded in state as tainted, so that nothing is orphaned.
    pub partial: Option<Box<Value>>,
}

impl Failure {
    /// A failure of the given kind.
    pub fn new(
        kind: FailureKind,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) -> Failure {
        Failure {
            kind,
            summary: summary.into(),
            detail: detail.into(),
            remedy: None,
            path: None,
            partial: None,
        }
    }

    /// The argument `path` is wrong.
    pub fn invalid(path: Path, summary: impl Into<String>, detail: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Invalid, summary, detail).at(path)
    }

    /// The provider's own fault.
    pub fn internal(detail: impl fmt::Display) -> Failure {
        Failure::new(FailureKind::Internal, "Provider failed", detail.to_string())
    }

    /// With the argument at fault.
    #[must_use]
    pub fn at(mut self, path: Path) -> Failure {
        self.path = Some(path);
        self
    }

    /// With advice.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Failure {
        self.remedy = Some(remedy.into());
        self
    }

    /// With what exists all the same.
    #[must_use]
    pub fn leaving(mut self, partial: Value) -> Failure {
        self.partial = Some(Box::new(partial));
        self
    }

    /// Whether another try may succeed by itself.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, FailureKind::Throttled | FailureKind::Unavailable)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.summary, self.detail)
    }
}

impl std::error::Error for Failure {}

/// Something wrong in a configuration, found before anything is done.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The argument at fault; the root for the block as a whole.
    pub path: Path,
    /// One line.
    pub summary: String,
    /// Why, and what would be right.
    pub detail: String,
    /// A warning does not stop the plan.
    pub warning: bool,
}

impl Problem {
    /// An error at `path`.
    pub fn error(path: Path, summary: impl Into<String>, detail: impl Into<String>) -> Problem {
        Problem {
            path,
            summary: summary.into(),
            detail: detail.into(),
            warning: false,
        }
    }
}
