//! The protocol: paths, tensors of every datatype in both forms, errors.

use std::io::Write;

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Running, Shelf, model_file, settings};
use mlinfra_inference::Settings;

#[tokio::test]
async fn metadata_says_what_is_served() {
    let server = Running::serving(&["double", "text"]).await;
    let client = &server.client;
    assert_eq!(client.get("/v2").await.json()["name"], "mlinfra");
    assert_eq!(
        client.get("/v2/health/live").await.json(),
        json!({"live": true})
    );
    assert_eq!(
        client.get("/v2/health/ready").await.json(),
        json!({"ready": true})
    );
    let expected = json!({
        "name": "double", "versions": ["1"], "platform": "onnxruntime_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
    });
    assert_eq!(client.get("/v2/models/double").await.json(), expected);
    assert_eq!(
        client.get("/v2/models/double/versions/1").await.json(),
        expected
    );
    assert_eq!(
        client.get("/v2/models/double/ready").await.json(),
        json!({"name": "double", "ready": true})
    );
    assert_eq!(
        client
            .get("/v2/models/double/versions/1/ready")
            .await
            .status,
        200
    );
    assert_eq!(
        client
            .get("/v2/models/double/versions/2/ready")
            .await
            .status,
        503
    );
    let index = client
        .send(Method::POST, "/v2/repository/index", &[], "")
        .await
        .unwrap()
        .json();
    assert_eq!(
        index[0],
        json!({"name": "double", "version": "1", "state": "READY", "reason": ""})
    );
    assert_eq!(index.as_array().unwrap().len(), 2);
    assert_eq!(client.get("/").await.json()["models"][1]["name"], "text");
}

