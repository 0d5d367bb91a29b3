//! Files through the provider.

use std::os::unix::fs::PermissionsExt;

use mlinfra_sdk::{FailureKind, Path, Type, Value};

use super::world::{World, at};

const TY: &str = "local_file";

impl World {
    async fn bare() -> World {
        World::with_runtime("/nowhere/mlinfra-runtime".into()).await
    }

    fn file(&self, content: &str) -> Value {
        self.config(
            TY,
            [("path", "out/a.txt".into()), ("content", content.into())],
        )
    }
}

#[tokio::test]
async fn a_file_lives_and_is_kept_as_it_should_be() {
    let world = World::bare().await;
    let place = world.path().join("out/a.txt");
    let config = world.file("one\n");
    let planned = world.plan(TY, None, &config).await.unwrap().value;
    assert!(
        planned.is_wholly_known(),
        "all of it follows from the configuration"
    );
    assert!(!place.exists());
    let made = world.create(TY, &config, "t").await.unwrap();
    assert_eq!(made, planned);
    assert_eq!(std::fs::read_to_string(&place).unwrap(), "one\n");
    let bits = || std::fs::metadata(&place).unwrap().permissions().mode() & 0o777;
    assert_eq!(bits(), 0o600);
    assert_eq!(world.read(TY, &made).await.unwrap(), Some(made.clone()));
    assert_eq!(world.create(TY, &config, "t").await.unwrap(), made);
    assert_eq!(
        world.find(TY, &config, "t").await.unwrap(),
        Some(made.clone())
    );
    let imported = world
        .session
        .import(TY, &world.context, "out/a.txt")
        .await
        .unwrap();
    assert_eq!(imported, Some(made.clone()));

    std::fs::write(&place, "someone else's").unwrap();
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o644)).unwrap();
    let drifted = world.read(TY, &made).await.unwrap().unwrap();
    assert_eq!(drifted.get_str("content"), Some("someone else's"));
    assert_eq!(drifted.get_str("mode"), Some("0644"));
    assert_ne!(drifted.get("digest"), made.get("digest"));
    assert_eq!(world.find(TY, &config, "t").await.unwrap(), None);
    assert_eq!(world.update(TY, &drifted, &config).await.unwrap(), made);
    assert_eq!(bits(), 0o600);

    // Bytes that are no text, and text in another normal form, are seen too.
    for foreign in [&b"\xff\xfe"[..], "e\u{301}".as_bytes()] {
        std::fs::write(&place, foreign).unwrap();
        let drifted = world.read(TY, &made).await.unwrap().unwrap();
        let planned = world.plan(TY, Some(&drifted), &config).await.unwrap();
        assert_ne!(planned.value, drifted);
        assert_eq!(planned.value, made);
    }
    world.delete(TY, &made).await;
    assert!(!place.exists());
    assert_eq!(world.read(TY, &made).await.unwrap(), None);
    world.delete(TY, &made).await;
}

#[tokio::test]
async fn what_is_there_already_is_not_overwritten() {
    let world = World::bare().await;
    std::fs::create_dir(world.path().join("out")).unwrap();
    std::fs::write(world.path().join("out/a.txt"), "precious").unwrap();
    let failure = world.create(TY, &world.file("new"), "t").await.unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Conflict, "path")
    );
    let kept = std::fs::read_to_string(world.path().join("out/a.txt")).unwrap();
    assert_eq!(kept, "precious");
}

#[tokio::test]
async fn wrong_arguments_are_found_at_plan() {
    let world = World::bare().await;
    let null = || Value::null(Type::String);
    for (argument, wrong) in [
        ("path", Value::from("../a")),
        ("path", "out/../../a".into()),
        ("path", "".into()),
        ("content", null()),
        ("mode", "rw-r--r--".into()),
    ] {
        let config = world.file("x").with_attribute(argument, wrong);
        let failure = world.plan(TY, None, &config).await.unwrap_err();
        assert_eq!(
            (failure.kind, at(&failure).as_str()),
            (FailureKind::Invalid, argument)
        );
    }
    let both = world
        .file("x")
        .with_attribute("sensitive_content", "y".into());
    assert_eq!(
        at(&world.plan(TY, None, &both).await.unwrap_err()),
        "sensitive_content"
    );

    let unknown = world
        .file("x")
        .with_attribute("content", Value::unknown(Type::String));
    let planned = world.plan(TY, None, &unknown).await.unwrap().value;
    assert!(!planned.get("digest").unwrap().is_known());
    let made = world.create(TY, &world.file("x"), "t").await.unwrap();
    let moved = world.file("x").with_attribute("path", "out/b.txt".into());
    let planned = world.plan(TY, Some(&made), &moved).await.unwrap();
    assert_eq!(planned.replace, [Path::attribute("path")]);
}

#[tokio::test]
async fn a_link_does_not_lead_a_file_out() {
    let world = World::bare().await;
    let other = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(other.path(), world.path().join("out")).unwrap();
    let failure = world.create(TY, &world.file("x"), "t").await.unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Invalid, "path")
    );
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0);

    let absolute = other.path().join("a.txt");
    let config = world
        .file("x")
        .with_attribute("path", absolute.to_str().unwrap().into());
    let secret = config
        .with_attribute("content", Value::null(Type::String))
        .with_attribute("sensitive_content", "hush".into());
    let made = world.create(TY, &secret, "t").await.unwrap();
    assert_eq!(std::fs::read_to_string(&absolute).unwrap(), "hush");
    std::fs::write(&absolute, "changed").unwrap();
    let drifted = world.read(TY, &made).await.unwrap().unwrap();
    assert_eq!(drifted.get_str("sensitive_content"), Some("changed"));
    assert!(drifted.get("content").unwrap().is_null());
}
