//! A directory with a configuration, and the program run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A directory of its own; whatever runs in it is stopped when it is dropped.
pub struct Directory {
    dir: TempDir,
}

/// How a run of the program came out.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// The run, which must have succeeded.
    #[track_caller]
    pub fn ok(self) -> Run {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The run, which must have failed with all of these in what it says.
    #[track_caller]
    pub fn fails_with(self, words: &[&str]) -> Run {
        assert_eq!(self.code, Some(1), "{}\n{}", self.stdout, self.stderr);
        for word in words {
            assert!(
                self.stderr.contains(word),
                "no {word:?} in:\n{}",
                self.stderr
            );
        }
        self
    }

    /// The run, whose standard output must hold all of these.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Run {
        for word in words {
            assert!(
                self.stdout.contains(word),
                "no {word:?} in:\n{}{}",
                self.stdout,
                self.stderr
            );
        }
        self
    }
}

impl Directory {
    /// An empty directory with one configuration file.
    pub fn with(configuration: &str) -> Directory {
        let directory = Directory::empty();
        directory.write("main.hcl", configuration);
        directory
    }

    /// An empty directory.
    pub fn empty() -> Directory {
        Directory {
            dir: TempDir::new().unwrap(),
        }
    }

    /// A copy of a folder of the repository.
    pub fn copy_of(folder: &str) -> Directory {
        let directory = Directory::empty();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        copy(&from, directory.path());
        directory
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    /// Replaces text in a file, which must be there.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "no {from:?} in {name}");
        self.write(name, &text.replace(from, to));
    }

    /// The names of the files in it.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A command of the program in this directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlinfra"));
        command
            .arg(format!("-chdir={}", self.path().display()))
            .args(arguments)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Applies without asking; must succeed.
    #[track_caller]
    pub fn apply(&self) -> Run {
        self.run(&["apply", "-auto-approve"]).ok()
    }

    /// The processes whose command line or working directory is in this directory.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let place = self.path().to_string_lossy().into_owned();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
                continue;
            };
            let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            let cwd = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            let here = command.contains(&place) || cwd.starts_with(self.path());
            if here && pid != std::process::id() {
                found.push((pid, command));
            }
        }
        found
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // The agent is brought back when it is killed, so it is asked to stop first.
        let _ = self.run(&["destroy", "-auto-approve", "-destroy-data"]);
        for _ in 0..3 {
            for (pid, _) in self.processes() {
                let _ = Command::new("kill").args(["-9", &pid.to_string()]).output();
            }
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // What an apply in the repository itself left is not part of the example.
        if name.starts_with(".mlinfra") || name.starts_with("mlinfra.state") || name == "registry" {
            continue;
        }
        let target = to.join(&*name);
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
