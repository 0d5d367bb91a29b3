//! Where the agent keeps what it has, below one configuration directory.

use std::path::{Path, PathBuf};

/// The folder of the agent inside a configuration directory.
const AGENT: &str = ".mlinfra/agent";

/// The paths below `<directory>/.mlinfra/agent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    directory: PathBuf,
    root: PathBuf,
}

impl Layout {
    /// The layout for a configuration directory, which should be absolute.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_path_buf(),
            root: directory.join(AGENT),
        }
    }

    /// The configuration directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The agent's folder, mode 0700.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file name of the socket inside [`Layout::root`].
    pub const SOCKET: &'static str = "agent.sock";

    /// Held (`flock`) by the one agent.
    pub fn agent_lock(&self) -> PathBuf {
        self.root.join("agent.lock")
    }

    /// Held (`flock`) by the one guard.
    pub fn guard_lock(&self) -> PathBuf {
        self.root.join("guard.lock")
    }

    /// The identity of the running agent.
    pub fn agent_pid(&self) -> PathBuf {
        self.root.join("agent.pid")
    }

    /// The identity of the running guard.
    pub fn guard_pid(&self) -> PathBuf {
        self.root.join("guard.pid")
    }

    /// What the agent and its guard say.
    pub fn agent_log(&self) -> PathBuf {
        self.root.join("agent.log")
    }

    /// The environment that every process of this agent starts from.
    pub fn environment(&self) -> PathBuf {
        self.root.join("environment.json")
    }

    /// Present while a shutdown is under way, so that a killed one is finished.
    pub fn stopping(&self) -> PathBuf {
        self.root.join("stopping")
    }

    /// The folder of the objects of one kind.
    pub fn objects(&self, kind: &str) -> PathBuf {
        self.root.join("objects").join(kind)
    }

    /// The file with the secret environment of one object, mode 0600.
    pub fn secrets(&self, kind: &str, name: &str) -> PathBuf {
        self.root
            .join("secrets")
            .join(kind)
            .join(format!("{name}.json"))
    }

    /// The log of one object's process.
    pub fn log(&self, kind: &str, name: &str) -> PathBuf {
        self.root
            .join("logs")
            .join(kind)
            .join(format!("{name}.log"))
    }

    /// The folder of everything that one object's processes left.
    pub fn runs(&self, kind: &str, name: &str) -> PathBuf {
        self.root.join("runs").join(kind).join(name)
    }
}
