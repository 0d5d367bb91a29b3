//! Calls a provider and checks its answer: what a provider says is never believed unseen.
//!
//! The laws of the contract:
//!
//! 1. A planned or resulting value has the type of its schema.
//! 2. A planned value keeps what the configuration says, apart from what was left out.
//! 3. A resulting value keeps what was planned, wherever that was known.
//! 4. A resulting value is wholly known.
//! 5. A provider that panics has failed, and nothing else has.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use mlinfra_sdk::{
    Context, Create, Data, Delete, Failure, FailureKind, Find, Mode, Path, Plan, Planned, Read,
    ReadData, Schema, Session, Step, Update, Value,
};

use crate::lang;

/// A resource type of a configured provider, to be called.
pub struct Call<'c> {
    /// The provider.
    pub session: &'c Arc<dyn Session>,
    /// The type.
    pub ty: &'c str,
    /// Its schema.
    pub schema: &'c Schema,
    /// Progress and cancellation.
    pub context: &'c Context,
}

impl Call<'_> {
    /// Plans a creation or update, under laws 1 and 2.
    ///
    /// # Errors
    /// What the provider says, or the law it broke.
    pub async fn plan(&self, request: Plan<'_>) -> Result<Planned, Failure> {
        let config = request.config;
        let mut planned = self
            .caught(self.session.plan(self.ty, self.context, request))
            .await?;
        planned.value = self.typed(planned.value)?;
        self.keeps_config(config, &planned.value)?;
        Ok(planned)
    }

    /// Creates an object, under laws 1, 3 and 4.
    ///
    /// # Errors
    /// What the provider says, or the law it broke; then the object is what the provider answered.
    pub async fn create(&self, request: Create<'_>) -> Result<Value, Failure> {
        let planned = request.planned;
        let made = self
            .caught(self.session.create(self.ty, self.context, request))
            .await?;
        self.result(planned, made)
    }

    /// Updates an object, under laws 1, 3 and 4.
    ///
    /// # Errors
    /// As for [`Call::create`].
    pub async fn update(&self, request: Update<'_>) -> Result<Value, Failure> {
        let planned = request.planned;
        let made = self
            .caught(self.session.update(self.ty, self.context, request))
            .await?;
        self.result(planned, made)
    }

    /// Reads an object, under laws 1 and 4.
    ///
    /// # Errors
    /// What the provider says, or the law it broke.
    pub async fn read(&self, request: Read<'_>) -> Result<Option<Value>, Failure> {
        let found = self
            .caught(self.session.read(self.ty, self.context, request))
            .await?;
        found
            .map(|value| self.known(self.typed(value)?))
            .transpose()
    }

    /// Reads an object by its id, under laws 1 and 4.
    ///
    /// # Errors
    /// What the provider says, or the law it broke.
    pub async fn import(&self, id: &str) -> Result<Option<Value>, Failure> {
        let found = self
            .caught(self.session.import(self.ty, self.context, id))
            .await?;
        found
            .map(|value| self.known(self.typed(value)?))
            .transpose()
    }

    /// Finds what a killed creation made, under laws 1 and 4.
    ///
    /// # Errors
    /// What the provider says, or the law it broke.
    pub async fn find(&self, request: Find<'_>) -> Result<Option<Value>, Failure> {
        let found = self
            .caught(self.session.find(self.ty, self.context, request))
            .await?;
        found
            .map(|value| self.known(self.typed(value)?))
            .transpose()
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn delete(&self, request: Delete<'_>) -> Result<(), Failure> {
        self.caught(self.session.delete(self.ty, self.context, request))
            .await
    }

    /// Reads a data source, under laws 1 and 4.
    ///
    /// # Errors
    /// What the provider says, or the law it broke.
    pub async fn read_data(&self, request: ReadData<'_>) -> Result<Value, Failure> {
        let value = self
            .caught(self.session.read_data(self.ty, self.context, request))
            .await?;
        self.known(self.typed(value)?)
    }

    /// Law 5.
    async fn caught<T>(
        &self,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match AssertUnwindSafe(call).catch_unwind().await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::new(
                FailureKind::Internal,
                "Provider crashed",
                format!(
                    "The provider of {} panicked. This is a bug in the provider; nothing else was stopped by it.",
                    self.ty
                ),
            )),
        }
    }

    fn broken(&self, law: u8, detail: String) -> Failure {
        Failure::new(
            FailureKind::Internal,
            "Provider produced an invalid answer",
            format!(
                "The provider of {} broke law {law} of its contract: {detail} This is a bug in the provider.",
                self.ty
            ),
        )
    }

    /// Law 1.
    fn typed(&self, value: Value) -> Result<Value, Failure> {
        if value.is_null() || !value.is_known() {
            return Err(self.broken(1, "it answered no object.".into()));
        }
        lang::convert(&value, &self.schema.ty())
            .map_err(|e| self.broken(1, format!("its answer does not fit the schema: {e}.")))
    }

    /// Law 2.
    fn keeps_config(&self, config: &Value, planned: &Value) -> Result<(), Failure> {
        for (name, attribute) in &self.schema.attributes {
            let (Some(said), Some(plan)) = (config.get(name), planned.get(name)) else {
                continue;
            };
            let free = attribute.write_only
                || attribute.mode == Mode::Computed
                || (said.is_null() && (attribute.is_computed() || attribute.default.is_some()));
            if !free && said.is_wholly_known() && said != plan {
                return Err(self.broken(
                    2,
                    format!("{name} is set by the configuration and it plans another value."),
                ));
            }
        }
        Ok(())
    }

    /// Law 4.
    fn known(&self, value: Value) -> Result<Value, Failure> {
        if value.is_wholly_known() {
            return Ok(value);
        }
        Err(self.broken(4, "its answer holds unknown values.".into()))
    }

    /// Laws 1, 3 and 4 of a result. What the provider answered is what exists, so a breach leaves
    /// it as the object that is there.
    fn result(&self, planned: &Value, made: Value) -> Result<Value, Failure> {
        let made = self.known(self.typed(made)?)?;
        match differing(planned, &made, &Path::root()) {
            None => Ok(made),
            Some(path) => Err(self
                .broken(3, format!("{path} was planned and came out otherwise."))
                .leaving(made)),
        }
    }
}

