//! Services through the provider.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use mlinfra_agent::messages::ServiceView;
use mlinfra_sdk::{FailureKind, Number, Type, Value};

use super::world::{World, at, kill, list, map, runtime, shell, until};

const TY: &str = "local_service";

/// A web server of the directory it runs in.
fn server() -> Value {
    list([
        "python3",
        "-u",
        "-m",
        "http.server",
        "{port}",
        "--bind",
        "127.0.0.1",
    ])
}

fn seconds(seconds: f64) -> Value {
    Number::from_f64(seconds).unwrap().into()
}

impl World {
    fn web<const N: usize>(&self, more: [(&str, Value); N]) -> Value {
        let web = self.config(
            TY,
            [
                ("name", "web".into()),
                ("command", server()),
                ("health_path", "/".into()),
                ("stop_grace_s", 2i64.into()),
            ],
        );
        more.into_iter().fold(web, |config, (name, value)| {
            config.with_attribute(name, value)
        })
    }

    async fn service(&self, name: &str) -> ServiceView {
        self.agent().await.service(name).await.unwrap().unwrap()
    }
}

/// The status of a GET.
fn get(url: &str, path: &str) -> u16 {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A free port that the kernel gives to nobody else meanwhile.
fn free_port(world: &World) -> u16 {
    let seed = world.path().join("of a test");
    mlinfra_agent::port::pick(&seed.to_string_lossy(), &BTreeSet::new()).unwrap()
}

#[tokio::test]
async fn a_service_lives_and_leaves_nothing() {
    let world = World::new().await;
    std::fs::create_dir(world.path().join("sub")).unwrap();
    let config = world.web([("working_dir", "sub".into())]);
    let planned = world.plan(TY, None, &config).await.unwrap().value;
    for computed in ["id", "port", "url", "log"] {
        assert!(!planned.get(computed).unwrap().is_known(), "{computed}");
    }
    world.assert_no_agent();
    let made = world.create(TY, &config, "t").await.unwrap();
    let stages = world.stages();
    assert_eq!(stages[..2], ["starting", "waiting for /"]);
    let url = made.get_str("url").unwrap();
    assert_eq!(get(url, "/"), 200);
    let log = std::fs::read_to_string(made.get_str("log").unwrap()).unwrap();
    assert!(log.contains("GET / "), "{log}");
    assert_eq!(world.read(TY, &made).await.unwrap(), Some(made.clone()));
    let again = world.plan(TY, Some(&made), &config).await.unwrap();
    assert_eq!(again.value, made, "nothing changed");

    world.delete(TY, &made).await;
    world.assert_no_agent();
    assert!(TcpStream::connect(url.strip_prefix("http://").unwrap()).is_err());
    assert_eq!(world.read(TY, &made).await.unwrap(), None);
    world.delete(TY, &made).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn only_a_change_of_the_process_restarts_it() {
    let world = World::new().await;
    let made = world.create(TY, &world.web([]), "t").await.unwrap();
    let first = world.service("web").await;
    let graceful = world.web([("stop_grace_s", 3i64.into())]);
    let made = world.update(TY, &made, &graceful).await.unwrap();
    let second = world.service("web").await;
    assert_eq!((second.pid, second.spec.stop_grace_ms), (first.pid, 3000));

    let secret = world.web([("secret_env", map([("TOKEN", "hush")]))]);
    let made = world.update(TY, &made, &secret).await.unwrap();
    let third = world.service("web").await;
    assert_ne!(third.pid, second.pid);
    assert_eq!(world.read(TY, &made).await.unwrap(), Some(made.clone()));

    let port = free_port(&world);
    let moved = world.web([("port", i64::from(port).into())]);
    let planned = world.plan(TY, Some(&made), &moved).await.unwrap();
    let url = format!("http://127.0.0.1:{port}");
    assert_eq!(planned.value.get_str("url"), Some(url.as_str()));
    let made = world.update(TY, &made, &moved).await.unwrap();
    assert_eq!(get(&url, "/"), 200);
    world.delete(TY, &made).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn a_change_that_does_not_become_healthy_is_undone() {
    let world = World::new().await;
    let made = world.create(TY, &world.web([]), "t").await.unwrap();
    let broken = world.web([
        ("health_path", "/missing".into()),
        ("start_timeout_s", seconds(1.0)),
    ]);
    let failure = world.update(TY, &made, &broken).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(failure.detail.contains("GET /missing"), "{failure}");
    assert!(failure.detail.contains("put back"), "{failure}");
    assert!(failure.partial.is_none());
    let crashing = world.web([("command", shell("echo wrong model; exit 3"))]);
    let failure = world.update(TY, &made, &crashing).await.unwrap_err();
    assert!(failure.detail.contains("  wrong model"), "{failure}");

    assert_eq!(world.read(TY, &made).await.unwrap(), Some(made.clone()));
    let url = made.get_str("url").unwrap();
    until("the service is back", async || {
        let address = url.strip_prefix("http://").unwrap();
        TcpStream::connect(address).ok()
    })
    .await;
    assert_eq!(get(url, "/"), 200);
    world.delete(TY, &made).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn a_taken_port_is_found_at_plan() {
    let world = World::new().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = world.web([("port", i64::from(port).into())]);
    let failure = world.plan(TY, None, &config).await.unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Conflict, "port")
    );
    let holder = format!("process {}", std::process::id());
    assert!(failure.detail.contains(&holder), "{failure}");
    assert!(failure.remedy.is_some());
    world.assert_no_agent();
}

#[tokio::test]
async fn a_port_that_is_taken_after_the_plan_is_found_at_create() {
    let world = World::new().await;
    let port = free_port(&world);
    let config = world.web([("port", i64::from(port).into())]);
    let planned = world.plan(TY, None, &config).await.unwrap().value;
    let url = format!("http://127.0.0.1:{port}");
    assert_eq!(planned.get_str("url"), Some(url.as_str()));
    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let request = mlinfra_sdk::Create {
        planned: &planned,
        config: &config,
        token: "t",
    };
    let failure = world
        .session
        .create(TY, &world.context, request)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Conflict, "port")
    );
    world.assert_no_agent();
}

