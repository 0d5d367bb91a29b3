//! Which names and commands objects may have.

use std::collections::BTreeMap;
use std::path::Path;

use crate::messages::Failure;

/// The longest name; with a time appended it must still be a file name.
const LONGEST: usize = 128;

/// Names become file names, so they hold nothing that a path could be made of.
///
/// # Errors
/// When the text is no such name.
pub fn check(name: &str) -> Result<(), Failure> {
    let starts_well = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    let sound = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if starts_well && sound && name.len() <= LONGEST {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "{name:?} is not a name: it takes 1 to {LONGEST} letters, digits, `.`, `_` and `-`, a letter or digit first"
    )))
}

/// What a process needs of any command.
///
/// # Errors
/// What of it no process can have.
pub fn check_command<'a>(
    command: &[String],
    working_dir: Option<&Path>,
    environments: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
) -> Result<(), Failure> {
    check_program(command)?;
    if let Some(folder) = working_dir.filter(|folder| !folder.is_absolute()) {
        return Err(Failure::invalid(format!(
            "the working directory {} must be absolute",
            folder.display()
        )));
    }
    environments.into_iter().try_for_each(check_variables)
}

/// What a process needs of its program and arguments.
///
/// # Errors
/// When there is no program, or the system could not pass an argument on.
pub fn check_program(command: &[String]) -> Result<(), Failure> {
    if command.first().is_none_or(String::is_empty) {
        return Err(Failure::invalid(
            "the command is empty: give a program and its arguments",
        ));
    }
    if command.iter().any(|argument| argument.contains('\0')) {
        return Err(Failure::invalid("the command holds a NUL character"));
    }
    Ok(())
}

/// What a process needs of its environment variables.
///
/// # Errors
/// When the system could not pass one of them on.
pub fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), Failure> {
    for (name, value) in variables {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(Failure::invalid(format!(
                "{name:?} cannot be an environment variable"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_file_names_and_no_more() {
        for name in ["api", "serving.api", "weekly-2026-01-01T00-00-00Z", "1_a"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            ".hidden",
            "a/b",
            "a b",
            "-x",
            "é",
            &"x".repeat(LONGEST + 1),
        ] {
            assert!(check(name).is_err(), "{name}");
        }
    }

    #[test]
    fn commands_are_runnable() {
        let fine = BTreeMap::from([("A".to_owned(), "b=c".to_owned())]);
        assert_eq!(
            check_command(&["x".into()], Some(Path::new("/")), [&fine]),
            Ok(())
        );
        assert!(check_command(&[], None, []).is_err());
        assert!(check_command(&["x".into()], Some(Path::new("relative")), []).is_err());
        assert!(
            check_command(
                &["x".into()],
                None,
                [&BTreeMap::from([("A=B".to_owned(), String::new())])]
            )
            .is_err()
        );
    }
}
