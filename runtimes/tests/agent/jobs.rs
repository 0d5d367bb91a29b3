//! Jobs: run once to their end, and the end is known whoever was killed.

use futures::StreamExt;
use mlinfra_agent::messages::{Cursor, EventBody, JobFailureCause, JobSpec, JobStatus, JobView};
use serde_json::json;

use crate::world::{World, alive, dead, job, kill, shell};

fn cause(view: &JobView) -> (JobFailureCause, Option<i32>) {
    match &view.status {
        JobStatus::Failed(failure) => (
            failure.cause,
            failure.exit.as_ref().and_then(|exit| exit.code),
        ),
        other => panic!("it did not fail: {other:?}"),
    }
}

#[tokio::test]
async fn a_job_gets_its_spec_and_gives_its_result() {
    let world = World::new().await;
    let spec = JobSpec {
        spec: Some(json!({"depth": 6})),
        run_id: Some("run-1".into()),
        ..job(
            "train",
            r#"printf '{"spec": %s, "run": "%s"}' "$(cat $MLINFRA_SPEC)" $MLINFRA_RUN_ID > $MLINFRA_RESULT"#,
        )
    };
    world.client.create_job("t", &spec).await.unwrap();
    let view = world.job_end("train").await;
    assert_eq!(view.status, JobStatus::Succeeded);
    assert_eq!(
        view.result,
        Some(json!({"spec": {"depth": 6}, "run": "run-1"}))
    );
    assert!(view.ended.is_some());
    world.end().await;
}

#[tokio::test]
async fn a_job_survives_the_agent_and_its_exit_code_is_known() {
    let world = World::new().await;
    let script = "while [ ! -e go ]; do sleep 0.05; done; echo done; exit 7";
    world
        .client
        .create_job("t", &job("train", script))
        .await
        .unwrap();
    let pid = world
        .job_when("train", |view| view.pid.is_some())
        .await
        .pid
        .unwrap();
    let info = world.info().await;
    kill(info.pid);
    world.agent_after(&info).await;
    assert_eq!(
        world.job_when("train", |view| view.pid.is_some()).await.pid,
        Some(pid),
        "the same process goes on"
    );
    std::fs::write(world.path().join("go"), "").unwrap();
    let view = world.job_end("train").await;
    assert_eq!(cause(&view), (JobFailureCause::Exited, Some(7)));
    assert_eq!(view.log_tail, ["done"]);
    world.end().await;
}

#[tokio::test]
async fn a_job_that_ends_while_no_agent_lives_is_known_too() {
    let world = World::new().await;
    world
        .client
        .create_job(
            "t",
            &job("train", "while [ ! -e go ]; do sleep 0.05; done; exit 3"),
        )
        .await
        .unwrap();
    let pid = world
        .job_when("train", |view| view.pid.is_some())
        .await
        .pid
        .unwrap();
    let info = world.info().await;
    let guard = rustix::process::Pid::from_raw(info.guard.unwrap()).unwrap();
    rustix::process::kill_process(guard, rustix::process::Signal::STOP).unwrap();
    kill(info.pid);
    std::fs::write(world.path().join("go"), "").unwrap();
    dead(pid).await;
    rustix::process::kill_process(guard, rustix::process::Signal::CONT).unwrap();
    world.agent_after(&info).await;
    assert_eq!(
        cause(&world.job_end("train").await),
        (JobFailureCause::Exited, Some(3))
    );
    world.end().await;
}

#[tokio::test]
async fn failures_are_told_apart() {
    let world = World::new().await;
    let missing = JobSpec {
        command: vec!["no-such-program".into()],
        ..job("missing", "")
    };
    world.client.create_job("1", &missing).await.unwrap();
    world
        .client
        .create_job(
            "2",
            &JobSpec {
                timeout_ms: Some(200),
                ..job("slow", "sleep 1000")
            },
        )
        .await
        .unwrap();
    world
        .client
        .create_job("3", &job("wrong", "echo '{' > $MLINFRA_RESULT"))
        .await
        .unwrap();
    world
        .client
        .create_job("4", &job("orphan", "exec sleep 1000"))
        .await
        .unwrap();
    let orphan = world
        .job_when("orphan", |view| view.pid.is_some())
        .await
        .pid
        .unwrap();
    kill(
        mlinfra_agent::process::Stat::of(orphan)
            .unwrap()
            .unwrap()
            .parent,
    );
    assert_eq!(
        cause(&world.job_end("missing").await),
        (JobFailureCause::NotStarted, None)
    );
    assert_eq!(
        cause(&world.job_end("slow").await),
        (JobFailureCause::TimedOut, None)
    );
    assert_eq!(
        cause(&world.job_end("wrong").await),
        (JobFailureCause::BadResult, Some(0))
    );
    assert_eq!(
        cause(&world.job_end("orphan").await),
        (JobFailureCause::Lost, None)
    );
    assert!(!alive(orphan));
    world.end().await;
}

