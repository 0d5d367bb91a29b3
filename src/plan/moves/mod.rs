//! Moves: objects in state that the configuration has under another address by now.
//!
//! `moved` blocks say so, and a `count` that comes or goes implies it for the instance 0. The state
//! is relocated before anything is planned, so that planning finds each object where the
//! configuration has it. Knows nothing of values or providers.

mod order;
mod pattern;
mod relocate;
mod statement;
mod validate;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addr::{ResourceInstance, Target};
use crate::config::Tree;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::state::Snapshot;
use statement::Statement;

/// What became of the statements.
pub(super) struct Moves {
    statements: Vec<Statement>,
    /// The state after all moves.
    pub snapshot: Arc<Snapshot>,
    /// Each object that moved, by its new address, with its old one.
    pub moved: BTreeMap<ResourceInstance, ResourceInstance>,
    /// What could not move, and where to, because something is there.
    blocked: Vec<(String, String)>,
    /// What is wrong with the statements by themselves.
    errors: Diagnostics,
}

impl Moves {
    /// Applies the statements of a configuration to a state.
    pub fn apply(tree: &Tree, prior: &Arc<Snapshot>) -> Moves {
        let mut statements = statement::explicit(tree);
        let implied = statement::implied(tree, prior, &statements);
        statements.extend(implied);
        let mut moves = Moves {
            statements,
            snapshot: Arc::clone(prior),
            moved: BTreeMap::new(),
            blocked: Vec::new(),
            errors: Diagnostics::new(),
        };
        match order::order(&moves.statements) {
            Ok(order) => moves.relocate(&order),
            Err(cycle) => moves.errors.push(cyclic(&moves.statements, &cycle)),
        }
        moves
    }

    fn relocate(&mut self, order: &[usize]) {
        let in_order = order.iter().map(|i| &self.statements[*i]);
        let relocated = relocate::relocate(&self.snapshot, in_order);
        self.errors.extend(relocated.errors);
        self.blocked = relocated.blocked;
        if !relocated.moved.is_empty() {
            self.snapshot = Arc::new(relocated.snapshot);
            self.moved = relocated.moved;
        }
    }

    /// The moves as pairs of an old and a new address.
    pub fn pairs(&self) -> Vec<(ResourceInstance, ResourceInstance)> {
        let pairs = self.moved.iter();
        pairs.map(|(new, old)| (old.clone(), new.clone())).collect()
    }

    /// Refuses targets that leave out a part of what moved: half a move cannot be planned.
    pub fn covered_by(&self, targets: &[Target]) -> Result<(), Diagnostic> {
        if targets.is_empty() {
            return Ok(());
        }
        let ends = self.moved.iter().flat_map(|(new, old)| [old, new]);
        let mut missing: Vec<String> = ends
            .filter(|address| !targets.iter().any(|t| t.selects(address)))
            .map(|address| format!("\n  -target={:?}", address.to_string()))
            .collect();
        missing.sort();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Diagnostic::error(
            "Moved resource instances excluded by targeting",
            format!(
                "Resource instances in your current state have moved to new addresses in the latest configuration. mlinfra must include those resource instances while planning in order to ensure a correct result, but your -target=... options do not fully cover all of those resource instances.\n\nTo create a valid plan, either remove your -target=... options altogether or add the following additional target options:{}\n\nNote that adding these options may include further additional resource instances in your plan, in order to respect object dependencies.",
                missing.concat()
            ),
        )
        .code(codes::UNKNOWN_ADDRESS))
    }

    /// The warning about what could not move.
    pub fn blockage(&self) -> Option<Diagnostic> {
        if self.blocked.is_empty() {
            return None;
        }
        let lines = self.blocked.iter();
        let lines = lines.map(|(from, to)| format!("\n  - {from} could not move to {to}"));
        Some(Diagnostic::warning(
            "Unresolved resource instance address changes",
            format!(
                "mlinfra tried to adjust resource instance addresses in the prior state based on change information recorded in the configuration, but some adjustments did not succeed due to existing objects already at the intended addresses:{}\n\nmlinfra has planned to destroy these objects. If the proposed changes aren't appropriate, you must first resolve the conflicts using the \"mlinfra state\" subcommands and then create a new plan.",
                lines.collect::<String>()
            ),
        ))
    }
}

fn cyclic(statements: &[Statement], cycle: &[usize]) -> Diagnostic {
    let members = cycle.iter().map(|i| &statements[*i]);
    let lines = members.map(|s| format!("\n  - {} → {}", s.from, s.to));
    Diagnostic::error(
        "Cyclic dependency in move statements",
        format!(
            "The following chained move statements form a cycle, and so there is no final location to move objects to:{}\n\nA chain of move statements must end with an address that doesn't appear in any other statements, and which typically also refers to an object still declared in the configuration.",
            lines.collect::<String>()
        ),
    )
    .code(codes::CYCLE)
}
