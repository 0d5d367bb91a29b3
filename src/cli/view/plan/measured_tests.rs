//! Plans of Terraform 1.11.4, rendered by us from its JSON and compared with its own text.
//!
//! One difference is meant: Terraform leaves `# forces replacement` out where an attribute is of
//! dynamic type, as all of these are.

use super::*;

fn cases() -> Vec<(String, String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/view/measured");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "txt") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let json = std::fs::read_to_string(path.with_extension("json")).unwrap();
            cases.push((name, json, std::fs::read_to_string(path).unwrap()));
        }
    }
    cases.sort();
    cases
}

fn mode(name: &str) -> Mode {
    match name {
        _ if name.starts_with("destroy_mode") => Mode::Destroy,
        _ if name.starts_with("drift") || name.starts_with("refresh_only") => Mode::RefreshOnly,
        _ => Mode::Normal,
    }
}

#[test]
fn plans_read_as_terraforms_do() {
    let cases = cases();
    assert!(cases.len() > 60, "{}", cases.len());
    let mut wrong = Vec::new();
    for (name, json, wanted) in &cases {
        let text = Text::new("Terraform", &Style::PLAIN)
            .plan(&reading::plan(json, mode(name)))
            .replace(" # forces replacement", "")
            .replace("whitespace changes force replacement", "whitespace changes");
        if text != *wanted {
            wrong.push(format!("=== {name}\n--- wanted\n{wanted}--- got\n{text}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_forces_replacement_is_said() {
    let case = |name: &str| cases().into_iter().find(|c| c.0 == name).unwrap().1;
    let shown = |name: &str| render(&reading::plan(&case(name), Mode::Normal), &Style::PLAIN);
    assert!(shown("replace_string").contains("\"a\" -> \"b\" # forces replacement\n"));
    assert!(shown("replace").contains("~ triggers_replace = { # forces replacement\n"));
    assert!(shown("replace_heredoc").contains("= <<-EOT # forces replacement\n"));
    assert!(shown("replace_json_space").contains("( # whitespace changes force replacement\n"));
}

#[test]
fn the_tool_says_its_own_name() {
    for (name, json, _) in cases() {
        let text = render(&reading::plan(&json, mode(&name)), &Style::PLAIN);
        assert!(!text.contains("Terraform"), "{name}");
    }
}
