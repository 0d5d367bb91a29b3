//! Blocks of the vocabulary -> module calls, and references to them -> references to modules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mlinfra_sdk::{Type, Value};

use super::Library;
use crate::config::body::{Attribute, Block, Body};
use crate::config::{Declarations, ModuleCall, Vocabulary as _};
use crate::diag::{Diagnostic, Diagnostics, nearest};
use crate::lang::{Expr, ExprKind, Traversal, TraversalStep};
use crate::source::Span;

/// The kind whose blocks choose the modules of all others.
const TARGET: &str = "target";

/// Arguments that every kind takes and no interface declares.
const META: &[&str] = &["count", "for_each", "enabled", "depends_on", TARGET];

pub(super) fn lower(
    library: &Library,
    declarations: &mut Declarations,
    interface: &dyn Fn(&str) -> Option<Arc<Declarations>>,
    diagnostics: &mut Diagnostics,
) {
    let blocks = std::mem::take(&mut declarations.kinds);
    let mut lowering = Lowering {
        library,
        targets: Targets::find(&blocks, diagnostics),
        names: names(&blocks),
        diagnostics,
    };
    for block in blocks {
        let Some(interface) = interface(&block.ty) else {
            continue;
        };
        let Some(call) = lowering.call(&block, &interface) else {
            continue;
        };
        if let Some(first) = declarations.calls.get(&call.name) {
            let d = duplicate(&block, first);
            lowering.diagnostics.push(d);
            continue;
        }
        declarations.calls.insert(Arc::clone(&call.name), call);
    }
    lowering.rewrite(declarations);
}

/// The blocks of each kind by name.
type Names = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

fn names(blocks: &[Block]) -> Names {
    let mut names = Names::new();
    for block in blocks {
        if let [label] = block.labels.as_slice() {
            names
                .entry(Arc::clone(&block.ty))
                .or_default()
                .insert(Arc::clone(&label.text));
        }
    }
    names
}

fn duplicate(block: &Block, first: &ModuleCall) -> Diagnostic {
    Diagnostic::error(
        format!("Duplicate {}", block.ty),
        format!(
            "{} was already declared. Names must be unique within a kind.",
            first.name
        ),
    )
    .at(block.header)
    .code("E0008")
}

/// The targets of a module.
struct Targets {
    all: Vec<Arc<str>>,
    default: Option<Arc<str>>,
}

impl Targets {
    fn find(blocks: &[Block], diagnostics: &mut Diagnostics) -> Targets {
        let mut all = Vec::new();
        let mut marked: Vec<(Arc<str>, Span)> = Vec::new();
        for block in blocks.iter().filter(|b| b.ty.as_ref() == TARGET) {
            let [label] = block.labels.as_slice() else {
                continue;
            };
            all.push(Arc::clone(&label.text));
            let default = block.body.value("default");
            if default.is_some_and(
                |e| matches!(&e.kind, ExprKind::Literal(v) if v.as_bool() == Some(true)),
            ) {
                marked.push((Arc::clone(&label.text), block.header));
            }
        }
        if let Some((_, second)) = marked.get(1) {
            diagnostics.push(
                Diagnostic::error(
                    "More than one default target",
                    "Only one target can be the default. Remove default = true from the others.",
                )
                .at(*second)
                .code("E0020"),
            );
        }
        let default = match (marked.first(), all.as_slice()) {
            (Some((name, _)), _) => Some(Arc::clone(name)),
            (None, [only]) => Some(Arc::clone(only)),
            _ => None,
        };
        Targets { all, default }
    }
}

struct Lowering<'l> {
    library: &'l Library,
    targets: Targets,
    names: Names,
    diagnostics: &'l mut Diagnostics,
}

