//! A plan for people, in Terraform's layout and words.

mod comment;
mod markdown;
mod resource;
mod summary;

#[cfg(test)]
mod layout_tests;
#[cfg(test)]
mod measured_tests;
#[cfg(test)]
pub(in crate::cli::view) mod reading;

use std::fmt::Write;

use comment::Cause;
pub use markdown::markdown;
pub use summary::Counts;

use super::diff::{self, Forced, Kind, Layout};
use super::style::{Ink, Style, wrap};
use crate::plan::{Action, Mode, Plan, ResourceChange};

/// How wide prose is set where there is no terminal to measure.
const PROSE: usize = 77;

/// The plan as text.
pub fn render(plan: &Plan, style: &Style) -> String {
    Text::new("mlinfra", style).plan(plan)
}

/// What there is of a plan whose making failed half-way.
pub fn render_unfinished(plan: &Plan, style: &Style) -> String {
    let mut text = Text::new("mlinfra", style);
    text.unfinished = true;
    text.plan(plan)
}

/// The text so far.
struct Text {
    style: Style,
    /// What the tool calls itself.
    tool: &'static str,
    /// Planning did not come to an end.
    unfinished: bool,
    out: String,
}

/// Whether there is anything to say of a planned change.
fn is_worth_showing(change: &ResourceChange) -> bool {
    match change.action {
        Action::NoOp => change.previous_address.is_some() || change.importing.is_some(),
        // That a data source is no longer read changes nothing in the world.
        Action::Delete => change.address.resource.mode == crate::addr::Mode::Managed,
        _ => true,
    }
}

