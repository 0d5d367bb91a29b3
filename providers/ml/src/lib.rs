//! Objects of the model registry: registries, datasets, training runs, aliases, promotion rules.
//!
//! | type | what it is |
//! |---|---|
//! | `ml_registry` | a model registry in a folder |
//! | `ml_run` | the current run of a training job; what it is made of decides whether it runs again |
//! | `ml_promotion` | the rule by which a version becomes the champion |
//! | `ml_alias` | a name that is pinned to a version by hand |
//! | data `ml_dataset` | a CSV file, checked and digested |
//! | data `ml_model` | a version of a model, as the registry has it |
//!
//! The provider trains nothing itself: a run is a job of the local agent, which executes `mlinfra-runtime run`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod alias;
mod arguments;
mod client;
mod dataset;
mod failure;
mod model;
mod promotion;
mod registry;
mod run;
mod suggestion;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use mlinfra_sdk::Provider;
use mlinfra_sdk::plugin::Plugin;

/// What the provider needs to know of the installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program `mlinfra-runtime`, which trains.
    pub runtime: PathBuf,
}

/// The provider.
pub fn provider(settings: Settings) -> Arc<dyn Provider> {
    Arc::new(Plugin::new(
        client::Ml { settings },
        vec![
            Box::new(registry::MlRegistry),
            Box::new(run::MlRun),
            Box::new(promotion::MlPromotion),
            Box::new(alias::MlAlias),
        ],
        vec![Box::new(dataset::MlDataset), Box::new(model::MlModel)],
    ))
}
