//! Function calls.

use mlinfra_sdk::{Data, Type, Value};

use super::Evaluator;
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::convert::{ConvertError, convert};
use crate::lang::expr::{Call, Expr, ExprKind};
use crate::lang::functions::{self, CallError, Function};
use crate::lang::quote::quoted;
use crate::lang::suggest::nearest;
use crate::source::Span;

/// An argument: its value, and where it stands.
struct Argument {
    value: Value,
    span: Span,
}

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call, span: Span) -> Value {
        if !self.scope.allows_functions() {
            return self.fail(
                span,
                "Function calls not allowed",
                "Functions may not be called here.",
            );
        }
        let name = call.name.strip_prefix("core::").unwrap_or(&call.name);
        match name {
            "try" => return self.call_try(call, span),
            "can" => return self.call_can(call, span),
            _ => {}
        }
        let settings = self.scope.settings();
        let Some(function) = self.function(name) else {
            return self.unknown_function(call);
        };
        if self.scope.within_template() && functions::is_template_function(name) {
            let reason =
                format!("cannot recursively call {name} from inside another template function");
            return self.call_failed(call, function, &[], CallError::new(reason), span);
        }
        let before = self.diagnostics.0.len();
        let Some(arguments) = self.arguments(call) else {
            return Value::UNKNOWN;
        };
        if !self.counted(
            call,
            function.parameters.len(),
            function,
            arguments.len(),
            span,
        ) {
            return Value::UNKNOWN;
        }
        if name == "templatestring" && !self.names_a_template(call, function) {
            return Value::UNKNOWN;
        }
        let spans: Vec<Span> = arguments.iter().map(|a| a.span).collect();
        let Some(values) = self.converted(function, arguments) else {
            return Value::UNKNOWN;
        };
        if self.diagnostics.0.len() > before {
            // Whatever the function would say of arguments that failed is noise.
            return Value::UNKNOWN;
        }
        match function.call(values, settings) {
            Ok(value) => value,
            Err(error) => self.call_failed(call, function, &spans, error, span),
        }
    }

    fn function(&self, name: &str) -> Option<&'static Function> {
        if let Some(rest) = name.strip_prefix("provider::") {
            let (provider, name) = rest.split_once("::")?;
            let known = self.scope.names_builtin_provider(provider);
            return functions::find_in_builtin_provider(name).filter(|_| known);
        }
        functions::find(name).filter(|f| self.scope.settings().allows(f.name))
    }

    fn unknown_function(&mut self, call: &Call) -> Value {
        for argument in &call.arguments {
            self.check_references(argument);
        }
        let (summary, detail) = match call.name.split_once("::") {
            None => {
                let error = no_function(&call.name, self.bound.is_empty());
                self.diagnostics.push(error.at(call.name_span));
                return Value::UNKNOWN;
            }
            Some((namespace, rest)) => (
                "Unknown provider function",
                self.unknown_in_namespace(&call.name, namespace, rest),
            ),
        };
        self.fail(call.name_span, summary, detail)
    }

    fn unknown_in_namespace(&self, name: &str, namespace: &str, rest: &str) -> String {
        if namespace != "provider" {
            return format!(
                "The function namespace {} is not valid. Provider function calls must use the \
                 \"provider::\" namespace prefix.",
                quoted(namespace)
            );
        }
        let Some((provider, function)) = rest.split_once("::") else {
            return "The function call must include the provider name after the \"provider::\" \
                    prefix."
                .into();
        };
        if self.scope.names_builtin_provider(provider) && !function.contains("::") {
            return format!(
                "The function {} is not available from the provider {}.",
                quoted(function),
                quoted(provider)
            );
        }
        let function = function.rsplit("::").next().unwrap_or(function);
        format!(
            "There is no function named {}. Ensure that provider name {} is declared in this \
             module's required_providers block, and that this provider offers a function named {}.",
            quoted(name),
            quoted(provider),
            quoted(function)
        )
    }

    /// Whether the first argument is a reference to text from elsewhere; else an error is noted.
    fn names_a_template(&mut self, call: &Call, function: &Function) -> bool {
        let Some(expr) = call.arguments.first() else {
            return true;
        };
        if let Some(variables) = call.arguments.get(1) {
            let (variables, _) = self.apart(|e| e.eval(variables));
            if variables.is_null() || !variables.is_known() {
                // That is the first thing to be seen, by the call itself.
                return true;
            }
        }
        let literal = matches!(
            expr.kind,
            ExprKind::Template(_) | ExprKind::Interpolation(_) | ExprKind::TemplateJoin(_)
        ) || matches!(&expr.kind, ExprKind::Literal(v) if v.as_str().is_some());
        let reason = match &expr.kind {
            ExprKind::Traversal(_) => {
                let (value, errors) = self.apart(|e| e.eval(expr));
                let is_text = matches!(
                    value.data(),
                    Data::String(_) | Data::Unknown(Type::String | Type::Dynamic, _)
                );
                if is_text || errors.has_errors() {
                    return true;
                }
                "invalid template value: a string is required"
            }
            _ if literal => {
                "invalid template expression: templatestring is only for rendering templates \
                 retrieved dynamically from elsewhere, and so does not support providing a literal \
                 template; consider using a template string expression instead"
            }
            _ => {
                "invalid template expression: must be a direct reference to a single string from \
                 elsewhere, containing valid Terraform template syntax"
            }
        };
        let error = CallError::argument(0, reason);
        self.call_failed(call, function, &[expr.span], error, expr.span);
        false
    }

    /// The arguments; `None` when the last, which is to be expanded, cannot be.
    fn arguments(&mut self, call: &Call) -> Option<Vec<Argument>> {
        let (plain, expanded) = match call.arguments.split_last() {
            Some((last, rest)) if call.expand => (rest, Some(last)),
            _ => (call.arguments.as_slice(), None),
        };
        let mut arguments = Vec::with_capacity(plain.len());
        for expr in plain {
            arguments.push(Argument {
                value: self.eval(expr),
                span: expr.span,
            });
        }
        if let Some(expr) = expanded {
            self.expand(expr, &mut arguments)?;
        }
        Some(arguments)
    }

    fn expand(&mut self, expr: &Expr, arguments: &mut Vec<Argument>) -> Option<()> {
        const SUMMARY: &str = "Invalid expanding argument value";
        let before = self.diagnostics.0.len();
        let value = self.eval(expr);
        if self.diagnostics.0.len() > before {
            return None;
        }
        let marks = value.marks();
        match value.data() {
            Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => {
                arguments.extend(items.iter().map(|item| Argument {
                    value: item.clone().with_marks(marks),
                    span: expr.span,
                }));
                Some(())
            }
            Data::Null(Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                self.fail(
                    expr.span,
                    SUMMARY,
                    "The expanding argument (indicated by ...) must not be null.",
                );
                None
            }
            Data::Unknown(Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_), _) => None,
            _ => {
                self.fail(
                    expr.span,
                    SUMMARY,
                    "The expanding argument (indicated by ...) must be of a tuple, list, or set \
                     type.",
                );
                None
            }
        }
    }

    /// Whether there are as many arguments as there must be.
    fn counted(
        &mut self,
        call: &Call,
        due: usize,
        function: &Function,
        given: usize,
        span: Span,
    ) -> bool {
        if given < due {
            let at_least = if function.variadic.is_some() {
                " at least"
            } else {
                ""
            };
            let missing = function.parameter(given).map_or("", |p| p.name);
            let detail = format!(
                "Function {} expects{at_least} {due} argument(s). Missing value for {}.",
                quoted(&call.name),
                quoted(missing)
            );
            let last = Span {
                start: call.parentheses.end.saturating_sub(1),
                ..call.parentheses
            };
            self.diagnostics.push(
                Diagnostic::error("Not enough function arguments", detail)
                    .at(last)
                    .within(span),
            );
            return false;
        }
        if given > due && function.variadic.is_none() {
            let detail = format!(
                "Function {} expects only {due} argument(s).",
                quoted(&call.name)
            );
            let at = call.arguments.get(due).or(call.arguments.last());
            self.diagnostics.push(
                Diagnostic::error("Too many function arguments", detail)
                    .at(at.map(|a| a.span))
                    .within(span),
            );
            return false;
        }
        true
    }

    /// The values of the arguments, converted to what the parameters take.
    fn converted(&mut self, function: &Function, arguments: Vec<Argument>) -> Option<Vec<Value>> {
        let mut values = Vec::with_capacity(arguments.len());
        let mut failed = false;
        for (i, argument) in arguments.into_iter().enumerate() {
            let Some(parameter) = function.parameter(i) else {
                continue;
            };
            match convert(&argument.value, &parameter.kind.ty()) {
                Ok(value) => values.push(value),
                Err(ConvertError { message, .. }) => {
                    failed = true;
                    let detail = format!(
                        "Invalid value for {} parameter: {message}.",
                        quoted(parameter.name)
                    );
                    self.fail(argument.span, "Invalid function argument", detail);
                }
            }
        }
        (!failed).then_some(values)
    }

    fn call_failed(
        &mut self,
        call: &Call,
        function: &Function,
        spans: &[Span],
        error: CallError,
        span: Span,
    ) -> Value {
        let blamed = error
            .argument
            .and_then(|i| Some((function.parameter(i)?, spans.get(i)?)));
        let diagnostic = match blamed {
            Some((parameter, at)) => Diagnostic::error(
                "Invalid function argument",
                format!(
                    "Invalid value for {} parameter: {}.",
                    quoted(parameter.name),
                    error.message
                ),
            )
            .at(*at)
            .within(span),
            None => Diagnostic::error(
                "Error in function call",
                format!(
                    "Call to function {} failed: {}.",
                    quoted(&call.name),
                    error.message
                ),
            )
            .at(span),
        };
        self.diagnostics.push(diagnostic);
        Value::UNKNOWN
    }

    fn call_try(&mut self, call: &Call, span: Span) -> Value {
        if call.expand {
            // There is nothing left to be tried once the arguments are there.
            let arguments = self.arguments(call).unwrap_or_default();
            let first = arguments.into_iter().next();
            return first.map_or(Value::UNKNOWN, |argument| argument.value);
        }
        let mut errors = Diagnostics::new();
        for (i, expr) in call.arguments.iter().enumerate() {
            let (value, failed) = self.apart(|e| e.eval(expr));
            if failed.has_errors() {
                errors.extend(failed);
                continue;
            }
            for other in call.arguments.iter().skip(i + 1) {
                self.check_references(other);
            }
            // What is unknown now may fail later, and then another argument would be chosen.
            return if value.is_wholly_known() {
                value
            } else {
                Value::UNKNOWN.with_marks(value.marks_deep())
            };
        }
        let reason = if call.arguments.is_empty() {
            "at least one argument is required".to_owned()
        } else {
            let mut text = "no expression succeeded:\n".to_owned();
            for error in &errors {
                let place = error.subject.and_then(|span| self.scope.place(span));
                let place = place.map(|p| format!(" (at {p})")).unwrap_or_default();
                text.push_str(&format!("- {}{place}\n  {}\n", error.summary, error.detail));
            }
            text.push_str("\nAt least one expression must produce a successful result");
            text
        };
        let detail = format!("Call to function {} failed: {reason}.", quoted(&call.name));
        self.fail(span, "Error in function call", detail)
    }

    fn call_can(&mut self, call: &Call, span: Span) -> Value {
        let Some(function) = functions::find("can") else {
            return Value::UNKNOWN;
        };
        if !self.counted(call, 1, function, call.arguments.len(), span) {
            return Value::UNKNOWN;
        }
        let Some(expr) = call.arguments.first() else {
            return Value::UNKNOWN;
        };
        if call.expand && self.arguments(call).is_none() {
            return Value::UNKNOWN;
        }
        let (value, failed) = self.apart(|e| e.eval(expr));
        if failed.has_errors() {
            Value::from(false)
        } else if value.is_wholly_known() {
            Value::from(true)
        } else {
            Value::unknown(Type::Bool)
        }
    }
}

/// The error of a name that is no function's; in its detail or beside it the one that may have
/// been meant.
fn no_function(name: &str, told: bool) -> Diagnostic {
    let detail = format!("There is no function named {}.", quoted(name));
    let hint = nearest(name, functions::names()).map(|n| format!("Did you mean {}?", quoted(n)));
    const SUMMARY: &str = "Call to unknown function";
    match hint {
        Some(hint) if told => Diagnostic::error(SUMMARY, format!("{detail} {hint}")),
        Some(hint) => Diagnostic::error(SUMMARY, detail).hint(hint),
        None => Diagnostic::error(SUMMARY, detail),
    }
}
