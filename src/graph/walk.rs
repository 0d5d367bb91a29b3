//! The walk: each node once, after what it depends on, as many at a time as are ready.

use std::collections::VecDeque;
use std::pin::Pin;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::Graph;

/// How the visit of a node ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// What depends on it may go on.
    Done,
    /// What depends on it is skipped.
    Failed,
}

/// The visit of a node.
pub enum Visit<'v> {
    /// It ended at once.
    Ended(Outcome),
    /// It ends when this does; others are visited meanwhile.
    Running(Pin<Box<dyn Future<Output = Outcome> + 'v>>),
}

/// Visits every node after all it depends on. Nodes that depend on a failed one, at any distance,
/// are not visited; all others are. Answers which nodes were skipped.
///
/// The walk itself does not bound how many visits run at once: a visit that works for long waits
/// its turn by itself.
pub async fn walk<'v>(graph: &Graph, mut visit: impl FnMut(usize) -> Visit<'v>) -> Vec<usize> {
    let dependents = graph.dependents();
    let mut waiting: Vec<usize> = (0..graph.len())
        .map(|n| graph.dependencies(n).count())
        .collect();
    let mut blocked = vec![false; graph.len()];
    let mut skipped = Vec::new();
    let mut ready: VecDeque<usize> = (0..graph.len()).filter(|n| waiting[*n] == 0).collect();
    let mut running = FuturesUnordered::new();
    loop {
        while let Some(node) = ready.pop_front() {
            let outcome = if blocked[node] {
                skipped.push(node);
                Outcome::Failed
            } else {
                match visit(node) {
                    Visit::Ended(outcome) => outcome,
                    Visit::Running(future) => {
                        running.push(async move { (node, future.await) });
                        continue;
                    }
                }
            };
            release(
                &dependents[node],
                outcome,
                &mut waiting,
                &mut blocked,
                &mut ready,
            );
        }
        let Some((node, outcome)) = running.next().await else {
            return skipped;
        };
        release(
            &dependents[node],
            outcome,
            &mut waiting,
            &mut blocked,
            &mut ready,
        );
    }
}

fn release(
    dependents: &[u32],
    outcome: Outcome,
    waiting: &mut [usize],
    blocked: &mut [bool],
    ready: &mut VecDeque<usize>,
) {
    for dependent in dependents {
        let dependent = *dependent as usize;
        blocked[dependent] |= outcome == Outcome::Failed;
        waiting[dependent] -= 1;
        if waiting[dependent] == 0 {
            ready.push_back(dependent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_skips_what_depends_on_it_and_nothing_else() {
        let mut graph = Graph::new(5);
        for (node, dependency) in [(1, 0), (2, 1), (3, 0), (4, 3)] {
            graph.depend(node, dependency);
        }
        let mut visited = Vec::new();
        let skipped = walk(&graph, |node| {
            visited.push(node);
            let outcome = if node == 1 {
                Outcome::Failed
            } else {
                Outcome::Done
            };
            Visit::Running(Box::pin(async move {
                tokio::task::yield_now().await;
                outcome
            }))
        })
        .await;
        visited.sort_unstable();
        assert_eq!(visited, [0, 1, 3, 4]);
        assert_eq!(skipped, [2]);
    }
}
