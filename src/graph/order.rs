//! Nodes by number, and what each depends on.

/// A dependency graph over the nodes `0..len`.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    dependencies: Vec<Vec<u32>>,
}

impl Graph {
    /// A graph of `len` nodes without edges.
    pub fn new(len: usize) -> Graph {
        Graph {
            dependencies: vec![Vec::new(); len],
        }
    }

    /// Adds a node.
    pub fn push(&mut self) -> usize {
        self.dependencies.push(Vec::new());
        self.dependencies.len() - 1
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.dependencies.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.dependencies.is_empty()
    }

    /// Notes that `node` depends on `dependency`.
    pub fn depend(&mut self, node: usize, dependency: usize) {
        // A graph has fewer than 2^32 nodes, because a file has fewer than 2^32 bytes.
        self.dependencies[node].push(u32::try_from(dependency).unwrap_or(u32::MAX));
    }

    /// What a node depends on, each once.
    pub fn dependencies(&self, node: usize) -> impl Iterator<Item = usize> {
        self.dependencies[node].iter().map(|n| *n as usize)
    }

    /// Sorts the edges and drops repeated ones.
    pub fn tidy(&mut self) {
        for edges in &mut self.dependencies {
            edges.sort_unstable();
            edges.dedup();
        }
    }

    /// What depends on each node.
    pub fn dependents(&self) -> Vec<Vec<u32>> {
        let mut dependents = vec![Vec::new(); self.len()];
        for (node, edges) in (0u32..).zip(&self.dependencies) {
            for dependency in edges {
                dependents[*dependency as usize].push(node);
            }
        }
        dependents
    }

    /// The nodes in an order in which each comes after what it depends on.
    ///
    /// # Errors
    /// The nodes of a cycle, when there is one.
    pub fn order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let dependents = self.dependents();
        let mut waiting: Vec<usize> = self.dependencies.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..self.len()).filter(|n| waiting[*n] == 0).collect();
        let mut next = 0;
        while let Some(node) = order.get(next).copied() {
            next += 1;
            for dependent in &dependents[node] {
                let left = &mut waiting[*dependent as usize];
                *left -= 1;
                if *left == 0 {
                    order.push(*dependent as usize);
                }
            }
        }
        if order.len() == self.len() {
            Ok(order)
        } else {
            Err(self.cycle(&waiting))
        }
    }

    /// A cycle among the nodes that still wait for something.
    fn cycle(&self, waiting: &[usize]) -> Vec<usize> {
        let Some(mut node) = waiting.iter().position(|n| *n > 0) else {
            return Vec::new();
        };
        let mut seen = vec![usize::MAX; self.len()];
        let mut path = Vec::new();
        // Each waiting node waits for another, so that the way ends where it has been before.
        while seen[node] == usize::MAX {
            seen[node] = path.len();
            path.push(node);
            let stuck = self.dependencies(node).find(|d| waiting[*d] > 0);
            let Some(next) = stuck else { return path };
            node = next;
        }
        path.split_off(seen[node])
    }

    /// Everything that the given nodes depend on, at any distance, themselves included.
    pub fn closure(&self, nodes: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut found = vec![false; self.len()];
        let mut next: Vec<usize> = nodes.into_iter().collect();
        while let Some(node) = next.pop() {
            if !std::mem::replace(&mut found[node], true) {
                next.extend(self.dependencies(node));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cycle_is_found_and_named_without_its_tail() {
        let mut graph = Graph::new(4);
        for (node, dependency) in [(0, 1), (1, 2), (2, 3), (3, 2)] {
            graph.depend(node, dependency);
        }
        let mut cycle = graph.order().unwrap_err();
        cycle.sort_unstable();
        assert_eq!(cycle, [2, 3]);
    }

    proptest! {
        #[test]
        fn every_node_comes_after_what_it_depends_on(
            edges in proptest::collection::vec((0usize..30, 0usize..30), 0..80)
        ) {
            let mut graph = Graph::new(30);
            for (a, b) in edges {
                if a != b {
                    graph.depend(a.max(b), a.min(b));
                }
            }
            graph.tidy();
            let order = graph.order().unwrap();
            let mut place = [0; 30];
            for (i, node) in order.iter().enumerate() {
                place[*node] = i;
            }
            for node in 0..30 {
                for dependency in graph.dependencies(node) {
                    prop_assert!(place[dependency] < place[node]);
                }
            }
        }
    }
}
