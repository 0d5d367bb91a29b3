//! The provider contract: values, types, paths, schemas, providers, resources.
