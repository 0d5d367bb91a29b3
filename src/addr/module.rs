//! Modules as written (paths) and as they exist (instances).

use std::fmt;
use std::sync::Arc;

use super::InstanceKey;

/// A module as written: the names of the calls that lead to it. Empty for the root.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ModulePath(pub Arc<[Arc<str>]>);

/// One call on the way to a module instance.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ModuleStep {
    /// The name of the call; of a block of the vocabulary, `kind.name`.
    pub name: Arc<str>,
    /// Which of its instances.
    pub key: InstanceKey,
}

/// A module instance. Empty for the root.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ModuleInstance(pub Arc<[ModuleStep]>);

impl Default for ModulePath {
    fn default() -> ModulePath {
        ModulePath(Arc::from([]))
    }
}

impl Default for ModuleInstance {
    fn default() -> ModuleInstance {
        ModuleInstance(Arc::from([]))
    }
}

impl ModulePath {
    /// The root module.
    pub fn root() -> ModulePath {
        ModulePath::default()
    }

    /// The module called `name` from here.
    #[must_use]
    pub fn child(&self, name: &Arc<str>) -> ModulePath {
        ModulePath(self.0.iter().chain([name]).cloned().collect())
    }

    /// The module that calls this one.
    pub fn parent(&self) -> Option<ModulePath> {
        let (_, rest) = self.0.split_last()?;
        Some(ModulePath(rest.into()))
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl ModuleInstance {
    /// The root module.
    pub fn root() -> ModuleInstance {
        ModuleInstance::default()
    }

    /// The instance `key` of the call `name` from here.
    #[must_use]
    pub fn child(&self, name: &Arc<str>, key: InstanceKey) -> ModuleInstance {
        let step = ModuleStep {
            name: Arc::clone(name),
            key,
        };
        ModuleInstance(self.0.iter().cloned().chain([step]).collect())
    }

    /// The instance that calls this one.
    pub fn parent(&self) -> Option<ModuleInstance> {
        let (_, rest) = self.0.split_last()?;
        Some(ModuleInstance(rest.into()))
    }

    /// The module as written.
    pub fn path(&self) -> ModulePath {
        ModulePath(self.0.iter().map(|s| Arc::clone(&s.name)).collect())
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is `other` or lies inside it.
    pub fn is_within(&self, other: &ModuleInstance) -> bool {
        self.0.starts_with(&other.0)
    }
}

/// A call's name as it stands in an address: the vocabulary's without the word `module`.
fn write_call(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if !name.contains('.') {
        f.write_str("module.")?;
    }
    f.write_str(name)
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            write_call(f, name)?;
        }
        Ok(())
    }
}

impl fmt::Display for ModuleInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            write_call(f, &step.name)?;
            write!(f, "{}", step.key)?;
        }
        Ok(())
    }
}
