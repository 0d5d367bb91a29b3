//! Killed at any step, full disks: what was durable is there, and the next command goes on.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::samples::*;
use crate::state::local::files::Step;
use crate::state::{Error, LocalStore, Outcome, State, StatePaths, Store};

/// Runs `work` with the process gone after 0, 1, 2, … steps, until it gets through; then looks at
/// what is on the disk with fresh eyes. Answers how many times it was killed.
async fn at_every_step<F>(
    prepare: &[&str],
    work: impl Fn(std::sync::Arc<LocalStore>) -> F,
    see: impl Fn(bool, &State),
) where
    F: Future<Output = Result<(), Error>>,
{
    for step in 0..100 {
        let dir = tempfile::tempdir().unwrap();
        session(&store(dir.path()), prepare).await;
        let doomed = store(dir.path());
        doomed.faults().end_at(step);
        let through = work(doomed).await.is_ok();
        let read = State::read(&*store(dir.path())).await.unwrap();
        let state = open_when_free(dir.path()).await;
        assert_eq!(
            read.serial,
            state.snapshot().serial,
            "killed at step {step}"
        );
        assert!(read.same_content(&state.snapshot()));
        see(through, &state);
        state.close().await.unwrap();
        if through {
            assert!(step > 3, "no step was counted");
            return;
        }
    }
    panic!("it never got through");
}

#[tokio::test]
async fn killed_between_any_two_steps_of_closing_nothing_is_lost() {
    for prepare in [&[][..], &["local_file.a"][..]] {
        let work = async |store| {
            let state = open(&store).await;
            // The record is durable; what follows may be killed.
            let written = state
                .put(&address("local_file.b"), None, &provider(), object("b"))
                .await;
            // Killed while the record was written: the test below is about closing.
            written?;
            state.close().await.map(|_| ())
        };
        let serial = prepare.len() as u64;
        at_every_step(prepare, work, |through, state| {
            let snapshot = state.snapshot();
            let kept = names(&snapshot).contains(&"local_file.b=b".to_owned());
            assert!(kept || !through);
            assert_eq!(snapshot.serial, serial + u64::from(kept));
            assert_eq!(snapshot.resources.len(), prepare.len() + usize::from(kept));
        })
        .await;
    }
}

#[tokio::test]
async fn what_was_answered_is_there_whenever_closing_is_killed() {
    // As above, but the steps are counted from the moment the record is durable.
    for step in 0..100 {
        let dir = tempfile::tempdir().unwrap();
        session(&store(dir.path()), &["local_file.a"]).await;
        let doomed = store(dir.path());
        let state = open(&doomed).await;
        put(&state, "local_file.b", "b").await;
        doomed.faults().end_at(step);
        let through = state.close().await.is_ok();
        drop(state);
        let seen = State::read(&*store(dir.path())).await.unwrap();
        assert_eq!(
            names(&seen),
            ["local_file.a=a", "local_file.b=b"].map(|n| n.replace("=a", "=local_file.a"))
        );
        assert_eq!(seen.serial, 2);
        if through {
            assert!(step > 5);
            return;
        }
    }
    panic!("it never got through");
}

#[tokio::test]
async fn an_operation_is_on_disk_before_it_is_done_and_open_until_it_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(&store(dir.path())).await;
    let token = first.begin(create("local_file.a")).await.unwrap();
    drop(first);

    let second = open_when_free(dir.path()).await;
    let [intent] = &second.open_intents()[..] else {
        panic!("{:?}", second.open_intents());
    };
    assert_eq!(intent.token, token);
    let planned = intent.planned.as_ref().unwrap().decode(&schema()).unwrap();
    assert!(!planned.get("id").unwrap().is_known());
    assert_eq!(planned.get_str("name"), Some("local_file.a"));
    assert!(planned.get("secret").unwrap().marks().is_sensitive());
    // It stays open when nobody settles it.
    second.close().await.unwrap();

    let third = open(&store(dir.path())).await;
    let outcome = Outcome::Is(object("found"));
    third.finish(&token, outcome).await.unwrap();
    third.close().await.unwrap();
    let seen = State::read(&*store(dir.path())).await.unwrap();
    assert_eq!(names(&seen), ["local_file.a=found"]);
    assert!(seen.intents.is_empty());
}

/// A dropped state lets go of its lock when its writer ends, which is soon, but not at once.
async fn open_when_free(dir: &Path) -> State {
    let access = crate::state::Access::Locked(holder("apply"), std::time::Duration::from_secs(10));
    State::open(store(dir), access).await.unwrap()
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_what_was_not_written_is_written_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let state = open(&store).await;
    let token = state.begin(create("local_file.a")).await.unwrap();
    for room in [0, 1, 30] {
        store
            .faults()
            .full_after(Some((room, io::ErrorKind::StorageFull)));
        let outcome = Outcome::Is(object("a"));
        if room == 0 {
            let error = state.finish(&token, outcome).await.unwrap_err();
            let diagnostic = crate::diag::Diagnostic::from(error);
            assert_eq!(diagnostic.summary, "Failed to save state");
            assert!(diagnostic.hint.unwrap().contains("make room"));
        }
        // An intent that was not recorded is none.
        let other = create("local_file.b");
        assert!(matches!(state.begin(other).await, Err(Error::Store(_))));
        assert!(state.open_intents().is_empty());
        // On disk the first operation is still open, and nothing else.
        let seen = State::read(&*store).await.unwrap();
        assert_eq!(seen.intents.len(), 1);
        assert!(seen.resources.is_empty());
    }
    store.faults().full_after(None);
    put(&state, "local_file.c", "c").await;
    drop(state);
    let seen = State::read(&*store).await.unwrap();
    assert_eq!(names(&seen), ["local_file.a=a", "local_file.c=c"]);
    assert!(seen.intents.is_empty());
}

