//! Objects of this machine: services, schedules, jobs, files, directories.
//!
//! What runs is carried out by the agent of the configuration directory, which is started when the
//! first object needs it and ended when the last one is gone.
//!
//! | module | what it is |
//! |---|---|
//! | `service`, `schedule`, `job`, `file`, `bucket`, `platform` | one type each |
//! | `startup` | waits until a service works |
//! | `port` | whether a service can have its port |
//! | `follow` | watches a job to its end |
//! | `machine` | what all types work with: the agent, the directory, the ports |
//! | `program` | what a service, a schedule and a job have in common: a command and its environment |
//! | `arguments`, `checks` | reading values, and finding what is wrong with them |
//! | `refusal` | what the agent says, in the words of the contract |
//! | `place`, `durable` | paths and whole files |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arguments;
mod bucket;

mod checks;
mod durable;
mod file;
mod follow;
mod job;

mod machine;
mod place;

mod platform;
mod port;
mod program;
mod refusal;
mod schedule;
mod service;
mod startup;

use std::path::PathBuf;
use std::sync::Arc;

use mlinfra_sdk::plugin::Plugin;
use mlinfra_sdk::{Configure, Connect, Failure, Provider, Resource, Schema, async_trait};

use machine::Machine;

/// What the provider has to be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `mlinfra-runtime` program. It may be missing as long as nothing needs it.
    pub runtime: PathBuf,
}

/// The provider `local`.
pub fn provider(settings: Settings) -> Arc<dyn Provider> {
    let resources: Vec<Box<dyn Resource<Machine>>> = vec![
        Box::new(service::Service),
        Box::new(schedule::Schedule),
        Box::new(job::Job),
        Box::new(file::LocalFile),
        Box::new(bucket::Bucket),
    ];
    Arc::new(Plugin::new(
        Local(settings),
        resources,
        vec![Box::new(platform::Platform)],
    ))
}

struct Local(Settings);

#[async_trait]
impl Connect for Local {
    type Client = Machine;

    fn name(&self) -> &str {
        "local"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "This machine. Services, schedules and jobs are carried out by the agent of the \
             configuration directory, which starts when the first of them is made and ends when the \
             last one is gone. The block takes no arguments.",
        )
    }

    async fn connect(&self, request: Configure<'_>) -> Result<Machine, Failure> {
        Ok(Machine::new(
            self.0.runtime.clone(),
            request.environment.clone(),
        ))
    }
}
