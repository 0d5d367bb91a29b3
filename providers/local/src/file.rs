//! The type `local_file`: a file with a given content.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mlinfra_sdk::{
    Attribute, Context, Create, Delete, Failure, FailureKind, Find, Path as Argument, Plan,
    Planned, Problem, Read, Resource, Schema, Type, Update, Value, async_trait, planning,
};
use sha2::{Digest, Sha256};

use crate::arguments;
use crate::checks::{Checks, refuse};
use crate::machine::Machine;
use crate::{durable, place};

const DEFAULT_MODE: &str = "0600";

/// A file beyond this size is compared by its digest alone.
const LARGEST: usize = 16 << 20;

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// The type `local_file`.
pub struct LocalFile;

#[async_trait]
impl Resource<Machine> for LocalFile {
    fn type_name(&self) -> &'static str {
        "local_file"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "A file on this machine with a given content, written in one step. A file that is there already and \
             holds something else is not overwritten when the object is made.",
        )
        .attribute("path", Attribute::required(Type::String).force_new().describe(
            "Where it lies, relative to the configuration's directory and below it; an absolute path may lie anywhere.",
        ))
        .attribute("content", Attribute::optional(Type::String).describe(
            "What it holds. Either this or `sensitive_content` has to be set.",
        ))
        .attribute("sensitive_content", Attribute::optional(Type::String).sensitive().describe(
            "What it holds, never shown. Either this or `content` has to be set.",
        ))
        .attribute("mode", Attribute::optional(Type::String).default(DEFAULT_MODE).describe(
            "Its permission bits in octal, such as `0644`.",
        ))
        .attribute("id", Attribute::computed(Type::String).describe("The path as it is written."))
        .attribute("digest", Attribute::computed(Type::String).describe(
            "The SHA-256 digest of what it holds: `sha256:` and 64 hexadecimal digits.",
        ))
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        let mut checks = Checks::of(config);
        if let Some(path) = checks.known("path").and_then(Value::as_str)
            && let Err(error) = place::written(path, Path::new("/configuration"))
        {
            checks.wrong(
                "path",
                "Invalid path",
                format!("{}. {}", error, place::ADVICE),
            );
        }
        match (checks.absent("content"), checks.absent("sensitive_content")) {
            (true, true) => checks.wrong(
                "content",
                "No content",
                "Set `content`, or `sensitive_content` for what is not to be shown; an empty file has `content = \"\"`.",
            ),
            (false, false) => checks.wrong(
                "sensitive_content",
                "Two contents",
                "Set either `content` or `sensitive_content`.",
            ),
            _ => {}
        }
        if let Some(text) = checks.known("mode").and_then(Value::as_str)
            && mode(text).is_none()
        {
            let detail = format!(
                "{text:?} is no set of permission bits: write them in octal, such as \"0644\"."
            );
            checks.wrong("mode", "Invalid mode", detail);
        }
        checks.problems()
    }

    async fn plan(
        &self,
        _machine: &Machine,
        _cx: &Context,
        request: Plan<'_>,
    ) -> Result<Planned, Failure> {
        refuse(self.validate(request.config))?;
        let mut planned = planning::default_plan(&self.schema(), request);
        let known = |name| planned.value.get(name).is_some_and(Value::is_known);
        let digest = match known("content") && known("sensitive_content") {
            true => digest(content(&planned.value).as_bytes()).into(),
            false => Value::unknown(Type::String),
        };
        let id = planned.value.get("path").cloned().unwrap_or(Value::UNKNOWN);
        planned.value = planned
            .value
            .with_attribute("digest", digest)
            .with_attribute("id", id);
        Ok(planned)
    }

    async fn create(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Create<'_>,
    ) -> Result<Value, Failure> {
        let path = path(request.planned, machine)?;
        if let Some(there) = Found::at(&path)?
            && there.digest != digest(content(request.planned).as_bytes())
        {
            return Err(Failure::new(
                FailureKind::Conflict,
                "There is a file already",
                format!("{} exists and holds something else.", path.display()),
            )
            .at(Argument::attribute("path"))
            .remedy("Move it away, choose another path, or import it; its path is its id."));
        }
        write(request.planned, &path)
    }

    async fn read(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure> {
        let found = Found::at(&path(request.prior, machine)?)?;
        Ok(found.map(|found| found.drifted(request.prior)))
    }

    async fn update(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Update<'_>,
    ) -> Result<Value, Failure> {
        write(request.planned, &path(request.planned, machine)?)
    }

    async fn delete(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Delete<'_>,
    ) -> Result<(), Failure> {
        let path = path(request.prior, machine)?;
        durable::remove(&path)
            .map_err(|error| unusable("The file cannot be removed", &path, &error))
    }

    async fn find(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Find<'_>,
    ) -> Result<Option<Value>, Failure> {
        if !request.planned.is_known() {
            return Ok(None);
        }
        // What a file holds is all there is to it, so a file with the content that was planned is what was made.
        let found = Found::at(&path(request.planned, machine)?)?;
        let wanted = digest(content(request.planned).as_bytes());
        let found = found.filter(|found| found.digest == wanted);
        Ok(found.map(|found| found.drifted(&made(request.planned))))
    }

    async fn import(
        &self,
        machine: &Machine,
        _cx: &Context,
        id: &str,
    ) -> Result<Option<Value>, Failure> {
        let blank = arguments::blank(&self.schema()).with_attribute("path", id.into());
        let found = Found::at(&path(&blank, machine)?)?;
        Ok(found.map(|found| found.drifted(&blank)))
    }
}

