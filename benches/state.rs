//! Measures a state of many resources: reading, opening, changing, closing. Prints milliseconds.
//!
//! `cargo bench --bench state -- 100000`

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mlinfra::addr::ResourceInstance;
use mlinfra::state::{
    Access, Change, Holder, Intent, LocalStore, Object, Operation, Outcome, Planned, ProviderRef,
    State, StatePaths,
};
use mlinfra_sdk::{Attribute, Schema, Type, Value};

fn schema() -> Schema {
    (0..16).fold(Schema::new("").version(1), |schema, i| {
        schema.attribute(&format!("attribute_{i}"), Attribute::optional(Type::String))
    })
}

fn value(i: usize, round: usize) -> Value {
    let text = |a| format!("the value of attribute {a} of resource {i}, round {round}");
    Value::object((0..16).map(|a| (format!("attribute_{a}"), Value::from(text(a)))))
}

fn address(i: usize) -> Result<ResourceInstance, Box<dyn Error>> {
    Ok(ResourceInstance::parse(&format!(
        "module.m{}.local_file.x[{i}]",
        i % 100
    ))?)
}

fn object(i: usize, round: usize, schema: &Schema) -> Result<Arc<Object>, Box<dyn Error>> {
    let dependencies = vec![address(i + 1)?.path()];
    let object = Object::encode(&value(i, round), schema)?;
    Ok(Arc::new(Object {
        dependencies,
        ..object
    }))
}

struct Watch(Instant);

impl Watch {
    fn say(&mut self, what: &str) {
        println!("{:>8.1} ms  {what}", self.0.elapsed().as_secs_f64() * 1e3);
        self.0 = Instant::now();
    }
}

async fn open(store: &Arc<LocalStore>) -> Result<Arc<State>, Box<dyn Error>> {
    let access = Access::Locked(Holder::new("bench", "bench"), Duration::from_secs(5));
    Ok(Arc::new(State::open(store.clone(), access).await?))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args()
        .find_map(|a| a.parse().ok())
        .unwrap_or(100_000);
    let dir = tempfile::tempdir_in(".")?;
    let store = Arc::new(LocalStore::new(StatePaths::in_dir(dir.path())));
    let schema = schema();
    let provider = ProviderRef::root("local");
    let mut puts = Vec::new();
    for i in 0..count {
        puts.push(Change::Put {
            address: address(i)?,
            deposed: None,
            provider: provider.clone(),
            object: object(i, 0, &schema)?,
        });
    }
    let mut watch = Watch(Instant::now());
    let state = open(&store).await?;
    state.change(puts).await?;
    watch.say("putting all resources, one record");
    state.close().await?;
    watch.say("closing (writing the snapshot)");
    let size = std::fs::metadata(dir.path().join("mlinfra.state.json"))?.len();
    println!(
        "{:>8.1} MB  snapshot of {count} resources",
        size as f64 / 1e6
    );
    watch.say("(looking)");

    State::read(&*store).await?;
    watch.say("reading");
    let state = open(&store).await?;
    watch.say("opening");
    state.close().await?;
    watch.say("closing with nothing changed");

    let state = open(&store).await?;
    watch.say("opening");
    let changed = object(0, 1, &schema)?;
    state.put(&address(0)?, None, &provider, changed).await?;
    watch.say("the first change (starts the journal)");
    let changed = object(0, 2, &schema)?;
    state.put(&address(0)?, None, &provider, changed).await?;
    watch.say("the second change");
    state.close().await?;
    watch.say("closing with two changes");

    let state = open(&store).await?;
    watch.say("opening");
    let operations = 10_000;
    let tasks = (0..64).map(|task| {
        let (state, schema, provider) = (state.clone(), schema.clone(), provider.clone());
        tokio::spawn(async move {
            for i in (task..operations.min(count)).step_by(64) {
                let (Ok(address), Ok(object)) = (address(i), object(i, 3, &schema)) else {
                    continue;
                };
                let Ok(planned) = Planned::encode(&value(i, 3), &schema) else {
                    continue;
                };
                let intent =
                    Intent::new(Operation::Update, address, provider.clone(), Some(planned));
                let token = state.begin(intent).await?;
                state.finish(&token, Outcome::Is(object)).await?;
            }
            Ok::<(), mlinfra::state::Error>(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    watch.say("10,000 operations by 64 tasks, each begun and finished durably");
    drop(state);
    let state = open(&store).await?;
    watch.say("opening after a kill: replaying them and writing the snapshot");
    state.close().await?;
    Ok(())
}
