//! Expands a configuration: which objects there are, in what order, and what their arguments say.
//!
//! Knows no state: whoever walks the configuration tells what the resources are.

mod block;
mod checks;
mod conditions;
mod expand;
mod handover;
mod nodes;
mod place;
mod providers;
mod reference;
mod scope;
mod values;

pub use block::{decode_block, missing_body, path_span};
pub use checks::{CheckResult, CheckStatus, Checks};
pub use expand::{Expand, Instances};
pub use nodes::{Node, Nodes};
pub use place::written_at;
pub use providers::{ProviderConfig, ProviderId, Providers};
pub use reference::Subject;
pub use scope::{InstanceScope, Repetition};
pub use values::{Expansion, InstanceId, Record, Shape, Values};
