//! The jobs of an agent: made, cancelled and deleted.

use std::io;
use std::sync::Arc;

use super::collection::{Collection, Made, internal};
use super::context::Context;
use super::job::{Job, JobRecord};
use super::store::Record;
use crate::messages::{Create, Failure, JobSpec, JobStatus};
use crate::name;

impl Made for Job {
    const KIND: &'static str = JobRecord::KIND;

    fn token(&self) -> String {
        self.record().token
    }
}

/// The jobs of an agent.
pub(super) struct Jobs {
    context: Arc<Context>,
    pub(super) all: Collection<Job>,
}

impl Jobs {
    /// Goes on with what is on disk.
    pub(super) fn load(context: Arc<Context>) -> io::Result<Self> {
        let loaded = context.store.load::<JobRecord>()?;
        let jobs = Self {
            context,
            all: Collection::new(loaded.damaged),
        };
        for record in loaded.records {
            let name = record.name().to_owned();
            jobs.all
                .insert(name, Job::start(Arc::clone(&jobs.context), record));
        }
        Ok(jobs)
    }

    /// The jobs whose deletion was cut short.
    pub(super) fn half_deleted(&self) -> Vec<String> {
        let records = self.all.list().into_iter().map(|job| job.record());
        records
            .filter(|record| record.deleting)
            .map(|record| record.name().to_owned())
            .collect()
    }

    /// The jobs that a schedule fired, oldest first.
    pub(super) fn of_schedule(&self, schedule: &str) -> Vec<Arc<Job>> {
        let mut jobs = self.all.list();
        jobs.retain(|job| job.record().schedule.as_deref() == Some(schedule));
        jobs.sort_by_key(|job| job.record().created);
        jobs
    }

    /// Begins a job that a caller asked for.
    pub(super) fn create(&self, request: Create<JobSpec>) -> Result<Arc<Job>, Failure> {
        name::check(&request.spec.name)?;
        self.begin(request, None)
    }

    /// Begins a job, perhaps for a schedule.
    pub(super) fn begin(
        &self,
        request: Create<JobSpec>,
        schedule: Option<String>,
    ) -> Result<Arc<Job>, Failure> {
        let Create { token, mut spec } = request;
        name::check_command(
            &spec.command,
            spec.working_dir.as_deref(),
            [&spec.env, spec.secret_env.reveal()],
        )?;
        let _admission = self.all.admission();
        if let Some(job) = self.all.made_before(&spec.name, &token)? {
            return Ok(job);
        }
        let secrets = std::mem::take(&mut spec.secret_env);
        spec.run_id
            .get_or_insert_with(|| uuid::Uuid::now_v7().to_string());
        let name = spec.name.clone();
        let record = JobRecord::new(token, spec, secrets.names(), schedule);
        let saved = self
            .context
            .store
            .save_secrets::<JobRecord>(&name, &secrets);
        saved
            .and_then(|()| self.context.store.save(&record))
            .map_err(|error| internal("the job cannot be written down", &error))?;
        let job = Job::start(Arc::clone(&self.context), record);
        self.all.insert(name, Arc::clone(&job));
        Ok(job)
    }

    pub(super) async fn cancel(&self, name: &str) -> Result<Arc<Job>, Failure> {
        let job = self.all.get(name)?;
        job.cancel()
            .await
            .map_err(|error| internal("the job cannot be cancelled", &error))?;
        Ok(job)
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), Failure> {
        if self.all.is_damaged(name) {
            let ended = self.context.end_runs(JobRecord::KIND, name).await;
            ended.map_err(|error| internal("the job cannot be stopped", &error))?;
            let removed = self.context.store.remove::<JobRecord>(name);
            removed.map_err(|error| internal("the job cannot be removed", &error))?;
        } else {
            let job = self.all.get(name)?;
            job.mark_deleting()
                .map_err(|error| internal("the job cannot be written down", &error))?;
            job.cancel()
                .await
                .map_err(|error| internal("the job cannot be cancelled", &error))?;
            job.remove()
                .map_err(|error| internal("what the job left cannot be removed", &error))?;
        }
        self.all.remove(name);
        Ok(())
    }
}

/// Whether a job has not ended.
pub(super) fn runs(job: &Job) -> bool {
    job.status() == JobStatus::Running
}
