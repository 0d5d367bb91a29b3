//! Evaluates what a walk visits: variables, locals, outputs, and how often blocks are repeated.
//!
//! One thread evaluates; whoever walks may run providers meanwhile. So a cell guards the values.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::sync::Arc;

use mlinfra_sdk::{Data, Schema, Type, Value};

use super::block::decode_block;
use super::checks::Checks;
use super::conditions::{Rule, Subject};
use super::scope::{InstanceScope, Repetition};
use super::values::{Expansion, InstanceId, Shape, Values};
use crate::addr::{InstanceKey, ModuleInstance, Resource};
use crate::config::body::Body;
use crate::config::{ModuleId, ModuleNode, Output, ResourceBlock, Tree, Variable};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::graph::Outcome;
use crate::lang::{self, Expr, FunctionSettings};
use crate::source::Span;

/// Evaluates a configuration, a visit at a time.
pub struct Expand<'e> {
    /// The configuration.
    pub tree: &'e Tree,
    /// The values of the root module's variables.
    pub root_variables: BTreeMap<Arc<str>, Value>,
    /// What functions need to know.
    pub settings: FunctionSettings,
    /// The workspace's name.
    pub workspace: String,
    /// Nothing is known of what is repeated: for `validate`, which looks at every block once.
    pub abstractly: bool,
    values: RefCell<Values>,
    checks: RefCell<Checks>,
    diagnostics: RefCell<Diagnostics>,
    module_paths: Vec<String>,
}

/// The instances of a resource: their keys, with the element of `for_each` each stands for.
pub type Instances = Vec<(InstanceKey, Repetition)>;

