//! What providers say, as diagnostics.

use mlinfra_sdk::{Failure, Path, Problem};

use crate::diag::Diagnostic;
use crate::source::Span;

/// Finds where the argument at a path is written.
pub type Place<'p> = &'p dyn Fn(&Path) -> Span;

/// A failed operation.
pub fn failure_diagnostic(failure: &Failure, place: Option<Place<'_>>) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(failure.summary.clone(), failure.detail.clone()).code("E0022");
    if let (Some(place), path) = (place, failure.path.clone().unwrap_or_default()) {
        diagnostic = diagnostic.at(place(&path));
    }
    match &failure.remedy {
        Some(remedy) => diagnostic.hint(remedy.clone()),
        None => diagnostic,
    }
}

/// Something wrong in a configuration.
pub fn problem_diagnostic(problem: &Problem, place: Place<'_>) -> Diagnostic {
    let diagnostic = if problem.warning {
        Diagnostic::warning(problem.summary.clone(), problem.detail.clone())
    } else {
        Diagnostic::error(problem.summary.clone(), problem.detail.clone())
    };
    diagnostic.at(place(&problem.path)).code("E0023")
}
