//! ONNX Runtime's library: where it is looked for, and what to do when it is not there.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

/// ONNX Runtime cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// The library is nowhere.
    #[error(
        "ONNX Runtime ({FILE}) was not found in any of: {}.\n\
         Get it with `make onnxruntime`, or take {FILE} out of PyPI's `onnxruntime` wheel (1.24 or newer) and name it in ORT_DYLIB_PATH",
        shown(looked)
    )]
    Missing {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// The file that `ORT_DYLIB_PATH` names is not there.
    #[error("ORT_DYLIB_PATH names {}, which is not there", path.display())]
    NotThere {
        /// What it names.
        path: PathBuf,
    },
    /// The library is there and does not work.
    #[error("ONNX Runtime at {} does not work: {reason}.\nVersion 1.24 or newer is needed; get it with `make onnxruntime`", path.display())]
    Unusable {
        /// The library.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

#[cfg(target_os = "macos")]
const FILE: &str = "libonnxruntime.dylib";
#[cfg(not(target_os = "macos"))]
const FILE: &str = "libonnxruntime.so";

/// The process's one environment of ONNX Runtime, which must live as long as any session.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Loads ONNX Runtime, once a process. Blocks.
pub(crate) fn environment() -> Result<Environment, LibraryError> {
    let mut loaded = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*loaded {
        return Ok(environment.clone());
    }
    let (path, looked) = find(
        std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from),
        &folders(),
    )?;
    let unusable = |reason: String| LibraryError::Unusable {
        path: path.clone(),
        reason,
    };
    let builder = match ort::init_from(&path) {
        Ok(builder) => builder,
        // The bare name was the last resort: the system's loader does not know the library either.
        Err(ort::LoadDynamicError::Dlopen { .. }) if path == Path::new(FILE) => {
            return Err(LibraryError::Missing { looked });
        }
        Err(e) => return Err(unusable(e.to_string())),
    };
    let environment = builder
        .with_name("mlinfra")
        .with_telemetry(false)
        .build()
        .map_err(|e| unusable(e.to_string()))?;
    environment.set_log_level(LogLevel::Warning);
    tracing::debug!(library = %path.display(), build = ort::info(), "ONNX Runtime loaded");
    Ok(loaded.insert(environment).clone())
}

/// The library's path, and where it was looked for; the bare name where it is left to the system's loader.
fn find(
    named: Option<PathBuf>,
    folders: &[PathBuf],
) -> Result<(PathBuf, Vec<PathBuf>), LibraryError> {
    if let Some(path) = named.filter(|path| !path.as_os_str().is_empty()) {
        let path = std::path::absolute(&path).unwrap_or(path);
        return if path.is_file() {
            Ok((path, Vec::new()))
        } else {
            Err(LibraryError::NotThere { path })
        };
    }
    let mut looked: Vec<_> = folders.iter().map(|folder| folder.join(FILE)).collect();
    if let Some(found) = looked.iter().find(|path| path.is_file()) {
        return Ok((found.clone(), looked));
    }
    looked.push(PathBuf::from("the system's libraries"));
    Ok((PathBuf::from(FILE), looked))
}

fn folders() -> Vec<PathBuf> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_owned));
    beside.into_iter().chain([cache_folder()]).collect()
}

/// The user's cache folder for mlinfra.
pub(crate) fn cache_folder() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = base.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    base.unwrap_or_else(std::env::temp_dir).join("mlinfra")
}

fn shown(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_library_goes_first_and_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.so");
        let missing = find(Some(path.clone()), &[]).unwrap_err();
        assert!(matches!(missing, LibraryError::NotThere { .. }));
        std::fs::write(&path, "").unwrap();
        assert_eq!(find(Some(path.clone()), &[]).unwrap().0, path);
    }

    #[test]
    fn folders_are_searched_in_their_order_and_then_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let folders = ["a", "b"].map(|name| folder.path().join(name));
        let (path, looked) = find(None, &folders).unwrap();
        assert_eq!(path, Path::new(FILE));
        let error = LibraryError::Missing { looked }.to_string();
        assert!(
            error.contains("/a/libonnx")
                && error.contains("/b/libonnx")
                && error.contains("make onnxruntime"),
            "{error}"
        );
        for folder in folders.iter().rev() {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join(FILE), "").unwrap();
            assert_eq!(find(None, &folders).unwrap().0, folder.join(FILE));
        }
    }
}
