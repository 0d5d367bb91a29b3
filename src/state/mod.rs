//! What the tool remembers of the world. Nothing is lost, whatever is killed at whatever moment.
//!
//! A [`Snapshot`] is the whole state at one moment. Beside it lies a journal: before a provider is
//! asked to do anything the [`Intent`] is on disk with its token, and after it answers the
//! [`Outcome`] is. Closing turns both into the next snapshot. Whoever opens a state that was not
//! closed gets the snapshot and what the journal adds, and finds open intents among it: their
//! operations may have happened, and the provider finds by the token what they made.
//!
//! | file | what it holds |
//! |---|---|
//! | `snapshot`, `object`, `intent`, `provider_ref` | what is remembered |
//! | `paths` | places inside values: marks and what is unknown |
//! | `change` | what may happen to a state |
//! | `laws` | what holds of every state |
//! | `wire`, `codec`, `seal`, `journal` | the bytes |
//! | `store`, `local`, `lock` | where the bytes are kept, and by whom |
//! | `load`, `manager`, `writer`, `recover` | opening, changing, closing, the way back |
//! | `error`, `words` | what goes wrong, as facts and in words |
//!
//! This room knows no configuration, no plan and no provider beyond the types of the contract.

mod change;
mod codec;
mod error;
mod intent;
mod journal;
pub mod laws;
mod load;
mod local;
pub mod lock;
mod manager;
mod object;
pub(crate) mod paths;
mod provider_ref;
mod recover;
pub(crate) mod seal;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;
mod wire;
mod words;
mod writer;

pub use change::{Change, Conflict, Record};
pub use codec::{decode, encode};
pub use error::{Backup, Damage, Doing, Error, StoreError};
pub use intent::{Intent, Operation, Outcome, Token};
pub use laws::{Law, Violation};
pub use local::{LocalStore, StatePaths};
pub use lock::{Holder, LockError};
pub use manager::{Access, Closed, State};
pub use object::{DecodeError, Json, Object, Planned, Refusal, Status, Unfit};
pub use provider_ref::{NotAProvider, ProviderRef};
pub use recover::{Loss, Source, Survey, restore, survey};
pub use snapshot::{InstanceState, OutputValue, Snapshot};
pub use store::{Lock, Store, Stored};
pub use wire::Malformed;
pub(crate) use wire::{ObjectJson, Reader};
