//! Addresses: of modules, of resources, and of the instances that `count` and `for_each` make.
//!
//! A block of the vocabulary is a call of a module whose name holds a dot: `serving.api`. It is
//! written without the word `module`, so `serving.api.local_service.this` is an address.

mod key;
mod module;
mod parse;
mod resource;

pub use key::InstanceKey;
pub use module::{ModuleInstance, ModulePath, ModuleStep};
pub use parse::{ParseError, Target};
pub use resource::{Mode, Resource, ResourceInstance, ResourcePath};