impl Lowering<'_> {
    fn call(&mut self, block: &Block, interface: &Declarations) -> Option<ModuleCall> {
        let name = self.label(block)?;
        let is_target = block.ty.as_ref() == TARGET;
        let target = if is_target {
            Arc::clone(&name)
        } else {
            self.target(block)?
        };
        self.known_on(block, &target, is_target)?;
        let mut call = ModuleCall {
            name: format!("{}.{name}", block.ty).into(),
            source: format!("{}{}/{target}", ModuleCall::VOCABULARY, block.ty),
            source_span: block.header,
            arguments: BTreeMap::new(),
            count: block.body.value("count").cloned(),
            for_each: block.body.value("for_each").cloned(),
            enabled: block.body.value("enabled").cloned(),
            depends_on: match block.body.value("depends_on").map(|e| &e.kind) {
                Some(ExprKind::Tuple(items)) => items.to_vec(),
                _ => Vec::new(),
            },
            providers: Vec::new(),
            header: block.header,
        };
        self.arguments(block, interface, &mut call, is_target);
        self.given(block, interface, &mut call, &name, &target);
        Some(call)
    }

    /// The name of a block, its only label.
    fn label(&mut self, block: &Block) -> Option<Arc<str>> {
        match block.labels.as_slice() {
            [label] => Some(Arc::clone(&label.text)),
            [] => {
                self.diagnostics.push(
                    Diagnostic::error(
                        format!("Missing name for {}", block.ty),
                        format!(
                            "A {} block has one label, its name: {} \"name\" {{ … }}.",
                            block.ty, block.ty
                        ),
                    )
                    .at(block.ty_span)
                    .code("E0006"),
                );
                None
            }
            [_, extra, ..] => {
                self.diagnostics.push(
                    Diagnostic::error(
                        format!("Extraneous label for {}", block.ty),
                        format!("A {} block has one label, its name.", block.ty),
                    )
                    .at(extra.span)
                    .code("E0006"),
                );
                None
            }
        }
    }

    /// The target that a block names, or the default.
    fn target(&mut self, block: &Block) -> Option<Arc<str>> {
        let Some(expr) = block.body.value(TARGET) else {
            return self.default_target(block);
        };
        if let ExprKind::Traversal(t) = &expr.kind
            && t.root.as_ref() == TARGET
            && let [TraversalStep::Attribute(name, _)] = t.steps.as_slice()
        {
            if self.targets.all.contains(name) {
                return Some(Arc::clone(name));
            }
            let near = nearest(name, self.targets.all.iter().map(AsRef::as_ref));
            let mut diagnostic = Diagnostic::error(
                "Reference to undeclared target",
                format!("There is no target {name:?} in this configuration."),
            )
            .at(expr.span)
            .code("E0020");
            if let Some(near) = near {
                diagnostic = diagnostic.hint(format!("Did you mean target.{near}?"));
            }
            self.diagnostics.push(diagnostic);
            return None;
        }
        self.diagnostics.push(
            Diagnostic::error(
                "Invalid target",
                "A target is named by reference: target = target.local.",
            )
            .at(expr.span)
            .code("E0020"),
        );
        None
    }

    fn default_target(&mut self, block: &Block) -> Option<Arc<str>> {
        if let Some(default) = &self.targets.default {
            return Some(Arc::clone(default));
        }
        let known: Vec<&str> = self.library.targets(&block.ty).collect();
        let detail = if self.targets.all.is_empty() {
            format!(
                "A {} needs a target to run on, and this module declares none. Add a block such as target \"{}\" {{}}.",
                block.ty,
                known.first().unwrap_or(&"local")
            )
        } else {
            "There are several targets and none is marked default = true. Mark one, or name one here: target = target.local.".to_owned()
        };
        self.diagnostics.push(
            Diagnostic::error("No target", detail)
                .at(block.header)
                .code("E0020"),
        );
        None
    }

    /// Reports a kind that does not exist on a target.
    fn known_on(&mut self, block: &Block, target: &str, is_target: bool) -> Option<()> {
        let known: Vec<&str> = self.library.targets(&block.ty).collect();
        if known.contains(&target) {
            return Some(());
        }
        let list = known.join(", ");
        let mut diagnostic = if is_target {
            Diagnostic::error(
                "Unknown target",
                format!("There is no target {target:?}. Known are: {list}."),
            )
        } else {
            Diagnostic::error(
                format!("No {} on target {target}", block.ty),
                format!("The kind {} can be used on: {list}.", block.ty),
            )
        }
        .at(block.labels.first().map_or(block.header, |l| l.span))
        .code("E0020");
        if let Some(near) = nearest(target, known.iter().copied()) {
            diagnostic = diagnostic.hint(format!("Did you mean {near:?}?"));
        }
        self.diagnostics.push(diagnostic);
        None
    }

    /// The block's arguments and nested blocks as the module's arguments.
    fn arguments(
        &mut self,
        block: &Block,
        interface: &Declarations,
        call: &mut ModuleCall,
        is_target: bool,
    ) {
        for attribute in &block.body.attributes {
            let meta = META.contains(&attribute.name.as_ref());
            if meta || (is_target && attribute.name.as_ref() == "default") {
                continue;
            }
            if let Some(variable) = interface.variables.get(&attribute.name) {
                let ty = &variable.constraint.ty;
                known_attributes(&attribute.value, ty, self.diagnostics);
            }
            call.arguments
                .insert(Arc::clone(&attribute.name), attribute.clone());
        }
        let mut nested: BTreeMap<&Arc<str>, Vec<&Block>> = BTreeMap::new();
        for inner in &block.body.blocks {
            nested.entry(&inner.ty).or_default().push(inner);
        }
        for (name, blocks) in nested {
            let Some(variable) = interface.variables.get(name) else {
                let known = interface.variables.keys().map(AsRef::as_ref);
                let d =
                    crate::config::body::unsupported_block(blocks[0], known, std::iter::empty());
                self.diagnostics.push(d);
                continue;
            };
            let value = nested_value(&blocks, &variable.constraint.ty);
            let attribute = Attribute {
                name: Arc::clone(name),
                name_span: blocks[0].ty_span,
                value,
            };
            call.arguments.insert(Arc::clone(name), attribute);
        }
    }

    /// The arguments that every module of the vocabulary may ask for: its name and its target.
    fn given(
        &self,
        block: &Block,
        interface: &Declarations,
        call: &mut ModuleCall,
        name: &Arc<str>,
        target: &Arc<str>,
    ) {
        let span = block.header;
        let mut give = |key: &str, value: Expr| {
            let key: Arc<str> = key.into();
            if interface.variables.contains_key(&key) && !call.arguments.contains_key(&key) {
                let attribute = Attribute {
                    name: Arc::clone(&key),
                    name_span: span,
                    value,
                };
                call.arguments.insert(key, attribute);
            }
        };
        give("name", instance_name(block, name));
        if block.ty.as_ref() != TARGET {
            let traversal = Traversal {
                root: TARGET.into(),
                root_span: span,
                steps: vec![TraversalStep::Attribute(Arc::clone(target), span)],
                span,
            };
            give(TARGET, Expr::traversal(traversal));
        }
    }

    /// Turns `serving.api.url` into a reference to the module `serving.api`.
    fn rewrite(&mut self, declarations: &mut Declarations) {
        let mut unknown = Vec::new();
        let (library, names) = (self.library, &self.names);
        let mut map = |traversal: &mut Traversal| {
            let kind = Arc::clone(&traversal.root);
            if !library.is_kind(&kind) {
                return;
            }
            match traversal.steps.first() {
                Some(TraversalStep::Attribute(name, span))
                    if names.get(&kind).is_some_and(|n| n.contains(name)) =>
                {
                    let call = format!("{kind}.{name}").into();
                    traversal.steps[0] = TraversalStep::Attribute(call, *span);
                    traversal.root = "module".into();
                }
                Some(TraversalStep::Attribute(name, _)) => {
                    unknown.push(undeclared(&kind, name, traversal.span, names));
                }
                _ => unknown.push(
                    Diagnostic::error(
                        "Invalid reference",
                        format!(
                            "The name of a kind must be followed by that of a block: {kind}.name."
                        ),
                    )
                    .at(traversal.span)
                    .code("E0012"),
                ),
            }
        };
        declarations.map_expressions(&mut |expr| expr.map_traversals(&mut map));
        self.diagnostics.extend(unknown);
    }
}

