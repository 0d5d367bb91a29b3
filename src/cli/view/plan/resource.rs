//! One resource of a plan: its header and the difference of its values.

use super::super::diff::{self, Forced, Kind, Layout};
use super::super::style::{Ink, Style};
use crate::addr::Mode;
use crate::plan::{Action, ResourceChange};

/// The sign of an action, three columns wide.
pub fn sign(action: Action, style: &Style) -> String {
    let minus = || style.paint(Ink::Red, "-");
    let plus = || style.paint(Ink::Green, "+");
    match action {
        Action::NoOp => diff::symbol(Kind::NoOp, style),
        Action::Create => diff::symbol(Kind::Create, style),
        Action::Update => diff::symbol(Kind::Update, style),
        Action::Delete => diff::symbol(Kind::Delete, style),
        Action::DeleteThenCreate => format!("{}/{}", minus(), plus()),
        Action::CreateThenDelete => format!("{}/{}", plus(), minus()),
        Action::Read => format!(" {}", style.paint(Ink::Cyan, "<=")),
        Action::Forget => format!(" {}", style.paint(Ink::Red, ".")),
    }
}

/// The header and the difference, without a last line end.
pub fn change(change: &ResourceChange, style: &Style) -> String {
    // What is forgotten stays as it is.
    let after = match change.action {
        Action::Forget => &change.before,
        _ => &change.after,
    };
    let forced = Forced::new(&change.replace);
    let difference = diff::block(Some(&change.before), Some(after), &change.schema, &forced);
    let resource = &change.address.resource;
    let word = match resource.mode {
        Mode::Managed => "resource",
        Mode::Data => "data",
    };
    // Whether it is replaced is the plan's to say; the values tell only what differs.
    format!(
        "{} {word} \"{}\" \"{}\" {}",
        sign(change.action, style),
        resource.ty,
        resource.name,
        Layout::changes(*style).write(&difference, 0)
    )
}
