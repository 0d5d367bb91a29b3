//! Diagnostics for people: a frame, the source with the offending part underlined, the values that
//! led to it, and what to do about it.

use unicode_width::UnicodeWidthStr;

use super::excerpt::{Excerpt, Line};
use super::style::{Ink, Style, wrap};
use super::{Diagnostic, Diagnostics, Severity};
use crate::source::Sources;

/// Renders diagnostics, each after the other, warnings before errors.
pub fn render_all(diagnostics: &Diagnostics, sources: &Sources, style: &Style) -> String {
    let (errors, warnings): (Vec<_>, Vec<_>) = diagnostics.into_iter().partition(|d| d.is_error());
    warnings
        .into_iter()
        .chain(errors)
        .map(|d| render(d, sources, style))
        .collect()
}

/// Renders one diagnostic: framed for a terminal, bare for anything else.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, style: &Style) -> String {
    let (word, headline, rule) = match diagnostic.severity {
        Severity::Error => ("Error: ", Ink::BoldRed, Ink::Red),
        Severity::Warning => ("Warning: ", Ink::BoldYellow, Ink::Yellow),
    };
    let mut body = format!(
        "{}{}\n",
        style.paint(headline, word),
        style.paint(Ink::Bold, &diagnostic.summary)
    );
    if let Some(subject) = diagnostic.subject {
        let excerpt = Excerpt::of(sources, subject, diagnostic.context);
        body.push('\n');
        place(&mut body, diagnostic, &excerpt, style);
    } else if let Some(address) = &diagnostic.address {
        body.push_str(&format!("\n  with {address}\n"));
    }
    let framed = style.color || style.width.is_some();
    let width = style.width.map(|w| w.saturating_sub(3).max(20));
    for paragraph in [Some(diagnostic.detail.as_str()), diagnostic.hint.as_deref()] {
        if let Some(text) = paragraph.filter(|text| !text.is_empty()) {
            let text = text.trim_end();
            body.push('\n');
            body.push_str(&width.map_or_else(|| text.to_owned(), |w| wrap(text, w)));
            body.push('\n');
        }
    }
    if !diagnostic.code.is_empty() {
        let more = format!("For more: mlinfra explain {}", diagnostic.code);
        body.push_str(&format!("\n{}\n", style.paint(Ink::Gray, &more)));
    }
    if framed {
        frame(&body, rule, style)
    } else {
        format!("\n{body}")
    }
}

fn frame(body: &str, rule: Ink, style: &Style) -> String {
    let bar = style.paint(rule, "│");
    let mut out = format!("{}\n", style.paint(rule, "╷"));
    for line in body.lines() {
        out.push_str(&format!("{bar} {line}\n"));
    }
    out.push_str(&format!("{}\n", style.paint(rule, "╵")));
    out
}

fn place(body: &mut String, diagnostic: &Diagnostic, excerpt: &Excerpt<'_>, style: &Style) {
    if let Some(address) = &diagnostic.address {
        body.push_str(&format!("  with {address},\n"));
    }
    body.push_str(&format!("  on {} line {}", excerpt.file, excerpt.line));
    match excerpt.block {
        Some(block) => body.push_str(&format!(", in {block}:\n")),
        None => body.push_str(":\n"),
    }
    for line in excerpt.shown() {
        match line {
            Some(line) => source_line(body, line, style),
            None => body.push_str("      …\n"),
        }
    }
    if !diagnostic.values.is_empty() {
        let branch = style.paint(Ink::Gray, "├────────────────");
        let bar = style.paint(Ink::Gray, "│");
        body.push_str(&format!("    {branch}\n"));
        for note in &diagnostic.values {
            let expression = style.paint(Ink::Bold, &note.expression);
            body.push_str(&format!("    {bar} {expression} {}", note.statement));
            if let Some(origin) = &note.origin {
                body.push_str(&format!(" (from {origin})"));
            }
            body.push('\n');
        }
    }
}

