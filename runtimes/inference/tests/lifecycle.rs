//! Overload, draining, and starting with wrong settings.

use std::time::Duration;

use mlinfra_inference::{Error, Server, Settings};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::client::Answer;
use crate::harness::{Running, model_file, settings, until};

/// Counts to a number, which takes as long as a test needs.
fn count_to(times: u64) -> Value {
    json!({"inputs": [{"name": "times", "datatype": "INT64", "shape": [], "data": [times]}]})
}

/// Long enough that what the tests do meanwhile is done before.
const LONG: u64 = 3_000_000;

/// A server that computes one request at a time.
async fn narrow(queue: usize, drain: Duration) -> Running {
    let files = vec![("count".to_owned(), model_file("count"))];
    let server = Running::start(Settings {
        files,
        sessions: 1,
        queue,
        drain,
        ..settings()
    })
    .await;
    server.ready().await;
    server
}

fn ask(server: &Running, times: u64) -> tokio::task::JoinHandle<Option<Answer>> {
    let client = server.client.clone();
    let body = count_to(times).to_string();
    tokio::spawn(async move {
        client
            .send(hyper::Method::POST, "/v2/models/count/infer", &[], body)
            .await
            .ok()
    })
}

/// Waits until so many requests are being computed or waiting.
async fn until_in_flight(server: &Running, count: usize) {
    let line = format!("mlinfra_inference_in_flight{{model=\"count\"}} {count}\n");
    until("the requests are in flight", async || {
        server.client.get("/metrics").await.text().contains(&line)
    })
    .await;
}

#[tokio::test]
async fn a_full_queue_answers_at_once_that_it_is_full() {
    let server = narrow(1, Duration::from_secs(60)).await;
    let slow = [ask(&server, LONG), ask(&server, LONG)];
    until_in_flight(&server, 2).await;
    let answer = server
        .client
        .post("/v2/models/count/infer", &count_to(1))
        .await;
    assert!(answer.error(503).contains("waiting"));
    assert_eq!(answer.headers["retry-after"], "1");
    // Health is not behind the queue.
    assert_eq!(server.client.get("/v2/health/ready").await.status, 200);
    for slow in slow {
        assert_eq!(slow.await.unwrap().unwrap().data(), json!([LONG]));
    }
    assert_eq!(
        server
            .client
            .post("/v2/models/count/infer", &count_to(3))
            .await
            .data(),
        json!([3])
    );
}

#[tokio::test]
async fn stopping_finishes_what_is_in_flight_and_takes_nothing_new() {
    let mut server = narrow(0, Duration::from_secs(60)).await;
    let slow = ask(&server, LONG);
    until_in_flight(&server, 1).await;
    server.stop();
    until("no new connection is taken", async || {
        TcpStream::connect(server.address).await.is_err()
    })
    .await;
    assert!(!slow.is_finished(), "the request is still in flight");
    assert_eq!(slow.await.unwrap().unwrap().data(), json!([LONG]));
    server.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_longer_than_the_drain() {
    let mut server = narrow(0, Duration::from_millis(20)).await;
    let slow = ask(&server, LONG);
    until_in_flight(&server, 1).await;
    server.stop();
    server.ended.await.unwrap().unwrap();
    assert!(
        !slow.is_finished(),
        "the server has ended before the request"
    );
}

#[tokio::test]
async fn wrong_settings_and_taken_ports_are_said() {
    let public = Server::bind(Settings {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..settings()
    })
    .await
    .err()
    .unwrap();
    assert!(matches!(public, Error::Settings(_)));
    assert!(
        public.to_string().contains("--model") && public.to_string().contains("--listen"),
        "{public}"
    );
    let server = Running::serving(&["double"]).await;
    let files = vec![("double".to_owned(), model_file("double"))];
    let taken = Server::bind(Settings {
        files,
        listen: server.address,
        ..settings()
    })
    .await
    .err()
    .unwrap();
    assert!(
        matches!(taken, Error::Listen { .. }) && taken.to_string().contains("--listen"),
        "{taken}"
    );
}
