//! The agent's HTTP interface.

use std::future::Future;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::agent::Agent;
use super::events;
use crate::messages::{
    AgentInfo, Create, Cursor, Failure, FailureKind, JobSpec, JobView, ScheduleSpec, ScheduleView,
    ServiceSpec, ServiceView,
};

/// The largest request; the spec of a job may be long.
const LARGEST_REQUEST: usize = 8 << 20;

type Answer<T> = Result<Json<T>, Failure>;

/// All routes.
pub(super) fn router(agent: Arc<Agent>) -> Router {
    Router::new()
        .route("/agent", get(info))
        .route("/shutdown", post(shut_down))
        .route("/services", get(list_services).post(create_service))
        .route(
            "/services/{name}",
            get(get_service).put(update_service).delete(delete_service),
        )
        .route("/jobs", get(list_jobs).post(create_job))
        .route("/jobs/{name}", get(get_job).delete(delete_job))
        .route("/jobs/{name}/cancel", post(cancel_job))
        .route("/jobs/{name}/events", get(follow_job))
        .route("/schedules", get(list_schedules).post(create_schedule))
        .route(
            "/schedules/{name}",
            get(get_schedule)
                .put(update_schedule)
                .delete(delete_schedule),
        )
        .route("/schedules/{name}/fire", post(fire_schedule))
        .fallback(no_such_route)
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(agent)
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self.kind {
            FailureKind::Invalid => StatusCode::BAD_REQUEST,
            FailureKind::NotFound => StatusCode::NOT_FOUND,
            FailureKind::Exists | FailureKind::PortTaken => StatusCode::CONFLICT,
            FailureKind::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            FailureKind::Damaged | FailureKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self)).into_response()
    }
}

/// Which objects of a list are asked for.
#[derive(Deserialize)]
struct Filter {
    token: Option<String>,
}

impl Filter {
    fn admits(&self, token: &str) -> bool {
        self.token.as_deref().is_none_or(|asked| asked == token)
    }
}

/// Reads a request, so that an unreadable one is answered like any other failure.
fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::invalid(format!("the request cannot be read: {error}")))
}

/// Sees a change through even when the caller goes away in the middle of it.
async fn to_the_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let failed =
        |error: tokio::task::JoinError| Failure::new(FailureKind::Internal, error.to_string());
    tokio::spawn(change).await.map_err(failed)?
}

fn same_name(path: &str, spec: &str) -> Result<(), Failure> {
    if path == spec {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "the name {spec:?} in the request is not {path:?}: names do not change"
    )))
}

async fn no_such_route() -> Failure {
    Failure::new(FailureKind::NotFound, "the agent has no such path")
}

async fn info(State(agent): State<Arc<Agent>>) -> Json<AgentInfo> {
    Json(agent.info())
}

async fn shut_down(State(agent): State<Arc<Agent>>) -> Result<StatusCode, Failure> {
    to_the_end(async move { agent.shut_down().await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_services(
    State(agent): State<Arc<Agent>>,
    Query(filter): Query<Filter>,
) -> Json<Vec<ServiceView>> {
    let views = agent
        .services
        .all
        .list()
        .into_iter()
        .map(|service| service.view(false));
    Json(views.filter(|view| filter.admits(&view.token)).collect())
}

async fn create_service(State(agent): State<Arc<Agent>>, body: Bytes) -> Answer<ServiceView> {
    agent.accepts_changes()?;
    let request: Create<ServiceSpec> = parse(&body)?;
    Ok(Json(agent.services.create(request)?.view(false)))
}

async fn get_service(
    State(agent): State<Arc<Agent>>,
    Path(name): Path<String>,
) -> Answer<ServiceView> {
    Ok(Json(agent.services.all.get(&name)?.view(true)))
}

async fn update_service(
    State(agent): State<Arc<Agent>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Answer<ServiceView> {
    agent.accepts_changes()?;
    let spec: ServiceSpec = parse(&body)?;
    same_name(&name, &spec.name)?;
    Ok(Json(agent.services.update(spec)?.view(false)))
}

async fn delete_service(
    State(agent): State<Arc<Agent>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    agent.accepts_changes()?;
    to_the_end(async move { agent.services.delete(&name).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_jobs(
    State(agent): State<Arc<Agent>>,
    Query(filter): Query<Filter>,
) -> Json<Vec<JobView>> {
    let views = agent.jobs.all.list().into_iter().map(|job| job.view(false));
    Json(views.filter(|view| filter.admits(&view.token)).collect())
}

async fn create_job(State(agent): State<Arc<Agent>>, body: Bytes) -> Answer<JobView> {
    agent.accepts_changes()?;
    let request: Create<JobSpec> = parse(&body)?;
    Ok(Json(agent.jobs.create(request)?.view(false)))
}

async fn get_job(State(agent): State<Arc<Agent>>, Path(name): Path<String>) -> Answer<JobView> {
    Ok(Json(agent.jobs.all.get(&name)?.view(true)))
}

async fn cancel_job(State(agent): State<Arc<Agent>>, Path(name): Path<String>) -> Answer<JobView> {
    agent.accepts_changes()?;
    let job = to_the_end(async move { agent.jobs.cancel(&name).await }).await?;
    Ok(Json(job.view(true)))
}

async fn delete_job(
    State(agent): State<Arc<Agent>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    agent.accepts_changes()?;
    to_the_end(async move { agent.jobs.delete(&name).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn follow_job(
    State(agent): State<Arc<Agent>>,
    Path(name): Path<String>,
    Query(cursor): Query<Cursor>,
) -> Result<Response, Failure> {
    let job = agent.jobs.all.get(&name)?;
    let body = Body::from_stream(events::follow(job, cursor));
    Ok(([("content-type", "application/x-ndjson")], body).into_response())
}

async fn list_schedules(
    State(agent): State<Arc<Agent>>,
    Query(filter): Query<Filter>,
) -> Json<Vec<ScheduleView>> {
    let views = agent
        .schedules
        .all
        .list()
        .into_iter()
        .map(|schedule| schedule.view());
    Json(views.filter(|view| filter.admits(&view.token)).collect())
}

async fn create_schedule(State(agent): State<Arc<Agent>>, body: Bytes) -> Answer<ScheduleView> {
    agent.accepts_changes()?;
    let request: Create<ScheduleSpec> = parse(&body)?;
    Ok(Json(agent.schedules.create(request)?.view()))
}

async fn get_schedule(
    State(agent): State<Arc<Agent>>,
    Path(name): Path<String>,
) -> Answer<ScheduleView> {
    Ok(Json(agent.schedules.all.get(&name)?.view()))
}

async fn update_schedule(
    State(agent): State<Arc<Agent>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Answer<ScheduleView> {
    agent.accepts_changes()?;
    let spec: ScheduleSpec = parse(&body)?;
    same_name(&name, &spec.name)?;
    Ok(Json(agent.schedules.update(spec)?.view()))
}

async fn delete_schedule(
    State(agent): State<Arc<Agent>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    agent.accepts_changes()?;
    to_the_end(async move { agent.schedules.delete(&name).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn fire_schedule(
    State(agent): State<Arc<Agent>>,
    Path(name): Path<String>,
) -> Answer<JobView> {
    agent.accepts_changes()?;
    Ok(Json(agent.schedules.fire(&name)?.view(false)))
}
