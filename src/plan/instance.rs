//! Plans the instances of a managed resource.

use std::sync::Arc;

use futures::future::join_all;
use mlinfra_sdk::{Path, Plan as PlanRequest, Read, Schema, Session, Value, planning};

use super::ignore::{self, ignore_changes};
use super::imports::Targets;
use super::planner::Planner;
use super::{Action, ActionReason, Mode, ResourceChange};
use crate::addr::{InstanceKey, ResourceInstance};
use crate::config::ResourceBlock;
use crate::diag::{Diagnostic, Diagnostics};
use crate::graph::Outcome;
use crate::lang::{Expr, TraversalStep};
use crate::module::{InstanceId, ProviderId, Repetition, path_span};
use crate::provider::{Call, failure_diagnostic, problem_diagnostic};

use crate::state::{Object, Status, paths};

/// What every instance of a resource in a module instance has in common.
pub(super) struct Setting<'s> {
    pub block: &'s ResourceBlock,
    pub instance: InstanceId,
    pub schema: Arc<Schema>,
    pub session: Arc<dyn Session>,
    pub provider: Arc<str>,
    pub provider_id: ProviderId,
    /// What is to be imported.
    pub imports: &'s Targets,
    pub create_first: bool,
    pub number: usize,
}

/// One instance.
pub(super) struct Subject<'s> {
    pub setting: &'s Setting<'s>,
    pub address: ResourceInstance,
    pub repetition: Repetition,
}

/// What there was, and what is there now.
struct Prior {
    /// What is there, marked; `None` when there is nothing.
    value: Option<Value>,
    object: Option<Arc<Object>>,
    /// The id under which it is taken over.
    importing: Option<String>,
}