#[tokio::test]
async fn a_port_that_two_services_want_is_found_at_plan() {
    let mut world = World::new().await;
    let port = i64::from(free_port(&world));
    let web = world.web([("port", port.into())]);
    let other = world.web([("port", port.into()), ("name", "other".into())]);
    world.plan(TY, None, &web).await.unwrap();
    world.plan(TY, None, &web).await.unwrap();
    let failure = world.plan(TY, None, &other).await.unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Conflict, "port")
    );
    assert!(failure.detail.contains("\"web\""), "{failure}");

    // The port of a service that may be about to go is no reason to refuse the plan.
    let made = world.create(TY, &web, "t").await.unwrap();
    world.next_command().await;
    assert!(world.plan(TY, None, &web).await.unwrap().notes.is_empty());
    world.next_command().await;
    let planned = world.plan(TY, Some(&made), &other).await.unwrap();
    assert_eq!(planned.replace.len(), 1);
    let planned = world.plan(TY, None, &other).await.unwrap();
    assert!(planned.notes[0].contains("\"web\""), "{:?}", planned.notes);
    world.delete(TY, &made).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn wrong_arguments_are_found_at_plan() {
    let world = World::new().await;
    for (argument, wrong) in [
        ("name", Value::from("a b")),
        ("command", Value::list(Type::String, [])),
        ("env", map([("A=B", "")])),
        ("secret_env", map([("", "hush")])),
        ("working_dir", "".into()),
        ("port", 65_536i64.into()),
        ("port", seconds(80.5)),
        ("health_path", "health".into()),
        ("start_timeout_s", 0i64.into()),
        ("stop_grace_s", (-1i64).into()),
    ] {
        let failure = world
            .plan(TY, None, &world.web([(argument, wrong)]))
            .await
            .unwrap_err();
        assert_eq!(
            (failure.kind, at(&failure).as_str()),
            (FailureKind::Invalid, argument)
        );
        assert!(!failure.detail.contains("hush"));
    }
}

