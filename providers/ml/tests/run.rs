//! `ml_run`: planned by content, run by the agent, found again, cleaned up.

use std::path::PathBuf;
use std::sync::Arc;

use mlinfra_agent::Client as Agent;
use mlinfra_registry::{Digest, Registry};
use mlinfra_sdk::{Context, Create, Event, Failure, FailureKind, Find, Type, Update, Value};

use crate::harness::{World, eventually, number, text, texts};

const TY: &str = "ml_run";

/// Copies a small model and says how good it is; waits for a file when it is told to.
const TRAIN: &str = r#"
import json, os, pathlib, shutil, sys, time
out = pathlib.Path(os.environ["MLINFRA_OUTPUT"])
params = json.load(open(os.environ["MLINFRA_PARAMS"]))
rows = (pathlib.Path(os.environ["MLINFRA_INPUTS"]) / "digits").read_text().splitlines()
print("training on", len(rows), "lines", flush=True)
if "started" in params:
    pathlib.Path(params["started"]).touch()
while "wait_for" in params and not os.path.exists(params["wait_for"]):
    time.sleep(0.01)
if params.get("fail"):
    print("the matrix is singular", flush=True)
    sys.exit(3)
with open(os.environ["MLINFRA_METRICS"], "a") as metrics:
    for step in range(1, 4):
        line = {"step": step, "accuracy": params["quality"] * step / 3}
        print(json.dumps(line), file=metrics, flush=True)
        time.sleep(0.05)
shutil.copy("model.onnx", out / "model.onnx")
"#;

const MODEL: &[u8] = include_bytes!("../../../runtimes/inference/tests/models/double.onnx");

/// A registry, a source folder and data.
struct Training {
    world: World,
    url: String,
}

impl Training {
    async fn new() -> Training {
        let world = World::new().await;
        let url = text(&world.registry().await, "url").to_owned();
        world.write("train/train.py", TRAIN);
        world.write("train/model.onnx", MODEL);
        world.write("digits.csv", "a,label\n1,2\n");
        Training { world, url }
    }

