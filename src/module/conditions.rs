//! Tests conditions, records how they came out, and reports those that do not hold.

use mlinfra_sdk::{Type, Value};

use super::checks::CheckStatus;
use super::expand::{Expand, within};
use super::scope::Repetition;
use super::values::InstanceId;
use crate::addr::{ResourceInstance, ResourcePath};
use crate::config::{Condition, Lifecycle, ModuleId};
use crate::diag::{Diagnostic, Diagnostics, Severity, codes};
use crate::graph::Outcome;
use crate::lang;
use crate::source::Span;

/// What a condition is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Of a variable.
    Validation,
    /// Of a resource, before anything is done with it.
    ResourcePrecondition,
    /// Of a resource, after that.
    ResourcePostcondition,
    /// Of an output.
    OutputPrecondition,
    /// Of a check block.
    Assertion,
}

impl Rule {
    fn summary(self) -> &'static str {
        match self {
            Rule::Validation => "Invalid value for variable",
            Rule::ResourcePrecondition => "Resource precondition failed",
            Rule::ResourcePostcondition => "Resource postcondition failed",
            Rule::OutputPrecondition => "Module output value precondition failed",
            Rule::Assertion => "Check block assertion failed",
        }
    }
}

/// An object whose conditions are tested.
pub struct Subject<'s> {
    /// `resource`, `output_value`, `check` or `var`.
    pub kind: &'static str,
    /// Its address as written.
    pub object: String,
    /// Its own address.
    pub address: String,
    /// The module instance that it is in.
    pub instance: InstanceId,
    /// Which repetition it is.
    pub repetition: &'s Repetition,
    /// What `self` is.
    pub this: Option<&'s Value>,
    /// Where a failed validation is shown: at the value.
    pub value_at: Option<Span>,
    /// A condition that does not hold is only a warning.
    pub lenient: bool,
}

impl Expand<'_> {
    /// Tests the preconditions of a resource instance or, with the value that it has or will have,
    /// its postconditions. Answers whether it may go on.
    pub fn test_resource(
        &self,
        address: &ResourceInstance,
        instance: InstanceId,
        repetition: &Repetition,
        lifecycle: &Lifecycle,
        this: Option<&Value>,
    ) -> bool {
        let (rule, conditions) = match this {
            None => (Rule::ResourcePrecondition, &lifecycle.preconditions),
            Some(_) => (Rule::ResourcePostcondition, &lifecycle.postconditions),
        };
        if conditions.is_empty() {
            return true;
        }
        let subject = Subject {
            kind: "resource",
            object: address.path().to_string(),
            address: address.to_string(),
            instance,
            repetition,
            this,
            value_at: None,
            lenient: false,
        };
        self.test_all(&subject, rule, conditions)
    }

    /// Tests the assertions of a check block in every instance of its module.
    pub fn visit_check(&self, module: ModuleId, name: &str) -> Outcome {
        let node = self.tree.get(module);
        let Some(check) = node.declarations.checks.get(name) else {
            return Outcome::Done;
        };
        let object = within(&node.path, "check", name);
        self.checks_mut().expanded("check", &object);
        let mut outcome = Outcome::Done;
        for instance in self.instances(module) {
            let address = self.values().get(instance).address.clone();
            let subject = Subject {
                kind: "check",
                object: object.clone(),
                address: within(&address, "check", name),
                instance,
                repetition: &Repetition::default(),
                this: None,
                value_at: None,
                lenient: true,
            };
            if !self.test_all(&subject, Rule::Assertion, &check.assertions) {
                outcome = Outcome::Failed;
            }
        }
        outcome
    }

    /// Tests conditions, each whatever came of those before.
    pub(super) fn test_all(
        &self,
        subject: &Subject<'_>,
        rule: Rule,
        conditions: &[Condition],
    ) -> bool {
        let tests = conditions.iter();
        tests.fold(true, |holds, c| self.test(subject, rule, c) && holds)
    }

    /// Notes every object that has conditions, so that those are told of that were not tested.
    pub fn declare_checks(&self) {
        let mut checks = self.checks_mut();
        for module in self.tree.iter() {
            let declarations = &module.declarations;
            for variable in declarations
                .variables
                .values()
                .filter(|v| !v.validations.is_empty())
            {
                checks.declare("var", &within(&module.path, "var", &variable.name));
            }
            for output in declarations
                .outputs
                .values()
                .filter(|o| !o.preconditions.is_empty())
            {
                let object = within(&module.path, "output", &output.name);
                checks.declare("output_value", &object);
            }
            for check in declarations.checks.keys() {
                checks.declare("check", &within(&module.path, "check", check));
            }
            for resource in declarations
                .resources
                .values()
                .filter(|r| r.lifecycle.has_conditions())
            {
                let path = ResourcePath {
                    module: module.path.clone(),
                    resource: resource.address.clone(),
                };
                checks.declare("resource", &path.to_string());
            }
        }
    }

    /// Tests a condition. Answers whether it may go on: it holds, may hold, or need not.
    fn test(&self, subject: &Subject<'_>, rule: Rule, condition: &Condition) -> bool {
        let lenient = subject.lenient || rule == Rule::Assertion;
        let (status, problem) = match self.holds(subject, rule, condition) {
            Ok(Some(true)) => (CheckStatus::Pass, None),
            Ok(None) => {
                if rule == Rule::Assertion {
                    self.report(known_later(condition));
                }
                (CheckStatus::Unknown, None)
            }
            Ok(Some(false)) => {
                let (message, mut about) = self.message(subject, rule, condition);
                let failure = failed(subject, rule, condition, message.clone());
                let mut all = Diagnostics::from(failure);
                all.extend(std::mem::take(&mut about));
                self.report_all(all.into_iter().map(|d| soften(d, lenient)));
                (CheckStatus::Fail, message)
            }
            Err(diagnostics) => {
                self.report_all(diagnostics);
                (CheckStatus::Error, None)
            }
        };
        self.checks_mut().record(
            subject.kind,
            &subject.object,
            &subject.address,
            status,
            problem,
        );
        match status {
            CheckStatus::Fail => lenient,
            CheckStatus::Error => false,
            CheckStatus::Pass | CheckStatus::Unknown => true,
        }
    }

    fn holds(
        &self,
        subject: &Subject<'_>,
        rule: Rule,
        condition: &Condition,
    ) -> Result<Option<bool>, Diagnostics> {
        let evaluated = self.with_scope(
            subject.instance,
            subject.repetition,
            subject.this,
            |scope| lang::evaluate(&condition.condition, scope),
        )?;
        let (value, _) = evaluated.unmark_deep();
        let (summary, what) = match rule {
            Rule::Validation => ("Invalid variable validation result", "Validation condition"),
            _ => ("Invalid condition result", "Condition"),
        };
        let wrong = |detail: String| {
            let diagnostic = Diagnostic::error(summary, detail).at(condition.condition.span);
            Diagnostics::from(diagnostic.code(codes::TYPE_MISMATCH))
        };
        if value.is_null() {
            return Err(wrong(format!(
                "{what} expression must return either true or false, not null."
            )));
        }
        let value = lang::convert(&value, &Type::Bool)
            .map_err(|e| wrong(format!("Invalid condition result value: {e}.")))?;
        Ok(value.as_bool())
    }

    /// What to say of a condition that does not hold; `None` with what is wrong with the message.
    fn message(
        &self,
        subject: &Subject<'_>,
        rule: Rule,
        condition: &Condition,
    ) -> (Option<String>, Diagnostics) {
        let evaluated = self.with_scope(
            subject.instance,
            subject.repetition,
            subject.this,
            |scope| lang::evaluate(&condition.message, scope),
        );
        let message = match evaluated {
            Ok(message) => message,
            Err(diagnostic) => return (None, diagnostic.into()),
        };
        let marks = message.marks_deep();
        let hidden = if marks.is_sensitive() {
            Some("sensitive")
        } else if marks.is_ephemeral() {
            Some("ephemeral")
        } else {
            None
        };
        if let Some(hidden) = hidden {
            return (None, hidden_message(condition, rule, hidden));
        }
        let wrong = |why: &str| {
            let detail = format!("Unsuitable value for error message: {why}.");
            let diagnostic = Diagnostic::error("Invalid error message", detail);
            let diagnostic = diagnostic.at(condition.message.span);
            (None, diagnostic.code(codes::TYPE_MISMATCH).into())
        };
        if !message.is_known() {
            return wrong("expression refers to values that won't be known until the apply phase");
        }
        if message.is_null() && rule == Rule::Validation {
            return (None, Diagnostics::new());
        }
        if message.is_null() {
            return wrong("must not be null");
        }
        match lang::convert(&message, &Type::String) {
            Ok(text) => (
                text.as_str().map(|t| t.trim().to_owned()),
                Diagnostics::new(),
            ),
            Err(e) => wrong(&e.to_string()),
        }
    }
}

