//! The schedules of an agent: made, changed, fired by hand and deleted.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::collection::{Collection, Made, internal};
use super::context::Context;
use super::job::Job;
use super::jobs::Jobs;
use super::schedule::{Schedule, ScheduleRecord};
use super::store::Record;
use crate::messages::{Create, Failure, FailureKind, ScheduleSpec, Secrets};
use crate::name;

impl Made for Schedule {
    const KIND: &'static str = ScheduleRecord::KIND;

    fn token(&self) -> String {
        self.record().token
    }
}

/// The schedules of an agent.
pub(super) struct Schedules {
    context: Arc<Context>,
    jobs: Arc<Jobs>,
    pub(super) all: Collection<Schedule>,
}

impl Schedules {
    /// Goes on with what is on disk.
    pub(super) fn load(context: Arc<Context>, jobs: Arc<Jobs>) -> io::Result<Self> {
        let loaded = context.store.load::<ScheduleRecord>()?;
        let schedules = Self {
            context,
            jobs,
            all: Collection::new(loaded.damaged),
        };
        for record in loaded.records {
            schedules.begin(record);
        }
        Ok(schedules)
    }

    /// The schedules whose deletion was cut short.
    pub(super) fn half_deleted(&self) -> Vec<String> {
        let records = self
            .all
            .list()
            .into_iter()
            .map(|schedule| schedule.record());
        records
            .filter(|record| record.deleting)
            .map(|record| record.name().to_owned())
            .collect()
    }

    pub(super) fn create(&self, request: Create<ScheduleSpec>) -> Result<Arc<Schedule>, Failure> {
        let Create { token, spec } = request;
        check(&spec)?;
        let _admission = self.all.admission();
        if let Some(schedule) = self.all.made_before(&spec.name, &token)? {
            return Ok(schedule);
        }
        let (spec, secrets) = part(spec);
        let record = ScheduleRecord::new(token, spec, secrets.names());
        record.cadence()?;
        self.save_secrets(record.name(), &secrets)?;
        self.context
            .store
            .save(&record)
            .map_err(|error| internal("the schedule cannot be written down", &error))?;
        Ok(self.begin(record))
    }

    pub(super) fn update(&self, spec: ScheduleSpec) -> Result<Arc<Schedule>, Failure> {
        check(&spec)?;
        let _admission = self.all.admission();
        let schedule = self.all.get(&spec.name)?;
        let mut record = schedule.record();
        if record.deleting {
            return Err(Failure::new(
                FailureKind::NotFound,
                format!("schedule {:?} is being deleted", spec.name),
            ));
        }
        let (spec, secrets) = part(spec);
        record.spec = spec;
        record.cadence()?;
        self.save_secrets(record.name(), &secrets)?;
        let changed = schedule.change(|kept| {
            kept.spec = record.spec;
            kept.secret_env_names = secrets.names();
            // The new times count from now on, and what was due while it was paused is not made up for.
            kept.considered = Timestamp::now();
        });
        changed.map_err(|error| internal("the schedule cannot be written down", &error))?;
        Ok(schedule)
    }

    pub(super) fn fire(&self, name: &str) -> Result<Arc<Job>, Failure> {
        self.all.get(name)?.fire_now()
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), Failure> {
        if !self.all.is_damaged(name) {
            let schedule = self.all.get(name)?;
            let marked = schedule.change(|record| record.deleting = true);
            marked.map_err(|error| internal("the schedule cannot be written down", &error))?;
            schedule.stop();
        }
        for job in self.jobs.of_schedule(name) {
            match self.jobs.delete(job.record().name()).await {
                Err(failure) if failure.kind != FailureKind::NotFound => return Err(failure),
                _ => {}
            }
        }
        let removed = self.context.store.remove::<ScheduleRecord>(name);
        removed.map_err(|error| internal("the schedule cannot be removed", &error))?;
        self.all.remove(name);
        Ok(())
    }

    fn begin(&self, record: ScheduleRecord) -> Arc<Schedule> {
        let name = record.name().to_owned();
        let schedule = Schedule::start(Arc::clone(&self.context), Arc::clone(&self.jobs), record);
        self.all.insert(name, Arc::clone(&schedule));
        schedule
    }

    fn save_secrets(&self, name: &str, secrets: &Secrets) -> Result<(), Failure> {
        let saved = self
            .context
            .store
            .save_secrets::<ScheduleRecord>(name, secrets);
        saved.map_err(|error| internal("the schedule's secrets cannot be written down", &error))
    }
}

/// The spec without its secrets, and the secrets.
fn part(mut spec: ScheduleSpec) -> (ScheduleSpec, Secrets) {
    let secrets = std::mem::take(&mut spec.job.secret_env);
    (spec, secrets)
}

fn check(spec: &ScheduleSpec) -> Result<(), Failure> {
    name::check(&spec.name)?;
    let job = &spec.job;
    name::check_command(
        &job.command,
        job.working_dir.as_deref(),
        [&job.env, job.secret_env.reveal()],
    )
}