#[tokio::test]
async fn a_service_that_never_gets_healthy_is_removed_and_its_log_told() {
    let world = World::new().await;
    let config = world.web([
        ("health_path", "/missing".into()),
        ("start_timeout_s", seconds(1.5)),
    ]);
    let failure = world.create(TY, &config, "t").await.unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Failed, "health_path")
    );
    assert!(failure.detail.contains("answered 404"), "{failure}");
    assert!(
        failure.detail.contains("\"GET /missing HTTP/1.1\" 404"),
        "{failure}"
    );
    assert!(failure.remedy.is_some() && failure.partial.is_none());
    assert!(
        world
            .stages()
            .iter()
            .any(|stage| stage.contains("not healthy yet: GET /missing"))
    );
    world.assert_no_agent();
}

#[tokio::test]
async fn a_command_that_fails_is_not_waited_for() {
    let world = World::new().await;
    let config = world.web([("command", shell("echo no model at models/x; exit 3"))]);
    let failure = world.create(TY, &config, "1").await.unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Failed, "command")
    );
    assert!(failure.detail.contains("exit code 3"), "{failure}");
    assert!(
        failure.detail.contains("  no model at models/x"),
        "{failure}"
    );

    // Without a check, one that runs for a moment is not taken for one that serves.
    let unchecked = world
        .web([(
            "command",
            shell("echo no model at models/x; sleep 0.3; exit 3"),
        )])
        .with_attribute("health_path", Value::null(Type::String));
    let failure = world.create(TY, &unchecked, "2").await.unwrap_err();
    assert!(failure.detail.contains("exit code 3"), "{failure}");

    let config = world.web([("command", list(["no-such-program"]))]);
    let failure = world.create(TY, &config, "3").await.unwrap_err();
    assert_eq!(at(&failure), "command");
    assert!(failure.detail.contains("cannot be started"), "{failure}");
    assert!(failure.remedy.unwrap().contains("no-such-program"));
    world.assert_no_agent();
}

