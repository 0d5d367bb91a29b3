//! Takes objects of the world over: what `import` blocks say.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mlinfra_sdk::{Data, Type, Value};

use super::instance::Subject;
use super::planner::{Planner, provider_ref};
use crate::addr::{InstanceKey, ModuleInstance, ModuleStep, ResourceInstance, ResourcePath};
use crate::config::{Import, Tree};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::lang::{self, Expr};
use crate::module::{Repetition, Shape, Values};
use crate::provider::{Call, failure_diagnostic};
use crate::source::Span;
use crate::state::{Object, paths};

/// The import blocks by the resource that they are about.
pub(super) type Blocks<'t> = HashMap<ResourcePath, Vec<&'t Import>>;

/// The objects to import by their addresses.
pub(super) type Targets = BTreeMap<ResourceInstance, Target>;

/// An object to import.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Its id in the world.
    pub id: String,
    /// Where its address is written.
    to: Span,
}

/// The import blocks of a configuration.
pub(super) fn blocks(tree: &Tree) -> Blocks<'_> {
    let mut blocks = Blocks::new();
    for import in &tree.root().declarations.imports {
        blocks.entry(import.to.path()).or_default().push(import);
    }
    blocks
}

impl Planner<'_> {
    /// The objects that are to be imported as instances of a resource.
    pub fn import_targets(&self, path: &ResourcePath) -> Result<Targets, Diagnostics> {
        let mut targets = Targets::new();
        let mut diagnostics = Diagnostics::new();
        for import in self.imports.get(path).into_iter().flatten() {
            let Some(repetitions) = diagnostics.keep(self.repetitions(import)) else {
                continue;
            };
            for repetition in repetitions {
                let Some((address, id)) = diagnostics.keep(self.target(import, &repetition)) else {
                    continue;
                };
                let to = import.to.span;
                if let Some(first) = targets.insert(address.clone(), Target { id, to }) {
                    diagnostics.push(
                        Diagnostic::error(
                            format!("Duplicate import configuration for \"{address}\""),
                            format!("The object {:?} is to be imported as {address}, too. A resource instance can be imported from one object only.", first.id),
                        )
                        .at(to)
                        .code(codes::DUPLICATE),
                    );
                }
            }
        }
        diagnostics.into_result(targets)
    }

    fn root_value(&self, repetition: &Repetition, expr: &Expr) -> Result<Value, Diagnostics> {
        let value = self
            .expand
            .with_scope(Values::ROOT, repetition, None, |s| lang::evaluate(expr, s))?;
        Ok(value.unmark_deep().0)
    }

    fn repetitions(&self, import: &Import) -> Result<Vec<Repetition>, Diagnostics> {
        let Some(for_each) = &import.for_each else {
            return Ok(vec![Repetition::default()]);
        };
        let value = self.root_value(&Repetition::default(), for_each)?;
        let wrong = |detail: &str| {
            let diagnostic = Diagnostic::error("Invalid for_each argument", detail);
            Diagnostics::from(diagnostic.at(for_each.span).code(codes::INVALID_REPETITION))
        };
        let each = |key: Value, value: &Value| Repetition {
            index: None,
            each: Some((key, value.clone())),
        };
        match value.data() {
            Data::Null(_) => Ok(Vec::new()),
            Data::Unknown(..) => Err(wrong(
                "The \"for_each\" expression includes values derived from other resource attributes that cannot be determined until apply, and so mlinfra cannot determine the full set of values that might be used to import this resource.",
            )),
            Data::Map(_, entries) | Data::Object(entries) => {
                let each = entries
                    .iter()
                    .map(|(k, v)| each(Value::from(k.as_ref()), v));
                Ok(each.collect())
            }
            Data::Set(_, items) if !value.is_wholly_known() && !items.is_empty() => Err(wrong(
                "The \"for_each\" expression includes values derived from other resource attributes that cannot be determined until apply, and so mlinfra cannot determine the full set of values that might be used to import this resource.",
            )),
            Data::Set(_, items) => Ok(items.iter().map(|v| each(v.clone(), v)).collect()),
            Data::List(_, items) | Data::Tuple(items) => {
                let items = items.iter().enumerate();
                Ok(items.map(|(i, v)| each(Value::from(i), v)).collect())
            }
            _ => Err(wrong(
                "The \"for_each\" expression must be a map, a list or a set.",
            )),
        }
    }

    fn target(
        &self,
        import: &Import,
        repetition: &Repetition,
    ) -> Result<(ResourceInstance, String), Diagnostics> {
        let key = |key: &Option<Expr>| match key {
            None => Ok(InstanceKey::None),
            Some(expr) => self.import_key(repetition, expr),
        };
        let to = &import.to;
        let steps = to.module.iter().map(|(name, k)| {
            Ok(ModuleStep {
                name: Arc::clone(name),
                key: key(k)?,
            })
        });
        let address = ResourceInstance {
            module: ModuleInstance(steps.collect::<Result<_, Diagnostics>>()?),
            resource: to.resource.clone(),
            key: key(&to.key)?,
        };
        Ok((address, self.import_id(&import.id, repetition)?))
    }

    fn import_key(&self, repetition: &Repetition, expr: &Expr) -> Result<InstanceKey, Diagnostics> {
        let value = self.root_value(repetition, expr)?;
        let problem = if value.is_known() {
            "An instance key is a string or a whole number that is not negative."
        } else {
            "The key depends on something that is known only after apply, so nobody can tell yet which instance is to be imported."
        };
        InstanceKey::of(&value).ok_or_else(|| {
            Diagnostic::error("Invalid import 'to' expression", problem)
                .at(expr.span)
                .code(codes::INVALID_REFERENCE)
                .into()
        })
    }

    fn import_id(&self, expr: &Expr, repetition: &Repetition) -> Result<String, Diagnostics> {
        let wrong = |summary: &str, detail: String| {
            let diagnostic = Diagnostic::error(summary, detail).at(expr.span);
            Diagnostics::from(diagnostic.code(codes::UNSUITABLE_VALUE))
        };
        const SUMMARY: &str = "Invalid import id argument";
        let value = self.root_value(repetition, expr)?;
        if value.is_null() {
            return Err(wrong(SUMMARY, "The import ID cannot be null.".into()));
        }
        if !value.is_known() {
            return Err(wrong(SUMMARY, "The import block \"id\" argument depends on resource attributes that cannot be determined until apply, so mlinfra cannot plan to import this resource.".into()));
        }
        let text = lang::convert(&value, &Type::String).map_err(|e| {
            wrong(
                "Incorrect value type",
                format!("Invalid expression value: {e}."),
            )
        })?;
        match text.as_str() {
            Some("") | None => Err(wrong(
                SUMMARY,
                "The import ID value evaluates to an empty string, please provide a non-empty value.".into(),
            )),
            Some(id) => Ok(id.to_owned()),
        }
    }

    /// Reports imports whose key does not fit how the resource is repeated.
    pub fn import_keys(
        &self,
        targets: &Targets,
        within: &ModuleInstance,
        shape: Shape,
    ) -> Result<(), Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        for (address, target) in targets.iter().filter(|(a, _)| a.module == *within) {
            let problem = match (&address.key, shape) {
                (InstanceKey::None, Shape::Count) => "The target resource is using count.",
                (InstanceKey::None, Shape::ForEach) => "The target resource is using for_each.",
                (InstanceKey::Index(_), Shape::Single | Shape::ForEach) => {
                    "The target resource does not use count."
                }
                (InstanceKey::Key(_), Shape::Single | Shape::Count) => {
                    "The target resource does not use for_each."
                }
                _ => continue,
            };
            diagnostics.push(
                Diagnostic::error("Invalid import 'to' expression", problem)
                    .at(target.to)
                    .code(codes::INVALID_REFERENCE),
            );
        }
        diagnostics.into_result(())
    }

    /// Reports imports of instances that the configuration does not have.
    pub fn imports_met(&self, targets: &Targets) -> Result<(), Diagnostics> {
        let seen = self.seen.borrow();
        let missing = targets.keys().filter(|address| !seen.contains(*address));
        let missing = missing.map(|address| no_configuration(&address.to_string()));
        Diagnostics(missing.collect()).into_result(())
    }

    /// Reads an object by its id and notes that it is taken over.
    pub async fn import(
        &self,
        subject: &Subject<'_>,
        call: &Call<'_>,
        id: &str,
    ) -> Result<(Value, Arc<Object>), Diagnostics> {
        let address = &subject.address;
        let failed = |f| Diagnostics::from(failure_diagnostic(&f, None).about(address));
        let _turn = self.limit.acquire().await;
        let missing = || {
            Diagnostics::from(
                Diagnostic::error(
                    "Cannot import non-existent remote object",
                    format!("While attempting to import an existing object to {:?}, the provider detected that no object exists with the given id {id:?}. Only pre-existing objects can be imported; check that the id is correct, or leave the import block out to create a new object for this resource.", address.to_string()),
                )
                .about(address)
                .code(codes::UNKNOWN_ADDRESS),
            )
        };
        let found = call.import(id).await.map_err(failed)?.ok_or_else(missing)?;
        let request = mlinfra_sdk::Read { prior: &found };
        let found = call
            .read(request)
            .await
            .map_err(failed)?
            .ok_or_else(missing)?;
        let value = paths::mark_by_schema(found, call.schema);
        let mut object = Object::encode(&value, call.schema).map_err(|e| {
            Diagnostics::from(
                Diagnostic::error(
                    "Object cannot be stored",
                    format!("What was read of {address} cannot be stored: {e}."),
                )
                .about(address)
                .code(codes::PROVIDER_INCONSISTENT),
            )
        })?;
        object.protected = call.schema.holds_data;
        let object = Arc::new(object);
        let provider = provider_ref(self.tree, self.nodes, subject.setting.provider_id);
        self.imported
            .borrow_mut()
            .insert(address.clone(), (provider, Arc::clone(&object)));
        Ok((value, object))
    }
}

/// The error of an import whose target is not in the configuration.
pub(super) fn no_configuration(target: &str) -> Diagnostic {
    Diagnostic::error(
        "Configuration for import target does not exist",
        format!("The configuration for the given import {target} does not exist. All target instances must have an associated configuration to be imported."),
    )
    .code(codes::INVALID_REFERENCE)
}
