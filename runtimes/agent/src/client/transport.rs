//! One HTTP request over the agent's Unix socket.

use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustix::fs::{Mode, OFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::ClientError;
use crate::layout::Layout;
use crate::messages::Failure;

/// The largest answer that is taken, apart from streams.
const LARGEST_ANSWER: usize = 64 << 20;

/// How long an answer may take when the agent has nothing to wait for.
const SHORT: Duration = Duration::from_secs(30);

/// How long a call may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// The agent answers at once.
    Short,
    /// The agent waits for processes to end; when it dies, the connection breaks.
    Endless,
}

/// The way to one agent.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    layout: Layout,
}

impl Transport {
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout }
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Asks and reads the whole answer.
    pub(super) async fn call<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        patience: Patience,
    ) -> Result<A, ClientError> {
        let exchange = async {
            let response = self.send(method, path, body).await?;
            self.read(response).await
        };
        let bytes = match patience {
            Patience::Endless => exchange.await?,
            Patience::Short => tokio::time::timeout(SHORT, exchange)
                .await
                .map_err(|_| self.broken(format!("no answer within {} s", SHORT.as_secs())))??,
        };
        // An answer without content stands for the unit value.
        let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(text).map_err(|error| self.unreadable(error.to_string()))
    }

    /// Asks for a stream.
    pub(super) async fn open(&self, path: &str) -> Result<Incoming, ClientError> {
        let response = self.send(Method::GET, path, None::<&()>).await?;
        if response.status().is_success() {
            Ok(response.into_body())
        } else {
            Err(self.refusal(response).await)
        }
    }

    async fn send<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<Response<Incoming>, ClientError> {
        let body = body
            .map(serde_json::to_vec)
            .transpose()
            .map_err(|error| self.broken(error.to_string()))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "agent")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|error| self.broken(error.to_string()))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(self.connect().await?))
                .await
                .map_err(|error| self.broken(error.to_string()))?;
        // The connection ends by itself once the answer has been read or dropped; its errors reach the request too.
        tokio::spawn(connection);
        sender
            .send_request(request)
            .await
            .map_err(|error| self.broken(error.to_string()))
    }

    async fn connect(&self) -> Result<UnixStream, ClientError> {
        let not_running = || ClientError::NotRunning {
            directory: self.layout.directory().to_path_buf(),
        };
        let root = self.layout.root();
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        let directory = match rustix::fs::open(root, flags, Mode::empty()) {
            Ok(directory) => directory,
            Err(rustix::io::Errno::NOENT) => return Err(not_running()),
            Err(error) => {
                return Err(ClientError::Directory {
                    path: root.to_path_buf(),
                    source: error.into(),
                });
            }
        };
        // The address of a socket holds 107 bytes at most; the way through the descriptor is short whatever the path is.
        let path =
            PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(Layout::SOCKET);
        match UnixStream::connect(path).await {
            Ok(stream) => Ok(stream),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Err(not_running())
            }
            Err(error) => Err(self.broken(error.to_string())),
        }
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Bytes, ClientError> {
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        self.collect(response).await
    }

    async fn refusal(&self, response: Response<Incoming>) -> ClientError {
        let status = response.status();
        match self.collect(response).await {
            Ok(bytes) => match serde_json::from_slice::<Failure>(&bytes) {
                Ok(failure) => ClientError::Refused(failure),
                Err(_) => self.unreadable(format!(
                    "status {status}: {}",
                    String::from_utf8_lossy(&bytes)
                )),
            },
            Err(error) => error,
        }
    }

    async fn collect(&self, response: Response<Incoming>) -> Result<Bytes, ClientError> {
        let body = Limited::new(response.into_body(), LARGEST_ANSWER);
        Ok(body
            .collect()
            .await
            .map_err(|error| self.broken(error.to_string()))?
            .to_bytes())
    }

    /// The connection broke.
    pub(super) fn broken(&self, cause: String) -> ClientError {
        ClientError::Connection {
            directory: self.layout.directory().to_path_buf(),
            cause,
        }
    }

    /// The answer makes no sense.
    pub(super) fn unreadable(&self, cause: String) -> ClientError {
        ClientError::Answer {
            directory: self.layout.directory().to_path_buf(),
            cause,
        }
    }
}
