//! The three renderers, fed with the same run.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{InMemoryTerm, ProgressDrawTarget};
use mlinfra_sdk::{Event, Value};

use super::*;
use crate::cli::view::plan::reading;
use crate::cli::view::style::Style;
use crate::plan::Mode;

/// A sink that can be read afterwards.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A clock that goes when it is told to.
#[derive(Clone, Default)]
struct Hand(Arc<Mutex<Duration>>);

impl Hand {
    fn clock(&self) -> Clock {
        let hand = self.clone();
        Arc::new(move || {
            let passed = *hand.0.lock().unwrap();
            Moment {
                passed,
                wall: jiff::Timestamp::from_second(1_700_000_000 + passed.as_secs() as i64)
                    .unwrap(),
            }
        })
    }

    fn go(&self, seconds: u64) {
        *self.0.lock().unwrap() += Duration::from_secs(seconds);
    }
}

fn work(address: &str, doing: Doing) -> Work {
    Work {
        address: ResourceInstance::parse(address).unwrap(),
        deposed: None,
        doing,
    }
}

fn metrics(auc: f64, step: f64) -> Event {
    Event::Metrics([("auc".to_owned(), auc), ("step".to_owned(), step)].into())
}

/// A training run and a removal.
fn play(view: &ApplyView, hand: &Hand) {
    let train = work("training_job.c.local_job.this", Doing::Create);
    let gone = work("local_service.old", Doing::Delete);
    view.started(&train, None);
    view.started(&gone, Some("s-1"));
    view.event(&train, &Event::Stage("making the environment".into()));
    hand.go(2);
    view.finished(&gone, &Outcome::Done(None), Duration::from_secs(2));
    view.event(&train, &metrics(0.5, 1.0));
    view.event(&train, &metrics(0.7, 2.0));
    for line in 0..30 {
        view.event(&train, &Event::Log(format!("line {line}")));
    }
    hand.go(8);
    view.tick();
    hand.go(1);
    view.tick();
    view.event(&train, &metrics(0.91307, 12.0));
    view.event(&train, &metrics(0.92, 13.0));
    view.finished(
        &train,
        &Outcome::Done(Some("run-7".into())),
        Duration::from_secs(65),
    );
    let failing = work("local_service.api", Doing::Update);
    view.started(&failing, Some("s-2"));
    view.finished(&failing, &Outcome::Failed, Duration::from_secs(1));
    let done = Done {
        added: 1,
        destroyed: 1,
        ..Done::default()
    };
    view.summary(Operation::Apply, done);
}

#[test]
fn a_pipe_reads_terraforms_words_and_not_too_many_of_ours() {
    let (page, hand) = (Page::default(), Hand::default());
    let view = ApplyView::Lines(Lines::new(
        Box::new(page.clone()),
        Style::PLAIN,
        hand.clock(),
    ));
    play(&view, &hand);
    let logs: String = (0..10)
        .map(|n| format!("training_job.c.local_job.this: | line {n}\n"))
        .collect();
    assert_eq!(
        page.text(),
        format!(
            "training_job.c.local_job.this: Creating...
local_service.old: Destroying... [id=s-1]
training_job.c.local_job.this: making the environment
local_service.old: Destruction complete after 2s
training_job.c.local_job.this: auc=0.5 step=1
{logs}training_job.c.local_job.this: Still creating... [10s elapsed]
training_job.c.local_job.this: auc=0.9131 step=12
training_job.c.local_job.this: auc=0.92 step=13
training_job.c.local_job.this: (20 lines left out)
training_job.c.local_job.this: Creation complete after 1m5s [id=run-7]
local_service.api: Modifying... [id=s-2]
local_service.api: Modification errored after 1s

Apply complete! Resources: 1 added, 0 changed, 1 destroyed.
"
        )
    );
}