#[tokio::test]
async fn a_cancelled_job_gets_time_and_then_the_axe() {
    let world = World::new().await;
    let polite = "trap 'echo tidied; exit 5' TERM; echo up; while :; do sleep 0.05; done";
    let stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done";
    for (name, script) in [("polite", polite), ("stubborn", stubborn)] {
        world
            .client
            .create_job(
                name,
                &JobSpec {
                    stop_grace_ms: 500,
                    ..job(name, script)
                },
            )
            .await
            .unwrap();
        world.job_when(name, |view| view.log_tail == ["up"]).await;
    }
    let view = world.client.cancel_job("polite").await.unwrap();
    assert_eq!(cause(&view), (JobFailureCause::Cancelled, Some(5)));
    assert_eq!(view.log_tail.last().map(String::as_str), Some("tidied"));
    let view = world.client.cancel_job("stubborn").await.unwrap();
    assert_eq!(cause(&view), (JobFailureCause::Cancelled, None));
    assert!(world.client.delete_job("polite").await.unwrap());
    assert_eq!(world.client.job("polite").await.unwrap(), None);
    world.end().await;
}

#[tokio::test]
async fn events_are_followed_across_a_kill_of_the_agent() {
    let world = World::new().await;
    let script = r#"
        echo one
        echo '{"stage": "fit", "step": 1, "metrics": {"loss": 0.5}}' >> $MLINFRA_EVENTS
        while [ ! -e go ]; do sleep 0.05; done
        echo two
        echo '{"message": "done"}' >> $MLINFRA_EVENTS
        printf unfinished"#;
    world
        .client
        .create_job("t", &job("train", script))
        .await
        .unwrap();
    let mut seen = Vec::new();
    let mut cursor = Cursor::default();
    let mut events = Box::pin(world.client.job_events("train", cursor).await.unwrap());
    while seen.len() < 2 {
        let event = events.next().await.unwrap().unwrap();
        cursor = event.cursor;
        seen.push(event.body);
    }
    let info = world.info().await;
    kill(info.pid);
    assert!(
        events.next().await.unwrap().is_err(),
        "a broken stream is not an end"
    );
    assert!(events.next().await.is_none());
    world.agent_after(&info).await;
    std::fs::write(world.path().join("go"), "").unwrap();
    let mut events = Box::pin(world.client.job_events("train", cursor).await.unwrap());
    while let Some(event) = events.next().await {
        seen.push(event.unwrap().body);
    }
    let logs: Vec<&str> = seen
        .iter()
        .filter_map(|body| match body {
            EventBody::Log { line } => Some(line.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(logs, ["one", "two", "unfinished"]);
    let progress: Vec<_> = seen
        .iter()
        .filter_map(|body| match body {
            EventBody::Progress(progress) => Some(progress),
            _ => None,
        })
        .collect();
    assert_eq!(progress.len(), 2);
    assert_eq!(progress[0].metrics["loss"], json!(0.5));
    assert_eq!(progress[1].message.as_deref(), Some("done"));
    assert_eq!(seen.last(), Some(&EventBody::End(JobStatus::Succeeded)));
    world.end().await;
}

#[tokio::test]
async fn a_job_runs_once_however_often_it_is_asked_for() {
    let world = World::new().await;
    let spec = job("once", "echo ran >> runs");
    for _ in 0..3 {
        world.client.create_job("same", &spec).await.unwrap();
    }
    world.job_end("once").await;
    let info = world.info().await;
    kill(info.pid);
    world.agent_after(&info).await;
    world.client.create_job("same", &spec).await.unwrap();
    assert_eq!(world.job_end("once").await.status, JobStatus::Succeeded);
    assert_eq!(
        std::fs::read_to_string(world.path().join("runs")).unwrap(),
        "ran\n"
    );
    assert!(
        world
            .client
            .create_job(
                "other",
                &JobSpec {
                    command: shell("true"),
                    ..spec
                }
            )
            .await
            .is_err()
    );
    world.end().await;
}