/// The first place at which a result is not what was planned.
pub(crate) fn differing(planned: &Value, made: &Value, at: &Path) -> Option<Path> {
    match (planned.data(), made.data()) {
        (Data::Unknown(..), _) => None,
        (Data::Object(planned), Data::Object(made)) => planned.iter().find_map(|(name, value)| {
            let at = at.then(Step::Attribute(Arc::clone(name)));
            match made.get(name) {
                Some(made) => differing(value, made, &at),
                None => Some(at),
            }
        }),
        (Data::Map(_, planned), Data::Map(_, made)) => {
            let missing = made.keys().find(|k| !planned.contains_key(*k));
            if let Some(key) = missing {
                return Some(at.then(Step::Key(Arc::clone(key))));
            }
            planned.iter().find_map(|(key, value)| {
                let at = at.then(Step::Key(Arc::clone(key)));
                match made.get(key) {
                    Some(made) => differing(value, made, &at),
                    None => Some(at),
                }
            })
        }
        (Data::List(_, planned), Data::List(_, made))
        | (Data::Tuple(planned), Data::Tuple(made)) => {
            if planned.len() != made.len() {
                return Some(at.clone());
            }
            let pairs = planned.iter().zip(made.iter()).enumerate();
            pairs
                .into_iter()
                .find_map(|(i, (p, m))| differing(p, m, &at.then(Step::Index(i))))
        }
        (Data::Set(..), Data::Set(..)) if !planned.is_wholly_known() => None,
        (planned, made) => (planned != made).then(|| at.clone()),
    }
}
