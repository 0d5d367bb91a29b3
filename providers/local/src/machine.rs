//! What the types of this provider work with: the agent, the configuration directory, the ports.

use std::collections::BTreeMap;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use mlinfra_agent::layout::Layout;
use mlinfra_agent::{Client, ClientError, ensure_running};
use mlinfra_sdk::{Environment, Failure};
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::refusal;

/// This machine, as one session sees it.
pub struct Machine {
    runtime: PathBuf,
    environment: Environment,
    /// Read while someone needs the agent, written while it is ended.
    presence: RwLock<()>,
    /// Which service wants which port.
    ports: Mutex<BTreeMap<u16, String>>,
}

/// The agent, which is not ended by this session as long as this is held.
pub struct Agent<'m> {
    client: Client,
    _present: RwLockReadGuard<'m, ()>,
}

impl Deref for Agent<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Machine {
    /// Nothing is connected yet.
    pub fn new(runtime: PathBuf, environment: Environment) -> Machine {
        Machine {
            runtime,
            environment,
            presence: RwLock::new(()),
            ports: Mutex::default(),
        }
    }

    /// The configuration directory.
    pub fn root(&self) -> &Path {
        &self.environment.root_dir
    }

    /// Where the tool keeps what it has.
    pub fn data(&self) -> &Path {
        &self.environment.data_dir
    }

    /// The `mlinfra-runtime` program, as an absolute path; whether it exists is not asked.
    pub fn runtime(&self) -> PathBuf {
        std::path::absolute(&self.runtime).unwrap_or_else(|_| self.runtime.clone())
    }

    /// Where the agent keeps what it has, as the agent itself sees it.
    pub fn layout(&self) -> Layout {
        let root = std::fs::canonicalize(self.root());
        Layout::new(root.as_deref().unwrap_or(self.root()))
    }

    /// The agent, started when it does not run.
    pub async fn agent(&self) -> Result<Agent<'_>, Failure> {
        let present = self.presence.read().await;
        let client = match self.runtime.exists() {
            true => ensure_running(self.root(), &self.runtime).await,
            // Without the program one that runs will do; nothing is made on disk for one that cannot start.
            false => Client::connect(self.root())
                .await
                .map_err(|error| match error {
                    ClientError::NotRunning { .. } => ClientError::Program {
                        program: self.runtime(),
                        source: io::ErrorKind::NotFound.into(),
                    },
                    error => error,
                }),
        };
        Ok(Agent {
            client: client.map_err(refusal::failure)?,
            _present: present,
        })
    }

    /// The agent, if there may be anything that it keeps. One that kept something and does not run,
    /// such as after a restart of the machine, is started, because only it knows what there is.
    pub async fn agent_of_old(&self) -> Result<Option<Agent<'_>>, Failure> {
        match self.layout().root().exists() {
            true => self.agent().await.map(Some),
            false => Ok(None),
        }
    }

    /// The agent, if it runs.
    pub async fn agent_running(&self) -> Result<Option<Agent<'_>>, Failure> {
        let present = self.presence.read().await;
        match Client::connect(self.root()).await {
            Ok(client) => Ok(Some(Agent {
                client,
                _present: present,
            })),
            Err(ClientError::NotRunning { .. } | ClientError::Connection { .. }) => Ok(None),
            Err(error) => Err(refusal::failure(error)),
        }
    }

    /// Ends the agent if it keeps nothing any more. While someone of this session still needs it, nothing is
    /// done: whoever is the last to delete something looks again.
    pub async fn end_idle_agent(&self) -> Result<(), Failure> {
        let Ok(_alone) = self.presence.try_write() else {
            return Ok(());
        };
        let end = async {
            let client = Client::connect(self.root()).await?;
            let idle = client.services().await?.is_empty()
                && client.jobs().await?.is_empty()
                && client.schedules().await?.is_empty()
                // What is damaged is evidence and may still run.
                && client.info().await?.damaged.is_empty();
            match idle {
                true => client.shutdown().await,
                false => Ok(()),
            }
        };
        match end.await {
            Ok(()) | Err(ClientError::NotRunning { .. }) => Ok(()),
            Err(error) => Err(refusal::failure(error)),
        }
    }

    /// Notes that a service wants a port; answers the other service that wants it too.
    pub fn claim_port(&self, port: u16, service: &str) -> Option<String> {
        let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = ports.get(&port).filter(|other| *other != service) {
            return Some(other.clone());
        }
        ports.retain(|_, holder| holder != service);
        ports.insert(port, service.to_owned());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_agent_is_not_ended_while_someone_needs_it() {
        let root = tempfile::tempdir().unwrap();
        let environment = Environment {
            root_dir: root.path().to_path_buf(),
            data_dir: root.path().join(".mlinfra"),
        };
        let machine = Machine::new("/nowhere/runtime".into(), environment);
        // Whoever tries to reach an agent here fails, which shows who tries.
        std::fs::create_dir(machine.data()).unwrap();
        std::fs::write(machine.data().join("agent"), "").unwrap();
        let present = machine.presence.read().await;
        machine.end_idle_agent().await.unwrap();
        drop(present);
        machine.end_idle_agent().await.unwrap_err();
    }

    #[test]
    fn a_port_belongs_to_one_service_until_that_wants_another() {
        let environment = Environment {
            root_dir: "/nowhere".into(),
            data_dir: "/nowhere/.mlinfra".into(),
        };
        let machine = Machine::new("/nowhere/runtime".into(), environment);
        assert_eq!(machine.claim_port(8080, "a"), None);
        assert_eq!(machine.claim_port(8080, "a"), None);
        assert_eq!(machine.claim_port(8080, "b"), Some("a".to_owned()));
        assert_eq!(machine.claim_port(8081, "a"), None);
        assert_eq!(machine.claim_port(8080, "b"), None);
    }
}
