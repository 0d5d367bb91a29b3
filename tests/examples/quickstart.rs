//! The main job: data, training, registry, serving, prediction, retraining.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value as Json;

use crate::support::{Directory, http, until};

const PATIENCE: Duration = Duration::from_secs(60);

/// A request for one blank image.
fn blank() -> String {
    let pixels = vec![0.0; 64];
    serde_json::json!({
        "inputs": [{"name": "pixels", "shape": [1, 64], "datatype": "FP32", "data": pixels}]
    })
    .to_string()
}

/// The version that answers an inference.
fn serving_version(url: &str) -> Option<u64> {
    let (status, body) = http::post(&format!("{url}/v2/models/classifier/infer"), &blank()).ok()?;
    let answer: Json = serde_json::from_str(&body).ok()?;
    (status == 200)
        .then(|| answer["model_version"].as_str()?.parse().ok())
        .flatten()
}

fn output(directory: &Directory, name: &str) -> String {
    directory.run(&["output", "-raw", name]).ok().stdout
}

/// The process of the directory whose command line holds all of these.
fn process(directory: &Directory, words: &[&str]) -> Option<u32> {
    let found = directory.processes().into_iter();
    let mut found = found.filter(|(_, command)| words.iter().all(|w| command.contains(w)));
    found.next().map(|(pid, _)| pid)
}

fn kill(pid: u32) {
    let status = Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// The finished runs in the registry that a schedule started.
fn scheduled_runs(directory: &Directory) -> usize {
    let mut found = 0;
    let mut folders = vec![directory.file("registry/models/runs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().contains("started") {
                let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                let finished = entry
                    .path()
                    .to_string_lossy()
                    .replace("started", "finished");
                found +=
                    usize::from(text.contains("\"schedule\"") && Path::new(&finished).exists());
            }
        }
    }
    found
}

/// Asks without a pause until it is told to stop; counts the answers and the failures.
struct Client {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    thread: std::thread::JoinHandle<Vec<String>>,
}

impl Client {
    fn start(url: &str) -> Client {
        let stop = Arc::new(AtomicBool::new(false));
        let answers = Arc::new(AtomicUsize::new(0));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&answers));
        let url = format!("{url}/v2/models/classifier/infer");
        let thread = std::thread::spawn(move || {
            let request = blank();
            let mut failures = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                match http::post(&url, &request) {
                    Ok((200, _)) => {
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                    other => failures.push(format!("{other:?}")),
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            failures
        });
        Client {
            stop,
            answers,
            thread,
        }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self.thread.join().unwrap();
        assert!(failures.is_empty(), "failed requests: {failures:?}");
        assert!(
            self.answers.load(Ordering::Relaxed) > 20,
            "requests were answered"
        );
    }
}

#[test]
fn the_main_job_from_data_to_retraining() {
    let directory = Directory::copy_of("examples/quickstart");
    let text = directory.read("main.hcl");
    assert!(text.lines().count() < 40, "the example is short");

    directory
        .apply()
        .says(&["accuracy=", "Apply complete! Resources: 5 added"]);
    let url = output(&directory, "url");
    assert_eq!(serving_version(&url), Some(1));
    let predicted = Command::new("python3")
        .arg(directory.file("predict.py"))
        .arg(&url)
        .output()
        .unwrap();
    assert!(predicted.status.success(), "{predicted:?}");

    let again = directory.apply();
    assert!(
        again
            .stdout
            .contains("No changes. Your infrastructure matches the configuration.")
    );

    a_better_version_takes_over_without_a_failed_request(&directory, &url);
    a_worse_version_is_not_promoted(&directory, &url);
    what_is_killed_comes_back(&directory, &url);
    the_schedule_trains_by_itself(&directory);
    destroy_keeps_the_registry_and_nothing_else(&directory, &url);
}

