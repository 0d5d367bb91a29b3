//! data `ml_dataset`: a CSV file, checked and digested.

use std::path::Path as FilePath;

use async_trait::async_trait;
use mlinfra_registry::digest_file;
use mlinfra_sdk::{
    Attribute, Context, DataSource, Failure, FailureKind, Path, ReadData, Schema, Step, Type, Value,
};

use crate::arguments::Arguments;
use crate::client::{Client, blocking, file_url};
use crate::suggestion::{did_you_mean, some_of};
use crate::table::{Table, scan};

/// A CSV file.
pub(crate) struct MlDataset;

#[async_trait]
impl DataSource<Client> for MlDataset {
    fn type_name(&self) -> &'static str {
        "ml_dataset"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "A data set in a CSV file with a header. It is read to its end whenever a plan is made: missing columns, \
             ragged rows and an empty file are errors before anything is trained.",
        )
        .attribute(
            "csv",
            Attribute::required(Type::String)
                .describe("The file, relative to the folder of the root configuration."),
        )
        .attribute(
            "columns",
            Attribute::optional(Type::list(Type::String)).describe("Columns that must be there."),
        )
        .attribute(
            "label",
            Attribute::optional(Type::String)
                .describe("The column to be predicted; it must be there, too."),
        )
        .attribute(
            "digest",
            Attribute::computed(Type::String)
                .describe("The digest of the file's bytes, `sha256:…`. A change of it makes a job train again."),
        )
        .attribute(
            "uri",
            Attribute::computed(Type::String).describe("Where the file is, as a `file://` URL."),
        )
        .attribute(
            "rows",
            Attribute::computed(Type::Number).describe("The number of rows below the header."),
        )
        .attribute(
            "header",
            Attribute::computed(Type::list(Type::String)).describe("The names of the columns."),
        )
    }

    async fn read(
        &self,
        client: &Client,
        _cx: &Context,
        request: ReadData<'_>,
    ) -> Result<Value, Failure> {
        let arguments = Arguments(request.config);
        let path = client.absolute(arguments.text("csv")?);
        let file = path.clone();
        let read = blocking(move || -> Result<_, Failure> {
            is_file(&file)?;
            let table = scan(&file)
                .map_err(|e| Failure::invalid(Path::attribute("csv"), e.summary, e.detail))?;
            let (digest, _) = digest_file(&file).map_err(|e| unreadable(&file, &e))?;
            Ok((table, digest))
        });
        let (table, digest) = read.await??;
        has_columns(&path, &table, &arguments)?;
        let header = table.header.iter().map(|name| Value::from(name.as_str()));
        Ok(request
            .config
            .clone()
            .with_attribute("digest", digest.to_string().into())
            .with_attribute("uri", file_url(&path)?.into())
            .with_attribute("rows", table.rows.into())
            .with_attribute("header", Value::list(Type::String, header)))
    }
}

/// Tells of a missing file, and of the one that was probably meant.
fn is_file(path: &FilePath) -> Result<(), Failure> {
    let at = Path::attribute("csv");
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(()),
        Ok(_) => Err(Failure::invalid(
            at,
            "Not a file",
            format!("{} is a folder; a CSV file is needed.", path.display()),
        )),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let beside = beside(path);
            let hint = did_you_mean(&name, beside.iter().map(String::as_str));
            let detail = format!("There is no file {}.{hint}", path.display());
            Err(Failure::invalid(at, "Missing data file", detail))
        }
        Err(e) => Err(unreadable(path, &e)),
    }
}

/// The names of the files in the same folder.
fn beside(path: &FilePath) -> Vec<String> {
    let entries = path
        .parent()
        .and_then(|folder| std::fs::read_dir(folder).ok());
    let names = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

fn unreadable(path: &FilePath, error: &std::io::Error) -> Failure {
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied => FailureKind::Denied,
        _ => FailureKind::Failed,
    };
    let detail = format!("{}: {error}.", path.display());
    Failure::new(kind, "Data cannot be read", detail).at(Path::attribute("csv"))
}

/// Tells of every column that is asked for and not there, at the first of them.
fn has_columns(path: &FilePath, table: &Table, arguments: &Arguments<'_>) -> Result<(), Failure> {
    let columns = arguments.texts("columns");
    let asked = (0..)
        .map(|i| Path::attribute("columns").then(Step::Index(i)))
        .zip(columns.iter().map(String::as_str));
    let label = arguments.optional_text("label");
    let asked = asked.chain(label.map(|label| (Path::attribute("label"), label)));
    let header = || table.header.iter().map(String::as_str);
    let missing: Vec<(Path, &str)> = asked
        .filter(|(_, name)| !header().any(|column| column == *name))
        .collect();
    let Some((at, _)) = missing.first() else {
        return Ok(());
    };
    let mut names: Vec<&str> = Vec::new();
    for (_, name) in &missing {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let hints: String = names
        .iter()
        .map(|name| did_you_mean(name, header()))
        .collect();
    let detail = format!(
        "{} has no column {}; it has: {}.{hints}",
        path.display(),
        quoted.join(", "),
        some_of(header().collect::<Vec<_>>().into_iter()),
    );
    Err(Failure::invalid(at.clone(), "Missing column", detail))
}
