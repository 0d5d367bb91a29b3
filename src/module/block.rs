//! The body of a block as a value of a schema's type.

use std::sync::Arc;

use mlinfra_sdk::{Block as BlockSchema, Mode, Nesting, Path, Schema, Step, Type, Value};

use crate::config::body::{self, Block, Body};
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::{self, Scope, Traversal};
use crate::source::Span;

/// Evaluates a body under a schema. Every error is reported; the value has unknown parts where one
/// was.
pub fn decode_block(
    content: &Body,
    schema: &Schema,
    scope: &dyn Scope,
    diagnostics: &mut Diagnostics,
) -> Value {
    let mut decoder = Decoder { diagnostics };
    decoder.body(content, schema, scope, content.end)
}

/// The value of a block that is not written: everything null, or an error where something is
/// required.
pub fn missing_body(schema: &Schema, at: Span, diagnostics: &mut Diagnostics) -> Value {
    let empty = Body {
        attributes: Vec::new(),
        blocks: Vec::new(),
        end: at,
    };
    decode_block(&empty, schema, &lang::NoScope::default(), diagnostics)
}

/// Where the argument at a path is written: its value, or the header of the block.
pub fn path_span(content: &Body, path: &Path) -> Span {
    let mut span = content.end;
    let mut content = content;
    for step in &path.0 {
        let Step::Attribute(name) = step else {
            continue;
        };
        if let Some(attribute) = content.get(name) {
            return attribute.value.span;
        }
        let Some(block) = content.blocks_of(name).next() else {
            break;
        };
        span = block.header;
        content = &block.body;
    }
    span
}

struct Decoder<'d> {
    diagnostics: &'d mut Diagnostics,
}

