//! The text of a file as attributes and blocks, before anyone asks what they mean.

use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::{Expr, Traversal};
use crate::source::Span;

/// The inside of a file or of a block.
#[derive(Clone, Debug)]
pub struct Body {
    /// Attributes in the order they were written.
    pub attributes: Vec<Attribute>,
    /// Blocks in the order they were written.
    pub blocks: Vec<Block>,
    /// Where a missing attribute is reported: the closing brace's line, or the end of the file.
    pub end: Span,
}

/// `name = value`.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The name.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// The value.
    pub value: Expr,
}

/// `type "label" { … }`.
#[derive(Clone, Debug)]
pub struct Block {
    /// The type.
    pub ty: Arc<str>,
    /// Where the type stands.
    pub ty_span: Span,
    /// The labels.
    pub labels: Vec<Label>,
    /// The inside.
    pub body: Body,
    /// From the type to the last label.
    pub header: Span,
    /// From the type to the closing brace.
    pub span: Span,
}

/// A label of a block.
#[derive(Clone, Debug)]
pub struct Label {
    /// The text.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

impl Attribute {
    /// From the name to the end of the value.
    pub fn span(&self) -> Span {
        self.name_span.to(self.value.span)
    }
}

impl Block {
    /// The type of the blocks that a `dynamic` block makes.
    pub fn dynamic_type(&self) -> Option<&str> {
        let label = self.labels.first()?;
        (self.ty.as_ref() == "dynamic").then_some(label.text.as_ref())
    }

    /// The name under which the content of a `dynamic` block finds its element.
    pub fn iterator(&self) -> Option<&str> {
        let ty = self.dynamic_type()?;
        Some(
            self.body
                .value("iterator")
                .and_then(Expr::as_keyword)
                .unwrap_or(ty),
        )
    }
}

impl Body {
    /// The attribute called `name`.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.name.as_ref() == name)
    }

    /// The value of the attribute called `name`.
    pub fn value(&self, name: &str) -> Option<&Expr> {
        self.get(name).map(|a| &a.value)
    }

    /// The blocks of a type.
    pub fn blocks_of<'b>(&'b self, ty: &'b str) -> impl Iterator<Item = &'b Block> {
        self.blocks.iter().filter(move |b| b.ty.as_ref() == ty)
    }

    /// All references inside, at any depth; the iterators of `dynamic` blocks are none.
    pub fn references(&self) -> Vec<&Traversal> {
        let mut found = Vec::new();
        self.collect_references(&mut Vec::new(), &mut found);
        found
    }

    fn collect_references<'b>(
        &'b self,
        iterators: &mut Vec<&'b str>,
        found: &mut Vec<&'b Traversal>,
    ) {
        for attribute in &self.attributes {
            let references = attribute.value.references().into_iter();
            found.extend(references.filter(|t| !iterators.contains(&t.root.as_ref())));
        }
        for block in &self.blocks {
            let Some(iterator) = block.iterator() else {
                block.body.collect_references(iterators, found);
                continue;
            };
            if let Some(for_each) = block.body.value("for_each") {
                let references = for_each.references().into_iter();
                found.extend(references.filter(|t| !iterators.contains(&t.root.as_ref())));
            }
            iterators.push(iterator);
            for content in block.body.blocks_of("content") {
                content.body.collect_references(iterators, found);
            }
            iterators.pop();
        }
    }

    /// Calls `f` with every expression inside, at any depth.
    pub fn map_expressions(&mut self, f: &mut impl FnMut(&mut Expr)) {
        for attribute in &mut self.attributes {
            f(&mut attribute.value);
        }
        for block in &mut self.blocks {
            block.body.map_expressions(f);
        }
    }
}

/// What a block may hold.
pub struct Shape {
    /// Attributes that must be there.
    pub required: &'static [&'static str],
    /// Attributes that may be there.
    pub optional: &'static [&'static str],
    /// Blocks that may be there.
    pub blocks: &'static [&'static str],
}

impl Shape {
    /// Reports what is missing and what should not be there.
    pub fn check(&self, body: &Body, diagnostics: &mut Diagnostics) {
        let known = || self.required.iter().chain(self.optional).copied();
        for attribute in &body.attributes {
            if known().any(|name| name == attribute.name.as_ref()) {
                continue;
            }
            diagnostics.push(if self.blocks.contains(&attribute.name.as_ref()) {
                Diagnostic::error(
                    "Unsupported argument",
                    format!(
                        "An argument named {:?} is not expected here. Did you mean to define a block of type {:?}?",
                        attribute.name, attribute.name
                    ),
                )
                .at(attribute.name_span)
                .code("E0003")
            } else {
                unsupported_argument(&attribute.name, attribute.name_span, known())
            });
        }
        for block in &body.blocks {
            if !self.blocks.contains(&block.ty.as_ref()) {
                diagnostics.push(unsupported_block(
                    block,
                    self.blocks.iter().copied(),
                    known(),
                ));
            }
        }
        for name in self.required {
            if body.get(name).is_none() {
                diagnostics.push(missing_argument(name, body.end));
            }
        }
    }
}

/// "An argument named "x" is not expected here."
pub fn unsupported_argument<'a>(
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let mut detail = format!("An argument named {name:?} is not expected here.");
    if let Some(near) = crate::diag::nearest(name, known) {
        detail.push_str(&format!(" Did you mean {near:?}?"));
    }
    Diagnostic::error("Unsupported argument", detail)
        .at(span)
        .code("E0003")
}

/// "Blocks of type "x" are not expected here."
pub fn unsupported_block<'a>(
    block: &Block,
    blocks: impl Iterator<Item = &'a str>,
    mut attributes: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let mut detail = format!("Blocks of type {:?} are not expected here.", block.ty);
    if let Some(near) = crate::diag::nearest(&block.ty, blocks) {
        detail.push_str(&format!(" Did you mean {near:?}?"));
    } else if attributes.any(|name| name == block.ty.as_ref()) {
        detail.push_str(&format!(
            " Did you mean to define argument {:?}? If so, use the equals sign to assign it a value.",
            block.ty
        ));
    }
    Diagnostic::error("Unsupported block type", detail)
        .at(block.ty_span)
        .code("E0002")
}

/// "The argument "x" is required, but no definition was found."
pub fn missing_argument(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "Missing required argument",
        format!("The argument {name:?} is required, but no definition was found."),
    )
    .at(span)
    .code("E0004")
}