    /// The job with these parameters, as JSON, and more arguments.
    fn config(&self, params: &str, more: &[(&'static str, Value)]) -> Value {
        let path = self.world.root().join("digits.csv");
        let digest = Digest::of(&std::fs::read(&path).unwrap()).to_string();
        let input = Value::object([
            ("uri", Value::from(format!("file://{}", path.display()))),
            ("digest", digest.into()),
        ]);
        let ty = input.ty();
        let mut arguments = vec![
            ("job", "clf".into()),
            ("model", "clf".into()),
            ("source", "./train".into()),
            ("command", texts(&["python", "train.py"])),
            ("inputs", Value::map(ty, [("digits", input)])),
            ("params", Value::from_json(params).unwrap()),
            (
                "objective",
                Value::object([
                    ("metric", "accuracy".into()),
                    ("goal", Value::from("maximize")),
                ]),
            ),
            ("registry", self.url.as_str().into()),
        ];
        arguments.extend(more.iter().cloned());
        self.world.config(TY, &arguments)
    }

    async fn create(&self, params: &str) -> Value {
        let config = self.config(params, &[]);
        self.world.create(TY, &config, "first").await.unwrap()
    }

    async fn note(&self, prior: Option<&Value>, config: &Value) -> String {
        let planned = self.world.plan(TY, prior, config).await.unwrap();
        assert!(planned.replace.is_empty());
        planned.notes.join("\n")
    }

    async fn registry(&self) -> Registry {
        Registry::open(&self.url).await.unwrap()
    }

    fn agent_folder(&self) -> PathBuf {
        self.world.root().join(".mlinfra/agent")
    }

    /// Stops everything, as the last step of every test that trains.
    async fn end(&self, run: &Value) {
        self.world.delete(TY, run).await;
        self.world.delete(TY, run).await;
        assert!(!self.agent_folder().exists());
        assert!(!self.world.root().join(".mlinfra/cache").exists());
    }
}

fn params(quality: f64) -> String {
    format!(r#"{{"quality": {quality}}}"#)
}

#[tokio::test]
async fn the_first_version_is_trained_and_then_there_is_nothing_to_do() {
    let t = Training::new().await;
    let config = t.config(&params(0.6), &[]);
    let planned = t.world.plan(TY, None, &config).await.unwrap();
    assert_eq!(planned.notes, ["will train the first version"]);
    assert!(text(&planned.value, "address").starts_with("sha256:"));
    assert!(text(&planned.value, "python").contains("3."));
    assert!(!planned.value.get("version").unwrap().is_known());

    let made = t.world.create(TY, &config, "first").await.unwrap();
    assert_eq!(number(&made, "version"), 1.0);
    assert_eq!(number(&made, "champion"), 1.0);
    assert_eq!(made.get("promoted"), Some(&Value::from(true)));
    assert_eq!(number(made.get("metrics").unwrap(), "accuracy"), 0.6);
    assert_eq!(made.get("files").unwrap().entries().unwrap().len(), 2);
    let heard = t.world.heard.lock().unwrap().clone();
    assert!(
        heard.contains(&Event::Log("training on 2 lines".into())),
        "{heard:?}"
    );
    assert!(
        heard
            .iter()
            .any(|e| matches!(e, Event::Metrics(m) if m.get("step") == Some(&2.0))),
        "{heard:?}"
    );
    assert!(
        heard.contains(&Event::Stage("registered version 1".into())),
        "{heard:?}"
    );

    assert_eq!(t.world.read(TY, &made).await.as_ref(), Some(&made));
    let again = t.world.plan(TY, Some(&made), &config).await.unwrap();
    assert_eq!(again.value, made);
    assert!(again.notes.is_empty(), "{:?}", again.notes);
    t.end(&made).await;
    assert_eq!(t.registry().await.versions("clf").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_trains_the_next_version_and_says_why() {
    let t = Training::new().await;
    let first = t.create(&params(0.6)).await;
    let worse = t.config(&params(0.5), &[]);
    assert_eq!(
        t.note(Some(&first), &worse).await,
        "will train version 2, because params.quality changed from 0.6 to 0.5"
    );
    let second = t.world.update(TY, &first, &worse, "second").await.unwrap();
    assert_eq!(
        (number(&second, "version"), number(&second, "champion")),
        (2.0, 1.0)
    );
    assert!(
        text(&second, "reason").contains("0.5"),
        "{}",
        text(&second, "reason")
    );

    // What has been trained before is not trained again.
    let before = t.config(&params(0.6), &[]);
    assert_eq!(
        t.note(Some(&second), &before).await,
        "will use version 1, which was made of the same, because params.quality changed from 0.5 to 0.6"
    );
    let back = t.world.update(TY, &second, &before, "third").await.unwrap();
    assert_eq!(number(&back, "version"), 1.0);
    assert_eq!(back.get("cached"), Some(&Value::from(true)));
    assert_eq!(t.registry().await.versions("clf").await.unwrap().len(), 2);

    t.world
        .write("train/train.py", format!("{TRAIN}# changed\n"));
    t.world.write("train/extra.py", "");
    t.world.write("digits.csv", "a,label\n1,2\n3,4\n");
    let config = t.config(r#"{"quality": 0.6, "seed": 1}"#, &[]);
    assert_eq!(
        t.note(Some(&back), &config).await,
        "will train version 3, because extra.py was added, train.py changed, input digits changed \
         and params.seed = 1 was added"
    );
    t.end(&back).await;
}

#[tokio::test]
async fn what_is_no_part_of_a_run_changes_without_one() {
    let t = Training::new().await;
    let first = t.create(&params(0.6)).await;
    let environment = Value::map(Type::String, [("SEED", Value::from("1"))]);
    let config = t.config(
        &params(0.6),
        &[("timeout_s", 60i64.into()), ("env", environment)],
    );
    let planned = t.world.plan(TY, Some(&first), &config).await.unwrap();
    assert!(planned.notes.is_empty(), "{:?}", planned.notes);
    let changed = t.world.update(TY, &first, &config, "second").await.unwrap();
    assert_eq!(changed.get("run_id"), first.get("run_id"));
    assert_eq!(number(&changed, "timeout_s"), 60.0);
    let spec: serde_json::Value = serde_json::from_str(text(&changed, "spec")).unwrap();
    assert_eq!(spec["timeout_s"], 60);
    assert_eq!(spec["trigger"], "schedule");
    assert!(spec["inputs"]["digits"]["digest"].is_null());
    assert_eq!(t.registry().await.runs("clf").await.unwrap().len(), 1);
    t.end(&changed).await;
}

#[tokio::test]
async fn a_failed_run_tells_its_last_lines_and_leaves_nothing() {
    let t = Training::new().await;
    let config = t.config(r#"{"quality": 1, "fail": true}"#, &[]);
    let failure = t.world.create(TY, &config, "first").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(
        failure.detail.contains("ended with exit code 3")
            && failure.detail.contains("the matrix is singular"),
        "{}",
        failure.detail
    );
    assert!(failure.partial.is_none());
    assert!(
        Agent::connect(&t.world.root()).await.is_err(),
        "no agent is left"
    );
}

#[tokio::test]
async fn a_failed_update_changes_nothing() {
    let t = Training::new().await;
    let first = t.create(&params(0.6)).await;
    let config = t.config(r#"{"quality": 1, "fail": true}"#, &[]);
    let failure = t
        .world
        .update(TY, &first, &config, "second")
        .await
        .unwrap_err();
    assert!(failure.partial.is_none());
    assert_eq!(t.world.read(TY, &first).await.as_ref(), Some(&first));
    t.world.write("train/model.onnx", MODEL);
    std::fs::remove_file(t.world.root().join("train/model.onnx")).unwrap();
    let no_model = TRAIN.replace("shutil.copy(", "(");
    t.world.write("train/train.py", no_model);
    let config = t.config(&params(0.7), &[]);
    let failure = t
        .world
        .update(TY, &first, &config, "third")
        .await
        .unwrap_err();
    assert!(
        failure.detail.contains("wrote no model"),
        "{}",
        failure.detail
    );
    t.end(&first).await;
}

#[tokio::test]
async fn wrong_arguments_are_told_before_anything_runs() {
    let t = Training::new().await;
    let refused = async |more: &[(&'static str, Value)]| -> Failure {
        let config = t.config(&params(0.6), more);
        t.world.plan(TY, None, &config).await.unwrap_err()
    };
    let failure = refused(&[("source", "./trian".into())]).await;
    assert_eq!(failure.path.unwrap().to_string(), "source");
    assert!(
        failure.detail.ends_with("Did you mean \"train\"?"),
        "{}",
        failure.detail
    );
    let failure = refused(&[("command", texts(&["python", "trian.py"]))]).await;
    assert_eq!(failure.path.unwrap().to_string(), "command[1]");
    assert!(
        failure
            .detail
            .ends_with("it has: model.onnx, train.py. Did you mean \"train.py\"?"),
        "{}",
        failure.detail
    );
    t.world.write("train/requirements.txt", b"\xff\xfe");
    assert_eq!(refused(&[]).await.summary, "Requirements cannot be read");
    assert!(!t.agent_folder().exists());

    let told = t.world.problems(
        TY,
        &[
            ("job", "a b".into()),
            ("command", texts(&[])),
            ("params", texts(&["x"])),
            ("timeout_s", Value::from_json("0.5").unwrap()),
        ],
    );
    let places: Vec<&str> = told.iter().filter_map(|t| t.split(':').next()).collect();
    assert_eq!(
        places,
        ["job", "command", "params", "timeout_s"],
        "{told:?}"
    );
}

#[tokio::test]
async fn a_run_whose_inputs_are_not_known_yet_is_planned_as_such() {
    let t = Training::new().await;
    let ty = t
        .world
        .schema(TY)
        .attributes
        .get("inputs")
        .unwrap()
        .ty
        .clone();
    let config = t.config(&params(0.6), &[("inputs", Value::unknown(ty))]);
    let planned = t.world.plan(TY, None, &config).await.unwrap();
    assert_eq!(planned.notes, ["will train the first version"]);
    assert!(!planned.value.get("address").unwrap().is_known());
    assert_eq!(text(&planned.value, "id"), "clf");
    let config = t.config(&params(0.6), &[("registry", Value::unknown(Type::String))]);
    let planned = t.world.plan(TY, None, &config).await.unwrap();
    assert!(planned.value.get("address").unwrap().is_known());
    assert!(!planned.value.get("spec").unwrap().is_known());
}

/// A creation that has begun to train and waits.
struct Begun {
    go: PathBuf,
    planned: Value,
    creation: tokio::task::JoinHandle<Result<Value, Failure>>,
}

async fn begin(t: &Training) -> Begun {
    let (started, go) = (t.world.root().join("started"), t.world.root().join("go"));
    let params = serde_json::json!({"quality": 0.6, "started": started, "wait_for": go});
    let config = t.config(&params.to_string(), &[]);
    let planned = t.world.plan(TY, None, &config).await.unwrap().value;
    let (session, context) = (Arc::clone(&t.world.session), t.world.context.clone());
    let creation = {
        let planned = planned.clone();
        tokio::spawn(async move {
            let request = Create {
                planned: &planned,
                config: &config,
                token: "first",
            };
            session.create(TY, &context, request).await
        })
    };
    eventually("the training began", || started.exists()).await;
    Begun {
        go,
        planned,
        creation,
    }
}

#[tokio::test]
async fn a_killed_creation_is_found_again() {
    let t = Training::new().await;
    let begun = begin(&t).await;
    begun.creation.abort();
    assert!(begun.creation.await.unwrap_err().is_cancelled());
    assert_eq!(t.world.find(TY, "another", &begun.planned).await, None);

    let session = t.world.another_session().await;
    std::fs::write(&begun.go, "").unwrap();
    let request = Find {
        token: "first",
        planned: &begun.planned,
    };
    let found = session
        .find(TY, &Context::quiet(), request)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(number(&found, "version"), 1.0);
    assert_eq!(t.registry().await.runs("clf").await.unwrap().len(), 1);
    t.end(&found).await;
}

#[tokio::test]
async fn a_killed_update_is_joined_by_the_next() {
    let t = Training::new().await;
    let begun = begin(&t).await;
    begun.creation.abort();
    assert!(begun.creation.await.is_err());
    let (session, context) = (Arc::clone(&t.world.session), t.world.context.clone());
    let prior = begun
        .planned
        .clone()
        .with_attribute("address", "sha256:older".into());
    let joining = {
        let planned = begun.planned.clone();
        tokio::spawn(async move {
            let request = Update {
                prior: &prior,
                planned: &planned,
                config: &planned,
                token: "second",
            };
            session.update(TY, &context, request).await
        })
    };
    std::fs::write(&begun.go, "").unwrap();
    let made = joining.await.unwrap().unwrap();
    assert_eq!(number(&made, "version"), 1.0);
    let agent = Agent::connect(&t.world.root()).await.unwrap();
    assert_eq!(agent.jobs().await.unwrap().len(), 1);
    t.end(&made).await;
}

#[tokio::test]
async fn a_killed_agent_does_not_end_the_training() {
    let t = Training::new().await;
    let begun = begin(&t).await;
    let agent = Agent::connect(&t.world.root()).await.unwrap();
    let pid = agent.info().await.unwrap().pid;
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
    std::fs::write(&begun.go, "").unwrap();
    let made = begun.creation.await.unwrap().unwrap();
    assert_eq!(number(&made, "version"), 1.0);
    t.end(&made).await;
}

#[tokio::test]
async fn cancelling_ends_the_training() {
    let t = Training::new().await;
    let begun = begin(&t).await;
    t.world.context.cancel.cancel();
    let failure = begun.creation.await.unwrap().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Cancelled);
    assert!(failure.partial.is_none());
    assert!(
        Agent::connect(&t.world.root()).await.is_err(),
        "no agent is left"
    );
    assert!(t.registry().await.versions("clf").await.unwrap().is_empty());
}
