//! Open Inference Protocol server over ONNX Runtime.
//!
//! A request goes `rest` (paths, status codes) -> `request` (JSON and binary tensors, checked against the model's
//! signature) -> `pool` (a free session, or a place in the queue, or 503) -> `model` (ONNX Runtime) -> `response`.
//! Beside that, one task a followed model (`follow`) asks the registry where the alias points and swaps versions in.
//!
//! The server knows the registry, and neither the engine nor who trained what it serves.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod args;
mod candidate;
mod datatype;
mod error;
mod examples;
mod follow;
mod json_tensor;
mod library;
mod metrics;
mod model;
mod onnx;
mod pool;
mod request;
mod response;
mod rest;
mod served;
mod server;
mod settings;
mod signature;
mod tensor;
mod weights;

pub use args::InferArgs;
pub use error::Error;
pub use library::LibraryError;
pub use server::{Server, serve};
pub use settings::{Follow, Pick, Settings, SettingsError};
