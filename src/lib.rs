//! The engine of mlinfra: it evaluates, plans, applies and remembers. It knows neither machine
//! learning nor clouds; the vocabulary is HCL in `modules/`, the worlds are providers.
//!
//! Knowledge points downwards only, in this order:
//!
//! | room | what it does |
//! |---|---|
//! | [`cli`] | one file per command; views of plans, progress and values |
//! | [`apply`] | executes a plan; derives nothing anew |
//! | [`plan`] | desired + prior + live -> a plan that is an executable graph |
//! | [`provider`] | host of the providers, guards every answer |
//! | [`state`] | snapshot, laws, journal, lock, stores |
//! | [`module`] | expands a configuration: which objects, in what order; knows no state |
//! | [`vocabulary`] | lowers ML blocks to module calls |
//! | [`config`] | text -> declarations, module tree, variables |
//! | [`format`](mod@format) | the canonical layout of a file |
//! | [`graph`] | dependency graph and the bounded concurrent walk |
//! | [`lang`] | expressions over values; pure, knows no state |
//! | [`addr`] | addresses of modules, resources and their instances |
//! | [`diag`] | one diagnostic value, its codes and renderers |
//! | [`source`] | files, byte spans, lines |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod addr;
pub mod apply;
pub mod cli;
pub mod config;
pub mod diag;
pub mod format;
pub mod graph;
pub mod lang;
pub mod module;
pub mod plan;
pub mod provider;
pub mod source;
pub mod state;
pub mod vocabulary;
