//! Executes a training run: code and inputs in, a model version out, and nothing computed twice.
//!
//! | module | what it is |
//! |---|---|
//! | [`spec`] | what to run, as it is handed over |
//! | [`address`] | the address of a run by content: equal address, equal outcome |
//! | [`outcome`] | what a run hands back |
//! | [`args`] | the command line |
//!
//! The run contract is files and environment, for any language. The command starts in a copy of its source folder with
//!
//! | variable | meaning |
//! |---|---|
//! | `MLINFRA_INPUTS` | a folder with one entry per input, named as the input |
//! | `MLINFRA_OUTPUT` | a folder; what lands there becomes the artefacts, its `*.onnx` the model |
//! | `MLINFRA_PARAMS` | a JSON file with the parameters |
//! | `MLINFRA_METRICS` | a file to append JSON lines to, such as `{"step": 1, "auc": 0.8}` |
//! | `MLINFRA_RUN_ID` | the name of the run |

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod address;
pub mod args;
pub mod outcome;
pub mod spec;

mod artifacts;
mod command;
mod commit;
mod compute;
mod error;
mod inputs;
mod lock;
mod metrics;
mod progress;
mod promotion;
mod publish;
mod python;
mod run;
mod source;
mod stage;

pub use address::{Address, content_address, source_digest};
pub use error::RunError;
pub use outcome::RunResult;
pub use run::{Setting, execute};
pub use source::SourceDigest;
pub use spec::Spec;
