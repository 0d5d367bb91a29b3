//! The agent's own life: started once, healed by its guard, gone without a trace.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use mlinfra_agent::{Client, ClientError, ensure_running};

use crate::world::{World, alive, dead, eventually, kill, runtime, service};

/// Within which the death of agent or guard must be healed.
const HEALED: Duration = Duration::from_secs(2);

#[tokio::test]
async fn starters_at_once_get_the_same_agent() {
    let directory = tempfile::tempdir().unwrap();
    let starts = (0..8).map(|_| ensure_running(directory.path(), runtime()));
    let clients = futures::future::try_join_all(starts).await.unwrap();
    let mut pids = Vec::new();
    for client in &clients {
        pids.push(client.info().await.unwrap().pid);
    }
    pids.dedup();
    assert_eq!(pids.len(), 1);
    let client = clients.into_iter().next().unwrap();
    World { directory, client }.end().await;
}

#[tokio::test]
async fn a_killed_agent_comes_back_and_finds_its_services() {
    let world = World::new().await;
    world
        .client
        .create_service("t", &service("web", "exec sleep 1000"))
        .await
        .unwrap();
    let before = world.healthy("web").await;
    for _ in 0..3 {
        let info = world.info().await;
        let killed = Instant::now();
        kill(info.pid);
        let after = world.agent_after(&info).await;
        assert!(
            killed.elapsed() < HEALED,
            "healed in {:?}",
            killed.elapsed()
        );
        assert_eq!(after.guard, info.guard, "the guard stayed");
        let view = world.healthy("web").await;
        assert_eq!(
            (view.pid, view.port, view.restarts),
            (before.pid, before.port, 0)
        );
    }
    world.end().await;
}

#[tokio::test]
async fn a_killed_guard_comes_back() {
    let world = World::new().await;
    let info = world.info().await;
    let guard = info.guard.unwrap();
    let killed = Instant::now();
    kill(guard);
    let healed = eventually("another guard lives", || async {
        world
            .client
            .info()
            .await
            .ok()
            .filter(|info| info.guard.is_some_and(|pid| pid != guard))
    })
    .await;
    assert!(
        killed.elapsed() < HEALED,
        "healed in {:?}",
        killed.elapsed()
    );
    assert_eq!(healed.pid, info.pid, "the agent stayed");
    // The new guard, which is not the agent's parent, brings the agent back too.
    kill(healed.pid);
    world.agent_after(&healed).await;
    world.end().await;
}

#[tokio::test]
async fn when_both_are_killed_the_next_caller_heals() {
    let world = World::new().await;
    world
        .client
        .create_service("t", &service("web", "exec sleep 1000"))
        .await
        .unwrap();
    let before = world.healthy("web").await;
    let info = world.info().await;
    let guard = info.guard.unwrap();
    // The one that dies first must not be healed by the other in between.
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(guard).unwrap(),
        rustix::process::Signal::STOP,
    )
    .unwrap();
    kill(info.pid);
    kill(guard);
    dead(info.pid).await;
    dead(guard).await;
    let error = Client::connect(&world.path()).await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }), "{error}");
    ensure_running(&world.path(), runtime()).await.unwrap();
    assert_eq!(world.healthy("web").await.pid, before.pid);
    world.end().await;
}

#[tokio::test]
async fn a_path_longer_than_a_socket_address_is_fine() {
    let directory = tempfile::tempdir().unwrap();
    let long = directory.path().join("d".repeat(200)).join("e".repeat(200));
    std::fs::create_dir_all(&long).unwrap();
    let client = ensure_running(&long, runtime()).await.unwrap();
    client
        .create_service("t", &service("web", "exec sleep 1000"))
        .await
        .unwrap();
    assert_eq!(client.services().await.unwrap().len(), 1);
    client.shutdown().await.unwrap();
    assert!(!long.join(".mlinfra/agent").exists());
}

