//! Functions that read files and work on their names.

mod glob;

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use md5::Md5;
use mlinfra_sdk::{Type, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::arguments::{Arguments, CallError};
use super::hash::{base64_of, hex_of};
use super::signature::{Function, Kind, Parameter, Returns};
use crate::lang::quote::quoted;
use crate::lang::scope::FunctionSettings;

const PATH: Parameter = Parameter::new("path", Kind::Text);

macro_rules! file_hash {
    ($name:literal, $description:literal, $digest:ty, $write:expr) => {
        Function::new($name, $description, &[PATH], Returns::Text, |a| {
            let mut hash = <$digest>::new();
            each_chunk(a, |bytes| hash.update(bytes))?;
            Ok(Value::from($write(&hash.finalize())))
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "abspath",
        "The absolute form of a file name.",
        &[PATH],
        Returns::Text,
        |a| {
            let path = clean(&absolute(a.settings, a.text(0))?);
            Ok(Value::from(shown(&path)))
        },
    ),
    Function::new(
        "basename",
        "The last part of a file name.",
        &[PATH],
        Returns::Text,
        |a| Ok(Value::from(base_name(a.text(0)))),
    ),
    Function::new(
        "dirname",
        "A file name without its last part.",
        &[PATH],
        Returns::Text,
        |a| Ok(Value::from(directory_name(a.text(0)))),
    ),
    Function::new("file", "The text of a file.", &[PATH], Returns::Text, |a| {
        text_of(a, 0).map(Value::from)
    }),
    Function::new(
        "filebase64",
        "The bytes of a file as base64.",
        &[PATH],
        Returns::Text,
        |a| Ok(Value::from(base64_of(&bytes_of(a, 0)?))),
    ),
    Function::new(
        "fileexists",
        "Whether there is a file.",
        &[PATH],
        Returns::Bool,
        file_exists,
    ),
    Function::new(
        "fileset",
        "The names of the files in a folder that match a pattern.",
        &[PATH, Parameter::new("pattern", Kind::Text)],
        Returns::SetOfTexts,
        file_set,
    ),
    file_hash!(
        "filebase64sha256",
        "The SHA-256 hash of a file, in base64.",
        Sha256,
        base64_of
    ),
    file_hash!(
        "filebase64sha512",
        "The SHA-512 hash of a file, in base64.",
        Sha512,
        base64_of
    ),
    file_hash!(
        "filemd5",
        "The MD5 hash of a file, in hexadecimal.",
        Md5,
        hex_of
    ),
    file_hash!(
        "filesha1",
        "The SHA-1 hash of a file, in hexadecimal.",
        Sha1,
        hex_of
    ),
    file_hash!(
        "filesha256",
        "The SHA-256 hash of a file, in hexadecimal.",
        Sha256,
        hex_of
    ),
    file_hash!(
        "filesha512",
        "The SHA-512 hash of a file, in hexadecimal.",
        Sha512,
        hex_of
    ),
    Function::new(
        "pathexpand",
        "A file name with the home directory in place of a leading ~.",
        &[PATH],
        Returns::Text,
        |a| Ok(Value::from(expand_home(a.text(0))?)),
    ),
];

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A name with the home directory in place of a leading `~`.
fn expand_home(name: &str) -> Result<String, CallError> {
    let Some(rest) = name.strip_prefix('~') else {
        return Ok(name.to_owned());
    };
    if !rest.is_empty() && !rest.starts_with('/') {
        return Err(CallError::new("cannot expand user-specific home dir"));
    }
    let home =
        std::env::home_dir().ok_or_else(|| CallError::new("the home directory is not known"))?;
    Ok(format!("{}{rest}", home.display()))
}

/// Where the file of a name is.
fn located(settings: &FunctionSettings, name: &str) -> Result<PathBuf, CallError> {
    let name = expand_home(name)?;
    // A relative name starts at the base; an absolute one stays what it is.
    Ok(settings.base_dir.join(name))
}

fn absolute(settings: &FunctionSettings, name: &str) -> Result<PathBuf, CallError> {
    std::path::absolute(settings.base_dir.join(name))
        .map_err(|e| CallError::new(format!("cannot tell the working directory: {e}")))
}

/// Without `.` and `..`, as far as that needs no look at the disk.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir) => {}
                _ => out.push(".."),
            },
            part => out.push(part),
        }
    }
    if out.as_os_str().is_empty() {
        out.push(".");
    }
    out
}

