//! Addresses as `moved`, `removed` and `import` blocks write them: bare words, not strings.

use std::sync::Arc;

use crate::addr::{
    InstanceKey, Mode, ModuleInstance, ModulePath, ModuleStep, Resource, ResourcePath,
};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::lang::{Expr, ExprKind, TraversalStep};
use crate::source::Span;

/// An address relative to the module that writes it: of a module or of a resource.
#[derive(Clone, PartialEq, Debug)]
pub struct Endpoint {
    /// The way to the module, or to the module that holds the resource.
    pub module: ModuleInstance,
    /// The resource, with the key that is written.
    pub resource: Option<(Resource, InstanceKey)>,
    /// Where it stands.
    pub span: Span,
}

/// An address whose keys are evaluated, of a resource instance.
#[derive(Clone, Debug)]
pub struct KeyedTarget {
    /// The way to the module that holds it.
    pub module: Vec<(Arc<str>, Option<Expr>)>,
    /// The resource.
    pub resource: Resource,
    /// Its key.
    pub key: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

impl KeyedTarget {
    /// The resource as written.
    pub fn path(&self) -> ResourcePath {
        let names = self.module.iter().map(|(name, _)| Arc::clone(name));
        ResourcePath {
            module: ModulePath(names.collect()),
            resource: self.resource.clone(),
        }
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &Expr> {
        let keys = self.module.iter().filter_map(|(_, key)| key.as_ref());
        keys.chain(&self.key)
    }

    pub(super) fn keys_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let keys = self.module.iter_mut().filter_map(|(_, key)| key.as_mut());
        keys.chain(&mut self.key)
    }
}

/// A word with the key that follows it.
struct Segment {
    name: Arc<str>,
    span: Span,
    key: Option<Expr>,
}

impl Endpoint {
    pub(super) fn read(
        expr: &Expr,
        is_kind: &dyn Fn(&str) -> bool,
        d: &mut Diagnostics,
    ) -> Option<Endpoint> {
        let constant = matches!(expr.kind, ExprKind::Traversal(_));
        let Some(segments) = segments(expr).filter(|_| constant) else {
            d.push(not_static(expr));
            return None;
        };
        let (steps, resource) = d.keep(split(segments, expr.span, is_kind))?;
        let steps = steps.into_iter().map(|(name, key)| {
            let key = instance_key(key.as_ref())?;
            Ok(ModuleStep { name, key })
        });
        let module = d.keep(steps.collect::<Result<_, Diagnostic>>())?;
        let resource = match resource {
            None => None,
            Some((resource, key)) => Some((resource, d.keep(instance_key(key.as_ref()))?)),
        };
        Some(Endpoint {
            module: ModuleInstance(module),
            resource,
            span: expr.span,
        })
    }
}

impl KeyedTarget {
    pub(super) fn read(
        expr: &Expr,
        is_kind: &dyn Fn(&str) -> bool,
        d: &mut Diagnostics,
    ) -> Option<KeyedTarget> {
        let Some(segments) = segments(expr) else {
            d.push(not_static(expr));
            return None;
        };
        let (module, resource) = d.keep(split(segments, expr.span, is_kind))?;
        match resource {
            Some((resource, key)) if resource.mode == Mode::Managed => Some(KeyedTarget {
                module,
                resource,
                key,
                span: expr.span,
            }),
            _ => {
                d.push(
                    Diagnostic::error(
                        "Invalid import address",
                        "Only managed resources can be imported.",
                    )
                    .at(expr.span)
                    .code(codes::INVALID_REFERENCE),
                );
                None
            }
        }
    }
}

fn not_static(expr: &Expr) -> Diagnostic {
    Diagnostic::error(
        "Invalid expression",
        "A single static variable reference is required: only attribute access and indexing with constant keys. No calculations, function calls, template expressions, etc are allowed here.",
    )
    .at(expr.span)
    .code(codes::INVALID_REFERENCE)
}

fn invalid(at: Span, detail: &str) -> Diagnostic {
    Diagnostic::error("Invalid address", detail)
        .at(at)
        .code(codes::INVALID_REFERENCE)
}

/// The words of an address; `None` when the expression is none.
fn segments(expr: &Expr) -> Option<Vec<Segment>> {
    match &expr.kind {
        ExprKind::Traversal(t) => {
            let mut segments = vec![Segment {
                name: Arc::clone(&t.root),
                span: t.root_span,
                key: None,
            }];
            follow(&mut segments, &t.steps)?;
            Some(segments)
        }
        ExprKind::Steps(base, steps) => {
            let mut segments = segments(base)?;
            follow(&mut segments, steps)?;
            Some(segments)
        }
        ExprKind::Index(index) => {
            let mut segments = segments(&index.collection)?;
            set_key(&mut segments, index.key.clone())?;
            Some(segments)
        }
        _ => None,
    }
}

fn follow(segments: &mut Vec<Segment>, steps: &[TraversalStep]) -> Option<()> {
    for step in steps {
        match step {
            TraversalStep::Attribute(name, span) => segments.push(Segment {
                name: Arc::clone(name),
                span: *span,
                key: None,
            }),
            TraversalStep::Index(value, span) => {
                set_key(segments, Expr::literal(value.clone(), *span))?;
            }
        }
    }
    Some(())
}

/// A word has one key.
fn set_key(segments: &mut [Segment], key: Expr) -> Option<()> {
    let last = segments.last_mut()?;
    last.key.replace(key).is_none().then_some(())
}

type Steps = Vec<(Arc<str>, Option<Expr>)>;

/// The way to a module, and perhaps a resource in it.
type Way = (Steps, Option<(Resource, Option<Expr>)>);

/// Splits the words into the way to a module and perhaps a resource.
fn split(
    segments: Vec<Segment>,
    span: Span,
    is_kind: &dyn Fn(&str) -> bool,
) -> Result<Way, Diagnostic> {
    let mut steps = Vec::new();
    let mut rest = segments.as_slice();
    loop {
        match rest {
            [word, call, tail @ ..] if word.name.as_ref() == "module" => {
                steps.push((Arc::clone(&call.name), call.key.clone()));
                rest = tail;
            }
            [kind, name, tail @ ..] if is_kind(&kind.name) => {
                let call = format!("{}.{}", kind.name, name.name);
                steps.push((call.into(), name.key.clone()));
                rest = tail;
            }
            _ => break,
        }
    }
    let (mode, ty, name) = match rest {
        [] => return Ok((steps, None)),
        [data, ty, name] if data.name.as_ref() == "data" => (Mode::Data, ty, name),
        [ty, name] => (Mode::Managed, ty, name),
        [_] => {
            return Err(invalid(
                span,
                "Resource specification must include a resource type and name.",
            ));
        }
        [_, _, extra, ..] => {
            return Err(invalid(
                extra.span,
                "Resource instance key must be given in square brackets.",
            ));
        }
    };
    if ty.key.is_some() {
        return Err(invalid(ty.span, "A resource name is required."));
    }
    let resource = Resource {
        mode,
        ty: Arc::clone(&ty.name),
        name: Arc::clone(&name.name),
    };
    Ok((steps, Some((resource, name.key.clone()))))
}

fn instance_key(key: Option<&Expr>) -> Result<InstanceKey, Diagnostic> {
    let Some(key) = key else {
        return Ok(InstanceKey::None);
    };
    let read = match &key.kind {
        ExprKind::Literal(value) => InstanceKey::of(value),
        _ => None,
    };
    read.ok_or_else(|| {
        invalid(
            key.span,
            "An instance key is a string or a whole number that is not negative.",
        )
    })
}
