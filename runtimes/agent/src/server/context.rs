//! What all objects of an agent share.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::durable;
use super::run::Run;
use super::store::Store;
use crate::layout::Layout;

/// Where everything is, and what every process starts from.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) layout: Layout,
    pub(super) store: Store,
    environment: BTreeMap<String, String>,
}

impl Context {
    /// Takes over the environment that the first agent of this directory had: what a process sees must not depend
    /// on who happened to start the agent this time.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let layout = Layout::new(directory);
        let environment = match durable::read_json(&layout.environment())? {
            Some(environment) => environment,
            None => {
                let environment: BTreeMap<String, String> = crate::environment::kept().collect();
                durable::write_json(&layout.environment(), &environment)?;
                environment
            }
        };
        Ok(Self {
            store: Store::new(layout.clone()),
            layout,
            environment,
        })
    }

    /// The environment of a process: the agent's, then what its spec says.
    pub(super) fn environment<'a>(
        &self,
        parts: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
    ) -> BTreeMap<String, String> {
        let mut environment = self.environment.clone();
        for part in parts {
            environment.extend(part.clone());
        }
        environment
    }

    /// The folder that a process starts in.
    pub(super) fn working_dir(&self, asked: Option<&PathBuf>) -> PathBuf {
        asked
            .cloned()
            .unwrap_or_else(|| self.layout.directory().to_path_buf())
    }

    /// Ends all runs of one object whatever its own file says, for an object whose file cannot be read.
    pub(super) async fn end_runs(&self, kind: &str, name: &str) -> io::Result<()> {
        let folder = self.layout.runs(kind, name);
        // A job's run stands in the folder itself, the runs of a service each in a folder below.
        let mut folders = subfolders(&folder)?;
        folders.push(folder);
        for folder in folders {
            Run::at(folder)
                .end(Duration::from_secs(10), &self.layout.agent_log())
                .await?;
        }
        Ok(())
    }

    /// Ends all runs of all objects.
    pub(super) async fn end_all_runs(&self) -> io::Result<()> {
        for kind in subfolders(&self.layout.root().join("runs"))? {
            for object in subfolders(&kind)? {
                if let (Some(kind), Some(name)) = (file_name(&kind), file_name(&object)) {
                    self.end_runs(kind, name).await?;
                }
            }
        }
        Ok(())
    }
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn subfolders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}