fn base_name(path: &str) -> String {
    if path.is_empty() {
        return ".".into();
    }
    match path.trim_end_matches('/').rsplit('/').next() {
        Some("") | None => "/".into(),
        Some(name) => name.into(),
    }
}

fn directory_name(path: &str) -> String {
    match path.rfind('/') {
        Some(end) => shown(&clean(Path::new(&path[..=end]))),
        None => ".".into(),
    }
}

/// An error of the operating system as a clause: `no such file or directory`.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.to_lowercase()
}

fn open(a: &Arguments<'_>, index: usize) -> Result<std::fs::File, CallError> {
    let name = a.text(index);
    let path = located(a.settings, name).map_err(|e| CallError::argument(index, e.message))?;
    std::fs::File::open(path).map_err(|error| {
        let message = if error.kind() == std::io::ErrorKind::NotFound {
            format!(
                "no file exists at {}; this function works only with files that are distributed \
                 as part of the configuration source code, so if this file will be created by a \
                 resource in this configuration you must instead obtain this result from an \
                 attribute of that resource",
                a.told(index)
            )
        } else {
            format!("failed to open file {}: {}", a.told(index), reason(&error))
        };
        CallError::argument(index, message)
    })
}

fn bytes_of(a: &Arguments<'_>, index: usize) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    open(a, index)?.read_to_end(&mut bytes).map_err(|error| {
        CallError::argument(
            index,
            format!(
                "failed to read file: read {}: {}",
                a.tell(index, a.text(index)),
                reason(&error)
            ),
        )
    })?;
    Ok(bytes)
}

/// The text of the file that an argument names.
pub(super) fn text_of(a: &Arguments<'_>, index: usize) -> Result<String, CallError> {
    String::from_utf8(bytes_of(a, index)?).map_err(|_| {
        CallError::argument(
            index,
            format!(
                "contents of {} are not valid UTF-8; use the filebase64 function to obtain the \
                 Base64 encoded contents or the other file functions (e.g. filemd5, filesha256) \
                 to obtain file hashing results instead",
                a.tell(index, a.text(index))
            ),
        )
    })
}

/// Reads the file that the first argument names piece by piece.
fn each_chunk(a: &Arguments<'_>, mut visit: impl FnMut(&[u8])) -> Result<(), CallError> {
    let name = a.text(0);
    let fail = |what: &str, error: &std::io::Error| {
        CallError::new(format!("{what} {}: {}", a.tell(0, name), reason(error)))
    };
    let path = located(a.settings, name)?;
    let mut file = std::fs::File::open(path).map_err(|e| fail("open", &e))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => visit(buffer.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(fail("read", &e)),
        }
    }
}

fn file_exists(a: &Arguments<'_>) -> Result<Value, CallError> {
    let path = located(a.settings, a.text(0))?;
    let what = match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => return Ok(Value::from(true)),
        Ok(metadata) if metadata.is_dir() => "is a directory, not a file",
        Ok(_) => "is not a regular file",
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Value::from(false)),
        Err(e) => {
            return Err(CallError::new(format!(
                "failed to stat {}: {}",
                a.told(0),
                reason(&e)
            )));
        }
    };
    Err(CallError::new(format!("{} {what}", a.told(0))))
}

fn file_set(a: &Arguments<'_>) -> Result<Value, CallError> {
    let base = located(a.settings, a.text(0))?;
    let pattern = a.text(1);
    let files = glob::files(&base, pattern).map_err(|e| {
        let shown = a.tell(1, quoted(pattern));
        CallError::new(match e {
            glob::GlobError::Syntax => {
                format!("failed to glob pattern {shown}: syntax error in pattern")
            }
            glob::GlobError::Read(path, error) => format!(
                "failed to glob pattern {shown}: open {}: {}",
                path.display(),
                reason(&error)
            ),
        })
    })?;
    Ok(Value::set(Type::String, files.into_iter().map(Value::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (path, base, directory) in [
            ("/a/b/", "b", "/a/b"),
            ("", ".", "."),
            ("/", "/", "/"),
            ("a", "a", "."),
            ("a/../b/c", "c", "b"),
            ("../x", "x", ".."),
        ] {
            assert_eq!(base_name(path), base);
            assert_eq!(directory_name(path), directory);
        }
    }
}
