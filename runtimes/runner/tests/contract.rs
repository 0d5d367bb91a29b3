//! The run contract: what the command is given, and what becomes of what it writes.

use mlinfra_registry::Status;
use mlinfra_runner::Setting;
use serde_json::json;

use super::{TRAIN, World, json_lines};

#[tokio::test]
async fn a_run_becomes_a_version_with_everything_it_was_made_of() {
    let world = World::new(TRAIN).await;
    let mut spec = world.spec();
    spec.inputs
        .insert("orders".into(), world.input("orders.csv", "1,2"));
    let setting = Setting {
        run_id: Some("run-1".into()),
        events: Some(world.path("events")),
        ..Setting::default()
    };
    let result = world.run_in(spec, setting).await.unwrap();
    assert_eq!(
        (
            result.version,
            result.promoted,
            result.champion,
            result.cached
        ),
        (1, true, Some(1), false)
    );
    assert_eq!(result.metrics["auc"], json!(0.8), "the last line counts");
    assert_eq!(result.metrics["loss"], json!("NaN"));
    assert!(!result.metrics.contains_key("step"));

    let version = world.registry.version("m", 1).await.unwrap().content;
    assert_eq!(version.params, json!({"depth": 6}));
    assert_eq!(version.run_id, "run-1");
    assert_eq!(version.code_digest, result.code_digest.to_string());
    assert_eq!(version.content_address, result.content_address.to_string());
    assert!(version.inputs["orders"].starts_with("sha256:"));
    assert_eq!(
        world.artifact(1, "model.onnx").await,
        "{\n  \"depth\": 6\n}"
    );
    assert_eq!(world.artifact(1, "report.txt").await, "report\n");

    let run = world.only_run().await;
    assert_eq!(run.started.run_id, "run-1");
    let end = run.finished.unwrap();
    assert_eq!(
        (end.status, end.version, end.promoted),
        (Status::Succeeded, Some(1), true)
    );

    let events = json_lines(&world.path("events"));
    let measured: Vec<_> = events
        .iter()
        .filter(|event| event.get("metrics").is_some())
        .collect();
    assert_eq!(
        measured[0],
        &json!({"stage": "train", "step": 1, "metrics": {"auc": 0.5}})
    );
    assert_eq!(measured[1]["metrics"]["loss"], json!("NaN"));
    assert!(events.iter().any(|event| {
        event["message"]
            .as_str()
            .is_some_and(|text| text.contains("registered version 1"))
    }));
}

#[tokio::test]
async fn the_command_gets_its_inputs_and_a_folder_of_its_own() {
    let world = World::new(
        r#"
        cat "$MLINFRA_INPUTS/orders" "$MLINFRA_INPUTS/images/a.txt" lib/code.txt > "$MLINFRA_OUTPUT/model.onnx"
        echo "$MLINFRA_RUN_ID" > "$MLINFRA_OUTPUT/run"
        env > "$MLINFRA_OUTPUT/env"
        echo litter > litter
        "#,
    )
    .await;
    std::fs::create_dir(world.path("train/lib")).unwrap();
    std::fs::write(world.path("train/lib/code.txt"), "code").unwrap();
    std::fs::create_dir(world.path("images")).unwrap();
    std::fs::write(world.path("images/a.txt"), "image,").unwrap();
    let mut spec = world.spec();
    spec.inputs
        .insert("orders".into(), world.input("orders.csv", "orders,"));
    let folder = format!("file://{}", world.path("images").display());
    spec.inputs.insert(
        "images".into(),
        mlinfra_runner::spec::Input {
            uri: folder,
            digest: None,
        },
    );
    let result = world.run(spec).await.unwrap();
    assert_eq!(world.artifact(1, "model.onnx").await, "orders,image,code");
    assert_eq!(world.artifact(1, "run").await.trim(), result.run_id);
    assert!(
        !world.artifact(1, "env").await.contains("MLINFRA_EVENTS"),
        "what is the runner's stays the runner's"
    );
    assert!(
        !world.path("train/litter").exists(),
        "the source folder stays as it is"
    );
    assert_eq!(
        std::fs::read_dir(world.path("cache/work"))
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().path().is_dir() })
            .count(),
        0,
        "nothing is left of the work"
    );
}

#[tokio::test]
async fn recorded_examples_and_one_model_of_any_name_are_found() {
    let world = World::new(
        r#"
        mkdir "$MLINFRA_OUTPUT/best"
        echo model > "$MLINFRA_OUTPUT/best/net.onnx"
        echo weights > "$MLINFRA_OUTPUT/best/net.data"
        echo '[]' > "$MLINFRA_OUTPUT/examples.json"
        "#,
    )
    .await;
    world.run(world.spec()).await.unwrap();
    assert_eq!(world.artifact(1, "model.onnx").await, "model\n");
    assert_eq!(world.artifact(1, "net.data").await, "weights\n");
    let version = world.registry.version("m", 1).await.unwrap();
    assert_eq!(
        version.content.examples,
        Some(version.artifact("examples.json").unwrap().digest)
    );
}

#[tokio::test]
async fn the_commit_is_recorded() {
    let world = World::new(TRAIN).await;
    let git = |arguments: &[&str]| {
        let identity = [
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "commit.gpgsign=false",
        ];
        let output = std::process::Command::new("git")
            .current_dir(world.path("train"))
            .args(identity)
            .args(arguments)
            .output();
        let output = output.unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    let head = git(&["rev-parse", "HEAD"]);
    assert_eq!(
        world.run(world.spec()).await.unwrap().commit,
        Some(head.clone())
    );
    world.script(&format!("{TRAIN}\n# changed"));
    assert_eq!(
        world.run(world.spec()).await.unwrap().commit,
        Some(format!("{head}+dirty"))
    );
}
