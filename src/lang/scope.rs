//! What the names in an expression mean, which the evaluator asks its caller.

use std::path::PathBuf;

use jiff::Timestamp;
use mlinfra_sdk::Value;

use super::expr::Traversal;
use crate::diag::Diagnostic;
use crate::source::Span;

/// The names that an expression may use.
pub trait Scope {
    /// The value that a reference leads to, and how many of its steps that value stands for; the
    /// evaluator takes the others. An unknown name is an error.
    ///
    /// # Errors
    /// When the reference leads nowhere.
    fn resolve(&self, traversal: &Traversal) -> Result<(Value, usize), Diagnostic>;

    /// What the functions need to know of the world.
    fn settings(&self) -> &FunctionSettings;

    /// Whether functions may be called at all.
    fn allows_functions(&self) -> bool {
        true
    }

    /// Whether the expression is in a template that a function reads, where such functions may
    /// not be called again.
    fn within_template(&self) -> bool {
        false
    }

    /// Whether `provider::name::` stands for the functions of the built-in provider `terraform`.
    fn names_builtin_provider(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// A place of the source in words, `main.hcl:3,7-12`, for messages that quote others.
    fn place(&self, span: Span) -> Option<String> {
        let _ = span;
        None
    }
}

/// What the functions need to know of the world.
#[derive(Clone, Debug)]
pub struct FunctionSettings {
    /// Where relative file names start.
    pub base_dir: PathBuf,
    /// What `plantimestamp` answers; unknown while nothing is planned.
    pub plan_timestamp: Option<Timestamp>,
    /// Whether functions that answer something else each time (`timestamp`, `uuid`, `bcrypt`)
    /// answer an unknown value, because their answer is not to be known before apply.
    pub pure_only: bool,
    /// Whether expressions may use `type`, which only a console has.
    pub console: bool,
}

impl Default for FunctionSettings {
    fn default() -> FunctionSettings {
        FunctionSettings {
            base_dir: PathBuf::from("."),
            plan_timestamp: None,
            pure_only: false,
            console: false,
        }
    }
}

impl FunctionSettings {
    /// Whether a function may be called here at all.
    pub fn allows(&self, function: &str) -> bool {
        match function {
            "type" => self.console,
            "plantimestamp" => !self.console,
            _ => true,
        }
    }
}

/// No names at all: for places that take constants only.
#[derive(Clone, Debug, Default)]
pub struct NoScope(FunctionSettings);

impl Scope for NoScope {
    fn resolve(&self, traversal: &Traversal) -> Result<(Value, usize), Diagnostic> {
        Err(
            Diagnostic::error("Variables not allowed", "Variables may not be used here.")
                .at(traversal.span),
        )
    }

    fn settings(&self) -> &FunctionSettings {
        &self.0
    }

    fn allows_functions(&self) -> bool {
        false
    }
}
