//! The words for what is going on: Terraform's, and ours for what it does not know.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Doing, Done, Operation, Outcome, Work};

/// The object's address, and which of its objects when it is a deposed one.
pub fn subject(work: &Work) -> String {
    match &work.deposed {
        Some(key) => format!("{} (deposed object {key})", work.address),
        None => work.address.to_string(),
    }
}

/// `Creating...`, `Destroying... [id=x]`
pub fn started(work: &Work, id: Option<&str>) -> String {
    let verb = match work.doing {
        Doing::Create => "Creating...",
        Doing::Update => "Modifying...",
        Doing::Delete => "Destroying...",
        Doing::Read => "Reading...",
        Doing::Refresh => "Refreshing state...",
    };
    match id {
        Some(id) => format!("{verb} [id={}]", plain(id)),
        None => verb.to_owned(),
    }
}

/// `Still creating... [10s elapsed]`
pub fn still(work: &Work, id: Option<&str>, elapsed: Duration) -> String {
    let verb = match work.doing {
        Doing::Create => "creating",
        Doing::Update => "modifying",
        Doing::Delete => "destroying",
        Doing::Read => "reading",
        Doing::Refresh => "refreshing",
    };
    let id = id
        .map(|id| format!("id={}, ", plain(id)))
        .unwrap_or_default();
    format!("Still {verb}... [{id}{} elapsed]", time(elapsed))
}

/// `Creation complete after 3s [id=x]`
pub fn finished(work: &Work, outcome: &Outcome, elapsed: Duration) -> String {
    let noun = match (work.doing, outcome) {
        (Doing::Create, _) => "Creation",
        (Doing::Update, Outcome::Done(_)) => "Modifications",
        (Doing::Update, Outcome::Failed) => "Modification",
        (Doing::Delete, _) => "Destruction",
        (Doing::Read, _) => "Read",
        (Doing::Refresh, _) => "Refresh",
    };
    let after = time(elapsed);
    match outcome {
        Outcome::Failed => format!("{noun} errored after {after}"),
        Outcome::Done(Some(id)) if work.doing != Doing::Delete => {
            format!("{noun} complete after {after} [id={}]", plain(id))
        }
        Outcome::Done(_) => format!("{noun} complete after {after}"),
    }
}

/// `12s`, `1m5s`, `2h0m1s`: whole seconds.
pub fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// `auc=0.9131 step=12`
pub fn metrics(metrics: &BTreeMap<String, f64>) -> String {
    let parts: Vec<String> = metrics
        .iter()
        .map(|(name, value)| format!("{}={}", plain(name), figure(*value)))
        .collect();
    parts.join(" ")
}

/// A figure in few digits: whole, to four digits after the point, or with an exponent.
fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || (value.fract() == 0.0 && size < 1e9) {
        return value.to_string();
    }
    if (1e-3..1e9).contains(&size) {
        let text = format!("{value:.4}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    format!("{value:.3e}")
}

/// Text from elsewhere on one line, without what a terminal would act on.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim_end().chars() {
        match c {
            '\t' => out.push(' '),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// `Apply complete! Resources: 2 added, 0 changed, 0 destroyed.`
pub fn summary(operation: Operation, done: Done) -> String {
    let Done {
        imported,
        added,
        changed,
        destroyed,
    } = done;
    match operation {
        Operation::Plan => {
            let imports = match imported {
                0 => String::new(),
                n => format!("{n} to import, "),
            };
            format!("Plan: {imports}{added} to add, {changed} to change, {destroyed} to destroy.")
        }
        Operation::Destroy => format!("Destroy complete! Resources: {destroyed} destroyed."),
        Operation::Apply => {
            let imports = match imported {
                0 => String::new(),
                n => format!("{n} imported, "),
            };
            format!(
                "Apply complete! Resources: {imports}{added} added, {changed} changed, \
                 {destroyed} destroyed."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_figures_are_short() {
        for (seconds, wanted) in [(0, "0s"), (59, "59s"), (65, "1m5s"), (7201, "2h0m1s")] {
            assert_eq!(time(Duration::from_secs(seconds)), wanted);
        }
        let figures = [
            ("a", 0.913_07),
            ("b", 12.0),
            ("c", 1.5e-7),
            ("d", f64::NAN),
            ("e", 0.5),
            ("f", 2.5e12),
            ("g", -3.20194),
        ];
        let figures = figures.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(
            metrics(&BTreeMap::from(figures)),
            "a=0.9131 b=12 c=1.500e-7 d=NaN e=0.5 f=2.500e12 g=-3.2019"
        );
    }

    #[test]
    fn text_from_elsewhere_cannot_steer_a_terminal() {
        assert_eq!(plain("a\tb\u{1b}[31m\r\n"), "a b\\u{1b}[31m");
        assert_eq!(plain("one\ntwo"), "one\\ntwo");
    }
}
