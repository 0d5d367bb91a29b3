//! Where kinds are found: bundled with the program, and in folders of a team's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::lower;
use crate::config::{Declarations, File, Vocabulary, read_files};
use crate::diag::{Diagnostic, Diagnostics};

static BUNDLED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/modules");

/// The kinds that a configuration may use.
#[derive(Clone, Debug)]
pub struct Library {
    /// `kind` -> interface; `kind/target` -> the files of the module, interface first.
    files: BTreeMap<String, Vec<File>>,
    kinds: BTreeMap<String, BTreeSet<String>>,
}

impl Library {
    /// The kinds that come with the program.
    pub fn bundled() -> Library {
        let mut library = Library {
            files: BTreeMap::new(),
            kinds: BTreeMap::new(),
        };
        for kind in BUNDLED.dirs() {
            let name = base(kind.path());
            let interface = bundled_files(kind);
            library.add(
                &name,
                interface,
                kind.dirs().map(|t| (base(t.path()), bundled_files(t))),
            );
        }
        library
    }

    /// Adds the kinds of a folder; one that exists already is replaced.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn add_folder(&mut self, root: &Path, folder: &Path) -> Result<(), Diagnostic> {
        for kind in folders(&root.join(folder))? {
            let name = base(&kind);
            let interface = read_files(root, &folder.join(&name))?;
            let mut targets = Vec::new();
            for target in folders(&kind)? {
                let target = base(&target);
                let files = read_files(root, &folder.join(&name).join(&target))?;
                targets.push((target, files));
            }
            self.add(&name, interface, targets.into_iter());
        }
        Ok(())
    }

    fn add(
        &mut self,
        kind: &str,
        interface: Vec<File>,
        targets: impl Iterator<Item = (String, Vec<File>)>,
    ) {
        let known = self.kinds.entry(kind.to_owned()).or_default();
        for (target, files) in targets {
            let all = interface.iter().cloned().chain(files).collect();
            self.files.insert(format!("{kind}/{target}"), all);
            known.insert(target);
        }
        self.files.insert(kind.to_owned(), interface);
    }

    /// The targets on which a kind can be used.
    pub fn targets(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.kinds
            .get(kind)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }
}

impl Vocabulary for Library {
    fn kinds(&self) -> Vec<&str> {
        self.kinds.keys().map(String::as_str).collect()
    }

    fn is_kind(&self, block_type: &str) -> bool {
        self.kinds.contains_key(block_type)
    }

    fn files(&self, name: &str) -> Option<Vec<File>> {
        self.files.get(name).cloned()
    }

    fn lower(
        &self,
        declarations: &mut Declarations,
        interface: &dyn Fn(&str) -> Option<Arc<Declarations>>,
        diagnostics: &mut Diagnostics,
    ) {
        lower::lower(self, declarations, interface, diagnostics);
    }
}

fn bundled_files(dir: &Dir<'static>) -> Vec<File> {
    let files = dir.files().filter_map(|file| {
        let name = file.path().display().to_string();
        let text = file.contents_utf8()?.to_owned();
        name.ends_with(".hcl").then(|| File {
            name: format!("modules/{name}"),
            path: None,
            text,
        })
    });
    files.collect()
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let fail = |source: std::io::Error| {
        Diagnostic::error(
            "Unreadable vocabulary folder",
            format!("{}: {source}.", path.display()),
        )
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.path().is_dir() && !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn base(path: &Path) -> String {
    path.file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}
