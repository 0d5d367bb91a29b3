//! Resources: within a module, as written, and as they exist.

use std::fmt;
use std::sync::Arc;

use super::{InstanceKey, ModuleInstance, ModulePath};

/// Whether the tool makes it or only reads it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Mode {
    /// A `data` block.
    Data,
    /// A `resource` block.
    Managed,
}

/// A resource within its module.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Resource {
    /// Managed or data.
    pub mode: Mode,
    /// The type: `local_service`.
    pub ty: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

/// A resource as written.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ResourcePath {
    /// The module.
    pub module: ModulePath,
    /// The resource in it.
    pub resource: Resource,
}

/// A resource instance.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ResourceInstance {
    /// The module instance.
    pub module: ModuleInstance,
    /// The resource in it.
    pub resource: Resource,
    /// Which of its instances.
    pub key: InstanceKey,
}

impl ResourceInstance {
    /// The resource as written.
    pub fn path(&self) -> ResourcePath {
        ResourcePath {
            module: self.module.path(),
            resource: self.resource.clone(),
        }
    }
}

impl Resource {
    /// The name of the provider that its type names by itself: what stands before the first `_`.
    pub fn implied_provider(&self) -> &str {
        self.ty.split('_').next().unwrap_or(&self.ty)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mode == Mode::Data {
            f.write_str("data.")?;
        }
        write!(f, "{}.{}", self.ty, self.name)
    }
}

impl fmt::Display for ResourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        self.resource.fmt(f)
    }
}

impl fmt::Display for ResourceInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}{}", self.resource, self.key)
    }
}