/// The name that a module is given: the block's, and with its key when there are several.
fn instance_name(block: &Block, name: &str) -> Expr {
    let span = block.header;
    let literal = |text: &str| Expr::literal(Value::from(text), span);
    let (root, step) = if block.body.get("for_each").is_some() {
        ("each", "key")
    } else if block.body.get("count").is_some() {
        ("count", "index")
    } else {
        return literal(name);
    };
    let key = Expr::traversal(Traversal {
        root: root.into(),
        root_span: span,
        steps: vec![TraversalStep::Attribute(step.into(), span)],
        span,
    });
    Expr::call("format", vec![literal("%s-%s"), literal(name), key], span)
}

/// Reports attributes of a written object that its type does not have: converting it would drop
/// them without a word.
fn known_attributes(expr: &Expr, ty: &Type, diagnostics: &mut Diagnostics) {
    match (&expr.kind, ty) {
        (ExprKind::Object(items), Type::Object(object)) => {
            for item in items.iter() {
                let Some(name) = item.key.as_literal().and_then(Value::as_str) else {
                    continue;
                };
                match object.attributes.get(name) {
                    Some(ty) => known_attributes(&item.value, ty, diagnostics),
                    None => {
                        let known = object.attributes.keys().map(AsRef::as_ref);
                        diagnostics.push(crate::config::body::unsupported_argument(
                            name,
                            item.key.span,
                            known,
                        ));
                    }
                }
            }
        }
        (ExprKind::Object(items), Type::Map(ty)) => {
            for item in items.iter() {
                known_attributes(&item.value, ty, diagnostics);
            }
        }
        (ExprKind::Tuple(items), Type::List(ty) | Type::Set(ty)) => {
            for item in items.iter() {
                known_attributes(item, ty, diagnostics);
            }
        }
        _ => {}
    }
}

