//! A difference as text, in Terraform's layout.

use std::sync::Arc;

use super::text::{self, attribute_name, quoted};
use super::{Change, Kind, NestedChange, Shape};
use crate::cli::view::style::{Ink, Style};

/// Attributes that are shown even where they do not change, because people know objects by them.
const TELLING: [&str; 3] = ["id", "name", "tags"];

/// How a difference is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Colours.
    pub style: Style,
    /// Whether `+`, `~` and `-` are shown: not where there is nothing to compare.
    pub signs: bool,
    /// Whether what does not change is shown.
    pub unchanged: bool,
    /// Whether ` -> null` follows what goes: not inside of something that goes.
    null_suffix: bool,
}

/// The blanks before a line at this level.
pub(super) fn indent(level: usize) -> String {
    "    ".repeat(level)
}

/// The sign of a change, three columns wide.
pub fn symbol(kind: Kind, style: &Style) -> String {
    match kind {
        Kind::NoOp => "   ".to_owned(),
        Kind::Create => format!("  {}", style.paint(Ink::Green, "+")),
        Kind::Update => format!("  {}", style.paint(Ink::Yellow, "~")),
        Kind::Delete => format!("  {}", style.paint(Ink::Red, "-")),
    }
}

impl Layout {
    /// Signs, and only what changes: a plan.
    pub fn changes(style: Style) -> Layout {
        Layout {
            style,
            signs: true,
            unchanged: false,
            null_suffix: true,
        }
    }

    /// No signs, and everything: a state.
    pub fn values(style: Style) -> Layout {
        Layout {
            style,
            signs: false,
            unchanged: true,
            null_suffix: true,
        }
    }

    pub(super) fn without_null_suffix(&self) -> Layout {
        Layout {
            null_suffix: false,
            ..*self
        }
    }

    fn showing_unchanged(&self) -> Layout {
        Layout {
            unchanged: true,
            ..*self
        }
    }

    pub(super) fn sign(&self, kind: Kind) -> String {
        if self.signs {
            format!("{} ", symbol(kind, &self.style))
        } else {
            String::new()
        }
    }

    pub(super) fn null(&self) -> String {
        self.style.paint(Ink::Gray, "null")
    }

    pub(super) fn arrow(&self) -> String {
        self.style.paint(Ink::Yellow, "->")
    }

    pub(super) fn forces(&self, change: &Change) -> String {
        if change.forces_replacement && change.kind != Kind::NoOp {
            format!(" {}", self.style.paint(Ink::Red, "# forces replacement"))
        } else {
            String::new()
        }
    }

    pub(super) fn null_suffix(&self, kind: Kind) -> String {
        if kind == Kind::Delete && self.null_suffix {
            format!(" {}", self.style.paint(Ink::Gray, "-> null"))
        } else {
            String::new()
        }
    }

    fn hidden(&self, count: usize, word: &str) -> String {
        let plural = if count == 1 { "" } else { "s" };
        let note = format!("# ({count} unchanged {word}{plural} hidden)");
        self.style.paint(Ink::Gray, &note)
    }

    /// What follows the `=` of an attribute or the header of a block.
    pub fn write(&self, change: &Change, level: usize) -> String {
        let forces = self.forces(change);
        match &change.shape {
            Shape::Scalar { before, after } => self.scalar(change, before, after),
            Shape::Text { before, after } => {
                text::write(change, before.as_deref(), after.as_deref(), level, self)
            }
            Shape::Sequence { items, ordered } => self.sequence(change, items, *ordered, level),
            Shape::Map(entries) => self.map(change, entries, level),
            Shape::Object(entries) => self.object(change, entries, level),
            Shape::Block { attributes, blocks } => self.block(change, attributes, blocks, level),
            Shape::Unknown(None) => format!("(known after apply){forces}"),
            Shape::Unknown(Some(before)) => {
                let before = self.without_null_suffix().write(before, level);
                format!("{before} {} (known after apply){forces}", self.arrow())
            }
            Shape::Sensitive { block: true, .. } => self.hidden_block(change, level),
            Shape::Sensitive { .. } => {
                format!("(sensitive value){}{forces}", self.null_suffix(change.kind))
            }
            Shape::Retyped(before, after) => {
                let inside = self.without_null_suffix();
                let before = inside.write(before, level);
                let after = inside.write(after, level);
                format!("{before} {} {after}{forces}", self.arrow())
            }
        }
    }

