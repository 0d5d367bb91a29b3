//! The tree of modules, each call a node.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::Declarations;
use crate::addr::ModulePath;

/// A module among those of a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ModuleId(pub u32);

/// Where the text of a module is from.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// A directory, relative to that of the root configuration; empty for the root itself.
    Directory(PathBuf),
    /// The vocabulary: `serving/local`.
    Vocabulary(String),
}

impl Origin {
    /// What `path.module` is.
    pub fn display(&self) -> String {
        match self {
            Origin::Directory(path) if path.as_os_str().is_empty() => ".".into(),
            Origin::Directory(path) => path.display().to_string(),
            Origin::Vocabulary(name) => format!("vocabulary:{name}"),
        }
    }
}

/// One call of a module, or the root.
#[derive(Clone, Debug)]
pub struct ModuleNode {
    /// Its place in the tree.
    pub id: ModuleId,
    /// The calls that lead to it.
    pub path: ModulePath,
    /// The module that calls it.
    pub parent: Option<ModuleId>,
    /// The modules that it calls, by the call's name.
    pub children: BTreeMap<Arc<str>, ModuleId>,
    /// What it declares; shared between calls of the same module.
    pub declarations: Arc<Declarations>,
    /// Where its text is from.
    pub origin: Origin,
}

/// All modules of a configuration; the first is the root, callers come before what they call.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    modules: Vec<ModuleNode>,
    by_path: BTreeMap<ModulePath, ModuleId>,
}

impl Tree {
    pub(super) fn push(
        &mut self,
        parent: Option<(ModuleId, &Arc<str>)>,
        declarations: Arc<Declarations>,
        origin: Origin,
    ) -> ModuleId {
        let id = ModuleId(u32::try_from(self.modules.len()).unwrap_or(u32::MAX));
        let path = match parent {
            None => ModulePath::root(),
            Some((parent, name)) => self.get(parent).path.child(name),
        };
        if let Some((parent, name)) = parent {
            self.modules[parent.0 as usize]
                .children
                .insert(Arc::clone(name), id);
        }
        self.by_path.insert(path.clone(), id);
        self.modules.push(ModuleNode {
            id,
            path,
            parent: parent.map(|(id, _)| id),
            children: BTreeMap::new(),
            declarations,
            origin,
        });
        id
    }

    /// The root module.
    pub fn root(&self) -> &ModuleNode {
        &self.modules[0]
    }

    /// A module.
    ///
    /// # Panics
    /// When the id is of another tree.
    pub fn get(&self, id: ModuleId) -> &ModuleNode {
        &self.modules[id.0 as usize]
    }

    /// The module at a path.
    pub fn find(&self, path: &ModulePath) -> Option<&ModuleNode> {
        self.by_path.get(path).map(|id| self.get(*id))
    }

    /// All modules, callers first.
    pub fn iter(&self) -> impl Iterator<Item = &ModuleNode> {
        self.modules.iter()
    }

    /// The call that makes a module; none for the root.
    pub fn call(&self, id: ModuleId) -> Option<&super::ModuleCall> {
        let node = self.get(id);
        let parent = self.get(node.parent?);
        parent.declarations.calls.get(node.path.0.last()?)
    }
}
