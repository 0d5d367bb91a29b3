//! The server's life: listening, following models, draining.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mlinfra_kit::shutdown;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::access::Access;
use crate::error::Error;
use crate::follow::{Loading, follow, load_file};
use crate::metrics::Metrics;
use crate::rest::{self, App};
use crate::served::Served;
use crate::settings::{Pick, Settings};

/// A server that listens. It answers when it is run.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: axum::Router,
    drain: Duration,
    /// The tasks that load and follow models; they end with the server.
    loaders: JoinSet<()>,
}

/// Serves until SIGTERM or SIGINT, and prints the address on stdout when it listens.
///
/// A computation that outlasts the drain goes on in its thread: the caller ends the runtime without waiting for such
/// threads (`Runtime::shutdown_background`) or ends the process.
pub async fn serve(settings: Settings) -> Result<(), Error> {
    let asked = shutdown::signal().map_err(|source| Error::Io {
        action: "wait for signals",
        source,
    })?;
    let server = Server::bind(settings).await?;
    println!("listening on http://{}", server.address());
    let stop = async {
        let signal = asked.await;
        tracing::info!(?signal, "stopping");
    };
    server.run(stop).await
}

impl Server {
    /// Loads ONNX Runtime, listens, and begins to load models.
    pub async fn bind(settings: Settings) -> Result<Self, Error> {
        settings.check()?;
        let loaded = tokio::task::spawn_blocking(crate::library::environment).await;
        loaded.map_err(|e| Error::Io {
            action: "load ONNX Runtime",
            source: std::io::Error::other(e),
        })??;
        let failed = |source| Error::Listen {
            address: settings.listen,
            source,
        };
        let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;

        let mut loaders = JoinSet::new();
        let mut models = Vec::new();
        for (name, file) in &settings.files {
            let served = Arc::new(Served::new(name.clone(), file.display().to_string()));
            loaders.spawn(load_file(
                served.clone(),
                file.clone(),
                settings.sessions,
                settings.queue,
            ));
            models.push(served);
        }
        for followed in &settings.models {
            let source = match &followed.pick {
                Pick::Alias(alias) => format!("{}@{alias}", followed.model),
                Pick::Version(version) => format!("{}:{version}", followed.model),
            };
            let served = Arc::new(Served::new(followed.name.clone(), source));
            loaders.spawn(follow(
                served.clone(),
                followed.clone(),
                Loading::of(&settings),
            ));
            models.push(served);
        }
        let app = App {
            models: models
                .into_iter()
                .map(|served| (served.name.clone(), served))
                .collect(),
            metrics: Metrics::new()?,
            access: Access::new(settings.token.as_deref()),
        };
        let router = rest::router(Arc::new(app), settings.max_request_bytes);
        Ok(Self {
            listener,
            address,
            router,
            drain: settings.drain,
            loaders,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` comes; then takes no more connections and gives requests in flight the time of the drain.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let (stopping, mut stopped) = tokio::sync::watch::channel(false);
        let serving = axum::serve(self.listener, self.router).with_graceful_shutdown(async move {
            // An error means that the sender is gone, and so is the reason to serve.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        });
        let mut serving = std::pin::pin!(serving.into_future());
        let broke_off = |source| Error::Io {
            action: "serve",
            source,
        };
        tokio::select! {
            ended = &mut serving => return ended.map_err(broke_off),
            () = stop => {}
        }
        stopping.send_replace(true);
        self.loaders.abort_all();
        match tokio::time::timeout(self.drain, serving).await {
            Ok(ended) => ended.map_err(broke_off),
            Err(_) => {
                tracing::warn!(
                    "some requests were not done after {:?} and are cut off",
                    self.drain
                );
                Ok(())
            }
        }
    }
}
