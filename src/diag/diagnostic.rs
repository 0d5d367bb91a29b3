//! The diagnostic value.

use std::fmt;

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Nothing is done.
    Error,
    /// It is done all the same.
    Warning,
}

/// A value that led to a diagnostic: "var.x is 3 here".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValueNote {
    /// The expression as the user wrote it.
    pub expression: String,
    /// What it is, in words that hide what is sensitive: `is 3`, `is a string`.
    pub statement: String,
    /// Where it comes from, when that is elsewhere: a variable file, an argument.
    pub origin: Option<String>,
}

/// An error or warning about something the user wrote or the world did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The stable code to look it up by: `E0012`. Empty where none was given yet.
    pub code: &'static str,
    /// One line without a full stop.
    pub summary: String,
    /// Sentences: the cause, and what would be right.
    pub detail: String,
    /// The offending part of the source.
    pub subject: Option<Span>,
    /// A wider part to show around the subject.
    pub context: Option<Span>,
    /// The resource it happened to: `local_service.api`.
    pub address: Option<String>,
    /// A suggestion: `did you mean "training_job.classifier"?`
    pub hint: Option<String>,
    /// Values that led to it.
    pub values: Vec<ValueNote>,
}

impl Diagnostic {
    fn new(
        severity: Severity,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            severity,
            code: "",
            summary: summary.into(),
            detail: detail.into(),
            subject: None,
            context: None,
            address: None,
            hint: None,
            values: Vec::new(),
        }
    }

    /// An error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, summary, detail)
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, summary, detail)
    }

    /// At a part of the source; one that has a place keeps it.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Diagnostic {
        self.subject = self.subject.or(span.into());
        self
    }

    /// Shown within a wider part.
    #[must_use]
    pub fn within(mut self, span: Span) -> Diagnostic {
        self.context = self.context.or(Some(span));
        self
    }

    /// About a resource.
    #[must_use]
    pub fn about(mut self, address: impl fmt::Display) -> Diagnostic {
        self.address.get_or_insert_with(|| address.to_string());
        self
    }

    /// With a suggestion.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// With a code.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Diagnostic {
        if self.code.is_empty() {
            self.code = code;
        }
        self
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.summary, self.detail)
    }
}

/// The diagnostics of a phase, in the order they were found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// None so far.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds one, unless the very same is there.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.0.contains(&diagnostic) {
            self.0.push(diagnostic);
        }
    }

    /// Adds those of another phase.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in others {
            self.push(diagnostic);
        }
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value, or `None` with the diagnostic kept.
    pub fn keep<T>(&mut self, result: Result<T, impl Into<Diagnostics>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(diagnostics) => {
                self.extend(diagnostics.into());
                None
            }
        }
    }

    /// `Ok` with the value when there is no error among them.
    pub fn into_result<T>(self, value: T) -> Result<T, Diagnostics> {
        if self.has_errors() {
            Err(self)
        } else {
            Ok(value)
        }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics(vec![diagnostic])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'d> IntoIterator for &'d Diagnostics {
    type Item = &'d Diagnostic;
    type IntoIter = std::slice::Iter<'d, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