fn undeclared(kind: &str, name: &str, span: Span, names: &Names) -> Diagnostic {
    let declared = names.get(kind);
    let mut diagnostic = Diagnostic::error(
        format!("Reference to undeclared {kind}"),
        format!("A {kind} block named {name:?} has not been declared in this module."),
    )
    .at(span)
    .code("E0012");
    let near = nearest(name, declared.into_iter().flatten().map(AsRef::as_ref));
    if let Some(near) = near {
        diagnostic = diagnostic.hint(format!("Did you mean {kind}.{near}?"));
    }
    diagnostic
}

/// Nested blocks as a value for a variable: one object, a list, or a map by label.
fn nested_value(blocks: &[&Block], ty: &Type) -> Expr {
    let span = blocks[0].span.to(blocks[blocks.len() - 1].span);
    match ty {
        Type::Map(_) => {
            let entries = blocks.iter().map(|block| {
                let label = block.labels.first();
                let text = label.map_or("", |l| l.text.as_ref());
                let at = label.map_or(block.header, |l| l.span);
                (Expr::literal(Value::from(text), at), object(block, false))
            });
            Expr::object(entries.collect(), span)
        }
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => {
            Expr::tuple(blocks.iter().map(|b| object(b, true)).collect(), span)
        }
        _ => object(blocks[blocks.len() - 1], true),
    }
}

/// A block as an object; its label, when it is wanted, becomes the attribute `name`.
fn object(block: &Block, label: bool) -> Expr {
    let mut entries = body_entries(&block.body);
    if label && let Some(label) = block.labels.first() {
        let key = Expr::literal(Value::from("name"), label.span);
        let value = Expr::literal(Value::from(label.text.as_ref()), label.span);
        entries.insert(0, (key, value));
    }
    Expr::object(entries, block.span)
}

fn body_entries(body: &Body) -> Vec<(Expr, Expr)> {
    let attributes = body.attributes.iter().map(|a| {
        let key = Expr::literal(Value::from(a.name.as_ref()), a.name_span);
        (key, a.value.clone())
    });
    let blocks = body.blocks.iter().map(|b| {
        let key = Expr::literal(Value::from(b.ty.as_ref()), b.ty_span);
        (key, object(b, true))
    });
    attributes.chain(blocks).collect()
}
