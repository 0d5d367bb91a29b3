//! Override files: `override.tf`, `x_override.hcl`. What they say takes the place of what the other
//! files of the directory say, argument by argument.

use std::sync::Arc;

use super::body::{Attribute, Block, Body};
use crate::diag::{Diagnostic, Diagnostics, codes};

/// Whether a file is one, by its name.
pub(super) fn is_override(name: &str) -> bool {
    let stem = name
        .strip_suffix(".tf")
        .or_else(|| name.strip_suffix(".hcl"));
    stem.is_some_and(|stem| stem == "override" || stem.ends_with("_override"))
}

/// Nested blocks that stay as the other files have them.
const KEPT: &[&str] = &["validation", "precondition", "postcondition"];
/// Nested blocks that are merged by themselves.
const MERGED: &[&str] = &["lifecycle"];

/// Merges an override file into the bodies of the other files.
pub(super) fn merge(bodies: &mut [Body], file: Body, d: &mut Diagnostics) {
    for attribute in &file.attributes {
        d.push(super::body::unsupported_argument(
            &attribute.name,
            attribute.name_span,
            std::iter::empty(),
        ));
    }
    for block in file.blocks {
        match block.ty.as_ref() {
            "locals" => locals(bodies, block, d),
            "terraform" | "mlinfra" => settings(bodies, block),
            "moved" | "import" | "removed" => d.push(
                Diagnostic::error(
                    format!("Cannot override '{}' blocks", block.ty),
                    format!(
                        "The {} blocks can appear only in normal files, not in override files.",
                        block.ty
                    ),
                )
                .at(block.header)
                .code(codes::UNSUPPORTED_BLOCK),
            ),
            _ => object(bodies, block, d),
        }
    }
}

/// A block that is told by its labels.
fn object(bodies: &mut [Body], mut block: Block, d: &mut Diagnostics) {
    if let Some(depends_on) = block.body.get("depends_on") {
        d.push(
            Diagnostic::error(
                "Unsupported override",
                "The depends_on argument may not be overridden.",
            )
            .at(depends_on.name_span)
            .code(codes::UNSUPPORTED_ARGUMENT),
        );
        block
            .body
            .attributes
            .retain(|a| a.name.as_ref() != "depends_on");
    }
    let blocks = bodies.iter_mut().flat_map(|body| &mut body.blocks);
    let mut same = blocks.filter(|base| is_same(base, &block));
    match same.next() {
        Some(base) => merge_body(&mut base.body, block.body),
        None => d.push(missing(&block)),
    }
}

fn is_same(a: &Block, b: &Block) -> bool {
    let labels = |block: &Block| -> Vec<Arc<str>> {
        block.labels.iter().map(|l| Arc::clone(&l.text)).collect()
    };
    // Of a provider, the alias tells which configuration is meant.
    let alias = |block: &Block| {
        let alias = block
            .body
            .value("alias")
            .filter(|_| block.ty.as_ref() == "provider");
        alias.map(|expr| expr.kind.clone())
    };
    a.ty == b.ty && labels(a) == labels(b) && alias(a) == alias(b)
}

fn missing(block: &Block) -> Diagnostic {
    let label = |i: usize| block.labels.get(i).map_or("", |l| l.text.as_ref());
    let (what, found) = match block.ty.as_ref() {
        "variable" => (
            "base variable declaration",
            format!("variable named {:?}", label(0)),
        ),
        "output" => (
            "base output definition",
            format!("output named {:?}", label(0)),
        ),
        "module" => ("module call", format!("module call named {:?}", label(0))),
        "provider" => (
            "base provider configuration",
            format!("provider {:?} block of that alias", label(0)),
        ),
        "resource" => (
            "resource",
            format!("{} resource named {:?}", label(0), label(1)),
        ),
        "data" => (
            "data resource",
            format!("{} data resource named {:?}", label(0), label(1)),
        ),
        ty => (ty, format!("{ty} named {:?}", label(0))),
    };
    Diagnostic::error(
        format!("Missing {what} to override"),
        format!("There is no {found}. An override file can only override what was already declared in a primary configuration file."),
    )
    .at(block.header)
    .code(codes::INVALID_REFERENCE)
}

fn locals(bodies: &mut [Body], block: Block, d: &mut Diagnostics) {
    for local in block.body.attributes {
        let blocks = bodies.iter_mut().flat_map(|body| &mut body.blocks);
        let mut attributes = blocks
            .filter(|b| b.ty.as_ref() == "locals")
            .flat_map(|b| &mut b.body.attributes);
        match attributes.find(|a| a.name == local.name) {
            Some(base) => base.value = local.value,
            None => d.push(
                Diagnostic::error(
                    "Missing base local value definition to override",
                    format!("There is no local value named {:?}. An override file can only override a local value that was already defined in a primary configuration file.", local.name),
                )
                .at(local.name_span)
                .code(codes::INVALID_REFERENCE),
            ),
        }
    }
}

/// Settings are added where there are none.
fn settings(bodies: &mut [Body], block: Block) {
    let blocks = bodies.iter_mut().flat_map(|body| &mut body.blocks);
    let mut same = blocks.filter(|base| base.ty == block.ty);
    if let Some(base) = same.next() {
        for nested in block.body.blocks {
            let known = base.body.blocks.iter_mut().find(|b| b.ty == nested.ty);
            match known.filter(|b| b.ty.as_ref() == "required_providers") {
                Some(known) => merge_body(&mut known.body, nested.body),
                None => {
                    base.body.blocks.retain(|b| b.ty != nested.ty);
                    base.body.blocks.push(nested);
                }
            }
        }
        replace(&mut base.body.attributes, block.body.attributes);
    } else if let Some(first) = bodies.first_mut() {
        first.blocks.push(block);
    }
}

fn merge_body(base: &mut Body, over: Body) {
    // An object is repeated in one way, and the later one counts.
    for (set, other) in [("count", "for_each"), ("for_each", "count")] {
        if over.get(set).is_some() {
            base.attributes.retain(|a| a.name.as_ref() != other);
        }
    }
    replace(&mut base.attributes, over.attributes);
    let mut replaced: Vec<Arc<str>> = Vec::new();
    for block in over.blocks {
        if KEPT.contains(&block.ty.as_ref()) {
            continue;
        }
        let ty: Arc<str> = block
            .dynamic_type()
            .map_or_else(|| Arc::clone(&block.ty), Arc::from);
        let known = base.blocks.iter_mut().find(|b| b.ty == ty);
        if let Some(known) = known.filter(|_| MERGED.contains(&ty.as_ref())) {
            merge_body(&mut known.body, block.body);
            continue;
        }
        if !replaced.contains(&ty) {
            base.blocks
                .retain(|b| b.ty != ty && b.dynamic_type() != Some(ty.as_ref()));
            replaced.push(ty);
        }
        base.blocks.push(block);
    }
}

fn replace(base: &mut Vec<Attribute>, over: Vec<Attribute>) {
    for attribute in over {
        match base.iter_mut().find(|a| a.name == attribute.name) {
            Some(known) => *known = attribute,
            None => base.push(attribute),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_an_override_by_its_name() {
        for name in ["override.tf", "override.hcl", "x_override.tf"] {
            assert!(is_override(name), "{name}");
        }
        for name in [
            "overrides.tf",
            "xoverride.tf",
            "override.txt",
            "override_x.tf",
        ] {
            assert!(!is_override(name), "{name}");
        }
    }
}