fn a_better_version_takes_over_without_a_failed_request(directory: &Directory, url: &str) {
    // Whatever the accuracy, so that the swap itself is what is tested.
    directory.edit(
        "main.hcl",
        "when = \"better\", min_improvement = 0.002, floor = 0.9",
        "when = \"always\"",
    );
    directory.apply();
    directory.edit("main.hcl", "epochs = 60", "epochs = 40");
    let plan = directory.run(&["plan"]).ok();
    plan.says(&[
        "will train version 2",
        "params.epochs changed from 60 to 40",
    ]);
    let client = Client::start(url);
    directory.apply();
    until("version 2 serves", PATIENCE, || {
        serving_version(url).filter(|v| *v == 2)
    });
    std::thread::sleep(Duration::from_millis(300));
    client.stop();
    directory.edit("train/train.py", "import csv", "# A remark.\nimport csv");
    let plan = directory.run(&["plan"]).ok();
    plan.says(&["will train version 3", "train.py changed"]);
    directory.edit("train/train.py", "# A remark.\n", "");
    directory.run(&["plan", "-detailed-exitcode"]).ok();
}

fn a_worse_version_is_not_promoted(directory: &Directory, url: &str) {
    directory.edit(
        "main.hcl",
        "when = \"always\"",
        "when = \"better\", floor = 0.9",
    );
    directory.apply();
    directory.edit("main.hcl", "epochs = 40", "epochs = 1");
    directory.apply();
    let run = directory
        .run(&["state", "show", "training_job.classifier.ml_run.run"])
        .ok();
    let flat = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("version = 3"), "{flat}");
    assert!(flat.contains("promoted = false"), "{flat}");
    assert_eq!(serving_version(url), Some(2));
}

fn what_is_killed_comes_back(directory: &Directory, url: &str) {
    let server = process(directory, &["infer", "--registry"]).unwrap();
    kill(server);
    let new = until("a new server", PATIENCE, || {
        process(directory, &["infer", "--registry"]).filter(|pid| *pid != server)
    });
    until("the endpoint answers", PATIENCE, || serving_version(url));

    let agent = process(directory, &["mlinfra-runtime agent"]).unwrap();
    kill(agent);
    until("a new agent", PATIENCE, || {
        process(directory, &["mlinfra-runtime agent"]).filter(|pid| *pid != agent)
    });
    assert_eq!(
        process(directory, &["infer", "--registry"]),
        Some(new),
        "the server lived on"
    );
    kill(new);
    until("the endpoint answers", PATIENCE, || serving_version(url));
    directory.run(&["plan", "-detailed-exitcode"]).ok();
}

fn the_schedule_trains_by_itself(directory: &Directory) {
    let before = scheduled_runs(directory);
    directory.edit(
        "main.hcl",
        "schedule = \"0 3 * * 1\"",
        "schedule = \"*/2 * * * * *\"",
    );
    directory.apply();
    until("a scheduled run", PATIENCE, || {
        (scheduled_runs(directory) > before).then_some(())
    });
}

fn destroy_keeps_the_registry_and_nothing_else(directory: &Directory, url: &str) {
    directory.run(&["destroy", "-auto-approve"]).ok().says(&[
        "registry.models.ml_registry.registry will be kept",
        "Destroy complete! Resources: 4 destroyed.",
    ]);
    assert_eq!(directory.processes(), []);
    assert!(http::get(url).is_err(), "the port is closed");
    assert!(!directory.file(".mlinfra").exists());
    assert!(directory.file("registry/models").is_dir());
    let list = directory.run(&["state", "list"]).ok().stdout;
    assert_eq!(list, "registry.models.ml_registry.registry\n");

    directory
        .run(&["destroy", "-auto-approve", "-destroy-data"])
        .ok()
        .says(&["Destroy complete! Resources: 1 destroyed."]);
    let mut left = directory.names();
    left.retain(|name| !matches!(name.as_str(), "registry"));
    assert_eq!(
        left,
        [
            ".gitignore",
            "README.md",
            "digits.csv",
            "main.hcl",
            "predict.py",
            "train"
        ]
    );
    assert!(!directory.file("registry/models").exists());
}
