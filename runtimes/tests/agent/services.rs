//! Services: kept running whatever happens to them.

use std::net::TcpListener;

use mlinfra_agent::ClientError;
use mlinfra_agent::messages::{FailureKind, HealthCheck, ServiceStatus};

use crate::world::{World, alive, dead, kill, service};

fn refused(error: ClientError) -> (FailureKind, String) {
    match error {
        ClientError::Refused(failure) => (failure.kind, failure.message),
        other => panic!("not a refusal: {other}"),
    }
}

#[tokio::test]
async fn a_killed_service_comes_back_on_its_port() {
    let world = World::new().await;
    let created = world
        .client
        .create_service("t", &service("web", "exec sleep 1000"))
        .await
        .unwrap();
    let first = world.healthy("web").await;
    kill(first.pid.unwrap());
    let second = world
        .service_when("web", |view| view.restarts == 1 && view.pid.is_some())
        .await;
    assert_ne!(second.pid, first.pid);
    assert_eq!(second.port, created.port);
    assert_eq!(second.last_exit.unwrap().signal, Some(9));
    world.end().await;
}

#[tokio::test]
async fn a_service_whose_shim_is_killed_is_started_anew_and_only_once() {
    let world = World::new().await;
    world
        .client
        .create_service("t", &service("web", "sleep 1000 & exec sleep 1000"))
        .await
        .unwrap();
    let first = world.healthy("web").await.pid.unwrap();
    let shim = mlinfra_agent::process::Stat::of(first)
        .unwrap()
        .unwrap()
        .parent;
    kill(shim);
    let view = world
        .service_when("web", |view| view.restarts == 1 && view.pid.is_some())
        .await;
    assert!(
        !alive(first),
        "the orphan was ended before another was started"
    );
    assert!(view.last_exit.unwrap().error.is_some());
    world.end().await;
}

#[tokio::test]
async fn creating_twice_is_creating_once() {
    let world = World::new().await;
    let spec = service("web", "exec sleep 1000");
    let first = world.client.create_service("one", &spec).await.unwrap();
    let again = world.client.create_service("one", &spec).await.unwrap();
    assert_eq!(first.port, again.port);
    assert_eq!(world.client.services().await.unwrap().len(), 1);
    let (kind, message) = refused(world.client.create_service("two", &spec).await.unwrap_err());
    assert_eq!(kind, FailureKind::Exists);
    assert!(message.contains("web"), "{message}");
    assert_eq!(
        world
            .client
            .service_by_token("one")
            .await
            .unwrap()
            .unwrap()
            .spec
            .name,
        "web"
    );
    assert_eq!(world.client.service_by_token("two").await.unwrap(), None);
    assert_eq!(world.client.service("other").await.unwrap(), None);
    assert!(world.client.delete_service("web").await.unwrap());
    assert!(!world.client.delete_service("web").await.unwrap());
    world.end().await;
}

#[tokio::test]
async fn an_update_restarts_only_what_runs_otherwise() {
    let world = World::new().await;
    let mut spec = service("web", "exec sleep 1000");
    world.client.create_service("t", &spec).await.unwrap();
    let first = world.healthy("web").await;
    spec.stop_grace_ms += 1;
    world.client.update_service(&spec).await.unwrap();
    let second = world.healthy("web").await;
    assert_eq!(second.pid, first.pid, "the command is the same");
    spec.command = crate::world::shell("exec sleep 1001");
    world.client.update_service(&spec).await.unwrap();
    let third = world
        .service_when("web", |view| view.pid.is_some() && view.pid != first.pid)
        .await;
    assert_eq!((third.port, third.restarts), (first.port, 0));
    assert!(!alive(first.pid.unwrap()));
    world.end().await;
}

#[tokio::test]
async fn an_update_that_a_kill_cut_short_is_carried_out() {
    let world = World::new().await;
    let mut spec = service("web", "trap '' TERM; while :; do sleep 0.1; done");
    spec.stop_grace_ms = 1_000;
    world.client.create_service("t", &spec).await.unwrap();
    let first = world.healthy("web").await.pid.unwrap();
    let info = world.info().await;
    spec.command = crate::world::shell("exec sleep 1000");
    world.client.update_service(&spec).await.unwrap();
    kill(info.pid);
    let view = world
        .service_when("web", |view| view.pid.is_some_and(|pid| pid != first))
        .await;
    assert_eq!(view.spec.command, spec.command);
    dead(first).await;
    world.end().await;
}

