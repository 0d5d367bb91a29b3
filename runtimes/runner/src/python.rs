//! The Python of a run: the machine's own, or an environment made from `requirements.txt` and kept for the next run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use mlinfra_registry::Digest;
use tokio::process::Command;

use crate::command::{self, Ending, Listener, Stop};
use crate::error::RunError;
use crate::lock::Lock;
use crate::progress::Progress;

/// The stage that progress is told under.
const STAGE: &str = "environment";

/// The file that says what a run's environment needs.
const REQUIREMENTS: &str = "requirements.txt";

/// Written last into an environment.
const COMPLETE: &str = ".complete";

/// Asks Python what it is. Another version or machine takes other packages.
const WHO: &str = "import platform; print(platform.python_implementation(), platform.python_version(), platform.machine())";

/// An environment to run in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Environment {
    folder: PathBuf,
}

/// Which Python a run depends on; `None` when it needs none.
pub(crate) fn version_for(command: &[String], source: &Path) -> Result<Option<String>, RunError> {
    let program = command
        .first()
        .and_then(|program| Path::new(program).file_name()?.to_str());
    let is_python =
        program.is_some_and(|program| program == "python" || program.starts_with("python3"));
    if !is_python && !source.join(REQUIREMENTS).is_file() {
        return Ok(None);
    }
    let interpreter = interpreter();
    let failed = |cause: String| RunError::NoPython {
        program: interpreter.to_owned(),
        cause,
    };
    let output = std::process::Command::new(interpreter)
        .args(["-c", WHO])
        .output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    Ok(Some(
        String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    ))
}

/// The machine's Python 3; some have it under one name only, some under the other.
fn interpreter() -> &'static str {
    if on_path("python3") || !on_path("python") {
        "python3"
    } else {
        "python"
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The program that a command names: `python` is whichever the machine has, unless an environment brings its own.
pub(crate) fn program(named: &str, environment: Option<&Environment>) -> String {
    if environment.is_none() && named == "python" && !on_path("python") {
        return interpreter().to_owned();
    }
    named.to_owned()
}

impl Environment {
    /// Lets a command see this environment first.
    pub(crate) fn enter(&self, command: &mut Command) {
        let mut path: OsString = self.folder.join("bin").into();
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        command
            .env("PATH", path)
            .env("VIRTUAL_ENV", &self.folder)
            .env_remove("PYTHONHOME");
    }
}

/// The environment that a source folder asks for, made now or earlier; `None` when it asks for none.
pub(crate) async fn environment(
    source: &Path,
    key: &Key<'_>,
    kept_in: Option<&Path>,
    progress: &Progress,
    stop: &Stop,
) -> Result<Option<Environment>, RunError> {
    let file = source.join(REQUIREMENTS);
    if !file.is_file() {
        return Ok(None);
    }
    let requirements = std::fs::read_to_string(&file).map_err(RunError::file("read", &file))?;
    let key = key.of(&requirements);
    let root = kept_in
        .map_or_else(cache_root, |folder| Ok(folder.to_path_buf()))?
        .join("venv");
    std::fs::create_dir_all(&root).map_err(RunError::file("create", &root))?;
    let folder = root.join(key.hex());
    let waiting = || {
        progress.say(
            STAGE,
            "waiting for another run that makes the same Python environment",
        )
    };
    let lock = root.join(format!("{}.lock", key.hex()));
    let turn = Lock::acquire(&lock, waiting);
    let _lock = command::unless_stopped(stop, turn).await?;
    let environment = Environment { folder };
    if !environment.is_complete() {
        progress.say(STAGE, "making the Python environment");
        environment
            .make(source, &requirements, progress, stop)
            .await?;
    }
    Ok(Some(environment))
}

/// What an environment depends on beside its requirements.
pub(crate) struct Key<'a> {
    /// The Python that it is made with.
    pub(crate) version: &'a str,
    /// The code that the requirements stand in.
    pub(crate) source: &'a Digest,
}

impl Key<'_> {
    /// What an environment is kept under. Requirements that lead to other files depend on these too.
    fn of(&self, requirements: &str) -> Digest {
        let names_files = requirements.lines().map(str::trim).any(|line| {
            let options = [
                "-r",
                "-c",
                "-e",
                "--requirement",
                "--constraint",
                "--editable",
            ];
            options.iter().any(|option| line.starts_with(option))
                || line.starts_with(['.', '/'])
                || line.contains("file:")
        });
        let source = if names_files {
            self.source.to_string()
        } else {
            String::new()
        };
        Digest::of(format!("{}\0{source}\0{requirements}", self.version).as_bytes())
    }
}

