//! Which crate may depend on which: asked of cargo.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// The description of the workspace as cargo gives it.
pub fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The crates of this repository with those of this repository that each needs to be built.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let mut edges = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if !name.starts_with("mlinfra") {
            continue;
        }
        let needed = package["dependencies"].as_array().unwrap().iter();
        let needed = needed
            .filter(|d| d["kind"].is_null())
            .filter_map(|d| d["name"].as_str())
            .filter(|n| n.starts_with("mlinfra"))
            .map(str::to_owned);
        edges.insert(name.to_owned(), needed.collect());
    }
    edges
}

fn reachable(edges: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(name) = next.pop() {
        for needed in edges.get(&name).into_iter().flatten() {
            if found.insert(needed.clone()) {
                next.push(needed.clone());
            }
        }
    }
    found
}

#[test]
fn the_contract_knows_nobody() {
    assert!(edges()["mlinfra-sdk"].is_empty());
}

#[test]
fn providers_know_the_contract_and_clients_but_not_the_engine() {
    let edges = edges();
    for provider in ["mlinfra-provider-local", "mlinfra-provider-ml"] {
        let known = reachable(&edges, provider);
        assert!(!known.contains("mlinfra"), "{provider} knows the engine");
        assert!(known.contains("mlinfra-sdk"));
        assert!(
            !known.contains("mlinfra-inference"),
            "{provider} knows a server"
        );
    }
}

#[test]
fn runtimes_know_neither_engine_nor_contract() {
    let edges = edges();
    for runtime in ["kit", "registry", "inference", "runner", "agent", "runtime"] {
        let known = reachable(&edges, &format!("mlinfra-{runtime}"));
        for forbidden in [
            "mlinfra",
            "mlinfra-sdk",
            "mlinfra-provider-local",
            "mlinfra-provider-ml",
        ] {
            assert!(!known.contains(forbidden), "{runtime} knows {forbidden}");
        }
    }
}

#[test]
fn the_engine_links_providers_only_when_bundled() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "-p",
            "mlinfra",
            "--no-default-features",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(
        tree.contains("mlinfra-sdk"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for forbidden in [
        "mlinfra-provider",
        "mlinfra-agent",
        "mlinfra-registry",
        "axum",
        "ort ",
    ] {
        assert!(
            !tree.contains(forbidden),
            "the engine alone links {forbidden}"
        );
    }
}