#[tokio::test]
async fn a_taken_port_says_who_holds_it() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut spec = service("web", "exec sleep 1000");
    spec.port = Some(listener.local_addr().unwrap().port());
    let (kind, message) = refused(world.client.create_service("t", &spec).await.unwrap_err());
    assert_eq!(kind, FailureKind::PortTaken);
    assert!(
        message.contains(&spec.port.unwrap().to_string()),
        "{message}"
    );
    assert!(
        message.contains(&format!("process {}", std::process::id())),
        "{message}"
    );
    drop(listener);
    world.client.create_service("t", &spec).await.unwrap();
    let other = mlinfra_agent::messages::ServiceSpec {
        name: "other".into(),
        ..spec
    };
    let (kind, message) = refused(world.client.create_service("u", &other).await.unwrap_err());
    assert_eq!(kind, FailureKind::PortTaken);
    assert!(message.contains("\"web\""), "{message}");
    world.end().await;
}

#[tokio::test]
async fn health_is_asked_over_http() {
    let world = World::new().await;
    let mut spec = service("web", "exec python3 -m http.server {port} --bind 127.0.0.1");
    spec.working_dir = Some(world.path());
    spec.health = Some(HealthCheck {
        interval_ms: 50,
        unhealthy_threshold: 2,
        ..HealthCheck::new("/well")
    });
    std::fs::write(world.path().join("well"), "yes").unwrap();
    world.client.create_service("t", &spec).await.unwrap();
    let first = world.healthy("web").await;
    assert_eq!(first.last_error, None);
    std::fs::remove_file(world.path().join("well")).unwrap();
    let sick = world
        .service_when("web", |view| view.pid != first.pid)
        .await;
    assert!(sick.last_error.unwrap().contains("404"));
    std::fs::write(world.path().join("well"), "yes").unwrap();
    let second = world.healthy("web").await;
    assert_eq!(second.port, first.port);
    assert!(!alive(first.pid.unwrap()));
    world.end().await;
}

#[tokio::test]
async fn a_command_that_cannot_run_says_why() {
    let world = World::new().await;
    let mut spec = service("web", "");
    spec.command = vec!["no-such-program-anywhere".into()];
    world.client.create_service("t", &spec).await.unwrap();
    let view = world
        .service_when("web", |view| {
            view.status == ServiceStatus::BackingOff && view.restarts > 0
        })
        .await;
    let error = view.last_error.unwrap();
    assert!(
        error.contains("no-such-program-anywhere") && error.contains("PATH"),
        "{error}"
    );
    for (name, wrong) in [("..", "a path"), ("", "nothing"), ("a/b", "a path")] {
        let (kind, _) = refused(
            world
                .client
                .create_service("u", &service(name, "true"))
                .await
                .unwrap_err(),
        );
        assert_eq!(kind, FailureKind::Invalid, "{wrong} is no name");
    }
    world.end().await;
}

#[tokio::test]
async fn nothing_that_a_service_started_outlives_it() {
    let world = World::new().await;
    // One child in the group, one in a session of its own, which no signal to the group reaches.
    let script = "sleep 1001 & setsid sleep 1002 & exec sleep 1003";
    world
        .client
        .create_service("t", &service("web", script))
        .await
        .unwrap();
    world.healthy("web").await;
    crate::world::eventually("all three run", || async {
        (sleepers(&world) == 3).then_some(())
    })
    .await;
    assert!(world.client.delete_service("web").await.unwrap());
    assert_eq!(sleepers(&world), 0);
    world.end().await;
}

fn sleepers(world: &World) -> usize {
    let is_sleep = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.starts_with(b"sleep\x00100"))
    };
    world.processes().iter().filter(|pid| is_sleep(pid)).count()
}
