//! Progress as lines of text: a pipe, a log of a pipeline.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mlinfra_sdk::Event;

use super::running::Operations;
use super::{Clock, Doing, Done, Operation, Outcome, Sink, Work, words};
use crate::cli::view::outputs;
use crate::cli::view::state::OutputView;
use crate::cli::view::style::{Ink, Style};
use crate::diag::{Diagnostic, terminal};
use crate::source::Sources;

/// Lines of text.
pub struct Lines {
    style: Style,
    clock: Clock,
    inner: Mutex<Inner>,
}

struct Inner {
    sink: Sink,
    running: Operations,
}

impl Inner {
    fn write(&mut self, text: &str) {
        // A reader that went away must not stop what is being applied.
        let _ = self.sink.write_all(text.as_bytes());
        let _ = self.sink.flush();
    }
}

impl Lines {
    /// Lines written to a sink.
    pub fn new(sink: Sink, style: Style, clock: Clock) -> Lines {
        Lines {
            style,
            clock,
            inner: Mutex::new(Inner {
                sink,
                running: Operations::default(),
            }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        (self.clock)().passed
    }

    fn line(&self, inner: &mut Inner, work: &Work, text: &str) {
        let subject = words::subject(work);
        let line = self.style.paint(Ink::Bold, &format!("{subject}: {text}"));
        inner.write(&format!("{line}\n"));
    }

    /// What the work itself says, of less weight than what is said of it.
    fn aside(&self, inner: &mut Inner, work: &Work, text: &str) {
        let subject = self.style.paint(Ink::Bold, &words::subject(work));
        inner.write(&format!("{subject}: {text}\n"));
    }

    pub(super) fn started(&self, work: &Work, id: Option<&str>) {
        let now = self.now();
        let mut inner = self.inner();
        inner.running.start(work, id, now);
        self.line(&mut inner, work, &words::started(work, id));
    }

    pub(super) fn event(&self, work: &Work, event: &Event) {
        let now = self.now();
        let mut inner = self.inner();
        let Some(running) = inner.running.get(work) else {
            return;
        };
        let text = match event {
            Event::Stage(stage) => Some(words::plain(stage)),
            Event::Metrics(metrics) => running.measure(now, metrics).map(|m| words::metrics(&m)),
            Event::Log(line) => running.may_log(now).then(|| {
                let left_out = left_out(std::mem::take(&mut running.left_out));
                format!("{left_out}| {}", words::plain(line))
            }),
        };
        if let Some(text) = text {
            self.aside(&mut inner, work, &text);
        }
    }

    pub(super) fn finished(&self, work: &Work, outcome: &Outcome, elapsed: Duration) {
        let mut inner = self.inner();
        let ended = inner.running.end(work);
        if let Some(metrics) = ended.as_ref().and_then(|running| running.metrics.as_ref()) {
            self.aside(&mut inner, work, &words::metrics(metrics));
        }
        let lost = ended.map_or(0, |running| running.left_out);
        if lost > 0 {
            self.aside(&mut inner, work, left_out(lost).trim_end());
        }
        // That a refresh went well is said by the plan that follows.
        if work.doing != Doing::Refresh || *outcome == Outcome::Failed {
            self.line(&mut inner, work, &words::finished(work, outcome, elapsed));
        }
    }

    pub(super) fn tick(&self) {
        let now = self.now();
        let mut inner = self.inner();
        for (running, elapsed) in inner.running.still(now) {
            let text = words::still(&running.work, running.id.as_deref(), elapsed);
            self.line(&mut inner, &running.work, &text);
        }
    }

    pub(super) fn text(&self, text: &str) {
        self.inner().write(text);
    }

    pub(super) fn diagnostic(&self, diagnostic: &Diagnostic, sources: &Sources) {
        let text = terminal::render(diagnostic, sources, &self.style);
        self.text(&text);
    }

    pub(super) fn summary(&self, operation: Operation, done: Done) {
        let text = self
            .style
            .paint(Ink::BoldGreen, &words::summary(operation, done));
        self.text(&format!("\n{text}\n"));
    }

    pub(super) fn outputs(&self, outputs: &BTreeMap<Arc<str>, OutputView>) {
        self.text(&outputs::after_apply(outputs, &self.style));
    }
}

fn left_out(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "(1 line left out) ".to_owned(),
        n => format!("({n} lines left out) "),
    }
}
