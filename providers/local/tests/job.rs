//! Jobs through the provider.

use std::collections::BTreeMap;

use mlinfra_agent::messages::JobSpec;
use mlinfra_sdk::{Event, FailureKind, Path, Value};

use super::world::{World, at, kill, list, map, shell, until};

const TY: &str = "local_job";

impl World {
    fn job<const N: usize>(&self, script: &str, more: [(&str, Value); N]) -> Value {
        let job = self.config(TY, [("name", "train".into()), ("command", shell(script))]);
        more.into_iter().fold(job, |config, (name, value)| {
            config.with_attribute(name, value)
        })
    }

    /// The process of the job, once it runs.
    async fn process(&self) -> i32 {
        let agent = self.agent().await;
        until("the process of the job", async || {
            agent.job("train").await.ok()??.pid
        })
        .await
    }
}

#[tokio::test]
async fn a_job_runs_once_and_tells_of_its_progress() {
    let mut world = World::new().await;
    let script = r#"
        echo reading
        echo '{"stage": "fit", "step": 3, "metrics": {"loss": 0.5, "note": "x"}, "message": "half way"}' >> $MLINFRA_EVENTS
        printf '{"depth": %s, "env": "%s"}' "$(cat $MLINFRA_SPEC)" "$A$B" > $MLINFRA_RESULT"#;
    let more = || {
        [
            ("spec", Value::from("[6]")),
            ("env", map([("A", "a")])),
            ("secret_env", map([("B", "b")])),
            ("triggers", map([("code", "1"), ("data", "1")])),
        ]
    };
    let config = world.job(script, more());
    let made = world.create(TY, &config, "t").await.unwrap();
    assert_eq!(made.get_str("result"), Some(r#"{"depth":[6],"env":"ab"}"#));
    let log = std::fs::read_to_string(made.get_str("log").unwrap()).unwrap();
    assert_eq!(log, "reading\n");
    let told = world.told();
    for event in [
        Event::Stage("running".into()),
        Event::Log("reading".into()),
        Event::Stage("fit".into()),
        Event::Log("half way".into()),
        Event::Metrics(BTreeMap::from([("loss".into(), 0.5), ("step".into(), 3.0)])),
    ] {
        assert!(told.contains(&event), "{event:?} in {told:?}");
    }
    world.next_command().await;
    assert_eq!(world.read(TY, &made).await.unwrap(), Some(made.clone()));
    let again = world.plan(TY, Some(&made), &config).await.unwrap();
    assert_eq!((again.value, again.replace.len()), (made.clone(), 0));

    let retimed = world
        .job(script, more())
        .with_attribute("timeout_s", 9i64.into());
    let made = world.update(TY, &made, &retimed).await.unwrap();
    assert_eq!(world.read(TY, &made).await.unwrap(), Some(made.clone()));

    let retriggered = retimed.with_attribute("triggers", map([("code", "2"), ("data", "1")]));
    let planned = world.plan(TY, Some(&made), &retriggered).await.unwrap();
    assert_eq!(planned.replace, [Path::attribute("triggers")]);
    assert_eq!(
        planned.notes,
        ["will run again, because of a change of triggers[\"code\"]"]
    );
    let recommanded = world
        .job("true", more())
        .with_attribute("timeout_s", 9i64.into());
    let planned = world.plan(TY, Some(&made), &recommanded).await.unwrap();
    assert_eq!(planned.replace, [Path::attribute("command")]);

    world.delete(TY, &made).await;
    world.assert_no_agent();
    assert_eq!(world.read(TY, &made).await.unwrap(), None);
    world.delete(TY, &made).await;
}

#[tokio::test]
async fn a_failed_job_shows_its_last_lines_and_keeps_its_log() {
    let world = World::new().await;
    let config = world.job("seq 30; echo no such column: price; exit 4", []);
    let failure = world.create(TY, &config, "t").await.unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Failed, "command")
    );
    assert!(failure.summary.contains("\"train\""), "{failure}");
    assert!(failure.detail.contains("xit code 4"), "{failure}");
    assert!(
        failure.detail.contains("  30\n  no such column: price"),
        "{failure}"
    );
    let left = *failure.partial.unwrap();
    let log = left.get_str("log").unwrap();
    assert!(failure.remedy.unwrap().contains(log));
    assert!(std::fs::read_to_string(log).unwrap().starts_with("1\n2\n"));
    assert!(left.is_wholly_known());
    assert_eq!(world.read(TY, &left).await.unwrap(), Some(left.clone()));
    world.delete(TY, &left).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn other_failures_name_what_is_at_fault() {
    let world = World::new().await;
    let missing = world.job("", [("command", list(["no-such-program"]))]);
    let slow = world.job("sleep 1000", [("timeout_s", 1i64.into())]);
    let wrong = world.job("echo '{' > $MLINFRA_RESULT", []);
    for (config, argument, said) in [
        (missing, "command", "executable"),
        (slow, "timeout_s", "more time"),
        (wrong, "command", "MLINFRA_RESULT"),
    ] {
        let failure = world.create(TY, &config, argument).await.unwrap_err();
        assert_eq!(
            (failure.kind, at(&failure).as_str()),
            (FailureKind::Failed, argument)
        );
        assert!(
            failure.remedy.as_ref().unwrap().contains(said),
            "{failure:?}"
        );
        world.delete(TY, &failure.partial.unwrap()).await;
    }
    world.assert_no_agent();
}

#[tokio::test]
async fn wrong_arguments_are_found_at_plan() {
    let world = World::new().await;
    for (argument, wrong) in [
        ("name", Value::from("")),
        ("command", list([""])),
        ("spec", "not json".into()),
        ("timeout_s", 0i64.into()),
    ] {
        let failure = world
            .plan(TY, None, &world.job("true", [(argument, wrong)]))
            .await
            .unwrap_err();
        assert_eq!(
            (failure.kind, at(&failure).as_str()),
            (FailureKind::Invalid, argument)
        );
    }
}

#[tokio::test]
async fn a_cancelled_job_is_stopped_and_leaves_nothing() {
    let world = World::new().await;
    let config = world.job("echo begun; exec sleep 1000", []);
    let cancel = async {
        let process = world.process().await;
        world.context.cancel.cancel();
        process
    };
    let (made, process) = tokio::join!(world.create(TY, &config, "t"), cancel);
    let failure = made.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Cancelled);
    assert!(failure.partial.is_none());
    assert!(!std::path::Path::new(&format!("/proc/{process}")).exists());
    world.assert_no_agent();
}

