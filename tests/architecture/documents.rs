//! The paths that documents name exist.

use std::path::Path;

const DOCUMENTS: &[&str] = &["README.md", "docs/ARCHITECTURE.md"];

/// The words in backticks that look like paths of the repository.
fn paths(text: &str) -> Vec<&str> {
    let roots = [
        "src/",
        "providers/",
        "runtimes/",
        "modules/",
        "examples/",
        "tests/",
        "docs/",
        "scripts/",
        "benches/",
    ];
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| roots.iter().any(|root| word.starts_with(root)))
        .filter(|word| !word.contains(['<', '*', '{', ' ']))
        .collect()
}

#[test]
fn paths_named_in_documents_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let named = paths(&text);
        assert!(!named.is_empty(), "{document} names paths");
        for path in named {
            assert!(
                root.join(path).exists(),
                "{document} names {path}, which does not exist"
            );
        }
    }
}

#[test]
fn the_quickstart_in_the_readme_is_the_quickstart() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let shown = readme.split("```hcl\n").nth(1).unwrap();
    let shown = shown.split("```").next().unwrap().trim();
    let example = std::fs::read_to_string(root.join("examples/quickstart/main.hcl")).unwrap();
    assert!(
        example.contains(shown),
        "the README shows another file:\n{shown}"
    );
}
