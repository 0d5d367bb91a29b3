//! Which providers there are, and the sessions with those that are configured.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mlinfra_sdk::{Configure, Environment, Provider, Schema, Session, Value};

use super::words;
use crate::addr::{Mode, Resource};
use crate::diag::{Diagnostic, nearest};
use crate::module::ProviderId;

/// The providers that a run may use, by name.
#[derive(Clone)]
pub struct Host {
    providers: BTreeMap<String, Arc<dyn Provider>>,
    environment: Environment,
}

impl Host {
    /// A host of these providers, and of the one that is built in.
    pub fn new(
        providers: impl IntoIterator<Item = Arc<dyn Provider>>,
        environment: Environment,
    ) -> Host {
        let all = providers.into_iter().chain([super::builtin()]);
        Host {
            providers: all.map(|p| (p.name().to_owned(), p)).collect(),
            environment,
        }
    }

    /// Where the run takes place.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A provider by name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn provider(&self, name: &str) -> Result<&Arc<dyn Provider>, Diagnostic> {
        self.providers.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.providers.keys().map(String::as_str).collect();
            let detail = format!(
                "There is no provider {name:?}. This program has: {}.",
                known.join(", ")
            );
            let diagnostic = Diagnostic::error("Unknown provider", detail).code("E0014");
            match nearest(name, known) {
                Some(near) => diagnostic.hint(format!("Did you mean {near:?}?")),
                None => diagnostic,
            }
        })
    }

    /// All providers.
    pub fn providers(&self) -> impl Iterator<Item = (&str, &Arc<dyn Provider>)> {
        self.providers.iter().map(|(name, p)| (name.as_str(), p))
    }

    /// The schema of a resource type.
    ///
    /// # Errors
    /// When the provider has no such type.
    pub fn schema(&self, provider: &str, resource: &Resource) -> Result<Arc<Schema>, Diagnostic> {
        let schema = self.provider(provider)?.schema();
        let (types, what) = match resource.mode {
            Mode::Managed => (&schema.resources, "resource type"),
            Mode::Data => (&schema.data_sources, "data source"),
        };
        types.get(&resource.ty).cloned().ok_or_else(|| {
            let diagnostic = Diagnostic::error(
                format!("Invalid {what}"),
                format!(
                    "The provider {provider} does not support {what} {:?}.",
                    resource.ty
                ),
            )
            .code("E0015");
            match nearest(&resource.ty, types.keys().map(AsRef::as_ref)) {
                Some(near) => diagnostic.hint(format!("Did you mean {near:?}?")),
                None => diagnostic,
            }
        })
    }
}

/// The providers that are configured.
#[derive(Default)]
pub struct Sessions {
    open: RefCell<HashMap<ProviderId, Arc<dyn Session>>>,
}

impl Sessions {
    /// The session of a provider configuration.
    pub fn get(&self, id: ProviderId) -> Option<Arc<dyn Session>> {
        self.open.borrow().get(&id).cloned()
    }

    /// Configures a provider.
    ///
    /// # Errors
    /// What the provider has to say against it.
    pub async fn open(
        &self,
        host: &Host,
        id: ProviderId,
        provider: &str,
        config: &Value,
    ) -> Result<(), Diagnostic> {
        let request = Configure {
            config,
            environment: host.environment(),
        };
        let session = host.provider(provider)?.configure(request).await;
        let session = session.map_err(|failure| words::failure_diagnostic(&failure, None))?;
        self.open.borrow_mut().insert(id, session);
        Ok(())
    }
}