fn json_lines(page: &Page) -> Vec<serde_json::Value> {
    let text = page.text();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn programs_read_terraforms_types_and_ours() {
    let (page, hand) = (Page::default(), Hand::default());
    let view = ApplyView::Json(JsonLines::new(Box::new(page.clone()), hand.clock()));
    play(&view, &hand);
    let lines = json_lines(&page);
    let types: Vec<&str> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .filter(|ty| *ty != "log")
        .collect();
    assert_eq!(
        types,
        [
            "version",
            "apply_start",
            "apply_start",
            "stage",
            "apply_complete",
            "metrics",
            "apply_progress",
            "metrics",
            "metrics",
            "apply_complete",
            "apply_start",
            "apply_errored",
            "change_summary"
        ]
    );
    // As Terraform 1.11.4 writes it, but for the name of the module.
    let wanted = serde_json::json!({
        "@level": "info",
        "@message": "local_service.old: Destroying... [id=s-1]",
        "@module": "mlinfra.ui",
        "@timestamp": "2023-11-14T22:13:20.000000Z",
        "hook": {
            "resource": {
                "addr": "local_service.old", "module": "", "resource": "local_service.old",
                "implied_provider": "local", "resource_type": "local_service",
                "resource_name": "old", "resource_key": null
            },
            "action": "delete", "id_key": "id", "id_value": "s-1"
        },
        "type": "apply_start"
    });
    assert_eq!(lines[2], wanted);
    assert_eq!(lines[3]["hook"]["stage"], "making the environment");
    let metrics = lines.iter().find(|l| l["type"] == "metrics").unwrap();
    assert_eq!(metrics["hook"]["metrics"]["auc"], 0.5);
    let progress = lines
        .iter()
        .find(|l| l["type"] == "apply_progress")
        .unwrap();
    assert_eq!(progress["hook"]["elapsed_seconds"], 10);
}

#[test]
fn programs_read_what_is_planned() {
    let (page, hand) = (Page::default(), Hand::default());
    let view = ApplyView::Json(JsonLines::new(Box::new(page.clone()), hand.clock()));
    for plan in [
        include_str!("../measured/mixed.json"),
        include_str!("../measured/moved.json"),
        include_str!("../measured/imported.json"),
        include_str!("../measured/outputs_only.json"),
    ] {
        view.planned(&reading::plan(plan, Mode::Normal));
    }
    let told: Vec<String> = json_lines(&page)
        .iter()
        .map(|line| line["@message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        told[1..],
        [
            "terraform_data.a: Plan to update",
            "terraform_data.b: Plan to replace",
            "terraform_data.c: Plan to delete",
            "terraform_data.d: Plan to create",
            "Plan: 2 to add, 1 to change, 2 to destroy.",
            "terraform_data.b: Plan to move",
            "Plan: 0 to add, 0 to change, 0 to destroy.",
            "terraform_data.a: Plan to import",
            "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.",
            "Plan: 0 to add, 0 to change, 0 to destroy.",
            "Outputs: 4",
        ]
    );
    let lines = json_lines(&page);
    assert_eq!(lines[2]["change"]["reason"], "cannot_update");
    assert_eq!(
        lines[6]["change"]["previous_resource"]["addr"],
        "terraform_data.a"
    );
}

#[test]
fn sensitive_outputs_are_told_by_name_only() {
    let (page, hand) = (Page::default(), Hand::default());
    let view = ApplyView::Json(JsonLines::new(Box::new(page.clone()), hand.clock()));
    let output = |value: Value, sensitive| OutputView { value, sensitive };
    view.outputs(&BTreeMap::from([
        ("n".into(), output(Value::from(1i64), false)),
        ("s".into(), output(Value::from("hunter2"), true)),
        (
            "t".into(),
            output(Value::tuple([Value::from("hunter2").sensitive()]), false),
        ),
    ]));
    assert!(!page.text().contains("hunter2"));
    assert_eq!(
        json_lines(&page)[1]["outputs"],
        serde_json::json!({
            "n": {"sensitive": false, "type": "number", "value": 1},
            "s": {"sensitive": true},
            "t": {"sensitive": true}
        })
    );
}

#[test]
fn a_terminal_shows_live_lines_and_keeps_what_is_finished() {
    let (term, hand) = (InMemoryTerm::new(10, 80), Hand::default());
    let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
    let view = ApplyView::Terminal(Terminal::new(target, Style::PLAIN, hand.clock()));
    let train = work("training_job.c.local_job.this", Doing::Create);
    let gone = work("local_service.old", Doing::Delete);
    view.started(&train, None);
    view.started(&gone, Some("s-1"));
    view.event(&train, &Event::Stage("training".into()));
    view.event(&train, &metrics(0.91, 12.0));
    hand.go(3);
    view.finished(&gone, &Outcome::Done(None), Duration::from_secs(3));
    view.tick();
    let shown = term.contents();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 2, "{shown}");
    assert_eq!(
        lines[0],
        "local_service.old: Destruction complete after 3s [id=s-1]"
    );
    assert!(
        lines[1]
            .ends_with("training_job.c.local_job.this: Creating... 3s  training  auc=0.91 step=12"),
        "{shown}"
    );
    view.finished(&train, &Outcome::Done(None), Duration::from_secs(4));
    let shown = term.contents();
    assert!(
        shown.ends_with(
            "training_job.c.local_job.this: Creation complete after 4s  auc=0.91 step=12"
        ),
        "{shown}"
    );
}
