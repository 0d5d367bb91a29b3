//! Text -> attributes and blocks.

use hcl_edit::Span as _;
use hcl_edit::structure as hcl;

use super::body::{Attribute, Block, Body, Label};
use super::syntax;
use crate::diag::Diagnostics;
use crate::lang;
use crate::source::{SourceId, Sources, Span};

/// Parses a file and notes its blocks among the sources. What could be read is answered even when
/// something could not.
pub fn parse(source: SourceId, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Body {
    let text = std::sync::Arc::clone(&sources.file(source).text);
    let end = Span::new(source, text.len()..text.len());
    let body = match hcl_edit::parser::parse_body(&text) {
        Ok(body) => Lowering {
            source,
            sources,
            diagnostics,
        }
        .body(&body, end),
        Err(error) => {
            diagnostics.push(syntax::explain(&error, source, sources));
            Body {
                attributes: Vec::new(),
                blocks: Vec::new(),
                end,
            }
        }
    };
    note_blocks(&body, sources);
    body
}

fn note_blocks(body: &Body, sources: &mut Sources) {
    for block in &body.blocks {
        let mut header = block.ty.to_string();
        for label in &block.labels {
            header.push_str(&format!(" {:?}", label.text));
        }
        sources.note_block(block.span, header);
    }
}

struct Lowering<'s> {
    source: SourceId,
    sources: &'s Sources,
    diagnostics: &'s mut Diagnostics,
}

impl Lowering<'_> {
    fn span(&self, range: Option<std::ops::Range<usize>>) -> Span {
        Span::new(self.source, range.unwrap_or_default())
    }

    fn body(&mut self, body: &hcl::Body, end: Span) -> Body {
        let mut attributes: Vec<Attribute> = Vec::new();
        let mut blocks = Vec::new();
        for structure in body {
            match structure {
                hcl::Structure::Attribute(attribute) => {
                    let Some(attribute) = self.attribute(attribute) else {
                        continue;
                    };
                    attributes.push(attribute);
                }
                hcl::Structure::Block(block) => blocks.push(self.block(block)),
            }
        }
        Body {
            attributes,
            blocks,
            end,
        }
    }

    fn attribute(&mut self, attribute: &hcl::Attribute) -> Option<Attribute> {
        let value = lang::parse::lower(&attribute.value, self.source, self.sources);
        Some(Attribute {
            name: attribute.key.as_str().into(),
            name_span: self.span(attribute.key.span()),
            value: self.diagnostics.keep(value)?,
        })
    }

    fn block(&mut self, block: &hcl::Block) -> Block {
        let span = self.span(block.span());
        let ty_span = self.span(block.ident.span());
        let labels: Vec<Label> = block
            .labels
            .iter()
            .map(|label| Label {
                text: label.as_str().into(),
                span: self.span(label.span()),
            })
            .collect();
        let header = labels.last().map_or(ty_span, |last| ty_span.to(last.span));
        // A missing argument is reported at the header, where people look first.
        Block {
            ty: block.ident.as_str().into(),
            ty_span,
            labels,
            body: self.body(&block.body, header),
            header,
            span,
        }
    }
}