fn hidden_message(condition: &Condition, rule: Rule, what: &str) -> Diagnostics {
    // A validation says so in place of the message; there it is one error, not two.
    if rule == Rule::Validation {
        return Diagnostics::new();
    }
    Diagnostic::error(
        format!("Error message refers to {what} values"),
        format!(
            "The error expression used to explain this condition refers to {what} values, so mlinfra will not display the resulting message."
        ),
    )
    .at(condition.message.span)
    .code(codes::SENSITIVE_EXPOSED)
    .into()
}

fn failed(
    subject: &Subject<'_>,
    rule: Rule,
    condition: &Condition,
    message: Option<String>,
) -> Diagnostic {
    if rule == Rule::Validation {
        let message = message.unwrap_or_else(|| {
            "The value does not hold the condition. Its error message cannot be shown.".into()
        });
        let detail = format!(
            "{message}\n\nThis was checked by the validation rule at {}.",
            condition.place
        );
        return Diagnostic::error(rule.summary(), detail)
            .at(subject.value_at)
            .code(codes::VARIABLE_VALUE);
    }
    let message = message.unwrap_or_else(|| {
        "This check failed, but has an invalid error message as described in the other accompanying messages.".into()
    });
    let diagnostic = Diagnostic::error(rule.summary(), message)
        .at(condition.condition.span)
        .code(codes::CONDITION_FAILED);
    match rule {
        Rule::ResourcePrecondition | Rule::ResourcePostcondition => {
            diagnostic.about(&subject.address)
        }
        _ => diagnostic,
    }
}

fn known_later(condition: &Condition) -> Diagnostic {
    Diagnostic::warning(
        "Check block assertion known after apply",
        "The condition could not be evaluated at this time, a result will be known when this plan is applied.",
    )
    .at(condition.condition.span)
}

fn soften(mut diagnostic: Diagnostic, lenient: bool) -> Diagnostic {
    if lenient {
        diagnostic.severity = Severity::Warning;
    }
    diagnostic
}