impl Text {
    fn new(tool: &'static str, style: &Style) -> Text {
        Text {
            style: *style,
            tool,
            unfinished: false,
            out: String::new(),
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn prose(&mut self, text: &str) {
        let text = text.replace("{tool}", self.tool);
        let wrapped = wrap(
            &text,
            self.style.width.map_or(PROSE, |w| w.saturating_sub(1)),
        );
        self.line(&wrapped);
    }

    fn plan(mut self, plan: &Plan) -> String {
        let changes: Vec<&ResourceChange> = plan
            .changes
            .iter()
            .filter(|change| is_worth_showing(change))
            .collect();
        let outputs = self.outputs(plan);
        let nothing = changes.is_empty() && outputs.is_empty() && plan.deferred.is_empty();
        let drifted = self.drift(plan, nothing);
        if nothing {
            self.no_changes(plan.mode, drifted);
            self.kept(plan);
            return self.out;
        }
        if drifted {
            self.rule();
        }
        let counts = Counts::of(plan);
        if !counts.is_empty() {
            self.legend(&counts);
        }
        if !changes.is_empty() {
            let what = match self.unfinished {
                true => "planned the following actions, but then encountered a problem:",
                false => "will perform the following actions:",
            };
            self.line(&format!("\n{} {what}", self.tool));
            for change in &changes {
                let text = self.resource(change, Cause::Planned);
                self.line(&format!("\n{text}"));
            }
            let summary = counts.sentence(&self.style);
            self.line(&format!("\n{summary}"));
        }
        self.deferred(plan);
        self.kept(plan);
        if !outputs.is_empty() {
            self.line(&format!("\nChanges to Outputs:\n{outputs}"));
            if counts.is_empty() {
                self.line("");
                self.prose(
                    "You can apply this plan to save these new output values to the {tool} \
                     state, without changing any real infrastructure.",
                );
            }
        }
        self.out
    }

    fn legend(&mut self, counts: &Counts) {
        self.line("");
        self.prose(
            "{tool} used the selected providers to generate the following execution plan. \
             Resource actions are indicated with the following symbols:",
        );
        for (action, words) in [
            (Action::Create, "create"),
            (Action::Update, "update in-place"),
            (Action::Delete, "destroy"),
            (
                Action::DeleteThenCreate,
                "destroy and then create replacement",
            ),
            (
                Action::CreateThenDelete,
                "create replacement and then destroy",
            ),
            (Action::Read, "read (data resources)"),
        ] {
            if counts.has(action) {
                let sign = resource::sign(action, &self.style);
                self.line(&format!("{sign} {words}"));
            }
        }
    }

    /// The outputs that change, a line or more each, without a last line end.
    fn outputs(&self, plan: &Plan) -> String {
        let changes: Vec<_> = plan
            .outputs
            .iter()
            .map(|(name, output)| {
                let side = |value: &mlinfra_sdk::Value| {
                    let value = Some(value.clone()).filter(|v| !v.is_null());
                    value.map(|v| if output.sensitive { v.sensitive() } else { v })
                };
                let (before, after) = (side(&output.before), side(&output.after));
                let change = diff::dynamic(before.as_ref(), after.as_ref(), &Forced::default());
                (diff::attribute_name(name), change)
            })
            .collect();
        let width = changes.iter().map(|(name, _)| name.chars().count()).max();
        let width = width.unwrap_or(0);
        let layout = Layout::changes(self.style);
        changes
            .iter()
            .filter(|(_, change)| change.kind != Kind::NoOp)
            .map(|(name, change)| {
                let sign = diff::symbol(change.kind, &self.style);
                format!("{sign} {name:<width$} = {}", layout.write(change, 0))
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// What changed in the world; answers whether there was something to say.
    fn drift(&mut self, plan: &Plan, nothing_planned: bool) -> bool {
        let refresh_only = plan.mode == Mode::RefreshOnly;
        let shown: Vec<&ResourceChange> = plan
            .drift
            .iter()
            // A mere move is shown with the planned changes.
            .filter(|drift| refresh_only || drift.action != Action::NoOp)
            .filter(|drift| drift.action != Action::NoOp || drift.previous_address.is_some())
            .collect();
        if shown.is_empty() || (nothing_planned && !refresh_only) {
            return false;
        }
        let note = self.style.paint(Ink::BoldCyan, "Note:");
        let headline = format!(" Objects have changed outside of {}", self.tool);
        let headline = self.style.paint(Ink::Bold, &headline);
        self.line(&format!("\n{note}{headline}\n"));
        self.prose(
            "{tool} detected the following changes made outside of {tool} since the last \
             \"{tool_command} apply\" which may have affected this plan:"
                .replace("{tool_command}", &self.tool.to_lowercase())
                .as_str(),
        );
        for drift in shown {
            let text = self.resource(drift, Cause::Drift);
            self.line(&format!("\n{text}"));
        }
        self.line("\n");
        self.prose(if refresh_only {
            "This is a refresh-only plan, so {tool} will not take any actions to undo these. If \
             you were expecting these changes then you can apply this plan to record the updated \
             values in the {tool} state without changing any remote objects."
        } else {
            "Unless you have made equivalent changes to your configuration, or ignored the \
             relevant attributes using ignore_changes, the following plan may include actions to \
             undo or respond to these changes."
        });
        true
    }

    fn rule(&mut self) {
        let rule = "─".repeat(self.style.width.unwrap_or(PROSE + 1));
        let rule = self.style.paint(Ink::Gray, &rule);
        self.line(&format!("\n{rule}"));
    }

    fn no_changes(&mut self, mode: Mode, drifted: bool) {
        if self.unfinished {
            let first = self.style.paint(Ink::BoldRed, "Planning failed.");
            let rest = format!(
                " {} encountered an error while generating this plan.",
                self.tool
            );
            let rest = self.style.paint(Ink::Bold, &rest);
            self.line(&format!("\n{first}{rest}\n"));
            return;
        }
        let (headline, sentence) = match mode {
            // What was said of the world is all there is to say.
            Mode::RefreshOnly if drifted => return,
            Mode::RefreshOnly => (
                "Your infrastructure still matches the configuration.",
                "{tool} has checked that the real remote objects still match the result of your \
                 most recent changes, and found no differences.",
            ),
            Mode::Destroy => (
                "No objects need to be destroyed.",
                "Either you have not created any objects yet or the existing objects were already \
                 deleted outside of {tool}.",
            ),
            Mode::Normal => (
                "Your infrastructure matches the configuration.",
                "{tool} has compared your real infrastructure against your configuration and found \
                 no differences, so no changes are needed.",
            ),
        };
        let first = self.style.paint(Ink::BoldGreen, "No changes.");
        let headline = self.style.paint(Ink::Bold, &format!(" {headline}"));
        self.line(&format!("\n{first}{headline}\n"));
        self.prose(sentence);
    }

    fn deferred(&mut self, plan: &Plan) {
        if plan.deferred.is_empty() {
            return;
        }
        let note = self.style.paint(Ink::BoldCyan, "Note:");
        let headline = self.style.paint(Ink::Bold, " Some changes are deferred");
        self.line(&format!("\n{note}{headline}\n"));
        self.prose(
            "These objects can be planned only when others exist. Applying this plan makes those \
             first, and then goes on with these:",
        );
        self.line("");
        for (address, reason) in &plan.deferred {
            let address = self.style.paint(Ink::Bold, &format!("  # {address}"));
            self.line(&format!("{address} is deferred"));
            if !reason.is_empty() {
                self.line(&format!("  # ({reason})"));
            }
        }
    }

    /// Objects that would go, did they not hold data.
    fn kept(&mut self, plan: &Plan) {
        let kept: Vec<&ResourceChange> = plan
            .changes
            .iter()
            .filter(|change| {
                let unwanted = plan.mode == Mode::Destroy || change.reason.is_some();
                change.protected && change.action == Action::NoOp && unwanted
            })
            .collect();
        if kept.is_empty() {
            return;
        }
        let note = self.style.paint(Ink::BoldCyan, "Note:");
        let headline = self
            .style
            .paint(Ink::Bold, " Objects that hold data are kept");
        self.line(&format!("\n{note}{headline}\n"));
        self.prose("To destroy one of these as well, say so expressly:");
        self.line("");
        for change in kept {
            let address = self
                .style
                .paint(Ink::Bold, &format!("  # {}", change.address));
            self.line(&format!("{address} will be kept"));
        }
    }

    fn resource(&self, change: &ResourceChange, cause: Cause) -> String {
        let mut text = comment::lines(change, cause, self.tool, &self.style);
        let _ = write!(text, "{}", resource::change(change, &self.style));
        text
    }
}