    fn scalar(&self, change: &Change, before: &str, after: &str) -> String {
        let show = |text: &str| match text {
            "null" => self.null(),
            text => text.to_owned(),
        };
        let (before, after, forces) = (show(before), show(after), self.forces(change));
        match change.kind {
            Kind::Create | Kind::NoOp => format!("{after}{forces}"),
            Kind::Delete => format!("{before}{}{forces}", self.null_suffix(change.kind)),
            Kind::Update => format!("{before} {} {after}{forces}", self.arrow()),
        }
    }

    /// Lines about a change of who may see a value, to stand above it.
    fn warnings(&self, change: &Change, level: usize) -> String {
        let Shape::Sensitive {
            inner,
            before,
            after,
            block,
        } = &change.shape
        else {
            return String::new();
        };
        if before == after || matches!(inner.kind, Kind::Create | Kind::Delete) {
            return String::new();
        }
        let what = if *block { "block" } else { "attribute value" };
        let (first, second) = if *before {
            (
                format!("this {what} will no longer be marked as sensitive"),
                "after applying this change.",
            )
        } else {
            (
                format!("this {what} will be marked as sensitive and will not"),
                "display in UI output after applying this change.",
            )
        };
        let same = if inner.kind == Kind::NoOp && !block {
            " The value is unchanged."
        } else {
            ""
        };
        let warning = self.style.paint(Ink::Yellow, "Warning");
        let pad = indent(level);
        format!("{pad}  # {warning}: {first}\n{pad}  # {second}{same}\n")
    }

    fn sequence(&self, change: &Change, items: &[Change], ordered: bool, level: usize) -> String {
        let forces = self.forces(change);
        let null = self.null_suffix(change.kind);
        if items.is_empty() {
            return format!("[]{null}{forces}");
        }
        let inside = self.without_null_suffix();
        let pad = indent(level + 1);
        let mut out = format!("[{forces}\n");
        let mut skipped: Vec<&Change> = Vec::new();
        let mut next_too = false;
        for item in items {
            let still = item.kind == Kind::NoOp;
            if still && !next_too && !self.unchanged {
                skipped.push(item);
                continue;
            }
            next_too = false;
            let mut layout = inside;
            if ordered {
                // The neighbour before a change is shown, and the one after it.
                if let Some(last) = skipped.pop() {
                    self.count_hidden(&mut out, skipped.len(), "element", level);
                    self.element(&mut out, last, &self.showing_unchanged(), &pad, level);
                }
                skipped.clear();
                if still {
                    layout = self.showing_unchanged();
                } else {
                    next_too = true;
                }
            }
            self.element(&mut out, item, &layout, &pad, level);
        }
        self.count_hidden(&mut out, skipped.len(), "element", level);
        out.push_str(&format!(
            "{}{}]{null}",
            indent(level),
            self.sign(Kind::NoOp)
        ));
        out
    }

    fn element(&self, out: &mut String, item: &Change, layout: &Layout, pad: &str, level: usize) {
        out.push_str(&layout.warnings(item, level + 1));
        let sign = layout.sign(item.kind);
        let shown = layout.write(item, level + 1);
        out.push_str(&format!("{pad}{sign}{shown},\n"));
    }

    fn count_hidden(&self, out: &mut String, count: usize, word: &str, level: usize) {
        if count > 0 {
            let sign = self.sign(Kind::NoOp);
            let note = self.hidden(count, word);
            out.push_str(&format!("{}{sign}{note}\n", indent(level + 1)));
        }
    }

