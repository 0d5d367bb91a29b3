//! Where the user wrote what a provider complains of.
//!
//! In a module of the user's own that is the argument itself. Inside the vocabulary it is the
//! argument of the user's block that the module's argument comes from, or else that block.

use mlinfra_sdk::Path;

use super::block::path_span;
use super::reference::Subject;
use crate::config::body::Body;
use crate::config::{ModuleId, Origin, Tree};
use crate::lang::Expr;
use crate::source::Span;

/// Where the argument at a path of a block in a module is written by the user.
pub fn written_at(tree: &Tree, module: ModuleId, body: &Body, path: &Path) -> Span {
    let name = path.first_attribute();
    let value = name.and_then(|name| body.value(name));
    outwards(tree, module, value).unwrap_or_else(|| path_span(body, path))
}

/// The place in the user's text that an expression of a module of the vocabulary comes from.
fn outwards(tree: &Tree, module: ModuleId, value: Option<&Expr>) -> Option<Span> {
    let node = tree.get(module);
    if !matches!(node.origin, Origin::Vocabulary(_)) {
        return None;
    }
    let call = tree.call(module)?;
    let caller = node.parent?;
    let variables = value.into_iter().flat_map(Expr::references);
    let arguments = variables.filter_map(|traversal| match Subject::of(traversal) {
        Ok((Subject::Variable(name), _)) => call.arguments.get(&name),
        _ => None,
    });
    // What the vocabulary itself gives stands at the block's header, and says less.
    let mut arguments = arguments.map(|a| &a.value);
    let argument = arguments.find(|value| value.span != call.header);
    let inner = argument.map_or(call.header, |value| value.span);
    Some(outwards(tree, caller, argument).unwrap_or(inner))
}
