//! A configuration directory with an agent, and ways to kill it.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mlinfra_agent::layout::Layout;
use mlinfra_agent::messages::{
    AgentInfo, JobSpec, JobStatus, JobView, ServiceSpec, ServiceStatus, ServiceView,
};
use mlinfra_agent::process::{ProcessId, Stat};
use mlinfra_agent::{Client, ensure_running};
use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take that is only a matter of time.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A configuration directory with an agent.
pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) client: Client,
}

pub(crate) fn runtime() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_mlinfra-runtime"))
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let client = ensure_running(directory.path(), runtime()).await.unwrap();
        Self { directory, client }
    }

    pub(crate) fn path(&self) -> PathBuf {
        std::fs::canonicalize(self.directory.path()).unwrap()
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::new(&self.path())
    }

    /// The agent as soon as it answers with a guard that it knows.
    pub(crate) async fn info(&self) -> AgentInfo {
        eventually("the agent answers and has a guard", || async {
            self.client
                .info()
                .await
                .ok()
                .filter(|info| info.guard.is_some())
        })
        .await
    }

    /// Waits for another agent than this one.
    pub(crate) async fn agent_after(&self, old: &AgentInfo) -> AgentInfo {
        eventually("another agent answers", || async {
            self.client
                .info()
                .await
                .ok()
                .filter(|info| info.pid != old.pid && info.guard.is_some())
        })
        .await
    }

    pub(crate) async fn healthy(&self, name: &str) -> ServiceView {
        self.service_when(name, |view| {
            view.status == ServiceStatus::Healthy && view.pid.is_some()
        })
        .await
    }

    pub(crate) async fn service_when(
        &self,
        name: &str,
        condition: impl Fn(&ServiceView) -> bool,
    ) -> ServiceView {
        eventually("the service is as expected", || async {
            self.client
                .service(name)
                .await
                .ok()
                .flatten()
                .filter(|view| condition(view))
        })
        .await
    }

    pub(crate) async fn job_when(
        &self,
        name: &str,
        condition: impl Fn(&JobView) -> bool,
    ) -> JobView {
        eventually("the job is as expected", || async {
            self.client
                .job(name)
                .await
                .ok()
                .flatten()
                .filter(|view| condition(view))
        })
        .await
    }

    pub(crate) async fn job_end(&self, name: &str) -> JobView {
        self.job_when(name, |view| view.status != JobStatus::Running)
            .await
    }

    /// Every living process that belongs to this directory's agent.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let marker = self.path().to_string_lossy().into_owned();
        let belongs = |stat: &Stat| {
            let read = |file: &str| {
                std::fs::read(format!("/proc/{}/{file}", stat.pid)).unwrap_or_default()
            };
            let named = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).contains(&marker);
            let works_here = std::fs::read_link(format!("/proc/{}/cwd", stat.pid))
                .is_ok_and(|cwd| cwd.starts_with(self.path()));
            named(read("cmdline")) || named(read("environ")) || works_here
        };
        let me = i32::try_from(std::process::id()).unwrap();
        let all = Stat::all()
            .unwrap()
            .into_iter()
            .filter(|stat| !stat.zombie && stat.pid != me);
        all.filter(belongs).map(|stat| stat.pid).collect()
    }

    /// Stops everything and checks that nothing is left.
    pub(crate) async fn end(self) {
        self.client.shutdown().await.unwrap();
        assert_eq!(self.processes(), [] as [i32; 0], "no process is left");
        assert!(!self.layout().root().exists(), "no file is left");
    }
}

/// Polls for a condition that must come true.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut condition: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

pub(crate) fn alive(pid: i32) -> bool {
    ProcessId::of(pid).is_ok()
}

pub(crate) async fn dead(pid: i32) {
    eventually("the process is gone", || async {
        (!alive(pid)).then_some(())
    })
    .await;
}

pub(crate) fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

pub(crate) fn service(name: &str, script: &str) -> ServiceSpec {
    ServiceSpec {
        name: name.into(),
        command: shell(script),
        stop_grace_ms: 2_000,
        ..ServiceSpec::default()
    }
}

pub(crate) fn job(name: &str, script: &str) -> JobSpec {
    JobSpec {
        name: name.into(),
        command: shell(script),
        stop_grace_ms: 2_000,
        ..JobSpec::default()
    }
}