impl Planner<'_> {
    /// Plans all instances in one module instance.
    pub async fn managed(
        &self,
        number: usize,
        instance: InstanceId,
        block: &ResourceBlock,
        imports: &Targets,
    ) -> Outcome {
        let setting = match self.setting(number, instance, block, imports) {
            Ok(setting) => setting,
            Err(diagnostics) => return self.outcome(Err(diagnostics)),
        };
        let Some((shape, instances)) = self.expand.expand_resource(instance, block) else {
            return Outcome::Failed;
        };
        let module = self.expand.values().get(instance).address.clone();
        self.expand
            .report_all(ignore::check(block, &setting.schema));
        if let Err(diagnostics) = self.import_keys(imports, &module, shape) {
            return self.outcome(Err(diagnostics));
        }
        let setting = &setting;
        let planned = join_all(instances.into_iter().map(|(key, repetition)| {
            let subject = Subject {
                setting,
                address: ResourceInstance {
                    module: module.clone(),
                    resource: block.address.clone(),
                    key,
                },
                repetition,
            };
            async move {
                self.seen.borrow_mut().insert(subject.address.clone());
                let value = self.one(&subject).await;
                value.map(|value| Some((subject.address.key, value?)))
            }
        }))
        .await;
        let mut items: Vec<(InstanceKey, Value)> = Vec::new();
        let mut outcome = Outcome::Done;
        for result in planned {
            match result {
                Ok(item) => items.extend(item),
                Err(diagnostics) => outcome = self.outcome(Err(diagnostics)),
            }
        }
        self.expand
            .set_resource(instance, &block.address, shape, items);
        outcome
    }

    fn setting<'s>(
        &self,
        number: usize,
        instance: InstanceId,
        block: &'s ResourceBlock,
        imports: &'s Targets,
    ) -> Result<Setting<'s>, Diagnostics> {
        let at = |d: Diagnostic| Diagnostics::from(d.at(block.header));
        let id = self.nodes.provider_of(number).ok_or_else(|| {
            at(Diagnostic::error(
                "Provider configuration not present",
                "No provider.",
            ))
        })?;
        let provider = Arc::clone(&self.nodes.providers.get(id).provider);
        let schema = self.host.schema(&provider, &block.address).map_err(at)?;
        let session = self.sessions.get(id).ok_or_else(|| {
            at(Diagnostic::error(
                "Provider is not configured",
                "Its configuration failed.",
            ))
        })?;
        Ok(Setting {
            block,
            instance,
            schema,
            session,
            provider,
            provider_id: id,
            imports,
            create_first: self.create_first[number],
            number,
        })
    }

    /// Plans one instance; answers the value that others refer to, if there is one.
    async fn one(&self, subject: &Subject<'_>) -> Result<Option<Value>, Diagnostics> {
        if !self
            .targeted
            .takes(subject.setting.number, &subject.address)
        {
            return self.remembered(subject);
        }
        let prior = self.prior_of(subject).await?;
        match self.options.mode {
            Mode::Normal => self.desired(subject, prior).await.map(Some),
            Mode::Destroy => Ok(Some(self.doomed(subject, prior))),
            Mode::RefreshOnly => Ok(prior.value),
        }
    }

    /// What is known of an instance that no target selects.
    fn remembered(&self, subject: &Subject<'_>) -> Result<Option<Value>, Diagnostics> {
        let setting = subject.setting;
        let Some(object) = self.prior.current(&subject.address) else {
            return Ok(None);
        };
        let value = self.decode(object, &setting.schema, &setting.session, &subject.address);
        Ok(Some(value.map_err(|d| d.at(setting.block.header))?))
    }

    fn call<'c>(&'c self, setting: &'c Setting<'_>) -> Call<'c> {
        Call {
            session: &setting.session,
            ty: &setting.block.address.ty,
            schema: &setting.schema,
            context: &self.context,
        }
    }

    /// What state and the world have of it.
    async fn prior_of(&self, subject: &Subject<'_>) -> Result<Prior, Diagnostics> {
        let setting = subject.setting;
        let Some(object) = self.prior.current(&subject.address).cloned() else {
            return self.prior_import(subject).await;
        };
        let known = self
            .decode(&object, &setting.schema, &setting.session, &subject.address)
            .map_err(|d| d.at(setting.block.header))?;
        if !self.options.refresh {
            return Ok(Prior {
                value: Some(known),
                object: Some(object),
                importing: None,
            });
        }
        let now = self
            .refresh(&self.call(setting), &subject.address, &object, &known)
            .await;
        let now = now.map_err(|d| d.at(setting.block.header))?;
        if now.as_ref() != Some(&known) {
            let drift = self.drifted(subject, known, now.clone());
            self.drift.borrow_mut().push(drift);
        }
        Ok(Prior {
            value: now,
            object: Some(object),
            importing: None,
        })
    }

    /// What is there under the id of an import, or nothing.
    async fn prior_import(&self, subject: &Subject<'_>) -> Result<Prior, Diagnostics> {
        let setting = subject.setting;
        let target = setting.imports.get(&subject.address);
        let Some(target) = target.filter(|_| self.options.mode == Mode::Normal) else {
            return Ok(Prior {
                value: None,
                object: None,
                importing: None,
            });
        };
        let call = self.call(setting);
        let (value, object) = self.import(subject, &call, &target.id).await?;
        Ok(Prior {
            value: Some(value),
            object: Some(object),
            importing: Some(target.id.clone()),
        })
    }

    /// What was stored, under its schema.
    pub fn decode(
        &self,
        object: &Object,
        schema: &Schema,
        session: &Arc<dyn Session>,
        address: &ResourceInstance,
    ) -> Result<Value, Diagnostic> {
        if object.schema_version < schema.version {
            let upgraded = session.upgrade(
                &address.resource.ty,
                object.schema_version,
                object.attributes.get(),
            );
            return upgraded
                .map(|value| object.mark(value, schema))
                .map_err(|failure| failure_diagnostic(&failure, None).about(address));
        }
        object.decode(schema).map_err(|e| {
            Diagnostic::error(
                "Stored object cannot be read",
                format!("The state of {address} does not fit what its provider expects: {e}."),
            )
            .about(address)
            .hint("Use the version of mlinfra that wrote it, or remove it from the state with mlinfra state rm and import it again.")
        })
    }

    /// Reads an object from the world and notes what differs; `None` when it is gone.
    pub async fn refresh(
        &self,
        call: &Call<'_>,
        address: &ResourceInstance,
        object: &Arc<Object>,
        known: &Value,
    ) -> Result<Option<Value>, Diagnostic> {
        let plain = known.clone().unmark_deep().0;
        let _turn = self.limit.acquire().await;
        let read = call.read(Read { prior: &plain }).await;
        let read = read.map_err(|f| failure_diagnostic(&f, None).about(address))?;
        let Some(value) = read else {
            self.refreshed.borrow_mut().insert(address.clone(), None);
            return Ok(None);
        };
        if value == plain {
            return Ok(Some(known.clone()));
        }
        let value = object.mark(value, call.schema);
        let mut now = Object::encode(&value, call.schema).map_err(|e| {
            Diagnostic::error(
                "Object cannot be stored",
                format!("What was read of {address} cannot be stored: {e}."),
            )
        })?;
        now.dependencies.clone_from(&object.dependencies);
        now.status = object.status;
        now.create_before_destroy = object.create_before_destroy;
        now.protected = object.protected;
        self.refreshed
            .borrow_mut()
            .insert(address.clone(), Some(Arc::new(now)));
        Ok(Some(value))
    }

    fn drifted(&self, subject: &Subject<'_>, was: Value, now: Option<Value>) -> ResourceChange {
        let action = match now {
            Some(_) => Action::Update,
            None => Action::Delete,
        };
        self.change(subject, Some(was), now, action)
    }

    /// Plans what the configuration wants.
    async fn desired(&self, subject: &Subject<'_>, prior: Prior) -> Result<Value, Diagnostics> {
        let setting = subject.setting;
        let body = &setting.block.arguments;
        self.test(subject, None)?;
        let (config, diagnostics) =
            self.expand
                .decode(setting.instance, &subject.repetition, body, &setting.schema);
        let mut diagnostics = about(diagnostics, &subject.address);
        self.ephemeral(subject, &config, &mut diagnostics);
        let config = diagnostics.into_result(config)?;
        let sensitive = paths::Found::within(&config).sensitive;
        let (config, _) = config.unmark_deep();
        self.provider_validates(subject, &config)?;
        let was = prior.value.clone().map(|v| v.unmark_deep().0);
        let kept = match &was {
            Some(was) => {
                ignore_changes(&setting.block.lifecycle.ignore_changes, was, config.clone())
            }
            None => config.clone(),
        };
        let call = self.call(setting);
        let place = |path: &Path| self.expand.written_at(setting.instance, body, path);
        fn request<'r>(
            schema: &Schema,
            prior: Option<&'r Value>,
            config: &'r Value,
        ) -> PlanRequest<'r> {
            PlanRequest {
                prior,
                config,
                proposed: planning::proposed(schema, prior, config),
            }
        }
        let schema = &setting.schema;
        let failed = |failure| {
            Diagnostics::from(failure_diagnostic(&failure, Some(&place)).about(&subject.address))
        };
        let planned = {
            let _turn = self.limit.acquire().await;
            call.plan(request(schema, was.as_ref(), &kept))
                .await
                .map_err(failed)?
        };
        let marked = |value: Value| {
            paths::mark_by_schema(paths::mark_sensitive(value, &sensitive), &setting.schema)
        };
        let (mut action, mut reason) = self.choose(subject, &prior, was.as_ref(), &planned);
        let mut after = planned.value;
        let mut notes = planned.notes;
        if action.is_replace() {
            // A new object has nothing to keep: all of the configuration counts.
            let anew = call
                .plan(request(schema, None, &config))
                .await
                .map_err(failed)?;
            after = anew.value;
            if notes.is_empty() {
                notes = anew.notes;
            }
        }
        let after = marked(after);
        if action == Action::NoOp && prior.value.as_ref() != Some(&after) {
            // Only what is shown of it changes.
            action = Action::Update;
            reason = None;
        }
        let mut change = self.change(subject, prior.value, Some(after.clone()), action);
        change.reason = reason;
        change.notes = discreet(notes, [&change.before, &change.after]);
        change.importing = prior.importing;
        change.replace = if action.is_replace() {
            planned.replace
        } else {
            Vec::new()
        };
        change.protected = self.protected(subject);
        self.prevented(subject, &change)?;
        self.changes.borrow_mut().push(change);
        self.test(subject, Some(&after))?;
        Ok(after)
    }

    /// What is done, and why.
    fn choose(
        &self,
        subject: &Subject<'_>,
        prior: &Prior,
        was: Option<&Value>,
        planned: &mlinfra_sdk::Planned,
    ) -> (Action, Option<ActionReason>) {
        let Some(was) = was else {
            return (Action::Create, None);
        };
        let replace = if subject.setting.create_first {
            Action::CreateThenDelete
        } else {
            Action::DeleteThenCreate
        };
        let tainted = prior
            .object
            .as_ref()
            .is_some_and(|o| o.status == Status::Tainted);
        if tainted {
            return (replace, Some(ActionReason::ReplaceBecauseTainted));
        }
        if self.options.replace.contains(&subject.address) {
            return (replace, Some(ActionReason::ReplaceByRequest));
        }
        if *was != planned.value && !planned.replace.is_empty() {
            return (replace, Some(ActionReason::ReplaceBecauseCannotUpdate));
        }
        if self.triggered(subject) {
            return (replace, Some(ActionReason::ReplaceByTriggers));
        }
        if *was == planned.value {
            (Action::NoOp, None)
        } else {
            (Action::Update, None)
        }
    }

    /// Whether something that `replace_triggered_by` names changes.
    fn triggered(&self, subject: &Subject<'_>) -> bool {
        let triggers = &subject.setting.block.lifecycle.replace_triggered_by;
        if triggers.is_empty() {
            return false;
        }
        let changes = self.changes.borrow();
        let traversals = triggers.iter().flat_map(Expr::references);
        traversals.into_iter().any(|traversal| {
            let Ok((crate::module::Subject::Resource(resource), steps)) =
                crate::module::Subject::of(traversal)
            else {
                return false;
            };
            let attribute = traversal.steps[steps..].iter().find_map(|step| match step {
                TraversalStep::Attribute(name, _) => Some(Arc::clone(name)),
                TraversalStep::Index(..) => None,
            });
            changes
                .iter()
                .filter(|c| {
                    c.address.resource == resource && c.address.module == subject.address.module
                })
                .filter(|c| c.action != Action::NoOp)
                .any(|c| match &attribute {
                    None => c.action.is_replace() || c.action == Action::Update,
                    Some(name) => c.before.get(name) != c.after.get(name),
                })
        })
    }

    /// An object of the configuration when everything is torn down.
    fn doomed(&self, subject: &Subject<'_>, prior: Prior) -> Value {
        let Some(value) = prior.value else {
            return Value::unknown(subject.setting.schema.ty());
        };
        let mut change = self.change(subject, Some(value.clone()), None, Action::Delete);
        change.protected = self.protected(subject);
        if change.protected && !self.options.destroy_data {
            change.action = Action::NoOp;
            change.after = value.clone();
        }
        if change.action == Action::Delete {
            let prevented = self.prevented(subject, &change);
            self.outcome(prevented);
        }
        self.changes.borrow_mut().push(change);
        value
    }

    fn protected(&self, subject: &Subject<'_>) -> bool {
        subject.setting.schema.holds_data
            || self
                .prior
                .current(&subject.address)
                .is_some_and(|o| o.protected)
    }

    /// Refuses to destroy what must not be.
    fn prevented(&self, subject: &Subject<'_>, change: &ResourceChange) -> Result<(), Diagnostics> {
        let destroys = change.action.is_replace() || change.action == Action::Delete;
        if !destroys {
            return Ok(());
        }
        let block = subject.setting.block;
        if block.lifecycle.prevent_destroy {
            return Err(Diagnostic::error(
                "Instance cannot be destroyed",
                format!(
                    "Resource {} has lifecycle.prevent_destroy set, but the plan calls for this resource to be destroyed. To avoid this error and continue with the plan, either disable lifecycle.prevent_destroy or reduce the scope of the plan using the -target option.",
                    subject.address
                ),
            )
            .at(block.header)
            .into());
        }
        if change.protected && !self.options.destroy_data {
            return Err(super::orphans::protected(&subject.address)
                .at(block.header)
                .into());
        }
        Ok(())
    }

    fn provider_validates(&self, subject: &Subject<'_>, config: &Value) -> Result<(), Diagnostics> {
        let setting = subject.setting;
        let body = &setting.block.arguments;
        let place = |path: &Path| self.expand.written_at(setting.instance, body, path);
        let provider = self.host.provider(&setting.provider)?;
        let problems = provider.validate_resource(&setting.block.address.ty, config);
        let problems = problems
            .iter()
            .map(|p| problem_diagnostic(p, &place).about(&subject.address));
        Diagnostics(problems.collect())
            .into_result(())
            .inspect_err(|_| ())
    }

    fn ephemeral(&self, subject: &Subject<'_>, config: &Value, diagnostics: &mut Diagnostics) {
        for path in paths::Found::within(config).ephemeral {
            let schema = &subject.setting.schema;
            let write_only = path
                .first_attribute()
                .and_then(|name| schema.attributes.get(name))
                .is_some_and(|a| a.write_only);
            if !write_only {
                diagnostics.push(
                    Diagnostic::error(
                        "Invalid use of ephemeral value",
                        "Ephemeral values are not valid for this argument, because it is not a write-only argument and must persist between mlinfra operations.",
                    )
                    .at(path_span(&subject.setting.block.arguments, &path))
                    .about(&subject.address),
                );
            }
        }
    }

    /// Tests the preconditions, or with a value the postconditions; what fails is reported.
    fn test(&self, subject: &Subject<'_>, this: Option<&Value>) -> Result<(), Diagnostics> {
        let setting = subject.setting;
        let lifecycle = &setting.block.lifecycle;
        let (address, repetition) = (&subject.address, &subject.repetition);
        let tested =
            self.expand
                .test_resource(address, setting.instance, repetition, lifecycle, this);
        tested.then_some(()).ok_or_else(Diagnostics::new)
    }

    fn change(
        &self,
        subject: &Subject<'_>,
        before: Option<Value>,
        after: Option<Value>,
        action: Action,
    ) -> ResourceChange {
        ResourceChange {
            address: subject.address.clone(),
            previous_address: self.moves.moved.get(&subject.address).cloned(),
            deposed: None,
            provider: Arc::clone(&subject.setting.provider),
            schema: Arc::clone(&subject.setting.schema),
            action,
            reason: None,
            before: before.unwrap_or(Value::NULL),
            after: after.unwrap_or(Value::NULL),
            replace: Vec::new(),
            notes: Vec::new(),
            importing: None,
            protected: false,
        }
    }
}

