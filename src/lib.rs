//! The engine of mlinfra: it evaluates, plans, applies and remembers. It knows neither machine
//! learning nor clouds; the vocabulary is HCL in `modules/`, the worlds are providers.
//!
//! Knowledge points downwards only, in this order:
//!
//! | room | what it does |
//! |---|---|
//! | [`source`] | files, byte spans, lines |
//! | [`diag`] | one diagnostic value, its codes and renderers |
//! | [`addr`] | addresses of modules, resources and their instances |
//! | [`lang`] | expressions over values; pure, knows no state |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod addr;
pub mod cli;
pub mod diag;
pub mod format;
pub mod lang;
pub mod plan;
pub mod source;
