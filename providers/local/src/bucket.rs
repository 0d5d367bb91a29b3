//! The type `local_bucket`: a directory that holds objects.

use std::io;
use std::path::{Path, PathBuf};

use mlinfra_sdk::{
    Attribute, Context, Create, Delete, Failure, FailureKind, Find, Path as Argument, Plan,
    Planned, Problem, Read, Resource, Schema, Type, Value, async_trait, planning,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::arguments;
use crate::checks::{Checks, refuse};
use crate::machine::Machine;
use crate::{durable, place};

/// The type `local_bucket`.
pub struct Bucket;

#[async_trait]
impl Resource<Machine> for Bucket {
    fn type_name(&self) -> &'static str {
        "local_bucket"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "A directory on this machine that holds objects, where a cloud has a bucket. It must not hold \
             anything when it is made; deleting it deletes all it holds.",
        )
        .attribute("path", Attribute::required(Type::String).force_new().describe(
            "Where it lies, relative to the configuration's directory and below it; an absolute path may lie anywhere.",
        ))
        .attribute("id", Attribute::computed(Type::String).describe("The path as it is written."))
        .attribute("url", Attribute::computed(Type::String).describe("Its URL: `file://…`."))
        .holds_data()
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        let mut checks = Checks::of(config);
        if let Some(path) = checks.known("path").and_then(Value::as_str) {
            let root = Path::new("/configuration");
            match place::written(path, root) {
                Err(error) => {
                    checks.wrong(
                        "path",
                        "Invalid path",
                        format!("{}. {}", error, place::ADVICE),
                    );
                }
                Ok(place) if place == root || place == Path::new("/") => {
                    let detail = "It would hold the configuration itself, and be deleted with it. Write the path of a directory of its own.";
                    checks.wrong("path", "Invalid path", detail);
                }
                Ok(_) => {}
            }
        }
        checks.problems()
    }

    async fn plan(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Plan<'_>,
    ) -> Result<Planned, Failure> {
        refuse(self.validate(request.config))?;
        let mut planned = planning::default_plan(&self.schema(), request);
        if planned.value.get_str("path").is_some() {
            planned.value = made(&planned.value, &Place::of(&planned.value, machine)?);
        }
        Ok(planned)
    }

    async fn create(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Create<'_>,
    ) -> Result<Value, Failure> {
        let place = Place::of(request.planned, machine)?;
        let ours = place.token()?.is_some_and(|token| token == request.token);
        if !ours && place.holds_something()? {
            return Err(place
                .failure(
                    FailureKind::Conflict,
                    "The directory is in use",
                    "it exists and holds something",
                )
                .remedy("Choose another path, move away what it holds, or import it; its path is its id."));
        }
        place.note(request.token)?;
        std::fs::create_dir_all(&place.path)
            .map_err(|error| place.unusable("The directory cannot be made", &error))?;
        Ok(made(request.planned, &place))
    }

    async fn read(
        &self,
        machine: &Machine,
        _cx: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure> {
        let place = Place::of(request.prior, machine)?;
        Ok(place.exists()?.then(|| made(request.prior, &place)))
    }

    async fn delete(
        &self,
        machine: &Machine,
        cx: &Context,
        request: Delete<'_>,
    ) -> Result<(), Failure> {
        let place = Place::of(request.prior, machine)?;
        if place.exists()? {
            cx.stage("removing what it holds");
            let path = place.path.clone();
            // Links below are removed, not followed.
            let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(path)).await;
            match removed.map_err(Failure::internal)? {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(place.unusable("The directory cannot be removed", &error));
                }
                _ => {}
            }
        }
        place.forget()
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
        let place = Place::of(request.planned, machine)?;
        let ours = place.token()?.is_some_and(|token| token == request.token);
        Ok((ours && place.exists()?).then(|| made(request.planned, &place)))
    }

    async fn import(
        &self,
        machine: &Machine,
        _cx: &Context,
        id: &str,
    ) -> Result<Option<Value>, Failure> {
        let blank = arguments::blank(&self.schema()).with_attribute("path", id.into());
        refuse(self.validate(&blank))?;
        let place = Place::of(&blank, machine)?;
        Ok(place.exists()?.then(|| made(&blank, &place)))
    }
}

/// What was planned, with what follows from it.
fn made(planned: &Value, place: &Place) -> Value {
    let path = planned.get_str("path").unwrap_or_default();
    planned
        .clone()
        .with_attribute("id", path.into())
        .with_attribute("url", place.url.as_str().into())
}