impl<'e> Expand<'e> {
    /// Nothing evaluated yet.
    pub fn new(
        tree: &'e Tree,
        root_variables: BTreeMap<Arc<str>, Value>,
        settings: FunctionSettings,
        workspace: &str,
    ) -> Expand<'e> {
        Expand {
            tree,
            root_variables,
            settings,
            workspace: workspace.to_owned(),
            abstractly: false,
            values: RefCell::new(Values::new(tree)),
            checks: RefCell::default(),
            diagnostics: RefCell::new(Diagnostics::new()),
            module_paths: tree.iter().map(|m| m.origin.display()).collect(),
        }
    }

    /// The values so far.
    pub fn values(&self) -> Ref<'_, Values> {
        self.values.borrow()
    }

    /// Where the user wrote the argument at a path of a block in a module instance.
    pub fn written_at(&self, instance: InstanceId, body: &Body, path: &mlinfra_sdk::Path) -> Span {
        let module = self.values().get(instance).module;
        super::place::written_at(self.tree, module, body, path)
    }

    /// The instances of a module so far.
    pub fn instances(&self, module: ModuleId) -> Vec<InstanceId> {
        self.values().instances(module).to_vec()
    }

    /// The values so far, to be changed.
    pub fn values_mut(&self) -> RefMut<'_, Values> {
        self.values.borrow_mut()
    }

    /// How conditions came out so far.
    pub fn checks(&self) -> Ref<'_, Checks> {
        self.checks.borrow()
    }

    /// The same, to be added to.
    pub fn checks_mut(&self) -> RefMut<'_, Checks> {
        self.checks.borrow_mut()
    }

    /// Takes a diagnostic.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Takes diagnostics.
    pub fn report_all(&self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.diagnostics.borrow_mut().extend(diagnostics);
    }

    /// What was reported so far, taken out.
    pub fn take_diagnostics(&self) -> Diagnostics {
        std::mem::take(&mut self.diagnostics.borrow_mut())
    }

    /// Calls `f` with the names inside an instance.
    pub fn with_scope<T>(
        &self,
        instance: InstanceId,
        repetition: &Repetition,
        this: Option<&Value>,
        f: impl FnOnce(&InstanceScope<'_>) -> T,
    ) -> T {
        let values = self.values.borrow();
        let module = values.get(instance).module;
        f(&InstanceScope {
            values: &values,
            instance,
            repetition,
            this,
            settings: &self.settings,
            module_path: &self.module_paths[module.0 as usize],
            workspace: &self.workspace,
        })
    }

    /// The value of an expression; `None` with what was wrong reported.
    pub fn evaluate(
        &self,
        instance: InstanceId,
        repetition: &Repetition,
        expr: &Expr,
    ) -> Option<Value> {
        let value = self.with_scope(instance, repetition, None, |scope| {
            lang::evaluate(expr, scope)
        });
        self.diagnostics.borrow_mut().keep(value)
    }

    /// The value of a body under a schema, with what was wrong.
    pub fn decode(
        &self,
        instance: InstanceId,
        repetition: &Repetition,
        body: &Body,
        schema: &Schema,
    ) -> (Value, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let value = self.with_scope(instance, repetition, None, |scope| {
            decode_block(body, schema, scope, &mut diagnostics)
        });
        (value, diagnostics)
    }

    /// Makes the instances of a module, in every instance of the module that calls it.
    pub fn visit_module(&self, module: ModuleId) -> Outcome {
        let node = self.tree.get(module);
        let (Some(parent), Some(call)) = (node.parent, self.tree.call(module)) else {
            return Outcome::Done;
        };
        let Some(name) = node.path.0.last() else {
            return Outcome::Done;
        };
        let mut outcome = Outcome::Done;
        let callers = self.instances(parent);
        for caller in callers {
            let expressions = (&call.count, &call.for_each, &call.enabled);
            let Some((shape, instances)) = self.repeat(caller, expressions) else {
                outcome = Outcome::Failed;
                continue;
            };
            let mut values = self.values_mut();
            let items: Vec<_> = instances
                .into_iter()
                .map(|(key, repetition)| {
                    let each = repetition.each.map(|(_, value)| value);
                    let id = values.add(module, Some(caller), name, key.clone(), each);
                    (key, id)
                })
                .collect();
            values
                .get_mut(caller)
                .calls
                .insert(Arc::clone(name), Expansion::new(shape, items));
        }
        outcome
    }

    /// The instances of a resource in a module instance; `None` when that is an error.
    pub fn expand_resource(
        &self,
        instance: InstanceId,
        block: &ResourceBlock,
    ) -> Option<(Shape, Instances)> {
        self.repeat(instance, (&block.count, &block.for_each, &block.enabled))
    }

    fn repeat(
        &self,
        instance: InstanceId,
        (count, for_each, enabled): (&Option<Expr>, &Option<Expr>, &Option<Expr>),
    ) -> Option<(Shape, Instances)> {
        let once = || vec![(InstanceKey::None, Repetition::default())];
        if let Some(expr) = enabled
            && !self.enabled(instance, expr)?
        {
            return Some((Shape::Absent, Vec::new()));
        }
        if let Some(expr) = count {
            if self.abstractly {
                self.evaluate(instance, &Repetition::default(), expr)?;
                let repetition = Repetition {
                    index: Some(0),
                    each: None,
                };
                return Some((Shape::Unknown, vec![(InstanceKey::Index(0), repetition)]));
            }
            let count = self.count(instance, expr)?;
            let instances = (0..count).map(|i| {
                let key = InstanceKey::Index(i);
                let repetition = Repetition::of(&key, None);
                (key, repetition)
            });
            return Some((Shape::Count, instances.collect()));
        }
        if let Some(expr) = for_each {
            if self.abstractly {
                self.evaluate(instance, &Repetition::default(), expr)?;
                let repetition = Repetition {
                    index: None,
                    each: Some((Value::unknown(Type::String), Value::UNKNOWN)),
                };
                return Some((Shape::Unknown, vec![(InstanceKey::None, repetition)]));
            }
            let elements = self.for_each(instance, expr)?;
            let instances = elements.into_iter().map(|(key, value)| {
                let key = InstanceKey::Key(key);
                let repetition = Repetition::of(&key, Some(&value));
                (key, repetition)
            });
            return Some((Shape::ForEach, instances.collect()));
        }
        Some((Shape::Single, once()))
    }

    fn enabled(&self, instance: InstanceId, expr: &Expr) -> Option<bool> {
        let value = self.evaluate(instance, &Repetition::default(), expr)?;
        let value = lang::convert(&value, &Type::Bool).ok();
        match value.as_ref().map(Value::data) {
            Some(Data::Bool(b)) => Some(*b),
            Some(Data::Unknown(..)) if self.abstractly => Some(true),
            _ => {
                self.report(
                    Diagnostic::error(
                        "Invalid enabled argument",
                        "The \"enabled\" argument must be true or false, known before apply.",
                    )
                    .at(expr.span)
                    .code("E0010"),
                );
                None
            }
        }
    }

    fn count(&self, instance: InstanceId, expr: &Expr) -> Option<usize> {
        let value = self.evaluate(instance, &Repetition::default(), expr)?;
        let (value, _) = value.unmark_deep();
        let wrong = |detail: &str| {
            self.report(
                Diagnostic::error("Invalid count argument", detail)
                    .at(expr.span)
                    .code("E0010"),
            );
            None
        };
        if value.is_null() {
            return wrong("The given \"count\" argument value is null. An integer is required.");
        }
        if !value.is_known() {
            return wrong(
                "The \"count\" value depends on resource attributes that cannot be determined until apply, so mlinfra cannot predict how many instances will be created. To work around this, use the -target argument to first apply only the resources that the count depends on.",
            );
        }
        let converted = lang::convert(&value, &Type::Number);
        let number = match converted.map(|v| v.as_number().cloned()) {
            Ok(Some(number)) => number,
            Ok(None) => {
                return wrong(
                    "The given \"count\" argument value is unsuitable: a number is required.",
                );
            }
            Err(e) => {
                self.report(
                    Diagnostic::error(
                        "Incorrect value type",
                        format!("Invalid expression value: {e}."),
                    )
                    .at(expr.span)
                    .code(codes::INVALID_REPETITION),
                );
                return None;
            }
        };
        match number.as_i64().map(usize::try_from) {
            Some(Ok(count)) => Some(count),
            Some(Err(_)) => wrong(
                "The given \"count\" argument value is unsuitable: must be greater than or equal to zero.",
            ),
            None if number.as_f64() < 0.0 => wrong(
                "The given \"count\" argument value is unsuitable: must be greater than or equal to zero.",
            ),
            None => {
                wrong("The given \"count\" argument value is unsuitable: whole number required.")
            }
        }
    }

    fn for_each(&self, instance: InstanceId, expr: &Expr) -> Option<Vec<(Arc<str>, Value)>> {
        let value = self.evaluate(instance, &Repetition::default(), expr)?;
        let wrong = |summary: &str, detail: String| {
            self.report(
                Diagnostic::error(summary, detail)
                    .at(expr.span)
                    .code("E0010"),
            );
            None
        };
        const SUMMARY: &str = "Invalid for_each argument";
        if value.marks().is_sensitive() {
            return wrong(SUMMARY, "Sensitive values, or values derived from sensitive values, cannot be used as for_each arguments. If used, the sensitive value could be exposed as a resource instance key.".into());
        }
        if value.is_null() {
            return wrong(SUMMARY, "The given \"for_each\" argument value is null. A map, or set of strings is allowed.".into());
        }
        let unknown = "will be known only after apply, so mlinfra cannot determine the full set of keys that will identify the instances of this resource. When working with unknown values in for_each, it's better to define the map keys statically in your configuration and place apply-time results only in the map values.";
        match value.data() {
            Data::Unknown(..) => wrong(
                SUMMARY,
                format!(
                    "The \"for_each\" value depends on resource attributes that cannot be determined until apply: it {unknown}"
                ),
            ),
            Data::Map(_, entries) | Data::Object(entries) => Some(
                entries
                    .iter()
                    .map(|(k, v)| (Arc::clone(k), v.clone()))
                    .collect(),
            ),
            Data::Set(ty, _) if !matches!(ty, Type::String | Type::Dynamic) => wrong(
                "Invalid for_each set argument",
                format!(
                    "The given \"for_each\" argument value is unsuitable: \"for_each\" supports maps and sets of strings, but you have provided a set containing type {}.",
                    ty.friendly()
                ),
            ),
            Data::Set(_, items) => {
                let mut elements = Vec::new();
                for item in items.iter() {
                    match item.data() {
                        Data::String(text) => elements.push((Arc::clone(text), item.clone())),
                        Data::Unknown(..) => {
                            return wrong(
                                SUMMARY,
                                format!(
                                    "The \"for_each\" set includes values derived from resource attributes that cannot be determined until apply: it {unknown}"
                                ),
                            );
                        }
                        _ => {
                            return wrong("Invalid for_each set argument", "The given \"for_each\" argument value is unsuitable: \"for_each\" sets must not contain null values.".into());
                        }
                    }
                }
                Some(elements)
            }
            _ => wrong(
                SUMMARY,
                format!(
                    "The given \"for_each\" argument value is unsuitable: the \"for_each\" argument must be a map, or set of strings, and you have provided a value of type {}.",
                    value.ty().friendly()
                ),
            ),
        }
    }

    /// The value of a variable in every instance of its module.
    pub fn visit_variable(&self, module: ModuleId, name: &Arc<str>) -> Outcome {
        let node = self.tree.get(module);
        let Some(variable) = node.declarations.variables.get(name) else {
            return Outcome::Failed;
        };
        if !variable.validations.is_empty() {
            let object = within(&node.path, "var", name);
            self.checks_mut().expanded("var", &object);
        }
        let mut outcome = Outcome::Done;
        for instance in self.instances(module) {
            let value = self.variable_value(instance, node, variable);
            let Some(value) = value else {
                outcome = Outcome::Failed;
                continue;
            };
            let value = if variable.sensitive {
                value.sensitive()
            } else {
                value
            };
            let value = if variable.ephemeral {
                value.with_marks(mlinfra_sdk::Marks::EPHEMERAL)
            } else {
                value
            };
            self.values_mut()
                .get_mut(instance)
                .variables
                .insert(Arc::clone(name), value);
            if !self.validate(instance, variable) {
                outcome = Outcome::Failed;
            }
        }
        outcome
    }

    fn variable_value(
        &self,
        instance: InstanceId,
        node: &ModuleNode,
        variable: &Variable,
    ) -> Option<Value> {
        if node.parent.is_none() {
            if let Some(value) = self.root_variables.get(&variable.name) {
                return Some(value.clone());
            }
            return self
                .abstractly
                .then(|| Value::unknown(variable.constraint.ty.clone()));
        }
        let call = self.tree.call(node.id)?;
        let Some(argument) = call.arguments.get(&variable.name) else {
            return variable.default.clone();
        };
        let (caller, repetition) = {
            let values = self.values();
            let record = values.get(instance);
            let repetition = if self.abstractly && call.for_each.is_some() {
                Repetition {
                    index: None,
                    each: Some((Value::unknown(Type::String), Value::UNKNOWN)),
                }
            } else {
                Repetition::of(&record.key, record.each.as_ref())
            };
            (record.parent?, repetition)
        };
        let value = self.evaluate(caller, &repetition, &argument.value)?;
        let wrong = |detail: String| {
            self.report(
                Diagnostic::error("Invalid value for input variable", detail)
                    .at(argument.value.span)
                    .code("E0009"),
            );
            None
        };
        if value.is_null() && !variable.nullable {
            return match &variable.default {
                Some(default) => Some(default.clone()),
                None => {
                    self.report(
                        Diagnostic::error(
                            "Required variable not set",
                            format!(
                                "The given value is not suitable for {}: required variable may not be set to null.",
                                self.declared(node, variable)
                            ),
                        )
                        .at(argument.value.span)
                        .code(codes::UNSUITABLE_VALUE),
                    );
                    None
                }
            };
        }
        match variable.constraint.apply(value) {
            Ok(value) => Some(value),
            Err(e) => wrong(format!(
                "The given value is not suitable for {}: {e}.",
                self.declared(node, variable)
            )),
        }
    }

    /// A variable with the module that declares it, for an error at the caller's line.
    fn declared(&self, node: &ModuleNode, variable: &Variable) -> String {
        match node.path.0.last() {
            Some(call) if call.contains('.') => {
                format!("the argument {:?} of {call}", variable.name)
            }
            _ => format!("{}.var.{}", node.path, variable.name),
        }
    }

    fn validate(&self, instance: InstanceId, variable: &Variable) -> bool {
        if variable.validations.is_empty() {
            return true;
        }
        let (module, address) = self.place_of(instance);
        // In a module, where the caller gives the value; its own default is nobody's line.
        let value_at = if address.is_root() {
            Some(variable.header)
        } else {
            self.argument_span(instance, variable)
        };
        let subject = Subject {
            kind: "var",
            object: within(&self.tree.get(module).path, "var", &variable.name),
            address: within(&address, "var", &variable.name),
            instance,
            repetition: &Repetition::default(),
            this: None,
            value_at,
            lenient: false,
        };
        self.test_all(&subject, Rule::Validation, &variable.validations)
    }

    fn place_of(&self, instance: InstanceId) -> (ModuleId, ModuleInstance) {
        let values = self.values();
        let record = values.get(instance);
        (record.module, record.address.clone())
    }

    fn argument_span(&self, instance: InstanceId, variable: &Variable) -> Option<Span> {
        let module = self.values().get(instance).module;
        let call = self.tree.call(module)?;
        Some(call.arguments.get(&variable.name)?.value.span)
    }

    /// The value of a local in every instance of its module.
    pub fn visit_local(&self, module: ModuleId, name: &Arc<str>) -> Outcome {
        let node = self.tree.get(module);
        let Some(local) = node.declarations.locals.get(name) else {
            return Outcome::Failed;
        };
        let mut outcome = Outcome::Done;
        for instance in self.instances(module) {
            match self.evaluate(instance, &Repetition::default(), &local.value) {
                Some(value) => {
                    self.values_mut()
                        .get_mut(instance)
                        .locals
                        .insert(Arc::clone(name), value);
                }
                None => outcome = Outcome::Failed,
            }
        }
        outcome
    }

    /// The value of an output in every instance of its module.
    pub fn visit_output(&self, module: ModuleId, name: &Arc<str>) -> Outcome {
        let node = self.tree.get(module);
        let Some(output) = node.declarations.outputs.get(name) else {
            return Outcome::Failed;
        };
        let Some(expr) = &output.value else {
            // Only the interface of a kind has none, and a module of the kind misses it.
            self.report(
                Diagnostic::error(
                    "Missing output",
                    format!(
                        "{} promises the output {name:?} and does not give it.",
                        node.origin.display()
                    ),
                )
                .at(output.header)
                .code("E0021"),
            );
            return Outcome::Failed;
        };
        if !output.preconditions.is_empty() {
            let object = within(&node.path, "output", name);
            self.checks_mut().expanded("output_value", &object);
        }
        let mut outcome = Outcome::Done;
        for instance in self.instances(module) {
            if !self.output_conditions(instance, output) {
                outcome = Outcome::Failed;
                continue;
            }
            match self.evaluate(instance, &Repetition::default(), expr) {
                Some(value) => {
                    let value = self.output_value(node, output, expr, value);
                    let Some(value) = value else {
                        outcome = Outcome::Failed;
                        continue;
                    };
                    self.values_mut().set_output(instance, name, value);
                }
                None => outcome = Outcome::Failed,
            }
        }
        outcome
    }

    fn output_conditions(&self, instance: InstanceId, output: &Output) -> bool {
        if output.preconditions.is_empty() {
            return true;
        }
        let (module, address) = self.place_of(instance);
        let subject = Subject {
            kind: "output_value",
            object: within(&self.tree.get(module).path, "output", &output.name),
            address: within(&address, "output", &output.name),
            instance,
            repetition: &Repetition::default(),
            this: None,
            value_at: None,
            lenient: false,
        };
        self.test_all(&subject, Rule::OutputPrecondition, &output.preconditions)
    }

    /// The value of an output, checked for marks that it may not show.
    fn output_value(
        &self,
        node: &ModuleNode,
        output: &Output,
        expr: &Expr,
        value: Value,
    ) -> Option<Value> {
        let marks = value.marks_deep();
        if marks.is_sensitive() && !output.sensitive && node.path.is_root() {
            self.report(
                Diagnostic::error(
                    "Output refers to sensitive values",
                    "To reduce the risk of accidentally exporting sensitive data that was intended to be only internal, mlinfra requires that any root module output containing sensitive data be explicitly marked as sensitive, to confirm your intent.\n\nIf you do intend to export this data, annotate the output value as sensitive by adding the following argument:\n    sensitive = true",
                )
                .at(output.header),
            );
            return None;
        }
        if marks.is_ephemeral() && !output.ephemeral {
            self.report(
                Diagnostic::error(
                    "Ephemeral value not allowed",
                    "This output value is not declared as returning an ephemeral value, so it cannot be set to a result derived from an ephemeral value.",
                )
                .at(expr.span),
            );
            return None;
        }
        if output.ephemeral && node.path.is_root() {
            self.report(
                Diagnostic::error(
                    "Ephemeral output not allowed",
                    "Ephemeral outputs are not allowed in context of a root module.",
                )
                .at(output.header),
            );
            return None;
        }
        // In a child module, as Terraform 1.9 to 1.12 have it, the declaration alone marks nothing.
        Some(if output.sensitive && node.path.is_root() {
            value.sensitive()
        } else {
            value
        })
    }

    /// Records what the instances of a resource are, for whatever refers to it.
    pub fn set_resource(
        &self,
        instance: InstanceId,
        resource: &Resource,
        shape: Shape,
        items: impl IntoIterator<Item = (InstanceKey, Value)>,
    ) {
        self.values_mut()
            .get_mut(instance)
            .resources
            .insert(resource.clone(), Expansion::new(shape, items));
    }
}

/// The address of something in a module: `module.m.var.x`.
pub(super) fn within(module: &impl std::fmt::Display, what: &str, name: &str) -> String {
    let module = module.to_string();
    if module.is_empty() {
        format!("{what}.{name}")
    } else {
        format!("{module}.{what}.{name}")
    }
}
