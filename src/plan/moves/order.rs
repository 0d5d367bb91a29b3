//! In which order moves are made.

use super::statement::Statement;
use crate::graph::Graph;

/// The order in which the statements are applied; the members of a cycle when there is one.
pub(super) fn order(statements: &[Statement]) -> Result<Vec<usize>, Vec<usize>> {
    let mut graph = Graph::new(statements.len());
    for (i, a) in statements.iter().enumerate() {
        for (j, b) in statements.iter().enumerate() {
            if i != j && comes_after(a, b) {
                graph.depend(i, j);
            }
        }
    }
    graph.order()
}

fn comes_after(a: &Statement, b: &Statement) -> bool {
    // A chain: what `b` brings, `a` takes further.
    a.from.touches(&b.to)
        // The module that `b` moves is there before `a` moves something into it.
        || a.to.nested_in(&b.to)
        // What `b` takes out of a module is gone before `a` moves the module.
        || b.from.nested_in(&a.from)
}
