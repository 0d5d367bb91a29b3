//! Versions coming and going under a server that answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::harness::{Running, Shelf, model_file, until};

#[tokio::test]
async fn the_server_lives_before_its_first_model_and_before_the_registry() {
    let shelf = Shelf::new().await;
    let settings = shelf.settings();
    let location = shelf.registry.location().to_owned();
    std::fs::rename(&location, format!("{location}.later")).unwrap();
    let server = Running::start(settings).await;
    assert_eq!(server.client.get("/v2/health/live").await.status, 200);
    assert_eq!(server.client.get("/v2/health/ready").await.status, 503);
    until("the missing registry is said", async || {
        server
            .client
            .ask("m")
            .await
            .error(503)
            .contains("not a model registry")
    })
    .await;

    std::fs::rename(format!("{location}.later"), &location).unwrap();
    until("the missing alias is said", async || {
        server
            .client
            .ask("m")
            .await
            .error(503)
            .contains("alias `champion`")
    })
    .await;
    let answer = server.client.ask("m").await;
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(server.client.get("/v2/models/m/ready").await.status, 503);

    let version = shelf.register(&model_file("double"), None).await;
    shelf.promote(version).await;
    server.ready().await;
    assert_eq!(server.client.ask("m").await.data(), json!([2.0, 4.0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_versions_are_swapped() {
    let shelf = Shelf::new().await;
    for name in ["double", "triple"] {
        shelf.register(&model_file(name), None).await;
    }
    shelf.promote(1).await;
    let server = Running::start(shelf.settings()).await;
    server.ready().await;
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (client, done) = (server.client.clone(), done.clone());
            tokio::spawn(async move {
                let mut answered = [0_u32; 2];
                while !done.load(Ordering::Relaxed) {
                    let answer = client.ask("m").await;
                    let data = answer.data();
                    // What computed and what the answer says computed are one.
                    let version = answer.json()["model_version"].clone();
                    let expected = if version == "1" {
                        json!([2.0, 4.0])
                    } else {
                        json!([3.0, 6.0])
                    };
                    assert_eq!(data, expected, "version {version}");
                    answered[usize::from(version == "2")] += 1;
                }
                answered
            })
        })
        .collect();
    for swap in 0..20 {
        let version = if swap % 2 == 0 { 2 } else { 1 };
        shelf.promote(version).await;
        server.serves_version(version).await;
    }
    done.store(true, Ordering::Relaxed);
    let mut answered = [0, 0];
    for client in clients {
        let by_version = client.await.unwrap();
        answered = [answered[0] + by_version[0], answered[1] + by_version[1]];
    }
    assert!(answered.iter().all(|count| *count > 0), "{answered:?}");
}

/// One example, recorded with the output that `double` gives.
fn example() -> String {
    let x = json!({"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]});
    json!([{"inputs": [x], "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [2, 4]}]}]).to_string()
}

#[tokio::test]
async fn a_bad_version_leaves_the_old_one_serving() {
    let shelf = Shelf::new().await;
    let garbage = shelf.folder.path().join("garbage.onnx");
    std::fs::write(&garbage, "this is no model").unwrap();
    let good = shelf
        .register(&model_file("double"), Some(&example()))
        .await;
    let wrong_shape = recorded_with(&example(), json!([2, 2]));
    let bad = [
        (
            shelf
                .register(&model_file("infinite"), Some(&example()))
                .await,
            "not finite",
        ),
        (
            shelf
                .register(&model_file("renamed"), Some(&example()))
                .await,
            "no output `y`",
        ),
        (
            shelf
                .register(&model_file("double"), Some(&wrong_shape))
                .await,
            "recorded was [2, 2]",
        ),
        (
            shelf.register(&model_file("double"), Some("no list")).await,
            "not a JSON list",
        ),
        (
            shelf.register(&garbage, None).await,
            "ONNX Runtime refuses it",
        ),
        (
            shelf.register(&model_file("sequence"), None).await,
            "cannot carry",
        ),
    ];
    shelf.promote(good).await;
    let server = Running::start(shelf.settings()).await;
    server.ready().await;
    for (version, reason) in bad {
        shelf.promote(version).await;
        until("the version is refused", async || {
            server.status().await["refused"]["version"] == json!(version.to_string())
        })
        .await;
        let refused = server.status().await["refused"].clone();
        assert!(
            refused["reason"].as_str().unwrap().contains(reason),
            "{refused}"
        );
        let answer = server.client.ask("m").await;
        assert_eq!(
            (answer.data(), answer.json()["model_version"].clone()),
            (json!([2.0, 4.0]), json!(good.to_string()))
        );
        assert_eq!(
            server.client.get("/v2/models/m").await.json()["versions"],
            json!([good.to_string()])
        );
        assert_eq!(server.client.get("/v2/health/ready").await.status, 200);
    }
    // Rolling back to what serves clears the refusal, and the next good version is taken.
    shelf.promote(good).await;
    until("the refusal is cleared", async || {
        server.status().await["refused"].is_null()
    })
    .await;
    let next = shelf
        .register(&model_file("triple"), Some(&example()))
        .await;
    shelf.promote(next).await;
    server.serves_version(next).await;
    assert_eq!(server.client.ask("m").await.data(), json!([3.0, 6.0]));
}

/// The examples with another recorded shape of their output.
fn recorded_with(examples: &str, shape: Value) -> String {
    let mut examples: Value = serde_json::from_str(examples).unwrap();
    examples[0]["outputs"][0]["shape"] = shape;
    examples.to_string()
}

#[tokio::test]
async fn a_damaged_registry_is_said_and_does_not_stop_service() {
    let shelf = Shelf::new().await;
    let first = shelf.register(&model_file("double"), None).await;
    let second = shelf.register(&model_file("triple"), None).await;
    shelf.promote(first).await;
    let server = Running::start(shelf.settings()).await;
    server.ready().await;
    let digest = shelf
        .registry
        .version("m", second)
        .await
        .unwrap()
        .content
        .artifacts[0]
        .digest;
    let blob = shelf
        .registry
        .get_blob(&digest, shelf.folder.path())
        .await
        .unwrap();
    let bytes = std::fs::read(&blob).unwrap();
    std::fs::write(&blob, "tampered").unwrap();
    shelf.promote(second).await;
    until("the damage is said", async || {
        server.status().await["problem"]
            .as_str()
            .is_some_and(|p| p.contains("damaged"))
    })
    .await;
    assert_eq!(server.client.ask("m").await.data(), json!([2.0, 4.0]));
    // What the registry cannot give now is asked for again, and no restart is needed.
    std::fs::write(&blob, bytes).unwrap();
    server.serves_version(second).await;
    assert!(server.status().await["problem"].is_null());
    // An alias that is taken away takes no model away.
    let revision = shelf
        .registry
        .alias("m", "champion")
        .await
        .unwrap()
        .unwrap()
        .revision;
    shelf
        .registry
        .remove_alias("m", "champion", revision, "test")
        .await
        .unwrap();
    shelf.promote(first).await;
    server.serves_version(first).await;
}
