//! Expressions over values: pure, knows no state.
//!
//! An expression is parsed once ([`parse`]) into a tree ([`expr`]), which [`eval`] evaluates as
//! often as needed against a [`scope::Scope`] that knows what the names mean. Whatever reads the
//! world (files, the clock) goes through the functions and their settings.

#[cfg(test)]
mod conformance;
pub mod constraint;
pub mod convert;
pub mod display;
pub mod eval;
pub mod expr;
pub mod functions;
pub mod names;
pub mod parse;
pub mod place;
pub mod quote;
#[cfg(test)]
mod reference;
pub mod scope;
mod suggest;
pub mod syntax;
pub mod unify;

pub use constraint::{TypeConstraint, type_constraint};
pub use convert::{ConvertError, convert};
pub use eval::evaluate;
pub use expr::{Expr, ExprKind, Traversal, TraversalStep};
pub use scope::{FunctionSettings, NoScope, Scope};
pub use unify::unify;
