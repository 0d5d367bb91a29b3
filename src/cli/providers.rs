//! The providers that are linked into the program. No other file names one.

use std::path::Path;
use std::sync::Arc;

use mlinfra_sdk::{Environment, Provider};

use crate::provider::Host;

/// A host of all linked providers.
pub fn host(root: &Path) -> Host {
    let environment = Environment {
        root_dir: root.to_path_buf(),
        data_dir: root.join(".mlinfra"),
    };
    Host::new(linked(), environment)
}

#[cfg(feature = "bundled")]
fn linked() -> Vec<Arc<dyn Provider>> {
    let runtime = super::environment::runtime_program();
    vec![
        mlinfra_provider_local::provider(mlinfra_provider_local::Settings {
            runtime: runtime.clone(),
        }),
        mlinfra_provider_ml::provider(mlinfra_provider_ml::Settings { runtime }),
    ]
}

#[cfg(not(feature = "bundled"))]
fn linked() -> Vec<Arc<dyn Provider>> {
    Vec::new()
}
