//! The structure of the code: what may know what, and what the documents say of it.

mod crates;
mod documents;
mod files;
mod licences;