pub(super) fn about(diagnostics: Diagnostics, address: &ResourceInstance) -> Diagnostics {
    Diagnostics(diagnostics.into_iter().map(|d| d.about(address)).collect())
}

/// The notes of a provider, which sees values without marks, without those that show a sensitive
/// one.
fn discreet(notes: Vec<String>, values: [&Value; 2]) -> Vec<String> {
    let mut secrets = Vec::new();
    for value in values {
        for path in paths::Found::within(value).sensitive {
            let secret = path.get(value).cloned().map(|v| v.unmark_deep().0);
            leaves(&secret.unwrap_or(Value::NULL), &mut secrets);
        }
    }
    let shows = |note: &String| secrets.iter().any(|secret| note.contains(secret.as_str()));
    let hide = |note: String| match shows(&note) {
        true => "a note of the provider is not shown, because it holds sensitive values".to_owned(),
        false => note,
    };
    notes.into_iter().map(hide).collect()
}

/// The texts of everything inside a value that has one.
fn leaves(value: &Value, found: &mut Vec<String>) {
    if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
        found.push(text.to_owned());
    }
    found.extend(value.as_number().map(ToString::to_string));
    let inside = value.elements().into_iter().flatten();
    for inner in inside.chain(value.entries().into_iter().flat_map(|e| e.values())) {
        leaves(inner, found);
    }
}