fn path(object: &Value, machine: &Machine) -> Result<PathBuf, Failure> {
    let written = object.get_str("path").unwrap_or_default();
    place::resolved(written, machine.root()).map_err(|error| place::refused(&error))
}

/// What the file is to hold.
fn content(object: &Value) -> &str {
    let secret = object.get_str("sensitive_content");
    object.get_str("content").or(secret).unwrap_or_default()
}

fn mode(text: &str) -> Option<u32> {
    let octal = !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let bits = u32::from_str_radix(text, 8).ok().filter(|_| octal)?;
    (bits <= 0o777).then_some(bits)
}

fn mode_of(object: &Value) -> u32 {
    object.get_str("mode").and_then(mode).unwrap_or(0o600)
}

fn digest(bytes: &[u8]) -> String {
    written(Sha256::new_with_prefix(bytes))
}

fn written(hasher: Sha256) -> String {
    format!("sha256:{}", hex::encode(hasher.finalize()))
}

fn write(planned: &Value, path: &Path) -> Result<Value, Failure> {
    let written = durable::write(path, content(planned).as_bytes(), mode_of(planned));
    written.map_err(|error| unusable("The file cannot be written", path, &error))?;
    Ok(made(planned))
}

/// What was planned, with what follows from it.
fn made(planned: &Value) -> Value {
    let path = planned.get_str("path").unwrap_or_default();
    planned
        .clone()
        .with_attribute("id", path.into())
        .with_attribute("digest", digest(content(planned).as_bytes()).into())
}

fn unusable(summary: &str, path: &Path, error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => FailureKind::Denied,
        _ => FailureKind::Failed,
    };
    Failure::new(kind, summary, format!("{}: {error}.", path.display()))
        .at(Argument::attribute("path"))
        .remedy("The path has to be one of a file that you may read and write, on a disk that is not full.")
}

/// A file that is there.
struct Found {
    digest: String,
    /// What it holds, unless it is too large or no text.
    text: Option<String>,
    mode: u32,
}

impl Found {
    /// The file at a path; `None` when there is no file.
    fn at(path: &Path) -> Result<Option<Found>, Failure> {
        match Found::look(path) {
            Ok(found) => Ok(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable("The file cannot be read", path, &error)),
        }
    }

    fn look(path: &Path) -> io::Result<Option<Found>> {
        // Asked first, because opening a pipe would wait for its other end.
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is there and no file"));
        }
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut bytes = Vec::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = file.read(&mut chunk)?;
            let read = chunk.get(..length).unwrap_or_default();
            if read.is_empty() {
                break;
            }
            hasher.update(read);
            if bytes.len() <= LARGEST {
                bytes.extend_from_slice(read);
            }
        }
        let text = (bytes.len() <= LARGEST).then(|| String::from_utf8(bytes).ok());
        Ok(Some(Found {
            digest: written(hasher),
            text: text.flatten(),
            mode: metadata.permissions().mode() & 0o777,
        }))
    }

    /// What was known, with what the file is where that differs.
    fn drifted(&self, known: &Value) -> Value {
        let mut object = made(known).with_attribute("digest", self.digest.as_str().into());
        if self.mode != mode_of(known) {
            object = object.with_attribute("mode", format!("{:04o}", self.mode).into());
        }
        let imported = known.get("id").is_none_or(Value::is_null);
        if imported || self.digest != digest(content(known).as_bytes()) {
            let secret = !known.get("sensitive_content").is_none_or(Value::is_null);
            let argument = if secret {
                "sensitive_content"
            } else {
                "content"
            };
            object = object.with_attribute(argument, self.text.as_deref().unwrap_or("").into());
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_bits_are_octal() {
        assert_eq!(mode("0644"), Some(0o644));
        assert_eq!(mode("600"), Some(0o600));
        for wrong in ["", "8", "rw", "+600", "1777", "77777777777"] {
            assert_eq!(mode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_digest_is_the_usual_one() {
        assert_eq!(
            digest(b""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