impl Decoder<'_> {
    fn body(&mut self, content: &Body, schema: &Schema, scope: &dyn Scope, at: Span) -> Value {
        let known = || schema.attributes.keys().map(AsRef::as_ref);
        for attribute in &content.attributes {
            let settable = schema
                .attributes
                .get(&attribute.name)
                .map(mlinfra_sdk::Attribute::is_configurable);
            match settable {
                Some(true) => {}
                Some(false) => self.diagnostics.push(computed_only(attribute)),
                None => {
                    let d =
                        body::unsupported_argument(&attribute.name, attribute.name_span, known());
                    self.diagnostics.push(d);
                }
            }
        }
        let attributes: Vec<(Arc<str>, Value)> = schema
            .attributes
            .iter()
            .map(|(name, attribute)| {
                let value = self.attribute(content, name, attribute, scope, at);
                (Arc::clone(name), value)
            })
            .collect();
        let blocks = self.blocks(content, schema, scope);
        Value::object(attributes.into_iter().chain(blocks))
    }

    fn attribute(
        &mut self,
        content: &Body,
        name: &Arc<str>,
        schema: &mlinfra_sdk::Attribute,
        scope: &dyn Scope,
        at: Span,
    ) -> Value {
        let Some(written) = content.get(name).filter(|_| schema.is_configurable()) else {
            if schema.mode == Mode::Required {
                self.diagnostics.push(body::missing_argument(name, at));
                return Value::unknown(schema.ty.clone());
            }
            return Value::null(schema.ty.clone());
        };
        let value = lang::evaluate(&written.value, scope);
        let Some(value) = self.diagnostics.keep(value) else {
            return Value::unknown(schema.ty.clone());
        };
        match lang::convert(&value, &schema.ty) {
            Ok(value) if value.is_null() && schema.mode == Mode::Required => {
                self.diagnostics.push(
                    Diagnostic::error(
                        "Missing required argument",
                        format!("The argument {name:?} is required, but this value is null."),
                    )
                    .at(written.value.span)
                    .code("E0004"),
                );
                Value::unknown(schema.ty.clone())
            }
            Ok(value) => value,
            Err(e) => {
                self.diagnostics.push(
                    Diagnostic::error(
                        "Incorrect attribute value type",
                        format!("Inappropriate value for attribute {name:?}: {e}."),
                    )
                    .at(written.value.span)
                    .code("E0009"),
                );
                Value::unknown(schema.ty.clone())
            }
        }
    }

    fn blocks(
        &mut self,
        content: &Body,
        schema: &Schema,
        scope: &dyn Scope,
    ) -> Vec<(Arc<str>, Value)> {
        for block in &content.blocks {
            let ty = block.dynamic_type().unwrap_or(&block.ty);
            if !schema.blocks.contains_key(ty) {
                let blocks = schema.blocks.keys().map(AsRef::as_ref);
                let attributes = schema.attributes.keys().map(AsRef::as_ref);
                self.diagnostics
                    .push(body::unsupported_block(block, blocks, attributes));
            }
        }
        schema
            .blocks
            .iter()
            .map(|(name, block)| (Arc::clone(name), self.nested(content, name, block, scope)))
            .collect()
    }

    /// All blocks of one type as one value.
    fn nested(
        &mut self,
        content: &Body,
        name: &str,
        schema: &BlockSchema,
        scope: &dyn Scope,
    ) -> Value {
        let ty = schema.schema.ty();
        let mut found = Vec::new();
        let mut unknown = false;
        for block in &content.blocks {
            if block.ty.as_ref() == name {
                let label = block.labels.first().map(|l| Arc::clone(&l.text));
                let value = self.body(&block.body, &schema.schema, scope, block.header);
                found.push((label, value));
            } else if block.dynamic_type() == Some(name) {
                unknown |= !self.dynamic(block, schema, scope, &mut found);
            }
        }
        let count = found.len();
        if schema.most.is_some_and(|most| count > most) {
            self.diagnostics.push(
                Diagnostic::error(
                    format!("Too many {name} blocks"),
                    format!(
                        "No more than {} {name:?} blocks are allowed.",
                        schema.most.unwrap_or(1)
                    ),
                )
                .at(content.blocks_of(name).last().map(|b| b.header))
                .code("E0002"),
            );
        }
        if count < schema.least && !unknown {
            self.diagnostics.push(
                Diagnostic::error(
                    format!("Insufficient {name} blocks"),
                    format!("At least {} {name:?} blocks are required.", schema.least),
                )
                .at(content.end)
                .code("E0004"),
            );
        }
        let mut values = found.iter().map(|(_, value)| value.clone());
        match schema.nesting {
            Nesting::Single if unknown => Value::unknown(ty),
            Nesting::List if unknown => Value::unknown(Type::list(ty)),
            Nesting::Set if unknown => Value::unknown(Type::set(ty)),
            Nesting::Map if unknown => Value::unknown(Type::map(ty)),
            Nesting::Single => values.next_back().unwrap_or_else(|| Value::null(ty)),
            Nesting::List => Value::list(ty, values),
            Nesting::Set => Value::set(ty, values),
            Nesting::Map => Value::map(
                ty,
                found
                    .iter()
                    .filter_map(|(label, value)| Some((label.clone()?, value.clone()))),
            ),
        }
    }

    /// The blocks that a `dynamic` block makes; `false` when nobody knows yet how many.
    fn dynamic(
        &mut self,
        block: &Block,
        schema: &BlockSchema,
        scope: &dyn Scope,
        found: &mut Vec<(Option<Arc<str>>, Value)>,
    ) -> bool {
        let Some(for_each) = block.body.value("for_each") else {
            self.diagnostics
                .push(body::missing_argument("for_each", block.header));
            return true;
        };
        let Some(content) = block.body.blocks_of("content").next() else {
            self.diagnostics.push(
                Diagnostic::error(
                    "Missing \"content\" block",
                    "A dynamic block must have a content block.",
                )
                .at(block.header)
                .code("E0004"),
            );
            return true;
        };
        let Some(collection) = self.diagnostics.keep(lang::evaluate(for_each, scope)) else {
            return true;
        };
        if !collection.is_known() {
            return false;
        }
        let iterator = block.iterator().unwrap_or("each");
        let Some(items) = iteration(&collection) else {
            self.diagnostics.push(
                Diagnostic::error(
                    "Invalid dynamic for_each value",
                    "Cannot use this value in for_each: a list, set, map or object is required.",
                )
                .at(for_each.span)
                .code("E0010"),
            );
            return true;
        };
        for (key, value) in items {
            let inner = IteratorScope {
                outer: scope,
                name: iterator,
                key: &key,
                value: &value,
            };
            let decoded = self.body(&content.body, &schema.schema, &inner, content.header);
            found.push((key.as_str().map(Arc::from), decoded));
        }
        true
    }
}

fn computed_only(attribute: &body::Attribute) -> Diagnostic {
    Diagnostic::error(
        "Value for unconfigurable attribute",
        format!(
            "Can't configure a value for {:?}: its value will be decided automatically based on the result of applying this configuration.",
            attribute.name
        ),
    )
    .at(attribute.value.span)
    .code("E0003")
}

/// The keys and values of a collection.
fn iteration(collection: &Value) -> Option<Vec<(Value, Value)>> {
    if let Some(entries) = collection.entries() {
        let pairs = entries
            .iter()
            .map(|(k, v)| (Value::from(k.as_ref()), v.clone()));
        return Some(pairs.collect());
    }
    let set = matches!(collection.data(), mlinfra_sdk::Data::Set(..));
    let items = collection.elements()?.iter().enumerate();
    Some(
        items
            .map(|(i, v)| (if set { v.clone() } else { Value::from(i) }, v.clone()))
            .collect(),
    )
}

/// A scope with the iterator of a `dynamic` block.
struct IteratorScope<'s> {
    outer: &'s dyn Scope,
    name: &'s str,
    key: &'s Value,
    value: &'s Value,
}

impl Scope for IteratorScope<'_> {
    fn resolve(&self, traversal: &Traversal) -> Result<(Value, usize), Diagnostic> {
        if traversal.root.as_ref() != self.name {
            return self.outer.resolve(traversal);
        }
        let iterator = Value::object([("key", self.key.clone()), ("value", self.value.clone())]);
        Ok((iterator, 0))
    }

    fn settings(&self) -> &lang::FunctionSettings {
        self.outer.settings()
    }
}
