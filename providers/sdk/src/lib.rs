//! The provider contract of mlinfra: values, types, paths, schemas, providers and resources.
//!
//! A provider creates, reads, updates and deletes the objects of one kind of world. It imports
//! this crate and nothing of the engine; the engine imports this crate and no provider.
//!
//! | module | what it holds |
//! |---|---|
//! | [`value`] | values with unknown, null and marks, and their JSON form |
//! | [`ty`] | types of values |
//! | [`path`] | a place inside a value |
//! | [`schema`] | what a resource's attributes and blocks are |
//! | [`provider`] | what the engine calls |
//! | [`resource`] | what a provider's author writes, one implementation a resource type |
//! | [`plugin`] | turns resources and a way to connect into a provider |
//! | [`planning`] | the plan a resource gets unless it makes its own |
//! | [`failure`] | what a provider says when it could not |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod failure;
pub mod path;
pub mod planning;
pub mod plugin;
pub mod provider;
pub mod resource;
pub mod schema;
pub mod ty;
pub mod value;

pub use async_trait::async_trait;
pub use failure::{Failure, FailureKind, Problem};
pub use path::{Path, Step};
pub use provider::{
    Configure, Context, Create, Delete, Environment, Event, Find, Plan, Planned, Progress,
    Provider, ProviderSchema, Read, ReadData, Session, Update,
};
pub use resource::{Connect, DataSource, Resource};
pub use schema::{Attribute, Block, Mode, Nesting, Schema};
pub use tokio_util::sync::CancellationToken;
pub use ty::{ObjectType, Type};
pub use value::{Data, Marks, Number, Refinement, Value};
