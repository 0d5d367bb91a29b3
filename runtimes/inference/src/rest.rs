//! The protocol over HTTP: paths, methods, status codes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_http::decompression::RequestDecompressionLayer;

use crate::access::Access;
use crate::metrics::Metrics;
use crate::model::{Model, RunError, compute};
use crate::pool::Refused;
use crate::request;
use crate::response::{self, Encoded, HEADER_LENGTH};
use crate::served::Served;
use crate::signature::Port;

/// What the handlers share.
pub(crate) struct App {
    pub(crate) models: BTreeMap<String, Arc<Served>>,
    pub(crate) metrics: Metrics,
    pub(crate) access: Access,
}

type Shared = State<Arc<App>>;

/// An answer that is an error.
#[derive(Debug)]
struct Failure {
    status: StatusCode,
    message: String,
}

pub(crate) fn router(app: Arc<App>, max_request_bytes: usize) -> Router {
    let infer_routes = Router::new()
        .route("/v2/models/{model}/infer", post(infer))
        .route(
            "/v2/models/{model}/versions/{version}/infer",
            post(infer_version),
        )
        // The limit holds for what comes out of the decompression, so that a small body cannot become a huge one.
        .layer(DefaultBodyLimit::max(max_request_bytes))
        .layer(RequestDecompressionLayer::new())
        .layer(middleware::map_response(name_encodings));
    Router::new()
        .route("/", get(status))
        .route("/metrics", get(metrics))
        .route("/v2", get(server))
        .route(
            "/v2/health/live",
            get(|| async { Json(json!({ "live": true })) }),
        )
        .route("/v2/health/ready", get(ready))
        .route("/v2/models/{model}", get(model_metadata))
        .route("/v2/models/{model}/ready", get(model_ready))
        .route(
            "/v2/models/{model}/versions/{version}",
            get(version_metadata),
        )
        .route(
            "/v2/models/{model}/versions/{version}/ready",
            get(version_ready),
        )
        .route("/v2/repository/index", post(index))
        .merge(infer_routes)
        .fallback(|| async {
            Failure::new(
                StatusCode::NOT_FOUND,
                "there is nothing at this path; the protocol is under /v2",
            )
        })
        .method_not_allowed_fallback(|| async {
            Failure::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path takes another method",
            )
        })
        .layer(middleware::from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

async fn guard(State(app): Shared, request: Request, next: Next) -> Response<Body> {
    if app.access.allows(request.uri().path(), request.headers()) {
        return next.run(request).await;
    }
    let mut refused = Failure::new(
        StatusCode::UNAUTHORIZED,
        "send the server's token as `Authorization: Bearer <token>`",
    )
    .into_response();
    refused
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    refused
}

/// The decompression refuses an encoding that it does not know without a word.
async fn name_encodings(response: Response<Body>) -> Response<Body> {
    match response.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Failure::new(
            response.status(),
            "the body may be compressed by gzip or deflate, or not at all",
        )
        .into_response(),
        _ => response,
    }
}

async fn server() -> Json<Value> {
    Json(
        json!({ "name": "mlinfra", "version": env!("CARGO_PKG_VERSION"), "extensions": ["binary_tensor_data"] }),
    )
}

/// What is served, for people: the protocol has no place for what was refused and why.
async fn status(State(app): Shared) -> Json<Value> {
    let models = app.models.values().map(|served| {
        let mut entry = json!({
            "name": served.name,
            "source": served.source,
            "version": served.current().map(|model| model.version.clone()),
        });
        if let (Some(entry), Ok(Value::Object(progress))) = (
            entry.as_object_mut(),
            serde_json::to_value(served.progress()),
        ) {
            entry.extend(progress);
        }
        entry
    });
    let models: Vec<_> = models.collect();
    Json(
        json!({ "server": "mlinfra inference", "protocol": "Open Inference Protocol v2, under /v2", "models": models }),
    )
}

