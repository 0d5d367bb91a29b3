//! The services of an agent: made, changed and deleted one at a time.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::collection::{Collection, Made, internal};
use super::context::Context;
use super::service::{Service, ServiceRecord};
use super::store::Record;
use crate::messages::{Create, Failure, FailureKind, Secrets, ServiceSpec};
use crate::{name, port};

impl Made for Service {
    const KIND: &'static str = ServiceRecord::KIND;

    fn token(&self) -> String {
        self.record().token
    }
}

/// The services of an agent.
pub(super) struct Services {
    context: Arc<Context>,
    pub(super) all: Collection<Service>,
}

impl Services {
    /// Goes on with what is on disk.
    pub(super) fn load(context: Arc<Context>) -> io::Result<Self> {
        let loaded = context.store.load::<ServiceRecord>()?;
        let services = Self {
            context,
            all: Collection::new(loaded.damaged),
        };
        for record in loaded.records {
            let name = record.name().to_owned();
            services
                .all
                .insert(name, Service::start(Arc::clone(&services.context), record));
        }
        Ok(services)
    }

    /// The services whose deletion was cut short.
    pub(super) fn half_deleted(&self) -> Vec<String> {
        let records = self.all.list().into_iter().map(|service| service.record());
        records
            .filter(|record| record.deleting)
            .map(|record| record.name().to_owned())
            .collect()
    }

    pub(super) fn create(&self, request: Create<ServiceSpec>) -> Result<Arc<Service>, Failure> {
        let Create { token, spec } = request;
        check(&spec)?;
        let _admission = self.all.admission();
        if let Some(service) = self.all.made_before(&spec.name, &token)? {
            return Ok(service);
        }
        let port = match spec.port {
            Some(port) => self.require_port(port, &spec.name)?,
            None => {
                let seed = format!(
                    "{}/{}",
                    self.context.layout.directory().display(),
                    spec.name
                );
                port::pick(&seed, &self.ports(&spec.name))
                    .map_err(|error| internal("no port for the service", &error))?
            }
        };
        let name = spec.name.clone();
        let (spec, secrets) = part(spec);
        let record = ServiceRecord::new(token, spec, secrets.names(), port);
        self.save_secrets(&name, &secrets)?;
        self.context
            .store
            .save(&record)
            .map_err(|error| internal("the service cannot be written down", &error))?;
        let service = Service::start(Arc::clone(&self.context), record);
        self.all.insert(name, Arc::clone(&service));
        Ok(service)
    }

    pub(super) fn update(&self, spec: ServiceSpec) -> Result<Arc<Service>, Failure> {
        check(&spec)?;
        let _admission = self.all.admission();
        let service = self.all.get(&spec.name)?;
        let record = service.record();
        if record.deleting {
            return Err(Failure::new(
                FailureKind::NotFound,
                format!("service {:?} is being deleted", spec.name),
            ));
        }
        // A port that was asked for or picked once is kept until another one is asked for.
        let port = match spec.port {
            Some(port) if port != record.port => self.require_port(port, &spec.name)?,
            _ => record.port,
        };
        let (spec, secrets) = part(spec);
        self.save_secrets(record.name(), &secrets)?;
        let updated = service.update(|record| {
            record.spec = spec;
            record.secret_env_names = secrets.names();
            record.port = port;
        });
        updated.map_err(|error| internal("the service cannot be written down", &error))?;
        Ok(service)
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), Failure> {
        if self.all.is_damaged(name) {
            let ended = self.context.end_runs(ServiceRecord::KIND, name).await;
            ended.map_err(|error| internal("the service cannot be stopped", &error))?;
            let removed = self.context.store.remove::<ServiceRecord>(name);
            removed.map_err(|error| internal("the service cannot be removed", &error))?;
        } else {
            let service = self.all.get(name)?;
            let marked = service.update(|record| record.deleting = true);
            marked.map_err(|error| internal("the service cannot be written down", &error))?;
            service
                .stop()
                .await
                .map_err(|error| internal("the service cannot be stopped", &error))?;
            service
                .remove()
                .map_err(|error| internal("what the service left cannot be removed", &error))?;
        }
        self.all.remove(name);
        Ok(())
    }

    /// The ports of all services but this one.
    fn ports(&self, except: &str) -> BTreeSet<u16> {
        let records = self.all.list().into_iter().map(|service| service.record());
        records
            .filter(|record| record.name() != except)
            .map(|record| record.port)
            .collect()
    }

    fn require_port(&self, port: u16, name: &str) -> Result<u16, Failure> {
        let records = self.all.list().into_iter().map(|service| service.record());
        if let Some(other) = records
            .into_iter()
            .find(|record| record.port == port && record.name() != name)
        {
            let message = format!(
                "port {port} belongs to service {:?}: choose another port",
                other.name()
            );
            return Err(Failure::new(FailureKind::PortTaken, message));
        }
        match port::check(port)
            .map_err(|error| internal(&format!("port {port} cannot be used"), &error))?
        {
            Ok(()) => Ok(port),
            Err(taken) => Err(Failure::new(FailureKind::PortTaken, taken.to_string())),
        }
    }

    fn save_secrets(&self, name: &str, secrets: &Secrets) -> Result<(), Failure> {
        let saved = self
            .context
            .store
            .save_secrets::<ServiceRecord>(name, secrets);
        saved.map_err(|error| internal("the service's secrets cannot be written down", &error))
    }
}

/// The spec without its secrets, and the secrets.
fn part(mut spec: ServiceSpec) -> (ServiceSpec, Secrets) {
    let secrets = std::mem::take(&mut spec.secret_env);
    (spec, secrets)
}

fn check(spec: &ServiceSpec) -> Result<(), Failure> {
    name::check(&spec.name)?;
    name::check_command(
        &spec.command,
        spec.working_dir.as_deref(),
        [&spec.env, spec.secret_env.reveal()],
    )?;
    if spec.port == Some(0) {
        return Err(Failure::invalid(
            "port 0 is no port: leave it out to have one picked",
        ));
    }
    let Some(health) = &spec.health else {
        return Ok(());
    };
    if !health.http_path.starts_with('/')
        || health
            .http_path
            .contains(|c: char| c.is_whitespace() || c.is_control())
    {
        return Err(Failure::invalid(format!(
            "{:?} is not the path of a health check: begin with /",
            health.http_path
        )));
    }
    let positive = [
        health.interval_ms,
        health.timeout_ms,
        health.start_deadline_ms,
    ];
    let thresholds = [health.healthy_threshold, health.unhealthy_threshold];
    if positive.contains(&0) || thresholds.contains(&0) {
        return Err(Failure::invalid(
            "the times and thresholds of a health check must be more than 0",
        ));
    }
    Ok(())
}
