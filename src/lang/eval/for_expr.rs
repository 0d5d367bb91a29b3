//! `for` expressions.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use mlinfra_sdk::{Data, Marks, Type, Value};

use super::Evaluator;
use crate::lang::convert::convert;
use crate::lang::expr::{Expr, For};
use crate::lang::names::type_name;

/// What the `if` clause says of an element.
enum Filter {
    Keep,
    Skip,
    Unclear,
}

/// What has come out so far.
#[derive(Default)]
struct Progress {
    marks: Marks,
    /// Whether some part of the result is not known, so that none is.
    unclear: bool,
}

impl Evaluator<'_> {
    pub(super) fn for_expr(&mut self, f: &For) -> Value {
        let collection = self.eval(&f.collection);
        let marks = collection.marks();
        if collection.is_null() {
            self.check_body(f);
            return self.fail(
                f.collection.span,
                "Iteration over null value",
                "A null value cannot be used as the collection in a 'for' expression.",
            );
        }
        let pairs: Vec<(Value, Value)> = match collection.data() {
            Data::List(_, items) | Data::Tuple(items) => {
                let index = (0..).map(|i: i64| Value::from(i));
                index.zip(items.iter().cloned()).collect()
            }
            Data::Set(_, items) => items.iter().map(|v| (v.clone(), v.clone())).collect(),
            Data::Map(_, entries) | Data::Object(entries) => {
                let key = |k: &Arc<str>| Value::from(Data::String(Arc::clone(k)));
                entries.iter().map(|(k, v)| (key(k), v.clone())).collect()
            }
            Data::Unknown(ty, _) if !ty.is_primitive() => {
                self.check_body(f);
                return Value::UNKNOWN.with_marks(marks);
            }
            _ => {
                self.check_body(f);
                let detail = format!(
                    "A value of type {} cannot be used as the collection in a 'for' expression.",
                    type_name(&collection.ty())
                );
                return self.fail(
                    f.collection.span,
                    "Iteration over non-iterable value",
                    detail,
                );
            }
        };
        if pairs.is_empty() {
            self.check_body(f);
        }
        let outside = self.bound.len();
        let mut progress = Progress {
            marks,
            unclear: false,
        };
        let value = match &f.key {
            Some(key) => self.for_object(f, key, pairs, &mut progress),
            None => self.for_tuple(f, pairs, &mut progress),
        };
        self.bound.truncate(outside);
        if progress.unclear {
            Value::UNKNOWN.with_marks(progress.marks)
        } else {
            value.with_marks(progress.marks)
        }
    }

    /// Notes what is wrong with the body even when there is nothing to go through.
    fn check_body(&mut self, f: &For) {
        let outside = self.bound.len();
        self.bind(f, Value::UNKNOWN, Value::UNKNOWN);
        for part in f.key.iter().chain([&f.value]) {
            self.check_references(part);
        }
        if let Some(condition) = &f.condition {
            let value = self.eval(condition);
            self.filter(condition, value);
        }
        self.bound.truncate(outside);
    }

    fn bind(&mut self, f: &For, key: Value, value: Value) {
        if let Some(name) = &f.key_name {
            self.bound.push((Arc::clone(name), key));
        }
        self.bound.push((Arc::clone(&f.value_name), value));
    }

    fn for_tuple(&mut self, f: &For, pairs: Vec<(Value, Value)>, progress: &mut Progress) -> Value {
        let outside = self.bound.len();
        let mut items = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            self.bound.truncate(outside);
            self.bind(f, key, value);
            if self.kept(f, progress) {
                items.push(self.eval(&f.value));
            }
        }
        Value::tuple(items)
    }

    fn for_object(
        &mut self,
        f: &For,
        key_expr: &Expr,
        pairs: Vec<(Value, Value)>,
        progress: &mut Progress,
    ) -> Value {
        let outside = self.bound.len();
        let mut items: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        for (key, value) in pairs {
            self.bound.truncate(outside);
            self.bind(f, key, value);
            if !self.kept(f, progress) {
                continue;
            }
            let Some(key) = self.for_key(key_expr, progress) else {
                progress.unclear = true;
                continue;
            };
            let value = self.eval(&f.value);
            match items.entry(key) {
                Entry::Occupied(entry) if !f.group => {
                    let detail = format!(
                        "Two different items produced the key {:?} in this 'for' expression. If \
                         duplicates are expected, use the ellipsis (...) after the value \
                         expression to enable grouping by key.",
                        entry.key()
                    );
                    self.fail(key_expr.span, "Duplicate object key", detail);
                }
                entry => entry.or_default().push(value),
            }
        }
        if f.group {
            return Value::object(items.into_iter().map(|(k, group)| (k, Value::tuple(group))));
        }
        let single = items
            .into_iter()
            .filter_map(|(k, mut v)| Some((k, v.pop()?)));
        Value::object(single.collect::<Vec<_>>())
    }

    /// The key of the result; `None` when it is not known or not valid.
    fn for_key(&mut self, expr: &Expr, progress: &mut Progress) -> Option<Arc<str>> {
        const SUMMARY: &str = "Invalid object key";
        let key = self.eval(expr);
        if key.is_null() {
            self.fail(
                expr.span,
                SUMMARY,
                "Key expression in 'for' expression must not produce a null value.",
            );
            return None;
        }
        match convert(&key, &Type::String) {
            Ok(key) => {
                progress.marks |= key.marks();
                match key.into_data() {
                    Data::String(text) => Some(text),
                    _ => None,
                }
            }
            Err(error) => {
                let detail = format!("The key expression produced an invalid result: {error}.");
                self.fail(expr.span, SUMMARY, detail);
                None
            }
        }
    }

    fn kept(&mut self, f: &For, progress: &mut Progress) -> bool {
        let Some(condition) = &f.condition else {
            return true;
        };
        let value = self.eval(condition);
        progress.marks |= value.marks();
        match self.filter(condition, value) {
            Filter::Keep => true,
            Filter::Skip => false,
            Filter::Unclear => {
                progress.unclear = true;
                false
            }
        }
    }

    fn filter(&mut self, condition: &Expr, value: Value) -> Filter {
        if value.is_null() {
            self.fail(
                condition.span,
                "Condition is null",
                "The value of the 'if' clause must not be null.",
            );
            return Filter::Unclear;
        }
        match convert(&value, &Type::Bool) {
            Ok(value) => match value.as_bool() {
                Some(true) => Filter::Keep,
                Some(false) => Filter::Skip,
                None => Filter::Unclear,
            },
            Err(error) => {
                let detail = format!("The 'if' clause value is invalid: {error}.");
                self.fail(condition.span, "Invalid 'for' condition", detail);
                Filter::Unclear
            }
        }
    }
}
