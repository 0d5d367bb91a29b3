//! Where a path of the configuration lies on this machine; a relative one never leads out of the configuration.

use std::io;
use std::path::{Component, Path, PathBuf};

use mlinfra_sdk::{Failure, FailureKind, Path as Argument};

/// A path that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// The system could not take it.
    #[error("it holds a NUL character")]
    Nul,
    /// It goes up further than it came down.
    #[error("{written:?} leads out of the configuration's directory")]
    Escape {
        /// As it was written.
        written: String,
    },
    /// A symbolic link on the way leads elsewhere.
    #[error("{written:?} leads out of the configuration's directory, to {}, through a symbolic link", real.display())]
    Link {
        /// As it was written.
        written: String,
        /// Where it leads.
        real: PathBuf,
    },
    /// The way cannot be walked.
    #[error("{} cannot be looked at: {source}", path.display())]
    Unreadable {
        /// Where it stopped.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The path without `.` and `..`, without a look at the disk.
///
/// # Errors
/// When it is no path or leads out of the root.
pub fn written(text: &str, root: &Path) -> Result<PathBuf, PlaceError> {
    if text.is_empty() {
        return Err(PlaceError::Empty);
    }
    if text.contains('\0') {
        return Err(PlaceError::Nul);
    }
    let path = Path::new(text);
    let mut way: Vec<Component<'_>> = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match way.last() {
                Some(Component::Normal(_)) => {
                    way.pop();
                }
                // The parent of / is /.
                Some(_) => {}
                None => {
                    return Err(PlaceError::Escape {
                        written: text.to_owned(),
                    });
                }
            },
            other => way.push(other),
        }
    }
    let plain: PathBuf = way.iter().collect();
    Ok(match path.is_absolute() {
        true => plain,
        false => root.join(plain),
    })
}

/// The path, with a look at where the symbolic links of its folders lead.
///
/// # Errors
/// When it is no path or leads out of the root, unless it is absolute.
pub fn resolved(text: &str, root: &Path) -> Result<PathBuf, PlaceError> {
    let path = written(text, root)?;
    if Path::new(text).is_absolute() {
        return Ok(path);
    }
    let unreadable = |path: &Path| {
        let path = path.to_path_buf();
        move |source| PlaceError::Unreadable { path, source }
    };
    let home = root.canonicalize().map_err(unreadable(root))?;
    let folders = path
        .ancestors()
        .skip(1)
        .take_while(|at| at.starts_with(root));
    for folder in folders {
        let real = match folder.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(folder)(error)),
        };
        if !real.starts_with(&home) {
            return Err(PlaceError::Link {
                written: text.to_owned(),
                real,
            });
        }
        // What exists leads back here, and what does not exist yet leads nowhere else.
        return Ok(path);
    }
    Ok(path)
}

/// The failure of an argument whose path cannot be used.
pub fn refused(error: &PlaceError) -> Failure {
    let kind = match error {
        PlaceError::Unreadable { source, .. }
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            FailureKind::Denied
        }
        PlaceError::Unreadable { .. } => FailureKind::Failed,
        _ => FailureKind::Invalid,
    };
    Failure::new(
        kind,
        "Invalid path",
        crate::checks::sentence(&error.to_string()),
    )
    .at(Argument::attribute("path"))
    .remedy(ADVICE)
}

/// What a path should be.
pub const ADVICE: &str = "Write a path below the configuration's directory, or an absolute one if it really has to lie elsewhere.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_stays_inside() {
        let root = Path::new("/c");
        for (text, expected) in [
            ("a/b", "/c/a/b"),
            ("./a/../b", "/c/b"),
            ("..a", "/c/..a"),
            ("/x/../y", "/y"),
            ("/../y", "/y"),
        ] {
            assert_eq!(written(text, root).unwrap(), Path::new(expected), "{text}");
        }
        for text in ["..", "../c/a", "a/../../b", "", "a\0b"] {
            assert!(written(text, root).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_link_does_not_lead_out() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(other.path(), root.path().join("out")).unwrap();
        std::fs::create_dir(root.path().join("in")).unwrap();
        std::os::unix::fs::symlink("in", root.path().join("within")).unwrap();
        assert!(resolved("in/new/a", root.path()).is_ok());
        assert!(resolved("within/a", root.path()).is_ok());
        let error = resolved("out/new/a", root.path()).unwrap_err();
        assert!(matches!(error, PlaceError::Link { .. }), "{error}");
        let absolute = other.path().join("a");
        assert!(resolved(absolute.to_str().unwrap(), root.path()).is_ok());
    }
}
