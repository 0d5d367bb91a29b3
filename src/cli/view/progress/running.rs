//! The operations that are going on, with what was last heard of each.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Work, words};

/// How often people are told that an operation still goes on.
pub const STILL: Duration = Duration::from_secs(10);

/// Lines of an operation's own output that are shown in a second; the rest is counted.
const LINES_A_SECOND: usize = 10;

/// How often figures are shown.
const METRICS: Duration = Duration::from_secs(5);

/// One operation.
#[derive(Clone, Debug)]
pub struct Running {
    /// What is done with which object.
    pub work: Work,
    /// The object's id.
    pub id: Option<String>,
    /// When it began.
    pub since: Duration,
    /// When it was last said that it still goes on.
    said: Duration,
    /// The figures that were not shown yet.
    pub metrics: Option<BTreeMap<String, f64>>,
    /// When figures were last shown.
    measured: Option<Duration>,
    /// The second that lines are being counted in, and how many were in it.
    second: (Duration, usize),
    /// How many lines were left out since the last that was shown.
    pub left_out: usize,
}

impl Running {
    /// Whether it is time to say that it still goes on; if so, for how long it has.
    pub fn still(&mut self, now: Duration) -> Option<Duration> {
        if now.saturating_sub(self.said) < STILL {
            return None;
        }
        let elapsed = now.saturating_sub(self.since);
        // Told in whole steps, so that it reads 10s, 20s, 30s.
        let steps = elapsed.as_secs() / STILL.as_secs();
        self.said = self.since + Duration::from_secs(steps * STILL.as_secs());
        Some(elapsed)
    }

    /// Takes figures; answers them when it is time to show some.
    pub fn measure(
        &mut self,
        now: Duration,
        metrics: &BTreeMap<String, f64>,
    ) -> Option<BTreeMap<String, f64>> {
        let known = self.metrics.get_or_insert_default();
        known.extend(metrics.iter().map(|(name, value)| (name.clone(), *value)));
        let due = self
            .measured
            .is_none_or(|last| now.saturating_sub(last) >= METRICS);
        if due {
            self.measured = Some(now);
            return self.metrics.take();
        }
        None
    }

    /// Whether a line of the operation's own output may be shown now.
    pub fn may_log(&mut self, now: Duration) -> bool {
        if now.saturating_sub(self.second.0) >= Duration::from_secs(1) {
            self.second = (now, 0);
        }
        self.second.1 += 1;
        let may = self.second.1 <= LINES_A_SECOND;
        if !may {
            self.left_out += 1;
        }
        may
    }
}

/// All operations that are going on, in the order they began.
#[derive(Clone, Debug, Default)]
pub struct Operations(Vec<Running>);

impl Operations {
    /// One begins.
    pub fn start(&mut self, work: &Work, id: Option<&str>, now: Duration) {
        self.end(work);
        self.0.push(Running {
            work: work.clone(),
            id: id.map(words::plain),
            since: now,
            said: now,
            metrics: None,
            measured: None,
            second: (now, 0),
            left_out: 0,
        });
    }

    /// The one that was begun for this work.
    pub fn get(&mut self, work: &Work) -> Option<&mut Running> {
        self.0.iter_mut().find(|running| running.work == *work)
    }

    /// One ends.
    pub fn end(&mut self, work: &Work) -> Option<Running> {
        let at = self.0.iter().position(|running| running.work == *work)?;
        Some(self.0.remove(at))
    }

    /// Those of which it is time to say that they still go on, with how long they have.
    pub fn still(&mut self, now: Duration) -> Vec<(Running, Duration)> {
        let due = self.0.iter_mut().filter_map(|running| {
            let elapsed = running.still(now)?;
            Some((running.clone(), elapsed))
        });
        due.collect()
    }
}
