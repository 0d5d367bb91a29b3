//! Text -> declarations, the tree of modules, and the values of variables.
//!
//! Nothing here is evaluated but constants. State, providers and schemas are not known.

pub mod body;
mod declare;
mod loader;
mod overrides;
mod parse;
mod tree;
mod values;

pub use declare::{
    Check, Condition, Declarations, Endpoint, Import, KeyedTarget, Lifecycle, Local, ModuleCall,
    Moved, Output, ProviderBlock, ProviderRef, Removed, RequiredProvider, ResourceBlock, Settings,
    Triggers, Variable,
};
pub use loader::{File, Vocabulary, load, read_files};
pub use parse::parse;
pub use tree::{ModuleId, ModuleNode, Origin, Tree};
pub use values::{Given, VariableValues};
