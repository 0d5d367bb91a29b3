//! Progress on a terminal: one live line an operation, with the time it has taken and what was
//! last heard of it. Lines of what is finished stay.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mlinfra_sdk::Event;

use super::{Clock, Doing, Done, Operation, Outcome, Work, words};
use crate::cli::view::outputs;
use crate::cli::view::state::OutputView;
use crate::cli::view::style::{Ink, Style};
use crate::diag::{Diagnostic, terminal};
use crate::source::Sources;

/// Live lines.
pub struct Terminal {
    style: Style,
    clock: Clock,
    screen: MultiProgress,
    running: Mutex<Vec<Live>>,
}

/// A live line.
struct Live {
    work: Work,
    id: Option<String>,
    since: Duration,
    bar: ProgressBar,
    /// The last phase or line that the work told of.
    heard: String,
    metrics: BTreeMap<String, f64>,
}

impl Live {
    /// What stands behind the spinner.
    fn text(&self, now: Duration, style: &Style) -> String {
        let elapsed = words::time(now.saturating_sub(self.since));
        let what = words::started(&self.work, None);
        let subject = style.paint(Ink::Bold, &words::subject(&self.work));
        let mut text = format!("{subject}: {what} {elapsed}");
        for part in [self.heard.clone(), words::metrics(&self.metrics)] {
            if !part.is_empty() {
                text.push_str("  ");
                text.push_str(&style.paint(Ink::Gray, &part));
            }
        }
        text
    }
}

impl Terminal {
    /// Live lines drawn to a target.
    pub fn new(target: ProgressDrawTarget, style: Style, clock: Clock) -> Terminal {
        Terminal {
            style,
            clock,
            screen: MultiProgress::with_draw_target(target),
            running: Mutex::default(),
        }
    }

    fn running(&self) -> MutexGuard<'_, Vec<Live>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        (self.clock)().passed
    }

    fn line(&self, work: &Work, text: &str) {
        let line = format!("{}: {text}", words::subject(work));
        // A terminal that went away must not stop what is being applied.
        let _ = self.screen.println(self.style.paint(Ink::Bold, &line));
    }

    pub(super) fn started(&self, work: &Work, id: Option<&str>) {
        let bar = self.screen.add(ProgressBar::new_spinner());
        // A template without placeholders that could be wrong always parses.
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {wide_msg}") {
            bar.set_style(style);
        }
        let live = Live {
            work: work.clone(),
            id: id.map(words::plain),
            since: self.now(),
            bar,
            heard: String::new(),
            metrics: BTreeMap::new(),
        };
        live.bar.set_message(live.text(live.since, &self.style));
        self.running().push(live);
    }

    pub(super) fn event(&self, work: &Work, event: &Event) {
        let now = self.now();
        let mut running = self.running();
        let Some(live) = running.iter_mut().find(|live| live.work == *work) else {
            return;
        };
        match event {
            Event::Stage(text) | Event::Log(text) => live.heard = words::plain(text),
            Event::Metrics(metrics) => {
                let metrics = metrics.iter().map(|(name, value)| (name.clone(), *value));
                live.metrics.extend(metrics);
            }
        }
        live.bar.set_message(live.text(now, &self.style));
    }

    pub(super) fn finished(&self, work: &Work, outcome: &Outcome, elapsed: Duration) {
        let ended = {
            let mut running = self.running();
            let at = running.iter().position(|live| live.work == *work);
            at.map(|at| running.remove(at))
        };
        let mut text = words::finished(work, outcome, elapsed);
        if let Some(live) = ended {
            live.bar.finish_and_clear();
            self.screen.remove(&live.bar);
            if let (Doing::Delete, Some(id)) = (work.doing, &live.id) {
                text.push_str(&format!(" [id={id}]"));
            }
            if !live.metrics.is_empty() {
                text.push_str(&format!("  {}", words::metrics(&live.metrics)));
            }
        }
        // That a refresh went well is said by the plan that follows.
        if work.doing != Doing::Refresh || *outcome == Outcome::Failed {
            self.line(work, &text);
        }
    }

    pub(super) fn tick(&self) {
        let now = self.now();
        for live in self.running().iter() {
            live.bar.set_message(live.text(now, &self.style));
            live.bar.tick();
        }
    }

    pub(super) fn text(&self, text: &str) {
        let _ = self.screen.println(text.strip_suffix('\n').unwrap_or(text));
    }

    pub(super) fn diagnostic(&self, diagnostic: &Diagnostic, sources: &Sources) {
        self.text(&terminal::render(diagnostic, sources, &self.style));
    }

    pub(super) fn summary(&self, operation: Operation, done: Done) {
        let text = words::summary(operation, done);
        let text = self.style.paint(Ink::BoldGreen, &text);
        self.text(&format!("\n{text}"));
    }

    pub(super) fn outputs(&self, outputs: &BTreeMap<Arc<str>, OutputView>) {
        let text = outputs::after_apply(outputs, &self.style);
        if !text.is_empty() {
            self.text(&text);
        }
    }
}
