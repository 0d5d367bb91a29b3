//! Many tasks at once share what is written.

use std::sync::Arc;

use super::samples::*;
use crate::state::local::files::Step;
use crate::state::{Outcome, State};

#[tokio::test]
async fn tasks_that_wait_together_share_one_sync() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let state = Arc::new(open(&store).await);
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let state = state.clone();
            tokio::spawn(async move {
                for i in (task..1000).step_by(16) {
                    let intent = create(&format!("local_file.x[{i}]"));
                    let token = state.begin(intent).await.unwrap();
                    let outcome = Outcome::Is(object(&format!("n{i}")));
                    state.finish(&token, outcome).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // 2,000 records were durable one after the other in each of 16 tasks: at least 126 syncs.
    let syncs = store.faults().count(Step::Sync);
    assert!((126..600).contains(&syncs), "{syncs} syncs");
    // The snapshot is not touched before the state is closed.
    assert_eq!(store.faults().count(Step::Link), 0);
    let seen = State::read(&*store).await.unwrap();
    assert_eq!(seen.resources.len(), 1000);
    assert!(seen.intents.is_empty());
    assert!(seen.same_content(&state.snapshot()));
    state.close().await.unwrap();
    assert!(State::read(&*store).await.unwrap().same_content(&seen));
}