    fn map(&self, change: &Change, entries: &[(Arc<str>, Change)], level: usize) -> String {
        let forces = self.forces(change);
        let null = self.null_suffix(change.kind);
        if entries.is_empty() {
            return format!("{{}}{null}{forces}");
        }
        let inside = self.without_null_suffix();
        let mut out = format!("{{{forces}\n");
        let width = widest(entries.iter().map(|(key, _)| quoted(key)));
        let mut skipped = 0;
        for (key, entry) in entries {
            if entry.kind == Kind::NoOp && !self.unchanged {
                skipped += 1;
                continue;
            }
            // Objects in a map are set apart by commas.
            let comma = match entry.shape {
                Shape::Object(_) => ",",
                _ => "",
            };
            inside.named(&mut out, &quoted(key), width, entry, level);
            out.insert_str(out.len() - 1, comma);
        }
        self.count_hidden(&mut out, skipped, "element", level);
        out.push_str(&format!(
            "{}{}}}{null}",
            indent(level),
            self.sign(Kind::NoOp)
        ));
        out
    }

    fn object(&self, change: &Change, entries: &[(Arc<str>, Change)], level: usize) -> String {
        let forces = self.forces(change);
        let null = self.null_suffix(change.kind);
        if entries.is_empty() {
            return format!("{{}}{null}{forces}");
        }
        let inside = self.without_null_suffix();
        let mut out = format!("{{{forces}\n");
        let skipped = inside.attributes(&mut out, entries, level);
        self.count_hidden(&mut out, skipped, "attribute", level);
        out.push_str(&format!(
            "{}{}}}{null}",
            indent(level),
            self.sign(Kind::NoOp)
        ));
        out
    }

    /// Attributes under each other; answers how many were left out.
    fn attributes(&self, out: &mut String, entries: &[(Arc<str>, Change)], level: usize) -> usize {
        let width = widest(entries.iter().map(|(name, _)| attribute_name(name)));
        let mut skipped = 0;
        for (name, entry) in entries {
            let telling = TELLING.contains(&name.as_ref());
            if entry.kind == Kind::NoOp && !telling && !self.unchanged {
                skipped += 1;
                continue;
            }
            let layout = if telling {
                self.showing_unchanged()
            } else {
                *self
            };
            layout.named(out, &attribute_name(name), width, entry, level);
        }
        skipped
    }

    fn named(&self, out: &mut String, name: &str, width: usize, entry: &Change, level: usize) {
        out.push_str(&self.warnings(entry, level + 1));
        let sign = self.sign(entry.kind);
        let shown = self.write(entry, level + 1);
        out.push_str(&format!(
            "{}{sign}{name:<width$} = {shown}\n",
            indent(level + 1)
        ));
    }

    fn block(
        &self,
        change: &Change,
        attributes: &[(Arc<str>, Change)],
        blocks: &[NestedChange],
        level: usize,
    ) -> String {
        let forces = self.forces(change);
        if attributes.is_empty() && blocks.is_empty() {
            return format!("{{}}{forces}");
        }
        let mut out = format!("{{{forces}\n");
        let skipped = self.attributes(&mut out, attributes, level);
        self.count_hidden(&mut out, skipped, "attribute", level);
        let mut skipped = 0;
        let mut last: Option<&Arc<str>> = None;
        for (name, label, nested) in blocks {
            if nested.kind == Kind::NoOp && !self.unchanged {
                skipped += 1;
                continue;
            }
            // An empty line sets blocks apart from attributes and from those of another name.
            if last != Some(name) && !attributes.is_empty() {
                out.push('\n');
            }
            last = Some(name);
            out.push_str(&self.warnings(nested, level + 1));
            let label = label.as_ref().map(|l| format!(" {}", quoted(l)));
            out.push_str(&format!(
                "{}{}{}{} {}\n",
                indent(level + 1),
                self.sign(nested.kind),
                attribute_name(name),
                label.unwrap_or_default(),
                self.write(nested, level + 1)
            ));
        }
        if skipped > 0 {
            out.push('\n');
            self.count_hidden(&mut out, skipped, "block", level);
        }
        out.push_str(&format!("{}{}}}", indent(level), self.sign(Kind::NoOp)));
        out
    }

    fn hidden_block(&self, change: &Change, level: usize) -> String {
        let forces = self.forces(change);
        let pad = format!("{}{}", indent(level + 1), self.sign(Kind::NoOp));
        let end = format!("{}{}", indent(level), self.sign(Kind::NoOp));
        format!(
            "{{{forces}\n{pad}# At least one attribute in this block is (or was) sensitive,\n\
             {pad}# so its contents will not be displayed.\n{end}}}"
        )
    }
}

fn widest(names: impl Iterator<Item = String>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0)
}
