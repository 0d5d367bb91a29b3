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
//! | [`state`] | what is remembered of the world: snapshot, laws, journal, lock, stores |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod addr;
pub mod diag;
pub mod lang;
pub mod plan;
pub mod source;
pub mod state;
