//! The lines above a resource of a plan: what will be done with it, and why.

use super::super::diff::quoted;
use super::super::style::{Ink, Style};
use crate::addr::InstanceKey;
use crate::plan::{Action, ActionReason, ResourceChange};

/// Who makes the change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The tool will.
    Planned,
    /// The world did.
    Drift,
}

/// The lines, each with its end.
pub fn lines(change: &ResourceChange, cause: Cause, tool: &str, style: &Style) -> String {
    let address = match &change.deposed {
        Some(key) => format!("{} (deposed object {key})", change.address),
        None => change.address.to_string(),
    };
    let bold = |text: &str| style.paint(Ink::Bold, text);
    let red = |text: &str| style.paint(Ink::BoldRed, text);
    let subject = bold(&format!("  # {address}"));
    let moved = change
        .previous_address
        .as_ref()
        .filter(|previous| **previous != change.address);
    let mut text = match (change.action, cause) {
        (Action::Create, _) => format!("{subject} will be created"),
        (Action::Read, _) => format!("{subject} will be read during apply"),
        (Action::Update, Cause::Planned) => format!("{subject} will be updated in-place"),
        (Action::Update, Cause::Drift) => format!("{subject} has changed"),
        (Action::Delete, Cause::Planned) => format!("{subject} will be {}", red("destroyed")),
        (Action::Delete, Cause::Drift) => format!("{subject} has been deleted"),
        (Action::DeleteThenCreate | Action::CreateThenDelete, _) => {
            let replaced = red("replaced");
            match change.reason {
                Some(ActionReason::ReplaceBecauseTainted) => {
                    format!("{subject} is tainted, so must be {replaced}")
                }
                Some(ActionReason::ReplaceByRequest) => {
                    format!("{subject} will be {replaced}, as requested")
                }
                Some(ActionReason::ReplaceByTriggers) => {
                    format!("{subject} will be {replaced} due to changes in replace_triggered_by")
                }
                _ => format!("{subject} must be {replaced}"),
            }
        }
        (Action::NoOp, _) => match moved {
            Some(previous) => {
                let from = bold(&format!("  # {previous}"));
                format!("{from} has moved to {}", bold(&address))
            }
            None => format!("{subject} will be imported"),
        },
        (Action::Forget, _) => format!(
            "{} will no longer be managed by {tool}, but will not be destroyed\n \
             # (destroy = false is set in the configuration)",
            bold(&format!(" # {address}"))
        ),
    };
    text.push('\n');
    for note in notes(change) {
        text.push_str(&format!("  # ({note})\n"));
    }
    if let Some(previous) = moved.filter(|_| change.action != Action::NoOp) {
        text.push_str(&format!("  # (moved from {previous})\n"));
    }
    let said = change.action == Action::NoOp && moved.is_none();
    if let Some(id) = change.importing.as_ref().filter(|_| !said) {
        text.push_str(&format!("  # (imported from {})\n", quoted(id)));
    }
    text
}

/// Why, and what the provider has to say.
fn notes(change: &ResourceChange) -> Vec<String> {
    let mut notes = Vec::new();
    if change.action != Action::Forget {
        notes.extend(change.reason.and_then(|reason| because(change, reason)));
    }
    if change.action == Action::Delete && change.deposed.is_some() {
        notes.push("left over from a partially-failed replacement of this instance".to_owned());
    }
    if change.protected && (change.action == Action::Delete || change.action.is_replace()) {
        notes.push("it holds data, which will be lost".to_owned());
    }
    notes.extend(change.notes.iter().cloned());
    notes
}

fn because(change: &ResourceChange, reason: ActionReason) -> Option<String> {
    let address = &change.address;
    Some(match reason {
        ActionReason::ReadBecauseConfigUnknown => {
            "config refers to values not yet known".to_owned()
        }
        ActionReason::ReadBecauseDependencyPending => {
            "depends on a resource or a module with changes pending".to_owned()
        }
        ActionReason::ReadBecauseCheckNested => {
            "config will be reloaded to verify a check block".to_owned()
        }
        ActionReason::DeleteBecauseNoResourceConfig => {
            format!("because {} is not in configuration", address.resource)
        }
        ActionReason::DeleteBecauseNoModule => {
            format!("because {} is not in configuration", address.module)
        }
        ActionReason::DeleteBecauseNoMoveTarget => match &change.previous_address {
            Some(previous) => {
                format!("because {previous} was moved to {address}, which is not in configuration")
            }
            None => format!("because {address} is not in configuration"),
        },
        ActionReason::DeleteBecauseWrongRepetition => match address.key {
            InstanceKey::None => "because resource uses count or for_each".to_owned(),
            InstanceKey::Index(_) => "because resource does not use count".to_owned(),
            InstanceKey::Key(_) => "because resource does not use for_each".to_owned(),
        },
        ActionReason::DeleteBecauseCountIndex => {
            format!("because index {} is out of range for count", address.key)
        }
        ActionReason::DeleteBecauseEachKey => {
            format!("because key {} is not in for_each map", address.key)
        }
        ActionReason::ReplaceBecauseTainted
        | ActionReason::ReplaceByRequest
        | ActionReason::ReplaceByTriggers
        | ActionReason::ReplaceBecauseCannotUpdate => return None,
    })
}
