//! Calls the agent of a configuration directory.

mod error;
mod events;
mod launch;
mod transport;

pub use error::ClientError;
pub use launch::ensure_running;

use std::path::Path;

use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::layout::Layout;
use crate::messages::{
    AgentInfo, Create, Cursor, Event, FailureKind, JobSpec, JobView, PROTOCOL, ScheduleSpec,
    ScheduleView, ServiceSpec, ServiceView,
};
use transport::{Patience, Transport};

/// The agent of one configuration directory, as a caller sees it. Cheap to clone; every call connects anew, so that a
/// client outlives a restart of the agent.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// Finds the running agent of a configuration directory and checks that it speaks this protocol.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] when no one answers, [`ClientError::Protocol`] when the agent is of another time.
    pub async fn connect(directory: &Path) -> Result<Self, ClientError> {
        let client = Self {
            transport: Transport::new(Layout::new(directory)),
        };
        let info = client.info().await?;
        if info.protocol != PROTOCOL {
            return Err(ClientError::Protocol {
                directory: directory.to_path_buf(),
                agent: info.protocol,
                version: info.version,
                client: PROTOCOL,
            });
        }
        Ok(client)
    }

    /// How the agent introduces itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn info(&self) -> Result<AgentInfo, ClientError> {
        self.get("/agent").await
    }

    /// Makes a service; the same name and token again answer the service that is there.
    ///
    /// # Errors
    /// When the agent refuses, among others with [`FailureKind::Exists`] or [`FailureKind::PortTaken`].
    pub async fn create_service(
        &self,
        token: &str,
        spec: &ServiceSpec,
    ) -> Result<ServiceView, ClientError> {
        self.create("/services", token, spec).await
    }

    /// The service of this name.
    ///
    /// # Errors
    /// When the agent does not answer or its file is damaged.
    pub async fn service(&self, name: &str) -> Result<Option<ServiceView>, ClientError> {
        self.find(&format!("/services/{}", encoded(name))).await
    }

    /// The service that a request with this token made.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn service_by_token(&self, token: &str) -> Result<Option<ServiceView>, ClientError> {
        self.first(&format!("/services?token={}", encoded(token)))
            .await
    }

    /// All services, by name.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn services(&self) -> Result<Vec<ServiceView>, ClientError> {
        self.get("/services").await
    }

    /// Changes a service; its process is restarted only when what it runs has changed.
    ///
    /// # Errors
    /// When the agent refuses, with [`FailureKind::NotFound`] when there is none.
    pub async fn update_service(&self, spec: &ServiceSpec) -> Result<ServiceView, ClientError> {
        self.update(&format!("/services/{}", encoded(&spec.name)), spec)
            .await
    }

    /// Stops a service and forgets it; returns once its processes are gone. `false` when there was none.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn delete_service(&self, name: &str) -> Result<bool, ClientError> {
        self.delete(&format!("/services/{}", encoded(name))).await
    }

    /// Starts a job; the same name and token again answer the job that is there.
    ///
    /// # Errors
    /// When the agent refuses.
    pub async fn create_job(&self, token: &str, spec: &JobSpec) -> Result<JobView, ClientError> {
        self.create("/jobs", token, spec).await
    }

    /// The job of this name.
    ///
    /// # Errors
    /// When the agent does not answer or its file is damaged.
    pub async fn job(&self, name: &str) -> Result<Option<JobView>, ClientError> {
        self.find(&format!("/jobs/{}", encoded(name))).await
    }

    /// The job that a request with this token made.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn job_by_token(&self, token: &str) -> Result<Option<JobView>, ClientError> {
        self.first(&format!("/jobs?token={}", encoded(token))).await
    }

    /// All jobs, by name.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn jobs(&self) -> Result<Vec<JobView>, ClientError> {
        self.get("/jobs").await
    }

    /// Stops a job and waits for its end; one that has ended stays as it is.
    ///
    /// # Errors
    /// When the agent refuses, with [`FailureKind::NotFound`] when there is none.
    pub async fn cancel_job(&self, name: &str) -> Result<JobView, ClientError> {
        let path = format!("/jobs/{}/cancel", encoded(name));
        self.transport
            .call(Method::POST, &path, None::<&()>, Patience::Endless)
            .await
    }

    /// Stops a job and forgets it, its log and its result. `false` when there was none.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn delete_job(&self, name: &str) -> Result<bool, ClientError> {
        self.delete(&format!("/jobs/{}", encoded(name))).await
    }

    /// What happens in a job, from `cursor` on until its end. When the connection breaks, go on with the cursor of
    /// the last event.
    ///
    /// # Errors
    /// When the agent refuses; later errors come in the stream.
    pub async fn job_events(
        &self,
        name: &str,
        cursor: Cursor,
    ) -> Result<impl futures::Stream<Item = Result<Event, ClientError>> + use<>, ClientError> {
        let path = format!(
            "/jobs/{}/events?log={}&progress={}",
            encoded(name),
            cursor.log,
            cursor.progress
        );
        Ok(events::lines(
            self.transport.clone(),
            self.transport.open(&path).await?,
        ))
    }

    /// Makes a schedule; the same name and token again answer the schedule that is there.
    ///
    /// # Errors
    /// When the agent refuses.
    pub async fn create_schedule(
        &self,
        token: &str,
        spec: &ScheduleSpec,
    ) -> Result<ScheduleView, ClientError> {
        self.create("/schedules", token, spec).await
    }

    /// The schedule of this name.
    ///
    /// # Errors
    /// When the agent does not answer or its file is damaged.
    pub async fn schedule(&self, name: &str) -> Result<Option<ScheduleView>, ClientError> {
        self.find(&format!("/schedules/{}", encoded(name))).await
    }

    /// The schedule that a request with this token made.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn schedule_by_token(
        &self,
        token: &str,
    ) -> Result<Option<ScheduleView>, ClientError> {
        self.first(&format!("/schedules?token={}", encoded(token)))
            .await
    }

    /// All schedules, by name.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn schedules(&self) -> Result<Vec<ScheduleView>, ClientError> {
        self.get("/schedules").await
    }

    /// Changes a schedule from its next firing on.
    ///
    /// # Errors
    /// When the agent refuses, with [`FailureKind::NotFound`] when there is none.
    pub async fn update_schedule(&self, spec: &ScheduleSpec) -> Result<ScheduleView, ClientError> {
        self.update(&format!("/schedules/{}", encoded(&spec.name)), spec)
            .await
    }

    /// Runs a schedule's job now, whatever the clock and `paused` say; answers the job.
    ///
    /// # Errors
    /// When the agent refuses, with [`FailureKind::NotFound`] when there is none.
    pub async fn fire_schedule(&self, name: &str) -> Result<JobView, ClientError> {
        let path = format!("/schedules/{}/fire", encoded(name));
        self.transport
            .call(Method::POST, &path, None::<&()>, Patience::Short)
            .await
    }

    /// Forgets a schedule, stops its running jobs and forgets all of them. `false` when there was none.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn delete_schedule(&self, name: &str) -> Result<bool, ClientError> {
        self.delete(&format!("/schedules/{}", encoded(name))).await
    }

    /// Stops everything in order, the guard and the agent included, and removes the agent's folder.
    ///
    /// # Errors
    /// When something could not be stopped or removed.
    pub async fn shutdown(&self) -> Result<(), ClientError> {
        launch::shutdown(self).await
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ClientError> {
        self.transport
            .call(Method::GET, path, None::<&()>, Patience::Short)
            .await
    }

    async fn create<S: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        token: &str,
        spec: &S,
    ) -> Result<A, ClientError> {
        let request = Create {
            token: token.to_owned(),
            spec,
        };
        self.transport
            .call(Method::POST, path, Some(&request), Patience::Short)
            .await
    }

    async fn update<S: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        spec: &S,
    ) -> Result<A, ClientError> {
        self.transport
            .call(Method::PUT, path, Some(spec), Patience::Endless)
            .await
    }

    async fn delete(&self, path: &str) -> Result<bool, ClientError> {
        let answer = self
            .transport
            .call::<(), ()>(Method::DELETE, path, None, Patience::Endless)
            .await;
        Ok(absent_as_none(answer)?.is_some())
    }

    async fn find<A: DeserializeOwned>(&self, path: &str) -> Result<Option<A>, ClientError> {
        absent_as_none(self.get(path).await)
    }

    async fn first<A: DeserializeOwned>(&self, path: &str) -> Result<Option<A>, ClientError> {
        Ok(self.get::<Vec<A>>(path).await?.into_iter().next())
    }
}

/// That the agent has no object of a name is an answer, not an error.
fn absent_as_none<A>(answer: Result<A, ClientError>) -> Result<Option<A>, ClientError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ClientError::Refused(failure)) if failure.kind == FailureKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// One segment of a path, or one value of a query, with everything escaped that could end it.
fn encoded(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
            encoded
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(encoded("api-1.v_2~"), "api-1.v_2~");
        assert_eq!(encoded("a/b?c&d e\u{e9}"), "a%2Fb%3Fc%26d%20e%C3%A9");
    }

    #[tokio::test]
    async fn no_agent_is_said_plainly() {
        let directory = tempfile::tempdir().unwrap();
        let error = Client::connect(directory.path()).await.unwrap_err();
        assert!(matches!(error, ClientError::NotRunning { .. }), "{error}");
    }
}
