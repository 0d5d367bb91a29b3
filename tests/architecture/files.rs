//! Every source file says what it is for, and the engine's rooms know only the rooms below them.

use std::path::{Path, PathBuf};

/// The engine's rooms from the bottom up. A room may use those before it, and none after it.
const ROOMS: &[&str] = &[
    "source",
    "diag",
    "addr",
    "lang",
    "graph",
    "format",
    "config",
    "vocabulary",
    "state",
    "module",
    "provider",
    "plan",
    "apply",
    "cli",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["src", "providers", "runtimes", "tests", "benches"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        if folder.is_dir() {
            sources(&folder, &mut found);
        }
    }
    assert!(found.len() > 100, "the sources were found");
    found
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let silent: Vec<PathBuf> = all_sources()
        .into_iter()
        .filter(|path| !std::fs::read_to_string(path).unwrap().starts_with("//! "))
        .collect();
    assert!(silent.is_empty(), "no //! line at the top of {silent:#?}");
}

#[test]
fn no_file_is_a_drawer() {
    let drawers = [
        "utils.rs",
        "util.rs",
        "helpers.rs",
        "common.rs",
        "misc.rs",
        "types.rs",
    ];
    let found: Vec<PathBuf> = all_sources()
        .into_iter()
        .filter(|path| drawers.contains(&path.file_name().unwrap().to_str().unwrap()))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn rooms_know_only_rooms_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for path in all_sources().iter().filter(|p| p.starts_with(&src)) {
        let inside = path.strip_prefix(&src).unwrap();
        let room = inside.iter().next().unwrap().to_string_lossy();
        let room = room.trim_end_matches(".rs");
        let Some(height) = ROOMS.iter().position(|r| *r == room) else {
            assert!(
                matches!(room, "lib" | "main"),
                "{} is in no known room",
                path.display()
            );
            continue;
        };
        let text = std::fs::read_to_string(path).unwrap();
        for (above, name) in ROOMS.iter().enumerate() {
            let knows = above > height && text.contains(&format!("crate::{name}::"));
            if knows {
                broken.push(format!("{} uses {name}", inside.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_map_in_lib_names_every_room() {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let text = std::fs::read_to_string(lib).unwrap();
    for room in ROOMS {
        assert!(
            text.contains(&format!("//! | [`{room}`]")),
            "{room} is not in the map"
        );
    }
}

#[test]
fn one_file_names_the_linked_providers() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let naming: Vec<PathBuf> = all_sources()
        .into_iter()
        .filter(|p| p.starts_with(&src))
        .filter(|p| {
            std::fs::read_to_string(p)
                .unwrap()
                .contains("mlinfra_provider_")
        })
        .collect();
    assert_eq!(naming, [src.join("cli/providers.rs")]);
}