#[tokio::test]
async fn a_job_is_followed_through_a_kill_of_the_agent() {
    let world = World::new().await;
    let script =
        "echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; echo 7 > $MLINFRA_RESULT";
    let config = world.job(script, []);
    let kills = async {
        world.hears(&Event::Log("one".into())).await;
        let info = world.agent().await.info().await.unwrap();
        kill(info.pid);
        until("another agent", async || {
            let now = world.agent().await.info().await.ok()?;
            (now.pid != info.pid).then_some(())
        })
        .await;
        std::fs::write(world.path().join("go"), "").unwrap();
    };
    let (made, ()) = tokio::join!(world.create(TY, &config, "t"), kills);
    let made = made.unwrap();
    assert_eq!(made.get_str("result"), Some("7"));
    let told = world.told();
    let lines: Vec<&Event> = told
        .iter()
        .filter(|event| matches!(event, Event::Log(_)))
        .collect();
    assert_eq!(
        lines,
        [&Event::Log("one".into()), &Event::Log("two".into())],
        "each once"
    );
    world.delete(TY, &made).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn a_cut_creation_is_gone_on_with() {
    let world = World::new().await;
    let script = "while [ ! -e go ]; do sleep 0.05; done; echo 7 > $MLINFRA_RESULT; echo done";
    let config = world.job(script, []);
    assert_eq!(world.find(TY, &config, "t").await.unwrap(), None);
    world.assert_no_agent();

    // The command line is killed while the job runs.
    {
        let creation = world.create(TY, &config, "t");
        tokio::select! {
            made = creation => panic!("it cannot have ended: {made:?}"),
            _ = world.process() => {}
        }
    }
    let process = world.process().await;
    world.told();
    let go = async {
        until("the watching", async || {
            world
                .stages()
                .iter()
                .any(|stage| stage.contains("watching"))
                .then_some(())
        })
        .await;
        assert_eq!(world.process().await, process);
        std::fs::write(world.path().join("go"), "").unwrap();
    };
    let (found, ()) = tokio::join!(world.find(TY, &config, "t"), go);
    let found = found.unwrap().unwrap();
    assert_eq!(found.get_str("result"), Some("7"));
    assert_eq!(
        world.create(TY, &config, "t").await.unwrap(),
        found,
        "it is not run again"
    );
    let failure = world.create(TY, &config, "other").await.unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Conflict, "name")
    );
    let imported = world
        .session
        .import(TY, &world.context, "train")
        .await
        .unwrap();
    assert_eq!(imported, Some(found.clone()));
    world.delete(TY, &found).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn a_cut_creation_that_failed_is_as_if_it_had_not_been() {
    let world = World::new().await;
    let spec = JobSpec {
        name: "train".into(),
        command: ["sh", "-c", "exit 3"].map(str::to_owned).into(),
        ..JobSpec::default()
    };
    world.agent().await.create_job("t", &spec).await.unwrap();
    let config = world.job("exit 3", []);
    assert_eq!(world.find(TY, &config, "t").await.unwrap(), None);
    assert!(
        world
            .stages()
            .iter()
            .any(|stage| stage.contains("xit code 3"))
    );
    world.assert_no_agent();
}
