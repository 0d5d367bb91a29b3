//! What is going on while plans are made and applied, told as it happens: on a terminal one live
//! line an operation, in a pipe lines of text, for programs lines of JSON.
//!
//! The caller tells what happens and, every now and then, that time passes ([`ApplyView::tick`]).

mod json;
mod lines;
mod running;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use mlinfra_sdk::Event;

use super::plan::Counts;
use super::state::OutputView;
use crate::addr::ResourceInstance;
use crate::diag::Diagnostic;
use crate::plan::Plan;
use crate::source::Sources;

pub use json::JsonLines;
pub use lines::Lines;
pub use terminal::Terminal;

/// A moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Since some fixed start, never going back.
    pub passed: Duration,
    /// On the wall.
    pub wall: jiff::Timestamp,
}

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// Where text goes. What cannot be written is dropped: progress is no reason to stop.
pub type Sink = Box<dyn Write + Send>;

/// What is done with an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is removed.
    Delete,
    /// A data source is read.
    Read,
    /// It is looked at before a plan.
    Refresh,
}

/// One operation: what is done, and with which object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Work {
    /// Whose object.
    pub address: ResourceInstance,
    /// The key of the object when it is a deposed one.
    pub deposed: Option<Arc<str>>,
    /// What is done with it.
    pub doing: Doing,
}

/// How an operation ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Well; with the object's id, if it has one.
    Done(Option<String>),
    /// Badly; the diagnostic comes apart.
    Failed,
}

/// What a run as a whole is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// To plan.
    Plan,
    /// To apply.
    Apply,
    /// To remove everything.
    Destroy,
}

/// How much was or is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Done {
    /// Taken over from the world.
    pub imported: usize,
    /// Made.
    pub added: usize,
    /// Changed in place.
    pub changed: usize,
    /// Removed.
    pub destroyed: usize,
}

impl Done {
    /// What a plan will do.
    pub fn planned(plan: &Plan) -> Done {
        let counts = Counts::of(plan);
        Done {
            imported: counts.imported(),
            added: counts.added(),
            changed: counts.changed(),
            destroyed: counts.destroyed(),
        }
    }
}

/// Shows progress. Its methods return at once and may be called from any thread.
pub enum ApplyView {
    /// Live lines on a terminal.
    Terminal(Terminal),
    /// Lines of text.
    Lines(Lines),
    /// Lines of JSON: Terraform's machine-readable interface, and ours beside it.
    Json(JsonLines),
}

impl ApplyView {
    /// An operation begins, on an object that has this id already.
    pub fn started(&self, work: &Work, id: Option<&str>) {
        match self {
            ApplyView::Terminal(view) => view.started(work, id),
            ApplyView::Lines(view) => view.started(work, id),
            ApplyView::Json(view) => view.started(work, id),
        }
    }

    /// The provider tells something of an operation.
    pub fn event(&self, work: &Work, event: &Event) {
        match self {
            ApplyView::Terminal(view) => view.event(work, event),
            ApplyView::Lines(view) => view.event(work, event),
            ApplyView::Json(view) => view.event(work, event),
        }
    }

    /// An operation ended.
    pub fn finished(&self, work: &Work, outcome: &Outcome, elapsed: Duration) {
        match self {
            ApplyView::Terminal(view) => view.finished(work, outcome, elapsed),
            ApplyView::Lines(view) => view.finished(work, outcome, elapsed),
            ApplyView::Json(view) => view.finished(work, outcome, elapsed),
        }
    }

    /// Time passes. To be called several times a second on a terminal, once a second elsewhere.
    pub fn tick(&self) {
        match self {
            ApplyView::Terminal(view) => view.tick(),
            ApplyView::Lines(view) => view.tick(),
            ApplyView::Json(view) => view.tick(),
        }
    }

    /// Text for people, whole lines: a plan, a question. Programs are not told.
    pub fn text(&self, text: &str) {
        match self {
            ApplyView::Terminal(view) => view.text(text),
            ApplyView::Lines(view) => view.text(text),
            ApplyView::Json(_) => {}
        }
    }

    /// What is planned, for programs. People are shown the plan as text.
    pub fn planned(&self, plan: &Plan) {
        if let ApplyView::Json(view) = self {
            view.planned(plan);
        }
    }

    /// An error or warning.
    pub fn diagnostic(&self, diagnostic: &Diagnostic, sources: &Sources) {
        match self {
            ApplyView::Terminal(view) => view.diagnostic(diagnostic, sources),
            ApplyView::Lines(view) => view.diagnostic(diagnostic, sources),
            ApplyView::Json(view) => view.diagnostic(diagnostic, sources),
        }
    }

    /// All is done.
    pub fn summary(&self, operation: Operation, done: Done) {
        match self {
            ApplyView::Terminal(view) => view.summary(operation, done),
            ApplyView::Lines(view) => view.summary(operation, done),
            ApplyView::Json(view) => view.summary(operation, done),
        }
    }

    /// The outputs after an apply.
    pub fn outputs(&self, outputs: &BTreeMap<Arc<str>, OutputView>) {
        match self {
            ApplyView::Terminal(view) => view.outputs(outputs),
            ApplyView::Lines(view) => view.outputs(outputs),
            ApplyView::Json(view) => view.outputs(outputs),
        }
    }
}
