//! Loads a configuration with everything that evaluating it needs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use mlinfra_sdk::Value;

use super::arguments::VariableArguments;
use super::environment;
use crate::config::{self, Given, Tree, VariableValues};
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::{self, FunctionSettings};
use crate::module::{Expand, Nodes};
use crate::source::Sources;
use crate::vocabulary::Library;

/// The name of the only workspace there is yet.
pub const WORKSPACE: &str = "default";

/// A configuration.
pub struct Configuration {
    /// Its text.
    pub sources: Sources,
    /// Its modules.
    pub tree: Tree,
    /// What it consists of and what depends on what.
    pub nodes: Nodes,
    /// The kinds it may use.
    pub library: Library,
    /// Warnings; errors when it cannot be used.
    pub diagnostics: Diagnostics,
    /// The digest of its text, which tells it from every other.
    pub digest: String,
}

impl Configuration {
    /// Loads the configuration of a directory. What is wrong with it is among the diagnostics.
    pub fn load(root: &Path) -> Configuration {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::new();
        let library = library(root, &mut diagnostics);
        let tree = config::load(root, &library, &mut sources, &mut diagnostics);
        let digest = sources.digest();
        let nodes = if tree.iter().next().is_some() {
            Nodes::build(&tree, &mut diagnostics)
        } else {
            Nodes::default()
        };
        Configuration {
            sources,
            tree,
            nodes,
            library,
            diagnostics,
            digest,
        }
    }

    /// Whether the directory has no configuration at all.
    pub fn is_empty(&self) -> bool {
        self.sources.files().next().is_none()
    }

    /// What is given for the root module's variables, by Terraform's precedence.
    pub fn given(&mut self, root: &Path, given: &VariableArguments) -> VariableValues {
        let declared = &self.tree.root().declarations.variables;
        let assignments = given.var.iter().cloned().map(Given::Assignment);
        let files = given.var_file.iter().cloned().map(Given::File);
        let given: Vec<Given> = files.chain(assignments).collect();
        VariableValues::collect(
            root,
            declared,
            &environment::variables(),
            &given,
            &mut self.sources,
            &mut self.diagnostics,
        )
    }

    /// The values of the root module's variables: given or default.
    pub fn variables(&mut self, given: &VariableValues) -> BTreeMap<Arc<str>, Value> {
        let mut values = BTreeMap::new();
        for (name, variable) in &self.tree.root().declarations.variables {
            if let Some(value) = given.get(variable, &mut self.diagnostics) {
                values.insert(Arc::clone(name), value);
            }
        }
        values
    }

    /// What evaluates the configuration.
    pub fn expand(&self, root: &Path, variables: BTreeMap<Arc<str>, Value>) -> Expand<'_> {
        let settings = FunctionSettings {
            base_dir: root.to_path_buf(),
            plan_timestamp: Some(jiff::Timestamp::now()),
            pure_only: true,
            console: false,
        };
        Expand::new(&self.tree, variables, settings, WORKSPACE)
    }
}

/// The bundled kinds and those of the folders that the root module names.
fn library(root: &Path, diagnostics: &mut Diagnostics) -> Library {
    let mut library = Library::bundled();
    // What is wrong with these files is reported when they are loaded.
    let Ok(files) = config::read_files(root, Path::new("")) else {
        return library;
    };
    for file in files.iter().filter(|f| f.text.contains("vocabulary")) {
        let mut sources = Sources::default();
        let source = sources.add(&file.name, None, file.text.as_str());
        let body = config::parse(source, &mut sources, &mut Diagnostics::new());
        for block in body.blocks_of("mlinfra") {
            let Some(expr) = block.body.value("vocabulary") else {
                continue;
            };
            let value = lang::evaluate(expr, &lang::NoScope::default());
            let folders = value.ok().and_then(|v| v.elements().map(<[_]>::to_vec));
            let Some(folders) = folders else {
                diagnostics.push(Diagnostic::error(
                    "Invalid vocabulary",
                    format!(
                        "In {}: vocabulary is a list of folders: vocabulary = [\"./kinds\"].",
                        file.name
                    ),
                ));
                continue;
            };
            for folder in folders.iter().filter_map(Value::as_str) {
                if let Err(d) = library.add_folder(root, Path::new(folder)) {
                    diagnostics.push(d);
                }
            }
        }
    }
    library
}
