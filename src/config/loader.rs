//! Reads a directory and all modules that it calls.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::body::Body;
use super::declare::{ModuleCall, reserved};
use super::tree::{ModuleId, Origin, Tree};
use super::{Declarations, overrides, parse};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::source::Sources;

/// The largest file that is read as configuration.
const MOST_BYTES: u64 = 16 << 20;
/// The deepest nesting of module calls.
const MOST_DEPTH: usize = 64;

/// A file of configuration.
#[derive(Clone, Debug)]
pub struct File {
    /// The name to show.
    pub name: String,
    /// Where it is, if on disk.
    pub path: Option<PathBuf>,
    /// The text.
    pub text: String,
}

/// The ML vocabulary, as far as loading needs it.
pub trait Vocabulary {
    /// The block types of the vocabulary.
    fn kinds(&self) -> Vec<&str>;

    /// Whether blocks of this type are of the vocabulary.
    fn is_kind(&self, block_type: &str) -> bool;

    /// The files of `kind` (its interface) or `kind/target` (a module).
    fn files(&self, name: &str) -> Option<Vec<File>>;

    /// Turns the blocks of the vocabulary into module calls.
    fn lower(
        &self,
        declarations: &mut Declarations,
        interface: &dyn Fn(&str) -> Option<Arc<Declarations>>,
        diagnostics: &mut Diagnostics,
    );
}

/// Loads the configuration in `root` with everything it calls. The tree holds what could be read
/// even when there are errors.
pub fn load(
    root: &Path,
    vocabulary: &dyn Vocabulary,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Tree {
    let mut loader = Loader {
        root,
        vocabulary,
        sources,
        diagnostics,
        read: HashMap::new(),
        tree: Tree::default(),
    };
    let origin = Origin::Directory(PathBuf::new());
    if let Some(declarations) = loader.declarations(&origin, None) {
        let id = loader.tree.push(None, declarations, origin);
        loader.children(id, 0);
    }
    loader.tree
}

struct Loader<'l> {
    root: &'l Path,
    vocabulary: &'l dyn Vocabulary,
    sources: &'l mut Sources,
    diagnostics: &'l mut Diagnostics,
    read: HashMap<Origin, Arc<Declarations>>,
    tree: Tree,
}