#[tokio::test]
async fn what_the_agent_keeps_is_closed_to_others() {
    let world = World::new().await;
    let mut spec = service("web", r#"echo "secret is $TOKEN"; exec sleep 1000"#);
    spec.secret_env = mlinfra_agent::messages::Secrets::new(
        [("TOKEN".to_owned(), "hush-hush".to_owned())].into(),
    );
    world.client.create_service("t", &spec).await.unwrap();
    let view = world
        .service_when("web", |view| !view.log_tail.is_empty())
        .await;
    assert_eq!(view.log_tail, ["secret is hush-hush"], "the process has it");
    assert_eq!(view.secret_env_names, ["TOKEN"]);
    assert!(
        view.spec.secret_env.is_empty(),
        "the agent does not give it away"
    );
    for pid in world.processes() {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&arguments).contains("hush"),
            "no secret in arguments"
        );
    }
    let mut folders = vec![world.layout().root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        assert_eq!(
            folder.metadata().unwrap().permissions().mode() & 0o777,
            0o700,
            "{}",
            folder.display()
        );
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(
                    path.metadata().unwrap().permissions().mode() & 0o077,
                    0,
                    "{}",
                    path.display()
                );
            }
        }
    }
    world.end().await;
}

#[tokio::test]
async fn the_environment_of_the_starter_does_not_matter() {
    let world = World::new().await;
    let mut spec = service("web", "env; exec sleep 1000");
    spec.env.insert("ASKED_FOR".into(), "yes {port}".into());
    let port = world.client.create_service("t", &spec).await.unwrap().port;
    let view = world
        .service_when("web", |view| {
            view.log_tail
                .iter()
                .any(|line| line.starts_with("ASKED_FOR"))
        })
        .await;
    let log = std::fs::read_to_string(view.log).unwrap();
    assert!(log.contains(&format!("ASKED_FOR=yes {port}\n")), "{log}");
    assert!(log.contains("\nPATH=") || log.starts_with("PATH="), "{log}");
    // Cargo sets these for the tests; they are accidents of whoever started the agent.
    assert!(!log.contains("CARGO"), "{log}");
    world.end().await;
}

#[tokio::test]
async fn a_folder_taken_away_ends_everything() {
    let world = World::new().await;
    world
        .client
        .create_service("t", &service("web", "exec sleep 1000"))
        .await
        .unwrap();
    let pid = world.healthy("web").await.pid.unwrap();
    let info = world.info().await;
    std::fs::remove_dir_all(world.layout().root()).unwrap();
    for pid in [pid, info.pid, info.guard.unwrap()] {
        dead(pid).await;
    }
    eventually("nothing is left", || async {
        world.processes().is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_cut_short_is_finished() {
    let world = World::new().await;
    // It takes its time to stop, so that the agent can be killed meanwhile.
    let mut spec = service("slow", "trap '' TERM; while :; do sleep 0.1; done");
    spec.stop_grace_ms = 1_500;
    world.client.create_service("t", &spec).await.unwrap();
    let pid = world.healthy("slow").await.pid.unwrap();
    let info = world.info().await;
    let client = world.client.clone();
    let shutdown = tokio::spawn(async move { client.shutdown().await });
    eventually("the shutdown has begun", || async {
        world.layout().stopping().exists().then_some(())
    })
    .await;
    kill(info.pid);
    shutdown.await.unwrap().unwrap();
    assert!(!alive(pid));
    world.end().await;
}

#[tokio::test]
async fn a_damaged_object_is_told_and_can_be_deleted() {
    let world = World::new().await;
    world
        .client
        .create_service("t", &service("web", "exec sleep 1000"))
        .await
        .unwrap();
    let pid = world.healthy("web").await.pid.unwrap();
    let info = world.info().await;
    std::fs::write(world.layout().objects("service").join("web.json"), "{\"tok").unwrap();
    kill(info.pid);
    let info = world.agent_after(&info).await;
    assert_eq!(info.damaged.len(), 1);
    assert!(
        world
            .client
            .service("web")
            .await
            .unwrap_err()
            .to_string()
            .contains("damaged")
    );
    let error = world
        .client
        .create_service("t", &service("web", "exec sleep 1"))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("damaged"),
        "not taken for absent: {error}"
    );
    assert!(alive(pid));
    assert!(world.client.delete_service("web").await.unwrap());
    assert!(!alive(pid), "what ran for it is found and stopped");
    assert!(world.info().await.damaged.is_empty());
    world.end().await;
}