#[tokio::test]
async fn a_failure_leaves_the_other_services_alone() {
    let world = World::new().await;
    let other = world.web([("name", "other".into())]);
    let failing = world.web([("command", shell("exit 3"))]);
    let (other, failing) = tokio::join!(
        world.create(TY, &other, "1"),
        world.create(TY, &failing, "2")
    );
    failing.unwrap_err();
    let other = other.unwrap();
    assert_eq!(get(other.get_str("url").unwrap(), "/"), 200);
    world.delete(TY, &other).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn a_service_without_a_check_is_up_when_it_keeps_running() {
    let world = World::new().await;
    let config = world.config(
        TY,
        [
            ("name", "sleeper".into()),
            ("command", shell("exec sleep 1000")),
        ],
    );
    let made = world.create(TY, &config, "t").await.unwrap();
    assert_eq!(world.service("sleeper").await.restarts, 0);
    assert_eq!(world.read(TY, &made).await.unwrap(), Some(made.clone()));
    world.delete(TY, &made).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn a_cancelled_creation_leaves_nothing() {
    let world = World::new().await;
    let config = world.web([("health_path", "/missing".into())]);
    let cancel = async {
        until("the health check", async || {
            world
                .stages()
                .iter()
                .any(|stage| stage.contains("/missing"))
                .then_some(())
        })
        .await;
        world.context.cancel.cancel();
    };
    let (made, ()) = tokio::join!(world.create(TY, &config, "t"), cancel);
    let failure = made.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Cancelled);
    assert!(failure.partial.is_none());
    world.assert_no_agent();
}

#[tokio::test]
async fn a_killed_service_is_there_when_it_is_read() {
    let mut world = World::new().await;
    let made = world.create(TY, &world.web([]), "t").await.unwrap();
    let before = world.service("web").await;
    kill(before.pid.unwrap());
    world.next_command().await;
    assert_eq!(world.read(TY, &made).await.unwrap(), Some(made.clone()));
    until("the restart", async || {
        let now = world.service("web").await;
        (now.pid.is_some() && now.pid != before.pid).then_some(())
    })
    .await;
    world.delete(TY, &made).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn after_a_restart_of_the_machine_reading_brings_everything_back() {
    let mut world = World::new().await;
    let made = world.create(TY, &world.web([]), "t").await.unwrap();
    let agent = world.agent().await;
    let info = agent.info().await.unwrap();
    let pid = world.service("web").await.pid.unwrap();
    kill(info.guard.unwrap());
    kill(info.pid);
    kill(pid);
    world.next_command().await;
    assert_eq!(world.read(TY, &made).await.unwrap(), Some(made.clone()));
    assert_ne!(world.agent().await.info().await.unwrap().pid, info.pid);
    let url = made.get_str("url").unwrap();
    until("the service is back", async || {
        TcpStream::connect(url.strip_prefix("http://").unwrap()).ok()
    })
    .await;
    assert_eq!(get(url, "/"), 200);
    world.delete(TY, &made).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn what_someone_changed_is_seen_and_put_right() {
    let world = World::new().await;
    let config = world.web([("env", map([("A", "a")]))]);
    let made = world.create(TY, &config, "t").await.unwrap();
    let agent = world.agent().await;
    let mut spec = world.service("web").await.spec;
    spec.command.push("--directory=/".into());
    spec.env.clear();
    spec.stop_grace_ms = 500;
    spec.health.as_mut().unwrap().start_deadline_ms = 7000;
    agent.update_service(&spec).await.unwrap();
    let drifted = world.read(TY, &made).await.unwrap().unwrap();
    let command = drifted.get("command").unwrap().elements().unwrap();
    assert_eq!(command.last(), Some(&"--directory=/".into()));
    assert_eq!(drifted.get("env"), Some(&map([])));
    assert_eq!(drifted.get("stop_grace_s"), Some(&seconds(0.5)));
    assert_eq!(drifted.get("start_timeout_s"), Some(&7i64.into()));
    let right = world.update(TY, &drifted, &config).await.unwrap();
    assert_eq!(right, made);
    assert_eq!(world.read(TY, &right).await.unwrap(), Some(made.clone()));

    agent.delete_service("web").await.unwrap();
    assert_eq!(
        world.read(TY, &made).await.unwrap(),
        None,
        "someone deleted it"
    );
    world.delete(TY, &made).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn the_same_creation_twice_makes_one_service() {
    let mut world = World::new().await;
    let config = world.web([]);
    assert_eq!(world.find(TY, &config, "t").await.unwrap(), None);
    world.assert_no_agent();
    let made = world.create(TY, &config, "t").await.unwrap();
    let pid = world.service("web").await.pid;
    world.next_command().await;
    assert_eq!(world.create(TY, &config, "t").await.unwrap(), made);
    assert_eq!(
        world.find(TY, &config, "t").await.unwrap(),
        Some(made.clone())
    );
    assert_eq!(world.service("web").await.pid, pid);
    assert_eq!(world.find(TY, &config, "other").await.unwrap(), None);
    let failure = world.create(TY, &config, "other").await.unwrap_err();
    assert_eq!(
        (failure.kind, at(&failure).as_str()),
        (FailureKind::Conflict, "name")
    );
    let imported = world
        .session
        .import(TY, &world.context, "web")
        .await
        .unwrap();
    assert_eq!(imported, Some(made.clone()));
    world.delete(TY, &made).await;
    world.assert_no_agent();
}

#[tokio::test]
async fn a_cut_creation_that_never_gets_healthy_is_taken_back() {
    let world = World::new().await;
    let config = world.web([
        ("health_path", "/missing".into()),
        ("start_timeout_s", 1i64.into()),
    ]);
    let agent = world.agent().await;
    let spec = mlinfra_agent::messages::ServiceSpec {
        name: "web".into(),
        command: ["python3", "-m", "http.server", "{port}"]
            .map(str::to_owned)
            .into(),
        health: Some(mlinfra_agent::messages::HealthCheck::new("/missing")),
        ..Default::default()
    };
    agent.create_service("t", &spec).await.unwrap();
    assert_eq!(world.find(TY, &config, "t").await.unwrap(), None);
    world.assert_no_agent();
}

#[tokio::test]
async fn a_missing_runtime_is_said_when_it_is_needed() {
    let missing = runtime().with_file_name("no-such-runtime");
    let world = World::with_runtime(missing.clone()).await;
    let config = world.web([]);
    world.plan(TY, None, &config).await.unwrap();
    let failure = world.create(TY, &config, "t").await.unwrap_err();
    assert!(
        failure.detail.contains(missing.to_str().unwrap()),
        "{failure}"
    );
    assert!(failure.remedy.unwrap().contains("MLINFRA_RUNTIME"));
    assert!(!world.path().join(".mlinfra").exists());
}
