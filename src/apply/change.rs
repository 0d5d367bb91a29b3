//! Creates, updates and reads one object.

use std::sync::Arc;

use mlinfra_sdk::{
    Create, Failure, Path, Plan as PlanRequest, ReadData, Schema, Session, Update, Value, planning,
};

use super::executor::{Executor, id_of};
use crate::addr::{InstanceKey, ResourceInstance};
use crate::config::{ModuleId, ResourceBlock, Tree};
use crate::diag::{Diagnostic, Diagnostics};
use crate::module::{InstanceId, Node, Repetition, written_at};
use crate::plan::{Action, ResourceChange, ignore_changes, provider_ref};
use crate::provider::{Call, differing, failure_diagnostic};
use crate::state::{Intent, Object, Operation, Outcome, Planned, ProviderRef, Status, paths};

/// Everything about the object that is made.
struct Making<'m> {
    tree: &'m Tree,
    module: ModuleId,
    change: &'m ResourceChange,
    block: &'m ResourceBlock,
    instance: InstanceId,
    number: usize,
    repetition: Repetition,
    provider: ProviderRef,
    session: Arc<dyn Session>,
    /// The configuration, without marks.
    config: Value,
    /// What of it is sensitive.
    sensitive: Vec<Path>,
}

impl Executor<'_> {
    /// Does what a change says: create, update, read, or the new half of a replacement.
    pub async fn make(&self, change: &ResourceChange) -> Result<(), Diagnostics> {
        let making = self.making(change)?;
        self.test(&making, None)?;
        let value = match change.action {
            Action::Read => self.read(&making).await?,
            Action::Update => self.write(&making, Operation::Update).await?,
            Action::CreateThenDelete => self.create_first(&making).await?,
            _ => self.write(&making, Operation::Create).await?,
        };
        self.values
            .borrow_mut()
            .insert(change.address.clone(), value.clone());
        self.test(&making, Some(&value))
    }

    fn making<'m>(&'m self, change: &'m ResourceChange) -> Result<Making<'m>, Diagnostics> {
        let lost = || {
            Diagnostics::from(
                Diagnostic::error(
                    "Lost its configuration",
                    format!(
                        "{} was planned and is not in the configuration any more.",
                        change.address
                    ),
                )
                .about(&change.address),
            )
        };
        let address = &change.address;
        let module = self.tree.find(&address.module.path()).ok_or_else(lost)?;
        let block = module
            .declarations
            .resources
            .get(&address.resource)
            .ok_or_else(lost)?;
        let instance = self.instance(address).ok_or_else(lost)?;
        let node = Node::Resource(module.id, address.resource.clone());
        let number = self.nodes.find(&node).ok_or_else(lost)?;
        let id = self.nodes.provider_of(number).ok_or_else(lost)?;
        let session = self.sessions.get(id).ok_or_else(lost)?;
        let repetition = self.repetition(instance, block, address).ok_or_else(lost)?;
        let body = &block.arguments;
        let (config, diagnostics) = self
            .expand
            .decode(instance, &repetition, body, &change.schema);
        let config = diagnostics.into_result(config)?;
        if !config.is_wholly_known() {
            return Err(Diagnostic::error(
                "Configuration is still unknown",
                format!("The configuration of {address} holds values that are not known even now, because something that it refers to did not answer them. This is a bug in mlinfra."),
            )
            .at(block.header)
            .into());
        }
        let sensitive = paths::Found::within(&config).sensitive;
        let mut config = config.unmark_deep().0;
        if change.action == Action::Update {
            let before = change.before.clone().unmark_deep().0;
            config = ignore_changes(&block.lifecycle.ignore_changes, &before, config);
        }
        Ok(Making {
            tree: self.tree,
            module: module.id,
            change,
            block,
            instance,
            number,
            repetition,
            provider: provider_ref(self.tree, self.nodes, id),
            session,
            config,
            sensitive,
        })
    }

    fn repetition(
        &self,
        instance: InstanceId,
        block: &ResourceBlock,
        address: &ResourceInstance,
    ) -> Option<Repetition> {
        if address.key == InstanceKey::None {
            return Some(Repetition::default());
        }
        if let InstanceKey::Index(_) = address.key {
            return Some(Repetition::of(&address.key, None));
        }
        let (_, instances) = self.expand.expand_resource(instance, block)?;
        let found = instances.into_iter().find(|(key, _)| *key == address.key);
        found.map(|(_, repetition)| repetition)
    }

    async fn read(&self, making: &Making<'_>) -> Result<Value, Diagnostics> {
        let change = making.change;
        let context = self.context(&change.address, Action::Read);
        let call = call(making, &context);
        let operation = async {
            let config = &making.config;
            let value = call.read_data(ReadData { config }).await;
            let value = value.map_err(|f| making.failed(&f))?;
            Ok(making.marked(value))
        };
        self.told(
            &change.address,
            Action::Read,
            &Value::NULL,
            operation,
            id_of,
        )
        .await
    }

    /// Makes room, creates, and leaves the old object to be destroyed later.
    async fn create_first(&self, making: &Making<'_>) -> Result<Value, Diagnostics> {
        let address = &making.change.address;
        let key = self.state.depose(address).await?;
        self.deposed
            .borrow_mut()
            .insert(address.clone(), Arc::clone(&key));
        match self.write(making, Operation::Create).await {
            Ok(value) => Ok(value),
            Err(mut diagnostics) => {
                if self.state.object(address, None).is_none()
                    && let Err(e) = self.state.restore(address, &key).await
                {
                    diagnostics.push(e.into());
                }
                Err(diagnostics)
            }
        }
    }

    async fn write(&self, making: &Making<'_>, operation: Operation) -> Result<Value, Diagnostics> {
        let change = making.change;
        let (action, before) = match operation {
            Operation::Update => (Action::Update, &change.before),
            _ => (Action::Create, &Value::NULL),
        };
        let work = self.written(making, operation, action);
        let value = self
            .told(&change.address, action, before, work, id_of)
            .await?;
        self.count(|counts| match operation {
            Operation::Update => counts.changed += 1,
            _ => counts.added += 1,
        });
        Ok(value)
    }

    /// The plan with everything known now, the intent, the operation, the record of its result.
    async fn written(
        &self,
        making: &Making<'_>,
        operation: Operation,
        action: Action,
    ) -> Result<Value, Diagnostics> {
        let change = making.change;
        let address = &change.address;
        let context = self.context(address, action);
        let call = call(making, &context);
        let prior = match operation {
            Operation::Update => Some(change.before.clone().unmark_deep().0),
            _ => None,
        };
        let planned = self.final_plan(making, &call, prior.as_ref()).await?;
        let stored = Planned::encode(&making.marked(planned.clone()), &change.schema)
            .map_err(|e| making.unfit(&e.to_string()))?;
        let intent = Intent::new(
            operation,
            address.clone(),
            making.provider.clone(),
            Some(stored),
        );
        let token = self.state.begin(intent).await?;
        let result = match &prior {
            Some(prior) => {
                let request = Update {
                    prior,
                    planned: &planned,
                    config: &making.config,
                    token: token.as_str(),
                };
                call.update(request).await
            }
            None => {
                let request = Create {
                    planned: &planned,
                    config: &making.config,
                    token: token.as_str(),
                };
                call.create(request).await
            }
        };
        let (outcome, answer) = match result {
            Ok(value) => {
                let value = making.marked(value);
                let object = self.object(making, &value, Status::Ready)?;
                (Outcome::Is(object), Ok(value))
            }
            Err(mut failure) => {
                let left = failure.partial.take();
                let diagnostics = making.failed(&failure);
                let outcome = match (left, operation) {
                    (Some(left), Operation::Create) => {
                        Outcome::Is(self.object(making, &making.marked(*left), Status::Tainted)?)
                    }
                    (Some(left), _) => {
                        Outcome::Is(self.object(making, &making.marked(*left), Status::Ready)?)
                    }
                    (None, _) => Outcome::Unchanged,
                };
                (outcome, Err(diagnostics))
            }
        };
        self.state.finish(&token, outcome).await?;
        answer
    }

    /// What the provider plans now that everything is known: it must be what was planned before,
    /// wherever that was known.
    async fn final_plan(
        &self,
        making: &Making<'_>,
        call: &Call<'_>,
        prior: Option<&Value>,
    ) -> Result<Value, Diagnostics> {
        let change = making.change;
        let config = &making.config;
        let request = PlanRequest {
            prior,
            config,
            proposed: planning::proposed(&change.schema, prior, config),
        };
        let planned = call
            .plan(request)
            .await
            .map_err(|f| making.failed(&f))?
            .value;
        let promised = change.after.clone().unmark_deep().0;
        match differing(&promised, &planned, &Path::root()) {
            None => Ok(planned),
            Some(path) => Err(Diagnostic::error(
                "The plan is out of date",
                format!("{path} of {} would now become something other than what was planned, because something outside of the configuration has changed meanwhile. Nothing was done with it.", change.address),
            )
            .at(self.expand.written_at(making.instance, &making.block.arguments, &path))
            .about(&change.address)
            .hint("Make a new plan and look at it again.")
            .into()),
        }
    }

    fn object(
        &self,
        making: &Making<'_>,
        value: &Value,
        status: Status,
    ) -> Result<Arc<Object>, Diagnostics> {
        let schema: &Schema = &making.change.schema;
        let mut object = Object::encode(value, schema).map_err(|e| making.unfit(&e.to_string()))?;
        object.status = status;
        object.dependencies = self.dependencies(making.number);
        object.create_before_destroy = making.change.action == Action::CreateThenDelete;
        object.protected = schema.holds_data;
        Ok(Arc::new(object))
    }

    /// Tests the preconditions, or with a value the postconditions; what fails is reported.
    fn test(&self, making: &Making<'_>, this: Option<&Value>) -> Result<(), Diagnostics> {
        let lifecycle = &making.block.lifecycle;
        let (address, repetition) = (&making.change.address, &making.repetition);
        let tested =
            self.expand
                .test_resource(address, making.instance, repetition, lifecycle, this);
        tested.then_some(()).ok_or_else(Diagnostics::new)
    }
}

fn call<'c>(making: &'c Making<'_>, context: &'c mlinfra_sdk::Context) -> Call<'c> {
    Call {
        session: &making.session,
        ty: &making.change.address.resource.ty,
        schema: &making.change.schema,
        context,
    }
}

impl Making<'_> {
    fn failed(&self, failure: &Failure) -> Diagnostics {
        let place = |path: &Path| written_at(self.tree, self.module, &self.block.arguments, path);
        let diagnostic = failure_diagnostic(failure, Some(&place));
        diagnostic.about(&self.change.address).into()
    }

    fn unfit(&self, why: &str) -> Diagnostics {
        Diagnostic::error(
            "Object cannot be stored",
            format!("{} cannot be recorded: {why}.", self.change.address),
        )
        .at(self.block.header)
        .about(&self.change.address)
        .into()
    }

    fn marked(&self, value: Value) -> Value {
        let value = paths::mark_sensitive(value, &self.sensitive);
        paths::mark_by_schema(value, &self.change.schema)
    }
}
