//! Schedules through the provider.

use mlinfra_sdk::{FailureKind, Number, Type, Value};

use super::world::{World, at, map, shell, until};

const TY: &str = "local_schedule";

#[tokio::test]
async fn a_schedule_lives_and_leaves_nothing() {
    let world = World::new().await;
    let with = |schedule: &str, paused: bool| {
        world.config(
            TY,
            [
                ("name", "weekly".into()),
                ("schedule", schedule.into()),
                (
                    "command",
                    shell("cat $MLINFRA_SPEC > spec; echo $A$B > env"),
                ),
                ("env", map([("A", "a")])),
                ("secret_env", map([("B", "b")])),
                ("working_dir", "sub".into()),
                ("spec", r#"{ "job" : [1.50, 2] }"#.into()),
                ("timeout_s", Number::from_f64(2.5).unwrap().into()),
                ("overlap", "allow".into()),
                ("paused", paused.into()),
            ],
        )
    };
    std::fs::create_dir(world.path().join("sub")).unwrap();
    let paused = world
        .create(TY, &with("0 3 * * 1", true), "t")
        .await
        .unwrap();
    assert_eq!(paused.get_str("id"), Some("weekly"));
    assert_eq!(paused.get_str("catch_up"), Some("once"));
    assert_eq!(world.read(TY, &paused).await.unwrap(), Some(paused.clone()));
    let agent = world.agent().await;
    assert_eq!(agent.schedule("weekly").await.unwrap().unwrap().next, None);

    let planned = world
        .plan(TY, Some(&paused), &with("0 3 * * 1", true))
        .await
        .unwrap();
    assert_eq!(planned.value, paused, "nothing changed");
    let going = world
        .update(TY, &paused, &with("@every 1s", false))
        .await
        .unwrap();
    let spec = world.path().join("sub/spec");
    let env = until("the first firing", async || {
        spec.exists().then_some(())?;
        let text = std::fs::read_to_string(world.path().join("sub/env")).ok()?;
        text.ends_with('\n').then_some(text)
    })
    .await;
    assert_eq!(env, "ab\n");
    let spec: serde_json::Value = serde_json::from_slice(&std::fs::read(spec).unwrap()).unwrap();
    assert_eq!(spec, serde_json::json!({"job": [1.5, 2]}));
    let log = going.get_str("log").unwrap();
    assert!(
        std::fs::read_dir(log)
            .unwrap()
            .flatten()
            .any(|file| { file.file_name().to_string_lossy().starts_with("weekly-") })
    );

    world.delete(TY, &going).await;
    world.assert_no_agent();
    assert_eq!(world.read(TY, &going).await.unwrap(), None);
    world.delete(TY, &going).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn a_bad_schedule_is_found_at_plan() {
    let world = World::new().await;
    let with = |argument: &str, value: Value| {
        let fine = world.config(
            TY,
            [
                ("name", "weekly".into()),
                ("schedule", "0 3 * * 1".into()),
                ("command", shell("true")),
            ],
        );
        fine.with_attribute(argument, value)
    };
    for (argument, wrong, said) in [
        ("schedule", Value::from("61 * * * *"), "examples"),
        ("schedule", "soon".into(), "cron"),
        ("schedule", "@every banana".into(), "5s"),
        ("timezone", "Mars/Olympus".into(), "Europe/Berlin"),
        ("spec", "{".into(), "jsonencode"),
        ("overlap", "queue".into(), "\"skip\", \"allow\""),
        ("catch_up", "all".into(), "\"once\", \"none\""),
        ("command", Value::list(Type::String, []), "program"),
        ("timeout_s", 0i64.into(), "greater than 0"),
        ("name", "a/b".into(), "letters"),
    ] {
        let config = with(argument, wrong);
        assert_eq!(world.provider.validate_resource(TY, &config).len(), 1);
        let failure = world.plan(TY, None, &config).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Invalid);
        assert_eq!(at(&failure), argument);
        assert!(failure.detail.contains(said), "{failure}");
    }
    let unknown = with("schedule", Value::unknown(Type::String));
    assert!(world.plan(TY, None, &unknown).await.is_ok());
    world.assert_no_agent();
}

#[tokio::test]
async fn what_someone_changed_is_seen_and_put_right() {
    let world = World::new().await;
    let config = world.config(
        TY,
        [
            ("name", "weekly".into()),
            ("schedule", "0 3 * * 1".into()),
            ("command", shell("true")),
        ],
    );
    let made = world.create(TY, &config, "t").await.unwrap();
    let agent = world.agent().await;
    let mut spec = agent.schedule("weekly").await.unwrap().unwrap().spec;
    spec.cron = "@daily".to_owned();
    spec.timezone = Some("Europe/Berlin".to_owned());
    spec.paused = true;
    spec.job.timeout_ms = Some(1500);
    spec.job.spec = Some(serde_json::json!({"a": 1}));
    agent.update_schedule(&spec).await.unwrap();

    let drifted = world.read(TY, &made).await.unwrap().unwrap();
    assert_eq!(drifted.get_str("schedule"), Some("@daily"));
    assert_eq!(drifted.get_str("timezone"), Some("Europe/Berlin"));
    assert_eq!(drifted.get_str("spec"), Some(r#"{"a":1}"#));
    assert_eq!(drifted.get("paused").unwrap().as_bool(), Some(true));
    let seconds = drifted.get("timeout_s").unwrap().as_number().unwrap();
    assert_eq!(seconds.as_f64(), 1.5);
    let right = world.update(TY, &drifted, &config).await.unwrap();
    assert_eq!(right, made);
    assert_eq!(world.read(TY, &right).await.unwrap(), Some(made.clone()));
    world.delete(TY, &made).await;
}

#[tokio::test]
async fn a_cut_creation_is_found_and_a_stranger_is_imported() {
    let mut world = World::new().await;
    let config = world.config(
        TY,
        [
            ("name", "weekly".into()),
            ("schedule", "@hourly".into()),
            ("command", shell("true")),
        ],
    );
    assert_eq!(world.find(TY, &config, "t").await.unwrap(), None);
    world.assert_no_agent();
    let made = world.create(TY, &config, "t").await.unwrap();
    world.next_command().await;
    assert_eq!(world.create(TY, &config, "t").await.unwrap(), made);
    assert_eq!(
        world.find(TY, &config, "t").await.unwrap(),
        Some(made.clone())
    );
    assert_eq!(world.find(TY, &config, "other").await.unwrap(), None);
    let failure = world.create(TY, &config, "other").await.unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Conflict, "name")
    );
    let imported = world
        .session
        .import(TY, &world.context, "weekly")
        .await
        .unwrap();
    assert_eq!(imported, Some(made.clone()));
    let nothing = world
        .session
        .import(TY, &world.context, "nothing")
        .await
        .unwrap();
    assert_eq!(nothing, None);
    world.delete(TY, &made).await;
    world.assert_no_agent();
}
