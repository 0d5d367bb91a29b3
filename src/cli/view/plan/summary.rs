//! How much a plan does, in numbers.

use super::is_worth_showing;
use crate::cli::view::style::{Ink, Style};
use crate::plan::{Action, Plan};

/// How many objects each action is for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    actions: Vec<(Action, usize)>,
    imports: usize,
}

impl Counts {
    /// Counts the changes of a plan that there is something to say of.
    pub fn of(plan: &Plan) -> Counts {
        let mut counts = Counts::default();
        for change in plan.changes.iter().filter(|c| is_worth_showing(c)) {
            counts.imports += usize::from(change.importing.is_some());
            if change.action == Action::NoOp {
                continue;
            }
            match counts.actions.iter_mut().find(|(a, _)| *a == change.action) {
                Some((_, count)) => *count += 1,
                None => counts.actions.push((change.action, 1)),
            }
        }
        counts
    }

    /// Whether nothing but imports and moves is done.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Whether the action occurs.
    pub fn has(&self, action: Action) -> bool {
        self.count(action) > 0
    }

    fn count(&self, action: Action) -> usize {
        let found = self.actions.iter().find(|(a, _)| *a == action);
        found.map_or(0, |(_, count)| *count)
    }

    fn replacements(&self) -> usize {
        self.count(Action::DeleteThenCreate) + self.count(Action::CreateThenDelete)
    }

    /// How many are taken over from the world.
    pub fn imported(&self) -> usize {
        self.imports
    }

    /// How many come into being, replacements among them.
    pub fn added(&self) -> usize {
        self.count(Action::Create) + self.replacements()
    }

    /// How many are changed in place.
    pub fn changed(&self) -> usize {
        self.count(Action::Update)
    }

    /// How many go, replacements among them.
    pub fn destroyed(&self) -> usize {
        self.count(Action::Delete) + self.replacements()
    }

    /// `Plan: 2 to add, 0 to change, 1 to destroy.`
    pub fn sentence(&self, style: &Style) -> String {
        let imports = match self.imports {
            0 => String::new(),
            n => format!("{n} to import, "),
        };
        format!(
            "{} {imports}{} to add, {} to change, {} to destroy.",
            style.paint(Ink::Bold, "Plan:"),
            self.added(),
            self.changed(),
            self.destroyed()
        )
    }
}