impl Loader<'_> {
    fn children(&mut self, id: ModuleId, depth: usize) {
        let node = self.tree.get(id);
        let (declarations, origin) = (Arc::clone(&node.declarations), node.origin.clone());
        for (name, call) in &declarations.calls {
            let Some(child) = self.origin_of(call, &origin) else {
                continue;
            };
            if depth >= MOST_DEPTH {
                self.diagnostics.push(
                    Diagnostic::error(
                        "Modules are nested too deeply",
                        format!("Module calls may be nested {MOST_DEPTH} deep. Perhaps this module calls itself."),
                    )
                    .at(call.source_span)
                    .code("E0017"),
                );
                return;
            }
            if let Some(declarations) = self.declarations(&child, Some(call)) {
                let child = self.tree.push(Some((id, name)), declarations, child);
                self.children(child, depth + 1);
            }
        }
    }

    /// Where a call leads, from the module that makes it.
    fn origin_of(&mut self, call: &ModuleCall, from: &Origin) -> Option<Origin> {
        if let Some(name) = call.source.strip_prefix(ModuleCall::VOCABULARY) {
            return Some(Origin::Vocabulary(name.to_owned()));
        }
        let local = call.source.starts_with("./")
            || call.source.starts_with("../")
            || call.source == "."
            || call.source == "..";
        match from {
            Origin::Directory(from) if local => {
                Some(Origin::Directory(normal(&from.join(&call.source))))
            }
            Origin::Directory(_) => {
                self.diagnostics.push(
                    Diagnostic::error(
                        "Unsupported module source",
                        format!("{:?} is not a path. Modules are read from directories whose path begins with ./ or ../; to use one from a registry or a repository, put a copy beside the configuration.", call.source),
                    )
                    .at(call.source_span)
                    .code("E0017"),
                );
                None
            }
            Origin::Vocabulary(_) => {
                self.diagnostics.push(
                    Diagnostic::error(
                        "Unsupported module source",
                        "A module of the vocabulary cannot call modules by path.",
                    )
                    .at(call.source_span)
                    .code("E0017"),
                );
                None
            }
        }
    }

    /// The declarations of a module, read once.
    fn declarations(
        &mut self,
        origin: &Origin,
        call: Option<&ModuleCall>,
    ) -> Option<Arc<Declarations>> {
        if let Some(known) = self.read.get(origin) {
            return Some(Arc::clone(known));
        }
        let files = match origin {
            Origin::Directory(dir) => match read_files(self.root, dir) {
                Ok(files) => files,
                Err(diagnostic) => {
                    let span = call.map(|c| c.source_span);
                    self.diagnostics.push(diagnostic.at(span));
                    return None;
                }
            },
            Origin::Vocabulary(name) => self.vocabulary.files(name)?,
        };
        let mut declarations = Declarations::default();
        let kinds = self.vocabulary.kinds();
        for body in self.bodies(files) {
            declarations.read(body, &kinds, self.sources, self.diagnostics);
        }
        self.check(origin, call, &declarations);
        self.lower(&mut declarations);
        let declarations = Arc::new(declarations);
        self.read.insert(origin.clone(), Arc::clone(&declarations));
        Some(declarations)
    }

    /// The text of files, with what override files say in place.
    fn bodies(&mut self, files: Vec<File>) -> Vec<Body> {
        let (mut bodies, mut overriding) = (Vec::new(), Vec::new());
        for file in files {
            let name = Path::new(&file.name).file_name().unwrap_or_default();
            let is_override = overrides::is_override(&name.to_string_lossy());
            let source = self
                .sources
                .add(&file.name, file.path.as_deref(), file.text);
            let body = parse(source, self.sources, self.diagnostics);
            if is_override {
                overriding.push(body);
            } else {
                bodies.push(body);
            }
        }
        for body in overriding {
            overrides::merge(&mut bodies, body, self.diagnostics);
        }
        bodies
    }

    /// What can only be told when all files of a module were read.
    fn check(&mut self, origin: &Origin, call: Option<&ModuleCall>, declarations: &Declarations) {
        if matches!(origin, Origin::Vocabulary(_)) {
            return;
        }
        for variable in declarations
            .variables
            .values()
            .filter(|v| reserved(&v.name))
        {
            self.diagnostics.push(
                Diagnostic::error(
                    "Invalid variable name",
                    format!("The variable name {:?} is reserved due to its special meaning inside module blocks.", variable.name),
                )
                .at(variable.header)
                .code("E0005"),
            );
        }
        if let (Some(call), Some(import)) = (call, declarations.imports.first()) {
            self.diagnostics.push(
                Diagnostic::error(
                    "Invalid import configuration",
                    format!("An import block was detected in \"module.{}\". Import blocks are only allowed in the root module.", call.name),
                )
                .at(import.header)
                .code(codes::UNSUPPORTED_BLOCK),
            );
        }
        for output in declarations.outputs.values().filter(|o| o.value.is_none()) {
            self.diagnostics
                .push(super::body::missing_argument("value", output.header));
        }
    }

    fn lower(&mut self, declarations: &mut Declarations) {
        let mut kinds: Vec<Arc<str>> = declarations.kinds.iter().map(|b| b.ty.clone()).collect();
        kinds.sort();
        kinds.dedup();
        let mut interfaces = HashMap::new();
        for kind in kinds {
            let origin = Origin::Vocabulary(kind.to_string());
            if let Some(interface) = self.declarations(&origin, None) {
                interfaces.insert(kind.to_string(), interface);
            }
        }
        let interface = |kind: &str| interfaces.get(kind).cloned();
        self.vocabulary
            .lower(declarations, &interface, self.diagnostics);
    }
}

/// The configuration files of a directory, in the order of their names.
///
/// # Errors
/// When the directory or a file cannot be read.
pub fn read_files(root: &Path, dir: &Path) -> Result<Vec<File>, Diagnostic> {
    let full = root.join(dir);
    let unreadable = |what: &Path, why: String| {
        Diagnostic::error(
            "Unreadable module directory",
            format!("{} cannot be read: {why}.", what.display()),
        )
        .code("E0017")
    };
    let entries = std::fs::read_dir(&full).map_err(|e| unreadable(&full, e.to_string()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| unreadable(&full, e.to_string()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_configuration(&name) && !entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort();
    let mut files = Vec::new();
    for name in names {
        let path = full.join(&name);
        let size = std::fs::metadata(&path).map_err(|e| unreadable(&path, e.to_string()))?;
        if size.len() > MOST_BYTES {
            return Err(unreadable(
                &path,
                format!("it is larger than {MOST_BYTES} bytes"),
            ));
        }
        let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&path, e.to_string()))?;
        files.push(File {
            name: dir.join(&name).display().to_string(),
            path: Some(path),
            text: text
                .strip_prefix('\u{feff}')
                .map(str::to_owned)
                .unwrap_or(text),
        });
    }
    Ok(files)
}

fn is_configuration(name: &str) -> bool {
    let configuration = name.ends_with(".hcl") || name.ends_with(".tf");
    let test = name.ends_with(".mltest.hcl") || name.ends_with(".tftest.hcl");
    configuration && !test && !name.starts_with('.') && !name.ends_with('~')
}

/// The path without `.` and with each `..` taken back where it can be.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match normal.components().next_back() {
                Some(Component::Normal(_)) => {
                    normal.pop();
                }
                _ => normal.push(".."),
            },
            part => normal.push(part),
        }
    }
    normal
}
