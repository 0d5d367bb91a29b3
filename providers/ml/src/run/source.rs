//! Looks at a source folder before anything is run: whether it is there, and what the command starts in it.

use std::path::Path as FilePath;

use mlinfra_runner::{Spec, source_digest};
use mlinfra_sdk::{Failure, Path, Step};

use crate::failure;
use crate::suggestion::{did_you_mean, some_of};

/// The file that says what a run's environment needs.
const REQUIREMENTS: &str = "requirements.txt";

/// Tells what is wrong with the source folder, or with the command that is to run in it.
pub(super) fn check(spec: &Spec) -> Result<(), Failure> {
    let folder = spec.source.as_path();
    let at = || Path::attribute("source");
    if !folder.is_dir() {
        let detail = if folder.exists() {
            format!("{} is not a folder.", folder.display())
        } else {
            let beside = folders_beside(folder);
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let hint = did_you_mean(&name, beside.iter().map(String::as_str));
            format!("There is no folder {}.{hint}", folder.display())
        };
        return Err(Failure::invalid(at(), "Missing source folder", detail));
    }
    let source = source_digest(folder).map_err(|e| {
        Failure::invalid(
            at(),
            "Source cannot be read",
            failure::sentence(&e.to_string()),
        )
    })?;
    if source.files.is_empty() {
        let detail = format!("{} holds no file that counts.", folder.display());
        return Err(Failure::invalid(at(), "Empty source folder", detail));
    }
    if source.files.contains_key(REQUIREMENTS) {
        std::fs::read_to_string(folder.join(REQUIREMENTS)).map_err(|e| {
            let detail = format!("{}: {e}.", folder.join(REQUIREMENTS).display());
            Failure::invalid(at(), "Requirements cannot be read", detail)
        })?;
    }
    let Some((number, script)) = script(&spec.command) else {
        return Ok(());
    };
    let script = script.strip_prefix("./").unwrap_or(script);
    if source.files.contains_key(script) || folder.join(script).exists() {
        return Ok(());
    }
    let names = || source.files.keys().map(String::as_str);
    let detail = format!(
        "{} has no file {script:?}; it has: {}.{}",
        folder.display(),
        some_of(names().collect::<Vec<_>>().into_iter()),
        did_you_mean(script, names())
    );
    let at = Path::attribute("command").then(Step::Index(number));
    Err(Failure::invalid(at, "Missing script", detail))
}

/// The file of the source folder that a command starts, with its place, where that can be told.
fn script(command: &[String]) -> Option<(usize, &str)> {
    let program = command.first()?;
    let name = FilePath::new(program).file_name()?.to_str()?;
    if name == "python" || name.starts_with("python3") {
        // Options with a value of their own (`-m module`, `-c code`) start no file.
        let first = command.get(1)?;
        return first
            .ends_with(".py")
            .then_some((1, first.as_str()))
            .filter(|(_, s)| !s.starts_with('/'));
    }
    program.starts_with("./").then_some((0, program.as_str()))
}

fn folders_beside(folder: &FilePath) -> Vec<String> {
    let entries = folder
        .parent()
        .and_then(|parent| std::fs::read_dir(parent).ok());
    entries
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_of_a_command_is_found() {
        let of = |words: &[&str]| {
            let command: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
            script(&command).map(|(i, s)| (i, s.to_owned()))
        };
        assert_eq!(
            of(&["python", "train.py", "x.py"]),
            Some((1, "train.py".into()))
        );
        assert_eq!(of(&["python3.11", "a/b.py"]), Some((1, "a/b.py".into())));
        assert_eq!(of(&["./train.sh"]), Some((0, "./train.sh".into())));
        assert_eq!(of(&["python", "-m", "train"]), None);
        assert_eq!(of(&["python", "/opt/train.py"]), None);
        assert_eq!(of(&["make", "train"]), None);
    }
}