/// Whose creation made a bucket. Kept beside the bucket, which holds nothing but what its users put there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    path: String,
    token: String,
}

/// Where a bucket lies.
struct Place {
    path: PathBuf,
    url: String,
    note: PathBuf,
}

impl Place {
    /// Where the bucket lies that an object describes.
    fn of(object: &Value, machine: &Machine) -> Result<Place, Failure> {
        let written = object.get_str("path").unwrap_or_default();
        let path = place::resolved(written, machine.root()).map_err(|e| place::refused(&e))?;
        let digest = hex::encode(Sha256::digest(written));
        let url = Url::from_file_path(&path).map(String::from);
        let place = Place {
            url: url.unwrap_or_default(),
            note: machine
                .data()
                .join("buckets")
                .join(format!("{digest}.json")),
            path,
        };
        place.holds_no_configuration(machine)?;
        Ok(place)
    }

    /// Deleting the bucket must not delete the configuration or what the tool knows of it.
    fn holds_no_configuration(&self, machine: &Machine) -> Result<(), Failure> {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let inner = [machine.root(), machine.data()];
        if !inner
            .into_iter()
            .any(|inner| real(inner).starts_with(real(&self.path)))
        {
            return Ok(());
        }
        Err(self
            .failure(
                FailureKind::Invalid,
                "Invalid path",
                "the configuration itself lies in it and would be deleted with it",
            )
            .remedy("Write the path of a directory of its own."))
    }

    fn failure(&self, kind: FailureKind, summary: &str, why: &str) -> Failure {
        Failure::new(kind, summary, format!("{}: {why}.", self.path.display()))
            .at(Argument::attribute("path"))
    }

    fn unusable(&self, summary: &str, error: &io::Error) -> Failure {
        let kind = match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                FailureKind::Denied
            }
            _ => FailureKind::Failed,
        };
        self.failure(kind, summary, &error.to_string())
            .remedy("The path has to be one of a directory that you may read and write, on a disk that is not full.")
    }

    /// Whether the bucket is there; something else in its place is a failure.
    fn exists(&self) -> Result<bool, Failure> {
        let why = match std::fs::symlink_metadata(&self.path) {
            Ok(found) if found.is_dir() => return Ok(true),
            Ok(found) if found.is_symlink() => {
                "it is a symbolic link, and what it leads to is not touched"
            }
            Ok(_) => "it is no directory",
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(self.unusable("The directory cannot be read", &error)),
        };
        Err(self
            .failure(FailureKind::Conflict, "Something else is there", why)
            .remedy("Move it away, or choose another path."))
    }

    fn holds_something(&self) -> Result<bool, Failure> {
        if !self.exists()? {
            return Ok(false);
        }
        let entries = std::fs::read_dir(&self.path);
        let mut entries =
            entries.map_err(|error| self.unusable("The directory cannot be read", &error))?;
        Ok(entries.next().is_some())
    }

    /// The token of the creation that made the bucket.
    fn token(&self) -> Result<Option<String>, Failure> {
        let summary = "What was noted of the bucket cannot be read";
        let bytes = match std::fs::read(&self.note) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unusable(summary, &error)),
        };
        let note: Note = serde_json::from_slice(&bytes).map_err(|error| {
            let why = format!("{} is damaged: {error}", self.note.display());
            let remedy = "Remove that file; it only tells which command made the bucket.";
            self.failure(FailureKind::Failed, summary, &why)
                .remedy(remedy)
        })?;
        Ok(Some(note.token))
    }

    /// Notes whose creation makes the bucket, before it is made.
    fn note(&self, token: &str) -> Result<(), Failure> {
        let note = Note {
            path: self.path.to_string_lossy().into_owned(),
            token: token.to_owned(),
        };
        let bytes = serde_json::to_vec(&note).map_err(Failure::internal)?;
        durable::write(&self.note, &bytes, 0o600)
            .map_err(|error| self.unusable("The bucket cannot be noted", &error))
    }

    fn forget(&self) -> Result<(), Failure> {
        durable::remove(&self.note).map_err(|error| {
            self.unusable("What was noted of the bucket cannot be removed", &error)
        })?;
        if let Some(notes) = self.note.parent() {
            // Succeeds for the last bucket alone, and nothing depends on it.
            let _ = std::fs::remove_dir(notes);
        }
        Ok(())
    }
}