async fn metrics(State(app): Shared) -> Result<Response<Body>, Failure> {
    let text = app.metrics.text(app.models.values().map(AsRef::as_ref));
    let text = text.map_err(|e| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))?;
    Ok(([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}

async fn ready(State(app): Shared) -> impl IntoResponse {
    readiness(
        app.models.values().all(|served| served.current().is_some()),
        json!({}),
    )
}

fn readiness(ready: bool, mut body: Value) -> (StatusCode, Json<Value>) {
    if let Some(body) = body.as_object_mut() {
        body.insert("ready".to_owned(), ready.into());
    }
    (
        if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        Json(body),
    )
}

async fn model_ready(
    State(app): Shared,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    let served = app.served(&name)?;
    Ok(readiness(
        served.current().is_some(),
        json!({ "name": name }),
    ))
}

async fn version_ready(
    State(app): Shared,
    Path((name, version)): Path<(String, String)>,
) -> Result<impl IntoResponse, Failure> {
    let model = app.served(&name)?.current();
    let ready = model.is_some_and(|model| model.version == version);
    Ok(readiness(
        ready,
        json!({ "name": name, "version": version }),
    ))
}

async fn model_metadata(
    State(app): Shared,
    Path(name): Path<String>,
) -> Result<Json<Value>, Failure> {
    Ok(Json(metadata(&name, &*app.model(&name, None)?)))
}

async fn version_metadata(
    State(app): Shared,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<Value>, Failure> {
    Ok(Json(metadata(&name, &*app.model(&name, Some(&version))?)))
}

fn metadata(name: &str, model: &Model) -> Value {
    let ports = |ports: &[Port]| -> Vec<Value> {
        ports
            .iter()
            .map(
                |p| json!({ "name": p.name, "datatype": p.datatype.to_string(), "shape": p.shape }),
            )
            .collect()
    };
    json!({
        "name": name,
        "versions": [model.version],
        "platform": "onnxruntime_onnx",
        "inputs": ports(&model.signature.inputs),
        "outputs": ports(&model.signature.outputs),
    })
}

/// The protocol's list of models. Clients send no body, or `{"ready": true}` for those that are.
async fn index(State(app): Shared, body: Bytes) -> Json<Vec<Value>> {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let only_ready = asked.get("ready").and_then(Value::as_bool).unwrap_or(false);
    let entries = app.models.values().filter_map(|served| match served.current() {
        Some(model) => Some(json!({ "name": served.name, "version": model.version, "state": "READY", "reason": "" })),
        None if only_ready => None,
        None => Some(json!({ "name": served.name, "version": "", "state": "UNAVAILABLE", "reason": served.why_not() })),
    });
    Json(entries.collect())
}

async fn infer(
    state: Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    answer(state, name, None, headers, body).await
}

async fn infer_version(
    state: Shared,
    Path((name, version)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    answer(state, name, Some(version), headers, body).await
}

async fn answer(
    State(app): Shared,
    name: String,
    version: Option<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    let began = Instant::now();
    let served = match app.served(&name) {
        Ok(served) => served.clone(),
        Err(failure) => return failure.into_response(),
    };
    let _in_flight = app.metrics.begin(&served.name);
    let model = app.model(&name, version.as_deref());
    let label = model
        .as_ref()
        .map_or_else(|_| "none".to_owned(), |model| model.version.clone());
    let outcome = match (model, body) {
        (Err(failure), _) => Err(failure),
        (_, Err(rejection)) => Err(Failure::new(rejection.status(), rejection.body_text())),
        (Ok(model), Ok(body)) => inferred(name, model, headers, body).await,
    };
    let failed = outcome
        .as_ref()
        .err()
        .map(|failure| failure.status.as_u16());
    app.metrics
        .count(&served.name, &label, began.elapsed(), failed);
    outcome.map_or_else(IntoResponse::into_response, Encoded::into_response)
}

/// Reads, computes and writes in one go on the session's thread: these are all work for a core, and there are as many
/// sessions as cores.
async fn inferred(
    name: String,
    model: Arc<Model>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Encoded, Failure> {
    let header_length = match headers.get(HEADER_LENGTH).map(HeaderValue::to_str) {
        None => None,
        Some(Ok(text)) => Some(text.to_owned()),
        Some(Err(_)) => {
            return Err(Failure::new(
                StatusCode::BAD_REQUEST,
                "Inference-Header-Content-Length is no length",
            ));
        }
    };
    let this = model.clone();
    let done = model.run(move |session| {
        let bad = |message: String| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                format!("model `{name}`: {message}"),
            )
        };
        let request =
            request::parse(&body, header_length.as_deref(), &this.signature).map_err(bad)?;
        let names: Vec<_> = request
            .outputs
            .iter()
            .map(|output| output.name.clone())
            .collect();
        let outputs = compute(session, request.inputs, Some(&names)).map_err(|e| match e {
            RunError::Input(message) => bad(message),
            RunError::Model(message) => Failure::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("model `{name}` failed: {message}"),
            ),
        })?;
        response::encode(
            &name,
            &this.version,
            request.id.as_deref(),
            &outputs,
            &request.outputs,
        )
        .map_err(|e| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))
    });
    match done.await {
        Ok(outcome) => outcome,
        Err(Refused::Full) => Err(Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many requests are waiting; try again later",
        )),
        Err(Refused::Broken(reason)) => Err(Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the request broke off: {reason}"),
        )),
    }
}

impl App {
    fn served(&self, name: &str) -> Result<&Arc<Served>, Failure> {
        self.models.get(name).ok_or_else(|| {
            let known: Vec<_> = self.models.keys().map(|name| format!("`{name}`")).collect();
            let name: String = name.chars().take(64).collect();
            Failure::new(
                StatusCode::NOT_FOUND,
                format!("no model `{name}` is served; there is {}", known.join(", ")),
            )
        })
    }

    fn model(&self, name: &str, version: Option<&str>) -> Result<Arc<Model>, Failure> {
        let served = self.served(name)?;
        let Some(model) = served.current() else {
            let message = format!("model `{name}` cannot answer yet: {}", served.why_not());
            return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, message));
        };
        match version {
            Some(version) if version != model.version => {
                let version: String = version.chars().take(20).collect();
                let message = format!(
                    "version {version} of model `{name}` is not served; version {} is",
                    model.version
                );
                Err(Failure::new(StatusCode::NOT_FOUND, message))
            }
            _ => Ok(model),
        }
    }
}

impl Failure {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        let mut response = (self.status, Json(json!({ "error": self.message }))).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
