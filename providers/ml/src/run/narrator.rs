//! Passes on what a job tells of itself to whoever watches the operation.

use std::collections::BTreeMap;

use mlinfra_agent::messages::{EventBody, Progress};
use mlinfra_sdk::{Context, Event};

/// The stage in which the runner makes a Python environment.
const ENVIRONMENT: &str = "environment";

/// The stage under which the runner tells why it failed, which the failure says itself.
const FAILED: &str = "failed";

/// How the runner's own words begin. Its last ones are why it failed, which the failure says itself.
const OWN: &str = "mlinfra-runtime: ";

/// Passes on events.
#[derive(Default)]
pub(super) struct Narrator {
    stage: Option<String>,
    over: bool,
}

impl Narrator {
    pub(super) fn tell(&mut self, cx: &Context, event: &EventBody) {
        match event {
            // What pip writes is told as progress already.
            EventBody::Log { .. } if self.stage.as_deref() == Some(ENVIRONMENT) => {}
            EventBody::Log { line } => {
                self.over |= line.starts_with(OWN);
                if !self.over {
                    (cx.progress)(Event::Log(line.clone()));
                }
            }
            EventBody::Progress(progress) => self.progress(cx, progress),
            EventBody::End(_) => {}
        }
    }

    fn progress(&mut self, cx: &Context, progress: &Progress) {
        if progress.stage.is_some() {
            self.stage.clone_from(&progress.stage);
        }
        if self.stage.as_deref() == Some(FAILED) {
            return;
        }
        if let Some(message) = &progress.message {
            cx.stage(message.clone());
        }
        let measured = progress.metrics.iter();
        let mut figures: BTreeMap<String, f64> = measured
            .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
            .collect();
        if figures.is_empty() {
            return;
        }
        if let Some(step) = progress.step {
            figures.insert("step".to_owned(), step as f64);
        }
        (cx.progress)(Event::Metrics(figures));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn metrics_and_lines_are_passed_on_and_pip_is_told_once() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let cx = Context {
            progress: {
                let heard = Arc::clone(&heard);
                Arc::new(move |event| heard.lock().unwrap().push(event))
            },
            ..Context::quiet()
        };
        let mut narrator = Narrator::default();
        let mut hear = |json: &str| {
            let body = match json.strip_prefix("log ") {
                Some(line) => EventBody::Log {
                    line: line.to_owned(),
                },
                None => EventBody::Progress(serde_json::from_str(json).unwrap()),
            };
            narrator.tell(&cx, &body);
        };
        hear(r#"{"stage": "environment", "message": "Collecting numpy"}"#);
        hear("log Collecting numpy");
        hear(r#"{"stage": "train", "message": "running"}"#);
        hear("log epoch 1");
        hear(r#"{"stage": "train", "step": 1, "metrics": {"auc": 0.5, "loss": "NaN"}}"#);
        hear(r#"{"stage": "failed", "message": "it failed"}"#);
        hear("log mlinfra-runtime: it failed; its last lines:");
        hear("log epoch 1");
        let figures = BTreeMap::from([("auc".to_owned(), 0.5), ("step".to_owned(), 1.0)]);
        assert_eq!(
            *heard.lock().unwrap(),
            [
                Event::Stage("Collecting numpy".into()),
                Event::Stage("running".into()),
                Event::Log("epoch 1".into()),
                Event::Metrics(figures),
            ]
        );
    }
}
