//! Buckets through the provider.

use mlinfra_sdk::{Delete, FailureKind, Value};

use super::world::{World, at};

const TY: &str = "local_bucket";

impl World {
    fn bucket(&self, path: &str) -> Value {
        self.config(TY, [("path", path.into())])
    }
}

#[tokio::test]
async fn a_bucket_lives_and_goes_with_what_it_holds() {
    let mut world = World::with_runtime("/nowhere/mlinfra-runtime".into()).await;
    assert!(world.schema(TY).holds_data);
    let config = world.bucket("data/my models");
    let planned = world.plan(TY, None, &config).await.unwrap().value;
    let made = world.create(TY, &config, "t").await.unwrap();
    assert_eq!(made, planned);
    let place = world.path().join("data/my models");
    let url = format!("file://{}/data/my%20models", world.path().display());
    assert_eq!(made.get_str("url"), Some(url.as_str()));
    assert_eq!(
        std::fs::read_dir(&place).unwrap().count(),
        0,
        "it holds nothing of ours"
    );

    std::fs::create_dir(place.join("sub")).unwrap();
    std::fs::write(place.join("sub/a"), "x").unwrap();
    let outside = world.path().join("outside");
    std::fs::write(&outside, "precious").unwrap();
    std::os::unix::fs::symlink(&outside, place.join("link")).unwrap();
    std::os::unix::fs::symlink(world.path(), place.join("root")).unwrap();
    world.next_command().await;
    assert_eq!(world.read(TY, &made).await.unwrap(), Some(made.clone()));
    assert_eq!(world.create(TY, &config, "t").await.unwrap(), made);
    assert_eq!(
        world.find(TY, &config, "t").await.unwrap(),
        Some(made.clone())
    );
    assert_eq!(world.find(TY, &config, "other").await.unwrap(), None);
    let imported = world
        .session
        .import(TY, &world.context, "data/my models")
        .await
        .unwrap();
    assert_eq!(imported, Some(made.clone()));

    world.delete(TY, &made).await;
    assert!(!place.exists());
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "precious");
    assert_eq!(
        std::fs::read_dir(world.path().join(".mlinfra"))
            .unwrap()
            .count(),
        0
    );
    assert_eq!(world.read(TY, &made).await.unwrap(), None);
    world.delete(TY, &made).await;
}

#[tokio::test]
async fn what_others_keep_is_not_taken() {
    let world = World::with_runtime("/nowhere/mlinfra-runtime".into()).await;
    std::fs::create_dir(world.path().join("data")).unwrap();
    let made = world.create(TY, &world.bucket("data"), "t").await.unwrap();
    std::fs::write(world.path().join("data/a"), "x").unwrap();
    let failure = world
        .create(TY, &world.bucket("data"), "other")
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Conflict, "path")
    );

    // Someone puts a link in its place: what the link leads to stays.
    let moved = world.path().join("moved");
    std::fs::rename(world.path().join("data"), &moved).unwrap();
    std::os::unix::fs::symlink(&moved, world.path().join("data")).unwrap();
    let request = Delete { prior: &made };
    let failure = world
        .session
        .delete(TY, &world.context, request)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Conflict, "path")
    );
    assert!(moved.join("a").exists());
}

#[tokio::test]
async fn the_configuration_is_no_bucket() {
    let world = World::with_runtime("/nowhere/mlinfra-runtime".into()).await;
    let root = world.path().to_str().unwrap().to_owned();
    let above = world.path().parent().unwrap().to_str().unwrap().to_owned();
    for path in ["", ".", "a/..", "..", "/", ".mlinfra", &root, &above] {
        let failure = world.plan(TY, None, &world.bucket(path)).await.unwrap_err();
        assert_eq!(
            (failure.kind, at(&failure).as_str()),
            (FailureKind::Invalid, "path"),
            "{path:?}"
        );
    }
}
