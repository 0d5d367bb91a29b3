//! Shows what an apply does while it does it: feeds the progress view from the engine's events
//! and lets time pass for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressDrawTarget;

use super::context::Context;
use super::view::progress::{
    ApplyView, Clock, Doing, JsonLines, Lines, Moment, Outcome, Terminal, Work,
};
use crate::apply::{Event, Happening, Sink};
use crate::diag::Diagnostics;
use crate::plan::Action;
use crate::source::Sources;

/// Whoever watches an apply.
pub struct Watch {
    view: Arc<ApplyView>,
    ticking: tokio::task::JoinHandle<()>,
}

impl Watch {
    /// Begins to watch: with live lines on a terminal, plain lines elsewhere, JSON where asked for.
    pub fn start(cx: &Context, json: bool) -> Watch {
        let clock = clock();
        let out = || Box::new(std::io::stdout());
        let view = match (json, cx.interactive) {
            (true, _) => ApplyView::Json(JsonLines::new(out(), clock)),
            (false, true) => {
                ApplyView::Terminal(Terminal::new(ProgressDrawTarget::stdout(), cx.style, clock))
            }
            (false, false) => ApplyView::Lines(Lines::new(out(), cx.style, clock)),
        };
        let view = Arc::new(view);
        let pace = Duration::from_millis(if cx.interactive && !json { 100 } else { 1000 });
        let ticked = Arc::clone(&view);
        let ticking = tokio::spawn(async move {
            let mut interval = tokio::time::interval(pace);
            loop {
                interval.tick().await;
                ticked.tick();
            }
        });
        Watch { view, ticking }
    }

    /// What is shown.
    pub fn view(&self) -> &ApplyView {
        &self.view
    }

    /// Shows diagnostics: to programs among the rest, to people on standard error.
    pub fn report(&self, cx: &Context, diagnostics: &Diagnostics, sources: &Sources) {
        if let ApplyView::Json(_) = *self.view {
            for diagnostic in diagnostics {
                self.view.diagnostic(diagnostic, sources);
            }
        } else {
            cx.report(diagnostics, sources);
        }
    }

    /// Takes what the engine tells.
    pub fn sink(&self) -> Sink {
        let view = Arc::clone(&self.view);
        Arc::new(move |event| tell(&view, event))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ticking.abort();
    }
}

fn clock() -> Clock {
    let start = Instant::now();
    Arc::new(move || Moment {
        passed: start.elapsed(),
        wall: jiff::Timestamp::now(),
    })
}

fn tell(view: &ApplyView, event: Event) {
    let doing = match event.action {
        Action::Update => Doing::Update,
        Action::Delete => Doing::Delete,
        Action::Read => Doing::Read,
        _ => Doing::Create,
    };
    let work = Work {
        address: event.address,
        deposed: None,
        doing,
    };
    match event.happening {
        Happening::Started(id) => view.started(&work, id.as_deref()),
        Happening::Progress(event) => view.event(&work, &event),
        Happening::Finished(id, elapsed) => view.finished(&work, &Outcome::Done(id), elapsed),
        Happening::Failed(elapsed) => view.finished(&work, &Outcome::Failed, elapsed),
    }
}
