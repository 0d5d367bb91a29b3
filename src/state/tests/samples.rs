//! States, objects and operations to test with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mlinfra_sdk::{Attribute, Schema, Type, Value};

use crate::addr::{ResourceInstance, ResourcePath};
use crate::state::{
    Access, Holder, InstanceState, Intent, LocalStore, Object, Operation, OutputValue, Planned,
    ProviderRef, Snapshot, State, StatePaths,
};

pub fn address(text: &str) -> ResourceInstance {
    ResourceInstance::parse(text).unwrap()
}

pub fn path(text: &str) -> ResourcePath {
    address(text).path()
}

pub fn provider() -> ProviderRef {
    ProviderRef::root("local")
}

pub fn schema() -> Schema {
    Schema::new("")
        .version(1)
        .attribute("id", Attribute::computed(Type::String))
        .attribute("name", Attribute::required(Type::String))
        .attribute("secret", Attribute::optional(Type::String))
}

pub fn value(name: &str) -> Value {
    Value::object([
        ("id", Value::from(format!("id of {name}"))),
        ("name", Value::from(name)),
        ("secret", Value::from("hush").sensitive()),
    ])
}

pub fn object(name: &str) -> Arc<Object> {
    Arc::new(Object::encode(&value(name), &schema()).unwrap())
}

pub fn planned(name: &str) -> Planned {
    let value = value(name).with_attribute("id", Value::unknown(Type::String));
    Planned::encode(&value, &schema()).unwrap()
}

pub fn create(text: &str) -> Intent {
    let planned = Some(planned(text));
    Intent::new(Operation::Create, address(text), provider(), planned)
}

pub fn instance(object: Arc<Object>) -> InstanceState {
    InstanceState {
        provider: provider(),
        current: Some(object),
        deposed: BTreeMap::new(),
    }
}

/// A state with a bit of everything.
pub fn snapshot() -> Snapshot {
    let mut snapshot = Snapshot {
        lineage: "a6f4b8f0-1111-4222-8333-444455556666".into(),
        serial: 7,
        ..Snapshot::default()
    };
    let dependent = Object {
        dependencies: vec![path("local_file.a")],
        status: crate::state::Status::Tainted,
        create_before_destroy: true,
        protected: true,
        ..Object::clone(&object("b"))
    };
    let mut b = instance(Arc::new(dependent));
    b.deposed.insert("0123abcd".into(), object("old b"));
    snapshot
        .resources
        .insert(address("local_file.a"), instance(object("a")));
    snapshot
        .resources
        .insert(address("serving.api.local_file.b[\"k\"]"), b);
    snapshot.outputs.insert(
        "url".into(),
        OutputValue::new(Value::from("http://é"), false),
    );
    snapshot
        .outputs
        .insert("key".into(), OutputValue::new(Value::from("hush"), true));
    let intent = Arc::new(create("local_file.c"));
    snapshot.intents.insert(intent.token.clone(), intent);
    snapshot
}

pub fn store(dir: &Path) -> Arc<LocalStore> {
    Arc::new(LocalStore::new(StatePaths::in_dir(dir)))
}

pub fn holder(operation: &str) -> Holder {
    Holder::new(operation, "ada@example")
}

pub async fn open(store: &Arc<LocalStore>) -> State {
    let access = Access::Locked(holder("apply"), Duration::ZERO);
    State::open(store.clone(), access).await.unwrap()
}

/// Opens a state, puts these objects and closes it.
pub async fn session(store: &Arc<LocalStore>, names: &[&str]) {
    let state = open(store).await;
    for name in names {
        put(&state, name, name).await;
    }
    state.close().await.unwrap();
}

pub async fn put(state: &State, text: &str, name: &str) {
    state
        .put(&address(text), None, &provider(), object(name))
        .await
        .unwrap();
}

/// The names that the state knows, with what the objects say.
pub fn names(snapshot: &Snapshot) -> Vec<String> {
    let name = |(address, instance): (&ResourceInstance, &InstanceState)| {
        let object = instance.current.as_ref()?;
        let value = object.decode(&schema()).ok()?;
        Some(format!("{address}={}", value.get_str("name")?))
    };
    snapshot.resources.iter().filter_map(name).collect()
}
