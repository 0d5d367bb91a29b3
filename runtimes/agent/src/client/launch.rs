//! Starts the agent when no one answers, and stops it with all it keeps.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use hyper::Method;
use tokio::time::Instant;

use super::transport::Patience;
use super::{Client, ClientError};
use crate::environment;
use crate::layout::Layout;
use crate::process::ProcessId;

/// How long a started agent may take to answer.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// How long to wait between two looks at what changes soon.
const LOOK: Duration = Duration::from_millis(10);

/// The agent of a configuration directory; when none answers it is started with `runtime`, the `mlinfra-runtime`
/// program. Several callers at once end up with the same agent.
///
/// # Errors
/// When the program cannot be started, the agent does not come up, or it speaks another protocol.
pub async fn ensure_running(directory: &Path, runtime: &Path) -> Result<Client, ClientError> {
    let unusable = |path: &Path| {
        let path = path.to_path_buf();
        move |source| ClientError::Directory { path, source }
    };
    let directory = std::fs::canonicalize(directory).map_err(unusable(directory))?;
    let layout = Layout::new(&directory);
    let deadline = Instant::now() + START_DEADLINE;
    let mut next_start = Instant::now();
    loop {
        match Client::connect(&directory).await {
            Err(ClientError::NotRunning { .. } | ClientError::Connection { .. }) => {}
            answer => return answer,
        }
        if Instant::now() >= deadline {
            let log = layout.agent_log();
            let tail = tail(&log).unwrap_or_else(|error| format!("(unreadable: {error})"));
            return Err(ClientError::Silent {
                directory,
                log,
                tail,
            });
        }
        // A guard that finds another one leaves, so starting one too many does no harm; starting one again and again
        // covers an agent that another caller is just shutting down.
        if Instant::now() >= next_start {
            make_root(&layout).map_err(unusable(layout.root()))?;
            start_guard(&layout, runtime)?;
            next_start = Instant::now() + Duration::from_secs(1);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Makes the agent's folder, closed to others.
fn make_root(layout: &Layout) -> io::Result<()> {
    let root = layout.root();
    DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    std::fs::set_permissions(root, Permissions::from_mode(0o700))
}

fn start_guard(layout: &Layout, runtime: &Path) -> Result<(), ClientError> {
    let failed = |source| ClientError::Program {
        program: runtime.to_path_buf(),
        source,
    };
    let log = open_log(&layout.agent_log()).map_err(failed)?;
    let mut command = tokio::process::Command::new(absolute(runtime).map_err(failed)?);
    command.arg("guard").arg("--dir").arg(layout.directory());
    command
        .env_clear()
        .envs(environment::kept())
        .current_dir("/");
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log);
    // The guard makes a session of its own first thing, so that neither a closed terminal nor Ctrl-C reaches it.
    // Dropping the child leaves it running; should it end while this program lives, tokio reaps it.
    command.spawn().map(drop).map_err(failed)
}

fn absolute(program: &Path) -> io::Result<PathBuf> {
    std::fs::canonicalize(program)
}

fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

fn tail(path: &Path) -> io::Result<String> {
    const MOST: u64 = 2048;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// Asks the agent to stop everything, and waits until it and its folder are gone.
pub(super) async fn shutdown(client: &Client) -> Result<(), ClientError> {
    loop {
        let agent = match client.info().await {
            Ok(info) => ProcessId::of(info.pid).ok(),
            Err(ClientError::NotRunning { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        match client
            .transport
            .call::<(), ()>(Method::POST, "/shutdown", None, Patience::Endless)
            .await
        {
            Ok(()) => return gone(client.transport.layout(), agent.as_ref()).await,
            // Someone killed it meanwhile: its guard brings it back, and it goes on where it was.
            Err(ClientError::Connection { .. } | ClientError::NotRunning { .. }) => {
                await_return(client).await?
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits for the agent that has promised to go.
async fn gone(layout: &Layout, agent: Option<&ProcessId>) -> Result<(), ClientError> {
    let deadline = Instant::now() + START_DEADLINE;
    while layout.root().exists() || agent.is_some_and(ProcessId::is_alive) {
        if Instant::now() >= deadline {
            return Err(ClientError::Connection {
                directory: layout.directory().to_path_buf(),
                cause: format!(
                    "it stopped everything, but {} is still there",
                    layout.root().display()
                ),
            });
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Waits until the agent answers again or its folder is gone; one that stays away counts as gone.
async fn await_return(client: &Client) -> Result<(), ClientError> {
    let deadline = Instant::now() + START_DEADLINE;
    while client.transport.layout().root().exists() && Instant::now() < deadline {
        match client.info().await {
            Err(ClientError::NotRunning { .. } | ClientError::Connection { .. }) => {
                tokio::time::sleep(LOOK).await
            }
            answer => return answer.map(drop),
        }
    }
    Ok(())
}
