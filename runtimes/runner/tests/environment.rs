//! Python environments: made from requirements.txt, kept, and made anew when they are not whole.

use mlinfra_runner::Spec;

use super::World;

/// A package without dependencies, as a folder that pip can install without a network.
const PYPROJECT: &str = r#"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny"
version = "1.0"
"#;

/// The least build backend there is: it writes a wheel with one module.
const BACKEND: &str = r#"
import zipfile, os
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("tiny.py", "answer = 42\n")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    return name
"#;

const TRAIN: &str = r#"
import os, sys
try:
    import tiny
    answer = tiny.answer
except ImportError:
    answer = "no tiny"
with open(os.environ["MLINFRA_OUTPUT"] + "/model.onnx", "w") as model:
    print(answer, sys.prefix != sys.base_prefix, file=model)
"#;

async fn world() -> World {
    let world = World::new("").await;
    std::fs::write(world.path("train/train.py"), TRAIN).unwrap();
    world
}

fn spec(world: &World) -> Spec {
    Spec {
        command: vec!["python".into(), "train.py".into()],
        objective: None,
        ..world.spec()
    }
}

/// All that depends on the one variable of this process that says where environments are kept stands in one test.
#[tokio::test]
async fn an_environment_is_made_kept_and_made_anew() {
    let world = world().await;
    world.run(spec(&world)).await.unwrap();
    assert_eq!(
        world.artifact(1, "model.onnx").await,
        "no tiny False\n",
        "without requirements the machine's Python runs"
    );

    let package = world.path("train/tiny");
    std::fs::create_dir(&package).unwrap();
    std::fs::write(package.join("pyproject.toml"), PYPROJECT).unwrap();
    std::fs::write(package.join("backend.py"), BACKEND).unwrap();
    std::fs::write(
        world.path("train/requirements.txt"),
        "# one of our own\n./tiny\n",
    )
    .unwrap();
    world.run(spec(&world)).await.unwrap();
    assert_eq!(world.artifact(2, "model.onnx").await, "42 True\n");

    let kept = environments();
    let fresh: Vec<_> = kept
        .iter()
        .filter(|folder| {
            std::fs::read_to_string(folder.join(".complete"))
                .is_ok_and(|text| text.contains("./tiny"))
        })
        .collect();
    assert!(!fresh.is_empty());
    for folder in &fresh {
        // As a kill would leave it: no marker, and half of the files.
        std::fs::remove_file(folder.join(".complete")).unwrap();
        std::fs::remove_dir_all(folder.join("lib")).unwrap();
    }
    world
        .run(Spec {
            force: true,
            ..spec(&world)
        })
        .await
        .unwrap();
    assert_eq!(world.artifact(3, "model.onnx").await, "42 True\n");

    std::fs::write(world.path("train/requirements.txt"), "./no-such-package\n").unwrap();
    let error = world.run(spec(&world)).await.unwrap_err().to_string();
    assert!(
        error.contains("pip install") && error.contains("no-such-package"),
        "{error}"
    );

    std::fs::write(world.path("train/requirements.txt"), "\n# nothing\n").unwrap();
    world.run(spec(&world)).await.unwrap();
    assert_eq!(world.artifact(4, "model.onnx").await, "no tiny True\n");
}

fn environments() -> Vec<std::path::PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(std::path::PathBuf::from);
    let root = variable("MLINFRA_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("mlinfra")))
        .unwrap_or_else(|| variable("HOME").unwrap().join(".cache/mlinfra"));
    let entries = std::fs::read_dir(root.join("venv")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect()
}
