//! The model registry: immutable versions, runs, aliases, on an object store.