#[tokio::test]
async fn inference_answers_json_with_json() {
    let server = Running::serving(&["double"]).await;
    let x = json!({"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [[1, 2], [0.5, -3]]});
    let answer = server
        .client
        .post(
            "/v2/models/double/infer",
            &json!({"id": "42", "inputs": [x]}),
        )
        .await;
    let expected = json!({
        "model_name": "double", "model_version": "1", "id": "42",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [2, 2], "data": [2.0, 4.0, 1.0, -6.0]}],
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(
        server
            .client
            .post(
                "/v2/models/double/versions/1/infer",
                &json!({"inputs": [x]})
            )
            .await
            .status,
        200
    );
    let empty = json!({"name": "x", "datatype": "FP32", "shape": [0, 2], "data": []});
    assert_eq!(
        server
            .client
            .post("/v2/models/double/infer", &json!({"inputs": [empty]}))
            .await
            .data(),
        json!([])
    );
}

/// Two elements of every datatype, as JSON and as bytes.
fn every_datatype() -> Vec<(&'static str, Value, Vec<u8>)> {
    vec![
        ("BOOL", json!([true, false]), vec![1, 0]),
        ("UINT8", json!([0, 255]), vec![0, 255]),
        ("UINT16", json!([1, 65535]), vec![1, 0, 255, 255]),
        (
            "UINT32",
            json!([1, u32::MAX]),
            [1_u32, u32::MAX].map(u32::to_le_bytes).concat(),
        ),
        (
            "UINT64",
            json!([1, u64::MAX]),
            [1_u64, u64::MAX].map(u64::to_le_bytes).concat(),
        ),
        ("INT8", json!([-128, 127]), vec![128, 127]),
        (
            "INT16",
            json!([-2, 300]),
            [-2_i16, 300].map(i16::to_le_bytes).concat(),
        ),
        (
            "INT32",
            json!([-2, i32::MAX]),
            [-2, i32::MAX].map(i32::to_le_bytes).concat(),
        ),
        (
            "INT64",
            json!([i64::MIN, i64::MAX]),
            [i64::MIN, i64::MAX].map(i64::to_le_bytes).concat(),
        ),
        ("FP16", json!([1.0, -0.5]), vec![0x00, 0x3c, 0x00, 0xb8]),
        (
            "FP32",
            json!([0.1, 16777216.0]),
            [0.1_f32, 16777216.0].map(f32::to_le_bytes).concat(),
        ),
        (
            "FP64",
            json!([0.1, 1e300]),
            [0.1, 1e300].map(f64::to_le_bytes).concat(),
        ),
        (
            "BYTES",
            json!(["", "grüße\n"]),
            [&[0, 0, 0, 0, 8, 0, 0, 0][..], "grüße\n".as_bytes()].concat(),
        ),
    ]
}

#[tokio::test]
async fn every_datatype_passes_as_json_unchanged() {
    let server = Running::serving(&["datatypes"]).await;
    let inputs = every_datatype().into_iter().map(|(datatype, data, _)| {
        json!({"name": format!("in_{datatype}"), "datatype": datatype, "shape": [2], "data": data})
    });
    let answer = server
        .client
        .post(
            "/v2/models/datatypes/infer",
            &json!({"inputs": inputs.collect::<Vec<_>>()}),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for (output, (datatype, data, _)) in answer.json()["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .zip(every_datatype())
    {
        assert_eq!(
            *output,
            json!({"name": format!("out_{datatype}"), "datatype": datatype, "shape": [2], "data": data})
        );
    }
}

#[tokio::test]
async fn every_datatype_passes_as_bytes_unchanged() {
    let server = Running::serving(&["datatypes"]).await;
    let inputs = every_datatype().into_iter().map(|(datatype, _, bytes)| {
        json!({"name": format!("in_{datatype}"), "datatype": datatype, "shape": [2], "parameters": {"binary_data_size": bytes.len()}})
    });
    // The client of Triton sends no Content-Type and, where it names no outputs, asks for all of them in binary.
    let header =
        json!({"inputs": inputs.collect::<Vec<_>>(), "parameters": {"binary_data_output": true}})
            .to_string();
    let binary: Vec<u8> = every_datatype()
        .into_iter()
        .flat_map(|(_, _, bytes)| bytes)
        .collect();
    let length = header.len().to_string();
    let body = [header.as_bytes(), &binary].concat();
    let headers = [("inference-header-content-length", length.as_str())];
    let answer = server
        .client
        .send(Method::POST, "/v2/models/datatypes/infer", &headers, body)
        .await
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    let length: usize = answer.headers["inference-header-content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let (header, bytes) = answer.body.split_at(length);
    let header: Value = serde_json::from_slice(header).unwrap();
    assert_eq!(bytes, binary);
    for (output, (datatype, _, bytes)) in header["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .zip(every_datatype())
    {
        assert_eq!(
            (&output["datatype"], &output["parameters"]),
            (&json!(datatype), &json!({"binary_data_size": bytes.len()}))
        );
    }
}

#[tokio::test]
async fn compressed_requests_are_read_and_bounded() {
    let server = Running::serving(&["double"]).await;
    let x = json!({"name": "x", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}});
    let header = json!({"inputs": [x]}).to_string();
    let length = header.len().to_string();
    let body = [
        header.as_bytes(),
        &1_f32.to_le_bytes(),
        &2_f32.to_le_bytes(),
    ]
    .concat();
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let zlib = |bytes: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    for (encoding, body) in [("gzip", gzip(&body)), ("deflate", zlib(&body))] {
        // The header counts the JSON before compression.
        let headers = [
            ("content-encoding", encoding),
            ("inference-header-content-length", &length),
        ];
        let answer = server
            .client
            .send(Method::POST, "/v2/models/double/infer", &headers, body)
            .await
            .unwrap();
        assert_eq!(answer.data(), json!([2.0, 4.0]), "{encoding}");
    }
    let bomb = gzip(&vec![b' '; 8 * 1024 * 1024]);
    assert!(bomb.len() < 64 * 1024);
    let headers = [("content-encoding", "gzip")];
    let answer = server
        .client
        .send(Method::POST, "/v2/models/double/infer", &headers, bomb)
        .await
        .unwrap();
    answer.error(413);
    let plain = server
        .client
        .send(
            Method::POST,
            "/v2/models/double/infer",
            &[],
            vec![b' '; 2 * 1024 * 1024],
        )
        .await;
    plain.unwrap().error(413);
}

#[tokio::test]
async fn errors_are_json_and_say_what_would_be_right() {
    let server = Running::serving(&["double"]).await;
    let client = &server.client;
    assert!(
        client
            .get("/v2/models/other")
            .await
            .error(404)
            .contains("there is `double`")
    );
    assert!(client.ask("other").await.error(404).contains("`other`"));
    assert!(
        client
            .get("/v2/models/double/versions/9")
            .await
            .error(404)
            .contains("version 1 is")
    );
    client.get("/nowhere").await.error(404);
    client.get("/v2/models/double/infer").await.error(405);
    let bad = async |x: Value| {
        client
            .post("/v2/models/double/infer", &json!({"inputs": [x]}))
            .await
            .error(400)
    };
    let kind =
        bad(json!({"name": "x", "datatype": "INT64", "shape": [1, 2], "data": [1, 2]})).await;
    assert!(
        kind.contains("`x`") && kind.contains("takes FP32, not INT64"),
        "{kind}"
    );
    let shape =
        bad(json!({"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]})).await;
    assert!(
        shape.contains("[-1, 2]") && shape.contains("[1, 3]"),
        "{shape}"
    );
    let null = client
        .send(Method::POST, "/v2/models/double/infer", &[], "{")
        .await
        .unwrap()
        .error(400);
    assert!(null.contains("protocol"), "{null}");
    let length = [("inference-header-content-length", "nine")];
    client
        .send(Method::POST, "/v2/models/double/infer", &length, "{}")
        .await
        .unwrap()
        .error(400);
    let brotli = [("content-encoding", "br")];
    let unknown = client
        .send(Method::POST, "/v2/models/double/infer", &brotli, "{}")
        .await
        .unwrap();
    assert!(unknown.error(415).contains("gzip"));
}

#[tokio::test]
async fn strings_that_onnx_runtime_cannot_hold_are_refused() {
    let server = Running::serving(&["text"]).await;
    let text = |data: &str| json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [data]}]});
    assert_eq!(
        server
            .client
            .post("/v2/models/text/infer", &text("x"))
            .await
            .data(),
        json!(["x"])
    );
    server
        .client
        .post("/v2/models/text/infer", &text("a\0b"))
        .await
        .error(400);
}

#[tokio::test]
async fn a_classifiers_maps_become_a_matrix() {
    let server = Running::serving(&["zipmap"]).await;
    let answer = server.client.ask("zipmap").await;
    let expected =
        json!({"name": "probabilities", "datatype": "FP32", "shape": [1, 2], "data": [1.0, 2.0]});
    assert_eq!(answer.json()["outputs"][0], expected);
    assert_eq!(
        server.client.get("/v2/models/zipmap").await.json()["outputs"][0]["shape"],
        json!([-1, -1])
    );
}

#[tokio::test]
async fn what_is_not_finite_is_null_in_json_and_exact_in_bytes() {
    let server = Running::serving(&["infinite"]).await;
    assert_eq!(
        server.client.ask("infinite").await.data(),
        json!([null, null])
    );
    let x = json!({"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, -2]});
    let request =
        json!({"inputs": [x], "outputs": [{"name": "y", "parameters": {"binary_data": true}}]});
    let answer = server
        .client
        .post("/v2/models/infinite/infer", &request)
        .await;
    assert!(
        answer
            .body
            .ends_with(&[f32::INFINITY.to_le_bytes(), f32::NEG_INFINITY.to_le_bytes()].concat())
    );
}

#[tokio::test]
async fn a_model_that_the_protocol_cannot_carry_is_refused_with_the_reason() {
    let files = vec![("m".to_owned(), model_file("sequence"))];
    let server = Running::start(Settings {
        files,
        ..settings()
    })
    .await;
    crate::harness::until("it is refused", async || {
        !server.status().await["refused"].is_null()
    })
    .await;
    let reason = server.client.ask("m").await.error(503);
    assert!(
        reason.contains("its output `all`") && reason.contains("cannot carry"),
        "{reason}"
    );
    assert_eq!(server.client.get("/v2/health/ready").await.status, 503);
    assert_eq!(server.client.get("/v2/health/live").await.status, 200);
}

#[tokio::test]
async fn metrics_count_by_model_and_version() {
    let server = Running::serving(&["double"]).await;
    server.client.ask("double").await.data();
    server.client.ask("double").await.data();
    server
        .client
        .post("/v2/models/double/infer", &json!({"inputs": []}))
        .await
        .error(400);
    server.client.ask("made-up").await.error(404);
    let metrics = server.client.get("/metrics").await.text();
    for line in [
        r#"mlinfra_inference_requests_total{model="double",version="1"} 3"#,
        r#"mlinfra_inference_failures_total{model="double",status="400",version="1"} 1"#,
        r#"mlinfra_inference_duration_seconds_count{model="double",version="1"} 3"#,
        r#"mlinfra_inference_serving{model="double",version="1"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line}:\n{metrics}");
    }
    assert!(!metrics.contains("made-up"));
}

#[tokio::test]
async fn a_pinned_version_stays() {
    let shelf = Shelf::new().await;
    shelf.register(&model_file("double"), None).await;
    shelf.register(&model_file("triple"), None).await;
    let models = vec!["pinned=m:1".parse().unwrap(), "m".parse().unwrap()];
    let server = Running::start(Settings {
        models,
        ..shelf.settings()
    })
    .await;
    shelf.promote(2).await;
    server.ready().await;
    assert_eq!(server.client.ask("pinned").await.data(), json!([2.0, 4.0]));
    assert_eq!(server.client.ask("m").await.data(), json!([3.0, 6.0]));
}

#[tokio::test]
async fn without_the_token_only_health_answers() {
    let files = vec![("double".to_owned(), model_file("double"))];
    let server = Running::start(Settings {
        files,
        token: Some("s3cret".into()),
        ..settings()
    })
    .await;
    server.ready().await;
    assert_eq!(server.client.get("/v2/health/live").await.status, 200);
    for path in ["/", "/metrics", "/v2", "/v2/models/double", "/nowhere"] {
        assert!(!server.client.get(path).await.error(401).contains("s3cret"));
    }
    server.client.ask("double").await.error(401);
    let token = [("authorization", "Bearer s3cret")];
    let answer = server
        .client
        .send(Method::GET, "/v2/models/double", &token, "")
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
}