/// The line with its number, and below it carets under what is at fault.
fn source_line(body: &mut String, line: &Line<'_>, style: &Style) {
    let Line {
        number,
        text,
        fault,
    } = line;
    let before = text.get(..fault.start).unwrap_or_default();
    let part = text.get(fault.clone()).unwrap_or_default();
    let after = text.get(fault.end..).unwrap_or_default();
    let part_shown = style.paint(Ink::Underline, part);
    body.push_str(&format!("{number:>4}: {before}{part_shown}{after}\n"));
    if part.is_empty() {
        return;
    }
    // Tabs stay tabs, so that the carets stand below their text however wide a tab is.
    let pad: String = before
        .split_inclusive('\t')
        .flat_map(|piece| {
            let blanks = " ".repeat(piece.trim_end_matches('\t').width());
            [
                blanks,
                if piece.ends_with('\t') { "\t" } else { "" }.to_owned(),
            ]
        })
        .collect();
    let carets = "^".repeat(part.width().max(1));
    let carets = style.paint(Ink::Red, &carets);
    body.push_str(&format!("      {pad}{carets}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::ValueNote;
    use crate::source::Span;

    fn sample() -> (Sources, Diagnostic) {
        let mut sources = Sources::default();
        let text = "resource \"a\" \"b\" {\n\n\tx = \"é\" + local.nope\n}\n";
        let id = sources.add("main.hcl", None, text);
        sources.note_block(Span::new(id, 0..text.len()), "resource \"a\" \"b\"");
        let from = text.find("local").unwrap();
        let mut diagnostic = Diagnostic::error(
            "Reference to undeclared local value",
            "A local value with the name \"nope\" has not been declared.",
        )
        .at(Span::new(id, from..from + 10))
        .hint("Did you mean \"hope\"?")
        .code("E0012");
        diagnostic.values.push(ValueNote {
            expression: "var.x".into(),
            statement: "is 3".into(),
            origin: Some("prod.tfvars".into()),
        });
        (sources, diagnostic)
    }

    #[test]
    fn a_pipe_gets_the_bare_text() {
        let (sources, diagnostic) = sample();
        assert_eq!(
            render(&diagnostic, &sources, &Style::PLAIN),
            "
Error: Reference to undeclared local value

  on main.hcl line 3, in resource \"a\" \"b\":
   3: \tx = \"é\" + local.nope
      \t          ^^^^^^^^^^
    ├────────────────
    │ var.x is 3 (from prod.tfvars)

A local value with the name \"nope\" has not been declared.

Did you mean \"hope\"?

For more: mlinfra explain E0012
"
        );
    }

    #[test]
    fn a_terminal_gets_a_frame_and_wrapped_sentences() {
        let (sources, mut diagnostic) = sample();
        diagnostic.values.clear();
        diagnostic.code = "";
        diagnostic.hint = None;
        let style = Style {
            color: false,
            width: Some(40),
        };
        assert_eq!(
            render(&diagnostic, &sources, &style),
            "╷
│ Error: Reference to undeclared local value
│ 
│   on main.hcl line 3, in resource \"a\" \"b\":
│    3: \tx = \"é\" + local.nope
│       \t          ^^^^^^^^^^
│ 
│ A local value with the name \"nope\"
│ has not been declared.
╵
"
        );
    }

    #[test]
    fn a_warning_without_a_place_names_its_resource() {
        let warning = Diagnostic::warning("Slow", "").about("local_service.api");
        assert_eq!(
            render(&warning, &Sources::default(), &Style::PLAIN),
            "\nWarning: Slow\n\n  with local_service.api\n"
        );
    }

    #[test]
    fn colour_marks_severity_and_the_offending_part() {
        let (sources, diagnostic) = sample();
        let style = Style {
            color: true,
            width: None,
        };
        let text = render(&diagnostic, &sources, &style);
        assert!(
            text.contains("\u{1b}[1m\u{1b}[31mError: \u{1b}[0m"),
            "{text:?}"
        );
        assert!(text.contains("\u{1b}[4mlocal.nope\u{1b}[0m"), "{text:?}");
    }
}
