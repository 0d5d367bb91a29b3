//! The model registry: immutable versions, runs, aliases, on an object store.
//!
//! Every fact is a small JSON record that is written once, by create-if-absent, and never changed. What changes over
//! time (which version is the champion, which rule holds) is a log of numbered records whose newest one counts. So the
//! store needs one conditional operation only, a lost race is an [`Error::Conflict`], and history is kept for nothing.
//!
//! ```text
//! registry.json                                 the marker: format and identity
//! models/<model>/versions/00000001.json         versions, numbered without gaps
//! models/<model>/aliases/<alias>/00000001.json  history of an alias; the newest record counts
//! models/<model>/policy/00000001.json           history of the promotion rule; the newest record counts
//! runs/<model>/<run>/started.json               a run began
//! runs/<model>/<run>/finished.json              ... and ended
//! blobs/sha256/ab/abcd...                       artefacts, by digest
//! ```
//!
//! The registry knows neither who trains nor who serves: it stores what it is told, checks that it hangs together, and
//! decides about promotion ([`decide`], a pure function; [`Registry::promote_champion`], which acts on it).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod alias;
mod blob;
mod champion;
mod digest;
mod error;
mod location;
mod log;
mod metrics;
mod name;
mod policy;
mod promote;
mod record;
mod registry;
mod run;
mod store;
mod version;

pub use alias::Alias;
pub use champion::{CHAMPION, Outcome};
pub use digest::{Digest, DigestError, digest_file};
pub use error::Error;
pub use metrics::Metrics;
pub use name::check_name;
pub use promote::{Decision, Goal, PromotionRule, RuleError, When, decide};
pub use registry::Registry;
pub use run::{Run, RunFinished, RunStarted, Status, Trigger};
pub use version::{Artifact, NewVersion, Signature, TensorSpec, Version};
