//! The server over its own sockets, with small models and a real ONNX Runtime.

#![allow(clippy::unwrap_used)]

mod client;
mod harness;
mod lifecycle;
mod protocol;
mod swap;
