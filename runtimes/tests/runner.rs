//! The runner as a program: stopped, killed, and run by the agent.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mlinfra_agent::messages::{JobSpec, JobStatus, JobTemplate, ScheduleSpec};
use mlinfra_registry::{Registry, Status};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::world::{World, eventually, runtime};

/// A registry, a cache and a source folder in one.
struct Bench {
    folder: tempfile::TempDir,
    registry: Registry,
}

impl Bench {
    async fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::create(folder.path().join("registry").to_str().unwrap())
            .await
            .unwrap();
        std::fs::create_dir(folder.path().join("train")).unwrap();
        let here = folder.path().display();
        std::fs::write(
            folder.path().join("train/train.sh"),
            format!("HERE={here}\n{script}"),
        )
        .unwrap();
        let bench = Self { folder, registry };
        std::fs::write(bench.path("spec.json"), bench.spec().to_string()).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn spec(&self) -> Value {
        json!({
            "version": 1, "job": "classifier", "model": "m", "source": self.path("train"),
            "command": ["sh", "-e", "train.sh"], "registry": self.path("registry"), "trigger": "apply",
            "cache_dir": self.path("cache"), "objective": {"metric": "auc"},
        })
    }

    fn start(&self) -> Child {
        let mut command = Command::new(runtime());
        command
            .arg("run")
            .arg("--spec")
            .arg(self.path("spec.json"))
            .arg("--result")
            .arg(self.path("result.json"));
        command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    async fn appears(&self, name: &str) {
        eventually("the file appears", || async {
            self.path(name).exists().then_some(())
        })
        .await;
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(
        Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(),
        signal,
    )
    .unwrap();
}

/// Leaves its process id, then trains when it is allowed to.
const PATIENT: &str = r#"
echo $$ > $HERE/pid
touch $HERE/started
while [ ! -e $HERE/go ]; do sleep 0.05; done
echo '{"auc": 0.8}' >> $MLINFRA_METRICS
echo model > $MLINFRA_OUTPUT/model.onnx
"#;

#[tokio::test]
async fn sigterm_stops_the_command_and_is_on_record() {
    let bench = Bench::new(PATIENT).await;
    let child = bench.start();
    bench.appears("started").await;
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(143),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let pid: i32 = std::fs::read_to_string(bench.path("pid"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(
        mlinfra_agent::process::ProcessId::of(pid).is_err(),
        "the command is gone"
    );
    let run = bench.registry.runs("m").await.unwrap().pop().unwrap();
    let end = run.finished.unwrap();
    assert_eq!(
        (end.status, end.reason.as_deref()),
        (Status::Failed, Some("the run was cancelled"))
    );
    assert!(!bench.path("result.json").exists());
}

#[tokio::test]
async fn after_sigkill_the_next_run_starts_clean() {
    let bench = Bench::new(&format!(
        "echo half > $MLINFRA_OUTPUT/half.onnx\n{PATIENT}\nrm $MLINFRA_OUTPUT/half.onnx"
    ))
    .await;
    let mut child = bench.start();
    bench.appears("started").await;
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    // Without an agent nobody ends the command of a killed runner; it must not disturb the next run.
    let orphan: i32 = std::fs::read_to_string(bench.path("pid"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    std::fs::remove_file(bench.path("started")).unwrap();
    let next = bench.start();
    bench.appears("started").await;
    kill_process(Pid::from_raw(orphan).unwrap(), Signal::KILL).unwrap();
    std::fs::write(bench.path("go"), "").unwrap();
    let output = next.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let result: Value =
        serde_json::from_slice(&std::fs::read(bench.path("result.json")).unwrap()).unwrap();
    assert_eq!(
        (&result["version"], &result["cached"], &result["promoted"]),
        (&json!(1), &json!(false), &json!(true))
    );
    let names: Vec<_> = bench
        .registry
        .version("m", 1)
        .await
        .unwrap()
        .content
        .artifacts
        .into_iter()
        .map(|a| a.name)
        .collect();
    assert_eq!(names, ["model.onnx"]);
    let ends: Vec<_> = bench
        .registry
        .runs("m")
        .await
        .unwrap()
        .into_iter()
        .map(|run| run.finished.is_some())
        .collect();
    assert_eq!(ends, [false, true], "the killed run began and never ended");
}

#[tokio::test]
async fn a_wrong_spec_is_told_and_the_exit_code_says_so() {
    let bench = Bench::new("").await;
    std::fs::write(bench.path("spec.json"), r#"{"version": 7}"#).unwrap();
    let output = bench.start().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("version 7"));
}

#[tokio::test]
async fn the_agent_runs_it_and_knows_its_result() {
    let world = World::new().await;
    let bench = Bench::new(
        "echo '{\"auc\": 0.8}' >> $MLINFRA_METRICS; echo m > $MLINFRA_OUTPUT/model.onnx",
    )
    .await;
    let command = vec![runtime().display().to_string(), "run".to_owned()];
    let spec = JobSpec {
        name: "train".into(),
        command,
        spec: Some(bench.spec()),
        ..JobSpec::default()
    };
    let created = world.client.create_job("t", &spec).await.unwrap();
    let view = world.job_end("train").await;
    assert_eq!(view.status, JobStatus::Succeeded, "{:?}", view.log_tail);
    let result = view.result.unwrap();
    assert_eq!(
        (&result["version"], &result["promoted"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(
        result["run_id"],
        json!(created.spec.run_id.unwrap()),
        "the run is known by one name"
    );
    world.end().await;
}

#[tokio::test]
async fn every_firing_of_a_schedule_trains_a_version() {
    let world = World::new().await;
    let bench = Bench::new(
        "echo '{\"auc\": 0.8}' >> $MLINFRA_METRICS; echo m > $MLINFRA_OUTPUT/model.onnx",
    )
    .await;
    let command = vec![runtime().display().to_string(), "run".to_owned()];
    let job = JobTemplate {
        command,
        spec: Some(bench.spec()),
        ..JobTemplate::default()
    };
    let spec = ScheduleSpec {
        name: "retrain".into(),
        cron: "@every 1s".into(),
        job,
        ..ScheduleSpec::default()
    };
    world.client.create_schedule("t", &spec).await.unwrap();
    let begun = Instant::now();
    let versions = eventually("two versions", || async {
        let versions = bench.registry.versions("m").await.unwrap();
        (versions.len() >= 2).then_some(versions)
    })
    .await;
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_ne!(
        versions[0].content.content_address,
        versions[1].content.content_address
    );
    let runs = bench.registry.runs("m").await.unwrap();
    assert_eq!(runs[0].started.trigger, mlinfra_registry::Trigger::Schedule);
    let champion = bench
        .registry
        .alias("m", mlinfra_registry::CHAMPION)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(champion.version, 1, "an equal version is no better one");
    world.end().await;
}
