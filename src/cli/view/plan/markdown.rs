//! A plan for a pull request: the numbers, a table of what is done, and the difference itself,
//! folded away.

use super::super::diff::quoted;
use super::super::style::Style;
use super::{Counts, is_worth_showing, render};
use crate::plan::{Action, Plan, ResourceChange};

/// A comment longer than this is refused by the common forges.
const MOST_BYTES: usize = 60_000;

/// The plan as Markdown.
pub fn markdown(plan: &Plan) -> String {
    let counts = Counts::of(plan);
    let changes: Vec<&ResourceChange> = plan
        .changes
        .iter()
        .filter(|c| is_worth_showing(c))
        .collect();
    let text = render(plan, &Style::PLAIN);
    if changes.is_empty() && plan.deferred.is_empty() && counts.is_empty() {
        let outputs = text.contains("\nChanges to Outputs:\n");
        if !outputs {
            return "### mlinfra plan: no changes\n".to_owned();
        }
    }
    let mut out = format!("### mlinfra plan: {}\n", headline(&counts));
    if !changes.is_empty() {
        out.push_str("\n| | Object | Why |\n|---|---|---|\n");
        for change in &changes {
            out.push_str(&row(change));
        }
    }
    if !plan.deferred.is_empty() {
        out.push_str("\nDeferred until what they need exists:\n\n");
        for (address, reason) in &plan.deferred {
            out.push_str(&format!("- {} ({})\n", code(address), escaped(reason)));
        }
    }
    out.push_str("\n<details><summary>Full plan</summary>\n\n");
    out.push_str(&fenced(
        text.trim_matches('\n'),
        MOST_BYTES.saturating_sub(out.len()),
    ));
    out.push_str("\n</details>\n");
    out
}

fn headline(counts: &Counts) -> String {
    let parts = [
        (counts.imported(), "to import"),
        (counts.added(), "to add"),
        (counts.changed(), "to change"),
        (counts.destroyed(), "to destroy"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    match parts.as_slice() {
        [] => "changes to outputs or addresses only".to_owned(),
        parts => parts.join(", "),
    }
}

fn row(change: &ResourceChange) -> String {
    let (sign, words) = match change.action {
        Action::NoOp if change.importing.is_some() => ("=", "import"),
        Action::NoOp => ("→", "move"),
        Action::Create => ("+", "create"),
        Action::Read => ("<=", "read"),
        Action::Update => ("~", "update"),
        Action::Delete => ("-", "**destroy**"),
        Action::DeleteThenCreate | Action::CreateThenDelete => ("-/+", "**replace**"),
        Action::Forget => (".", "forget"),
    };
    let mut why: Vec<String> = change.notes.iter().map(|note| escaped(note)).collect();
    if change.action.is_replace() && !change.replace.is_empty() {
        let paths: Vec<String> = change
            .replace
            .iter()
            .map(|p| code(&p.to_string()))
            .collect();
        why.insert(0, format!("because of {}", paths.join(", ")));
    }
    if let Some(previous) = &change.previous_address {
        why.push(format!("was {}", code(&previous.to_string())));
    }
    if let Some(id) = &change.importing {
        why.push(format!("from {}", code(&quoted(id))));
    }
    if change.protected && (change.action == Action::Delete || change.action.is_replace()) {
        why.push("**holds data, which will be lost**".to_owned());
    }
    let address = code(&change.address.to_string());
    format!("| `{sign}` {words} | {address} | {} |\n", why.join("; "))
}

/// Text in a table cell: what Markdown or HTML would act on is escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '<' | '>' | '#' | '@' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Code in a table cell.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

/// A fence that nothing inside can close, cut at a line's end where the text is too long.
fn fenced(text: &str, room: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = text.get(..end).unwrap_or_default();
    let (kept, cut) = if end < text.len() {
        let line = kept.rfind('\n').unwrap_or(0);
        (kept.get(..line).unwrap_or_default(), true)
    } else {
        (kept, false)
    };
    let note = if cut {
        "\n\nThe plan is longer than a comment may be; the rest was left out.\n"
    } else {
        "\n"
    };
    format!("{fence}\n{kept}\n{fence}{note}")
}

#[cfg(test)]
mod tests {
    use super::super::reading;
    use super::*;
    use crate::plan::Mode;

    #[test]
    fn a_pull_request_sees_a_table_and_the_plan_folded() {
        let mut plan = reading::plan(include_str!("../measured/mixed.json"), Mode::Normal);
        plan.changes[1].notes = vec!["because a|b <script>".into()];
        let text = markdown(&plan);
        let (head, rest) = text.split_once("\n<details>").unwrap();
        assert_eq!(
            head,
            "### mlinfra plan: 2 to add, 1 to change, 2 to destroy

| | Object | Why |
|---|---|---|
| `~` update | `terraform_data.a` |  |
| `-/+` **replace** | `terraform_data.b` | because of `triggers_replace`; because a\\|b \\<script\\> |
| `-` **destroy** | `terraform_data.c` |  |
| `+` create | `terraform_data.d` |  |
"
        );
        assert!(rest.contains("```\nmlinfra used the selected providers"));
        assert!(rest.ends_with("to destroy.\n```\n\n</details>\n"), "{rest}");
    }

    #[test]
    fn nothing_to_do_is_one_line() {
        let plan = reading::plan(include_str!("../measured/no_changes.json"), Mode::Normal);
        assert_eq!(markdown(&plan), "### mlinfra plan: no changes\n");
        let plan = reading::plan(include_str!("../measured/outputs_only.json"), Mode::Normal);
        assert!(markdown(&plan).starts_with("### mlinfra plan: changes to outputs"));
    }

    #[test]
    fn a_fence_cannot_be_closed_from_inside_and_has_an_end() {
        assert_eq!(fenced("a\n````\nb", 100), "`````\na\n````\nb\n`````\n");
        let cut = fenced("one\ntwo\nthree", 9);
        assert!(
            cut.starts_with("```\none\ntwo\n```\n\nThe plan is longer"),
            "{cut}"
        );
    }
}
