//! Schedules: fire on time, once each, whoever was killed.

use mlinfra_agent::messages::{
    CatchUp, JobStatus, JobTemplate, Overlap, ScheduleSpec, ScheduleView,
};

use crate::world::{World, eventually, kill, shell};

fn schedule(name: &str, cron: &str, script: &str) -> ScheduleSpec {
    let job = JobTemplate {
        command: shell(script),
        ..JobTemplate::default()
    };
    ScheduleSpec {
        name: name.into(),
        cron: cron.into(),
        job,
        ..ScheduleSpec::default()
    }
}

async fn when(
    world: &World,
    name: &str,
    condition: impl Fn(&ScheduleView) -> bool,
) -> ScheduleView {
    eventually("the schedule is as expected", || async {
        world
            .client
            .schedule(name)
            .await
            .ok()
            .flatten()
            .filter(|view| condition(view))
    })
    .await
}

fn succeeded(view: &ScheduleView) -> usize {
    view.firings
        .iter()
        .filter(|firing| firing.status == JobStatus::Succeeded)
        .count()
}

#[tokio::test]
async fn a_schedule_fires_every_second() {
    let world = World::new().await;
    let spec = schedule(
        "tick",
        "* * * * * *",
        r#"echo "$MLINFRA_TRIGGER $MLINFRA_FIRED_AT" >> fired"#,
    );
    let created = world.client.create_schedule("t", &spec).await.unwrap();
    assert!(created.next.is_some());
    let view = when(&world, "tick", |view| succeeded(view) >= 3).await;
    let fired = std::fs::read_to_string(world.path().join("fired")).unwrap();
    let times: Vec<&str> = fired.lines().collect();
    assert!(times[0].starts_with("schedule 2"), "{fired}");
    let mut unique = times.clone();
    unique.dedup();
    assert_eq!(unique, times, "no time is fired twice");
    let gaps = view
        .firings
        .windows(2)
        .map(|pair| pair[1].at.duration_since(pair[0].at).as_secs());
    assert!(
        gaps.clone().all(|gap| gap >= 1),
        "{:?}",
        gaps.collect::<Vec<_>>()
    );
    assert!(world.client.delete_schedule("tick").await.unwrap());
    assert!(
        world.client.jobs().await.unwrap().is_empty(),
        "its jobs go with it"
    );
    world.end().await;
}

#[tokio::test]
async fn a_running_job_is_not_overtaken_unless_allowed() {
    let world = World::new().await;
    let mut spec = schedule("slow", "@every 1s", "exec sleep 1000");
    world.client.create_schedule("t", &spec).await.unwrap();
    let view = when(&world, "slow", |view| view.last_skipped.is_some()).await;
    assert_eq!(view.firings.len(), 1);
    spec.overlap = Overlap::Allow;
    world.client.update_schedule(&spec).await.unwrap();
    when(&world, "slow", |view| view.firings.len() >= 2).await;
    world.end().await;
}

#[tokio::test]
async fn firings_are_remembered_within_bounds() {
    let world = World::new().await;
    let mut spec = schedule("many", "@every 1s", "true");
    spec.paused = true;
    let created = world.client.create_schedule("t", &spec).await.unwrap();
    assert_eq!(created.next, None, "nothing is due while it is paused");
    for _ in 0..25 {
        world.client.fire_schedule("many").await.unwrap();
    }
    eventually("all have ended", || async {
        let jobs = world.client.jobs().await.unwrap();
        jobs.iter()
            .all(|job| job.status == JobStatus::Succeeded)
            .then_some(())
    })
    .await;
    let all = world.client.schedule("many").await.unwrap().unwrap();
    assert!(all.firings.len() >= 20);
    spec.paused = false;
    world.client.update_schedule(&spec).await.unwrap();
    let view = when(&world, "many", |view| view.firings.len() <= 20).await;
    assert_ne!(view.firings[0], all.firings[0], "the oldest go first");
    world.end().await;
}

#[tokio::test]
async fn one_missed_firing_is_made_up_for() {
    let world = World::new().await;
    let script = r#"echo "$MLINFRA_FIRED_AT" >> $MLINFRA_NAME"#;
    for (name, catch_up) in [("once", CatchUp::Once), ("none", CatchUp::None)] {
        let mut spec = schedule(name, "0 3 * * *", script);
        spec.catch_up = catch_up;
        spec.job.env.insert("MLINFRA_NAME".into(), name.into());
        world.client.create_schedule(name, &spec).await.unwrap();
    }
    let info = world.info().await;
    let guard = rustix::process::Pid::from_raw(info.guard.unwrap()).unwrap();
    rustix::process::kill_process(guard, rustix::process::Signal::STOP).unwrap();
    kill(info.pid);
    crate::world::dead(info.pid).await;
    // The agent was away for days.
    for name in ["once", "none"] {
        let path = world
            .layout()
            .objects("schedule")
            .join(format!("{name}.json"));
        let mut record: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        record["considered"] = "2026-01-01T00:00:00Z".into();
        std::fs::write(&path, serde_json::to_vec(&record).unwrap()).unwrap();
    }
    rustix::process::kill_process(guard, rustix::process::Signal::CONT).unwrap();
    world.agent_after(&info).await;
    let view = when(&world, "once", |view| succeeded(view) == 1).await;
    let fired = std::fs::read_to_string(world.path().join("once")).unwrap();
    assert_eq!(fired.trim(), view.firings[0].at.to_string());
    assert!(
        fired.contains("T03:00:00Z"),
        "the time that was missed: {fired}"
    );
    let none = when(&world, "none", |_| true).await;
    assert!(none.firings.is_empty());
    assert_eq!(
        world
            .client
            .schedule("once")
            .await
            .unwrap()
            .unwrap()
            .firings
            .len(),
        1,
        "once for all of them"
    );
    world.end().await;
}

#[tokio::test]
async fn what_never_fires_is_refused() {
    let world = World::new().await;
    for (cron, expected) in [
        ("61 * * * *", "examples"),
        ("0 0 31 2 *", "never fires"),
        ("@every 1ms", "1s"),
    ] {
        let error = world
            .client
            .create_schedule("t", &schedule("wrong", cron, "true"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{cron}: {error}");
    }
    assert!(world.client.schedules().await.unwrap().is_empty());
    world.end().await;
}
