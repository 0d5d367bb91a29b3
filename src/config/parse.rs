//! Text -> attributes and blocks.

use super::body::{Attribute, Block, Body, Label};
use crate::diag::Diagnostics;
use crate::lang::syntax;
use crate::source::{SourceId, Sources, Span};

/// Parses a file and notes its blocks among the sources. What could be read is answered even when
/// something could not.
pub fn parse(source: SourceId, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Body {
    let (body, problems) = syntax::parse_file(source, sources);
    diagnostics.extend(problems);
    for block in &body.blocks {
        let mut header = block.kind.to_string();
        for label in &block.labels {
            header.push_str(&format!(" {:?}", label.text));
        }
        sources.note_block(block.span, header);
    }
    let end = Span {
        start: body.span.end,
        ..body.span
    };
    converted(body, end)
}

/// A missing argument is reported at the header of its block, where people look first.
fn converted(body: syntax::Body, end: Span) -> Body {
    let attributes = body.attributes.into_iter().map(|attribute| Attribute {
        name: attribute.name,
        name_span: attribute.name_span,
        value: attribute.value,
    });
    let blocks = body.blocks.into_iter().map(|block| Block {
        ty: block.kind,
        ty_span: block.kind_span,
        labels: block
            .labels
            .into_iter()
            .map(|label| Label {
                text: label.text,
                span: label.span,
            })
            .collect(),
        body: converted(block.body, block.header),
        header: block.header,
        span: block.span,
    });
    Body {
        attributes: attributes.collect(),
        blocks: blocks.collect(),
        end,
    }
}
