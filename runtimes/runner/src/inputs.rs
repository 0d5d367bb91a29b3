//! What a run reads: found, checked against what was promised, and put before the command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mlinfra_registry::Digest;
use url::Url;

use crate::error::RunError;
use crate::source::content_digest;
use crate::spec::{Input, Spec};

/// The digests of all inputs.
pub(crate) fn digests(spec: &Spec) -> Result<BTreeMap<String, Digest>, RunError> {
    let mut digests = BTreeMap::new();
    for (name, path) in locate(spec)? {
        let found = content_digest(&path)?;
        match spec.inputs.get(&name).and_then(|input| input.digest) {
            Some(expected) if expected != found => {
                return Err(RunError::InputChanged {
                    name,
                    path,
                    expected,
                    found,
                });
            }
            _ => digests.insert(name, found),
        };
    }
    Ok(digests)
}

/// Makes a folder with one entry per input, named as the input.
pub(crate) fn lay_out(spec: &Spec, folder: &Path) -> Result<(), RunError> {
    std::fs::create_dir_all(folder).map_err(RunError::file("create", folder))?;
    for (name, path) in locate(spec)? {
        let link = folder.join(name);
        std::os::unix::fs::symlink(&path, &link).map_err(RunError::file("create", &link))?;
    }
    Ok(())
}

/// Where the inputs are. Tells of all that are not there.
fn locate(spec: &Spec) -> Result<Vec<(String, PathBuf)>, RunError> {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for (name, input) in &spec.inputs {
        match path_of(input) {
            Ok(path) if path.exists() => found.push((name.clone(), path)),
            Ok(path) => problems.push(format!(
                "input `{name}` is missing: there is nothing at {}",
                path.display()
            )),
            Err(problem) => problems.push(format!("input `{name}` cannot be found: {problem}")),
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(RunError::Inputs(problems))
    }
}

fn path_of(input: &Input) -> Result<PathBuf, String> {
    let url =
        Url::parse(&input.uri).map_err(|error| format!("`{}` is no URL: {error}", input.uri))?;
    if url.scheme() != "file" {
        return Err(format!(
            "`{}` is not a file:// URL, and this runner reads no others",
            input.uri
        ));
    }
    url.to_file_path()
        .map_err(|()| format!("`{}` names no path of this machine", input.uri))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(uri: &str) -> Result<PathBuf, String> {
        path_of(&Input {
            uri: uri.to_owned(),
            digest: None,
        })
    }

    #[test]
    fn only_files_of_this_machine_are_read() {
        assert_eq!(
            path("file:///data/orders%20new.csv"),
            Ok(PathBuf::from("/data/orders new.csv"))
        );
        for uri in [
            "s3://bucket/key",
            "orders.csv",
            "file://elsewhere/x",
            "https://example.com/x",
        ] {
            assert!(path(uri).is_err(), "{uri}");
        }
    }
}
