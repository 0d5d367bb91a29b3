//! Names that become parts of paths: checked once, so that none can leave its folder.

use crate::error::Error;

const LONGEST: usize = 128;

/// Checks the name of a model, an alias, a run or an artefact (`what` says which, for the error).
///
/// A name starts with a letter or digit and goes on with letters, digits, `.`, `_` and `-`, 128 at most. It therefore
/// never holds a separator, is never `..`, and reads the same in a path, a URL and a metric's label.
pub fn check_name(what: &'static str, name: &str) -> Result<(), Error> {
    let problem = |reason| Error::Name {
        what,
        name: name.chars().take(LONGEST).collect(),
        reason,
    };
    let Some(first) = name.bytes().next() else {
        return Err(problem("it is empty"));
    };
    if name.len() > LONGEST {
        return Err(problem("it is longer than 128 characters"));
    }
    if !first.is_ascii_alphanumeric() {
        return Err(problem("it must start with a letter or a digit"));
    }
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    {
        return Err(problem(
            "only letters, digits, `.`, `_` and `-` are allowed",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_pass() {
        for name in ["classifier", "Model-1", "a", "0198f.x_y", "resnet50-v1.5"] {
            assert!(check_name("model", name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_that_could_leave_their_folder_are_refused() {
        let long = "x".repeat(129);
        for name in [
            "", ".", "..", "../x", "a/b", "a\\b", "/etc", ".hidden", "-rf", "a\0b", "a b",
            "modèle", "a#1", "%2e%2e", &long,
        ] {
            assert!(
                matches!(check_name("model", name), Err(Error::Name { .. })),
                "{name:?}"
            );
        }
    }
}