#[tokio::test]
async fn closing_on_a_full_disk_fails_and_succeeds_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    session(&store, &["local_file.a"]).await;
    let state = open(&store).await;
    put(&state, "local_file.b", "b").await;
    store
        .faults()
        .full_after(Some((100, io::ErrorKind::StorageFull)));
    assert!(matches!(state.close().await, Err(Error::Store(_))));
    let seen = State::read(&*store).await.unwrap();
    assert_eq!(seen.resources.len(), 2, "the journal is still there");
    store.faults().full_after(None);
    assert!(state.close().await.unwrap().written);
    assert_eq!(State::read(&*store).await.unwrap().serial, 2);
    assert!(!dir.path().join("mlinfra.state.json.tmp").exists());
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_an_error_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    session(&store, &["local_file.a"]).await;
    let state = open(&store).await;
    let denied = io::ErrorKind::PermissionDenied;
    store.faults().full_after(Some((0, denied)));
    let error = state.begin(create("local_file.b")).await.unwrap_err();
    let diagnostic = crate::diag::Diagnostic::from(error);
    assert!(
        diagnostic.detail.contains("mlinfra.state.journal"),
        "{diagnostic}"
    );
    assert!(diagnostic.hint.unwrap().contains("writable"));
    // Nothing changed, so there is nothing to write.
    assert!(!state.close().await.unwrap().written);
    // A directory that is not there at all.
    let nowhere = LocalStore::new(StatePaths::in_dir(&dir.path().join("no/where")));
    let error = nowhere.lock(&holder("apply")).await.unwrap_err();
    assert!(error.to_string().contains("mlinfra.state.lock"), "{error}");
}

#[tokio::test]
async fn what_is_written_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    session(&store, &["local_file.a"]).await;
    session(&store, &["local_file.b"]).await;
    let state = open(&store).await;
    put(&state, "local_file.c", "c").await;
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        seen.push(entry.file_name().into_string().unwrap());
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    seen.sort();
    let expected = ["backup.journal", "backup.json", "journal", "json", "lock"];
    assert_eq!(seen, expected.map(|e| format!("mlinfra.state.{e}")));
    assert!(store.faults().count(Step::SyncDirectory) > 0);
}

/// Names the directory to the child of the next test.
const CHILD: &str = "MLINFRA_TEST_STATE_DIRECTORY";

/// Writes until it is killed, and says what is durable.
async fn write_until_killed(dir: &Path) {
    for round in 0.. {
        let state = open_when_free(dir).await;
        for i in 0..20 {
            let text = format!("local_file.r{round}[{i}]");
            let token = state.begin(create(&text)).await.unwrap();
            println!("begun {text}");
            let outcome = Outcome::Is(object("made"));
            state.finish(&token, outcome).await.unwrap();
            println!("made {text}");
        }
        state.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_moment_leaves_all_it_said_was_durable() {
    if let Some(dir) = std::env::var_os(CHILD) {
        return write_until_killed(Path::new(&dir)).await;
    }
    let name = "state::tests::crashes::a_process_that_is_killed_at_any_moment_leaves_all_it_said_was_durable";
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for kill in 0..12u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Killed after some lines, wherever it is by then.
        let mut said = io::BufReader::new(child.stdout.take().unwrap());
        let mut lines = Vec::new();
        while lines.len() < 5 + 13 * kill as usize {
            let mut line = String::new();
            assert!(
                io::BufRead::read_line(&mut said, &mut line).unwrap() > 0,
                "{lines:?}"
            );
            lines.push(line);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let rest = io::read_to_string(said).unwrap();
        lines.extend(rest.lines().map(str::to_owned));

        // The lock is free at once, and everything it said is there.
        let state = open(&store(dir.path())).await;
        let snapshot = state.snapshot();
        for line in &lines {
            if let Some(text) = line.trim().strip_prefix("made ")
                && let Ok(made) = crate::addr::ResourceInstance::parse(text)
            {
                assert!(snapshot.current(&made).is_some(), "{made} is lost");
            }
        }
        assert!(snapshot.intents.len() <= 1);
        for intent in state.open_intents() {
            state.finish(&intent.token, Outcome::Gone).await.unwrap();
        }
        assert!(snapshot.serial > last);
        last = snapshot.serial;
        // The child begins with the same names again.
        for address in snapshot.resources.keys() {
            let address = address.clone();
            let forget = crate::state::Change::Forget { address };
            state.change(vec![forget]).await.unwrap();
        }
        state.close().await.unwrap();
    }
}
