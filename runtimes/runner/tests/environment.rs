//! Python environments: made from requirements.txt, kept, and made anew when they are not whole.

use mlinfra_runner::{RunError, RunResult, Setting, Spec};

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

#[tokio::test]
async fn an_environment_is_made_kept_and_made_anew() {
    let world = world().await;
    run(&world, spec(&world)).await.unwrap();
    assert_eq!(
        world.artifact(1, "model.onnx").await,
        "no tiny False\n",
        "without requirements the machine's Python runs"
    );

    let package = world.path("train/package");
    std::fs::create_dir(&package).unwrap();
    std::fs::write(package.join("pyproject.toml"), PYPROJECT).unwrap();
    std::fs::write(package.join("backend.py"), BACKEND).unwrap();
    std::fs::write(
        world.path("train/requirements.txt"),
        "# one of our own\n./package\n",
    )
    .unwrap();
    run(&world, spec(&world)).await.unwrap();
    assert_eq!(world.artifact(2, "model.onnx").await, "42 True\n");

    let kept = std::fs::read_dir(world.path("environments/venv")).unwrap();
    let kept: Vec<_> = kept
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(kept.len(), 1);
    // As a kill would leave it: no marker, and half of the files.
    std::fs::remove_file(kept[0].join(".complete")).unwrap();
    std::fs::remove_dir_all(kept[0].join("lib")).unwrap();
    run(
        &world,
        Spec {
            force: true,
            ..spec(&world)
        },
    )
    .await
    .unwrap();
    assert_eq!(world.artifact(3, "model.onnx").await, "42 True\n");

    std::fs::write(world.path("train/requirements.txt"), "./no-such-package\n").unwrap();
    let error = run(&world, spec(&world)).await.unwrap_err().to_string();
    assert!(
        error.contains("pip install") && error.contains("no-such-package"),
        "{error}"
    );

    std::fs::write(world.path("train/requirements.txt"), "\n# nothing\n").unwrap();
    run(&world, spec(&world)).await.unwrap();
    assert_eq!(world.artifact(4, "model.onnx").await, "no tiny True\n");
}

async fn run(world: &World, spec: Spec) -> Result<RunResult, RunError> {
    let setting = Setting {
        environments: Some(world.path("environments")),
        ..Setting::default()
    };
    world.run_in(spec, setting).await
}
