//! What a run hands back.

use jiff::Timestamp;
use mlinfra_registry::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a run hands back, as JSON in the file named by `MLINFRA_RESULT`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The run.
    pub run_id: String,
    /// Its address by content.
    pub content_address: Digest,
    /// Whether all of it had been computed before.
    pub cached: bool,
    /// The model version it made or found.
    pub version: u64,
    /// Whether that version is the champion.
    pub promoted: bool,
    /// The version that is the champion, if any.
    pub champion: Option<u64>,
    /// Why the version is the champion or not.
    pub reason: String,
    /// The metrics of the version; what is not finite stands as a word.
    pub metrics: Map<String, Value>,
    /// The digest of its code.
    pub code_digest: Digest,
    /// The commit its code was, where it came from one; with `+dirty` when files had been changed since.
    pub commit: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
}