/// Where environments are kept: they are worth keeping for all projects of a user.
fn cache_root() -> Result<PathBuf, RunError> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let own = folder("MLINFRA_CACHE");
    let shared = || folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    own.or_else(|| Some(shared()?.join("mlinfra")))
        .ok_or_else(|| {
            RunError::Spec(
                "there is no place for Python environments: set MLINFRA_CACHE or HOME to a folder"
                    .to_owned(),
            )
        })
}

impl Environment {
    fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// Whether it was made to the end, and the Python that it leads to is still there.
    fn is_complete(&self) -> bool {
        self.folder.join(COMPLETE).is_file() && self.python().exists()
    }

    async fn make(
        &self,
        source: &Path,
        requirements: &str,
        progress: &Progress,
        stop: &Stop,
    ) -> Result<(), RunError> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)
                .map_err(RunError::file("remove", &self.folder))?;
        }
        let is_empty = requirements
            .lines()
            .map(str::trim)
            .all(|line| line.is_empty() || line.starts_with('#'));
        let mut venv = Command::new(interpreter());
        venv.args(["-m", "venv"]);
        if is_empty {
            venv.arg("--without-pip");
        }
        venv.arg(&self.folder);
        step("python3 -m venv", venv, progress, stop).await?;
        if !is_empty {
            let mut pip = Command::new(self.python());
            pip.args([
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-input",
                "--progress-bar",
                "off",
            ]);
            pip.args(["-r", REQUIREMENTS]).current_dir(source);
            step("pip install -r requirements.txt", pip, progress, stop).await?;
        }
        let marker = self.folder.join(COMPLETE);
        mlinfra_kit::durable::write(&marker, requirements.as_bytes(), 0o644)
            .map_err(|error| RunError::file("write", &marker)(std::io::Error::other(error)))
    }
}

/// Tells lines as progress.
struct Told<'a>(&'a Progress);

impl Listener for Told<'_> {
    fn line(&mut self, line: &str) {
        println!("{line}");
        self.0.say(STAGE, line);
    }
}

async fn step(
    name: &str,
    command: Command,
    progress: &Progress,
    stop: &Stop,
) -> Result<(), RunError> {
    let started = |source| RunError::Start {
        program: name.to_owned(),
        source,
    };
    let ended = command::run(command, stop, None, &mut Told(progress))
        .await
        .map_err(started)?;
    match ended.ending {
        Ending::Exited(status) if status.success() => Ok(()),
        Ending::Exited(status) => {
            let ended_with = command::describe(status);
            Err(RunError::Environment {
                step: name.to_owned(),
                ended: ended_with,
                log: ended.tail,
            })
        }
        Ending::Cancelled | Ending::TimedOut => Err(RunError::Cancelled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_depends_on_what_is_in_it() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let key = |requirements, version, source| Key { version, source }.of(requirements);
        let plain = |source| key("numpy==2.0\n", "CPython 3.12", source);
        assert_eq!(
            plain(&one),
            plain(&two),
            "other code takes the same environment"
        );
        assert_ne!(plain(&one), key("numpy==2.1\n", "CPython 3.12", &one));
        assert_ne!(plain(&one), key("numpy==2.0\n", "CPython 3.13", &one));
        for leads_elsewhere in ["-r base.txt", "./lib", "lib @ file:///x", "-e ."] {
            assert_ne!(
                key(leads_elsewhere, "v", &one),
                key(leads_elsewhere, "v", &two),
                "{leads_elsewhere}"
            );
        }
    }

    #[test]
    fn only_python_needs_python() {
        let folder = tempfile::tempdir().unwrap();
        let version = |program: &str| version_for(&[program.to_owned()], folder.path()).unwrap();
        assert_eq!(version("sh"), None);
        assert!(version("python3").unwrap().contains(" 3."));
        assert_eq!(version("python"), version("/usr/bin/python3.11"));
        std::fs::write(folder.path().join(REQUIREMENTS), "").unwrap();
        assert!(version("sh").is_some());
    }
}
