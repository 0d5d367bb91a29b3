//! Every law: what breaks it is found, and is not written.

use std::sync::Arc;

use mlinfra_sdk::{Attribute, Marks, Schema, Step, Type, Value};

use super::samples::*;
use crate::addr::{InstanceKey, ResourceInstance};
use crate::state::laws::{Law, check, check_record, check_succession};
use crate::state::{
    Change, Error, InstanceState, Intent, Json, Object, Operation, OutputValue, Planned, Record,
    Refusal, Snapshot, Status,
};

/// The laws that a state breaks, each once.
fn broken(snapshot: &Snapshot) -> Vec<Law> {
    let mut laws: Vec<Law> = check(snapshot).into_iter().map(|v| v.law).collect();
    laws.dedup();
    laws
}

fn with(text: &str, instance: InstanceState) -> Snapshot {
    let mut snapshot = snapshot();
    snapshot.resources.insert(address(text), instance);
    snapshot
}

fn changed(by: impl FnOnce(&mut Object)) -> Arc<Object> {
    let mut object = Object::clone(&object("x"));
    by(&mut object);
    Arc::new(object)
}

#[test]
fn a_good_state_breaks_none() {
    assert_eq!(check(&snapshot()), []);
}

#[test]
fn law_1_names_read_back() {
    let mut snapshot = snapshot();
    let odd = ResourceInstance {
        key: InstanceKey::None,
        ..address("local_file.a")
    };
    let mut odd = odd;
    odd.resource.name = "a b".into();
    snapshot.resources.insert(odd, instance(object("x")));
    assert_eq!(broken(&snapshot), [Law::Names]);

    let mut odd = instance(object("x"));
    odd.provider.name = "a\"b".into();
    assert_eq!(broken(&with("local_file.x", odd)), [Law::Names]);

    let mut dependency = path("local_file.a");
    dependency.resource.ty = "".into();
    let odd = changed(|o| o.dependencies = vec![dependency]);
    assert_eq!(broken(&with("local_file.x", instance(odd))), [Law::Names]);
}

#[test]
fn law_2_nothing_unknown_ephemeral_or_write_only_is_stored() {
    let block = Schema::new("").attribute("inner", Attribute::optional(Type::String).write_only());
    let schema = schema()
        .attribute("password", Attribute::optional(Type::String).write_only())
        .attribute("tags", Attribute::optional(Type::list(Type::String)))
        .block("door", mlinfra_sdk::Nesting::List, block);
    let inner = Value::object([("inner", Value::from("open"))]);
    let door = Value::list(Type::object([("inner", Type::String)]), [inner]);
    let bad = Value::object([
        ("id", Value::unknown(Type::String)),
        ("name", Value::from("x").with_marks(Marks::EPHEMERAL)),
        ("password", Value::from("hush")),
        (
            "tags",
            Value::list(Type::String, [Value::unknown(Type::String)]),
        ),
        ("door", door),
    ]);
    let refused = Object::encode(&bad, &schema).unwrap_err();
    let at = |name: &str| mlinfra_sdk::Path::attribute(name);
    let inner = at("door")
        .then(Step::Index(0))
        .then(Step::Attribute("inner".into()));
    let expected = [
        Refusal::Ephemeral(at("name")),
        Refusal::WriteOnly(at("password")),
        Refusal::WriteOnly(inner.clone()),
        Refusal::Unknown(at("id")),
        Refusal::Unknown(at("tags").then(Step::Index(0))),
    ];
    assert_eq!(refused.0, expected);
    // A plan may hold what is unknown, and nothing else of it.
    let refused = Planned::encode(&bad, &schema).unwrap_err();
    assert_eq!(refused.0, expected[..3]);

    let mut snapshot = snapshot();
    for (name, value) in [
        ("unknown", Value::UNKNOWN),
        ("ephemeral", Value::from("x").with_marks(Marks::EPHEMERAL)),
    ] {
        snapshot.outputs = [(name.into(), OutputValue::new(value, false))].into();
        assert_eq!(broken(&snapshot), [Law::Values]);
    }
}

#[test]
fn law_3_the_lineage_stays_and_the_serial_grows() {
    let last = snapshot();
    let mut next = last.clone();
    assert_eq!(check_succession(&last, &next)[0].law, Law::Serial);
    next.serial += 1;
    assert_eq!(check_succession(&last, &next), []);
    next.lineage = "another".into();
    assert_eq!(check_succession(&last, &next)[0].law, Law::Serial);
    assert_eq!(check_succession(&Snapshot::default(), &next), []);
}

#[test]
fn law_4_deposed_keys_are_eight_hex_digits() {
    for key in ["", "0123", "0123ABCD", "0123abcg", "0123abcde"] {
        let mut odd = instance(object("x"));
        odd.deposed.insert(key.into(), object("old"));
        assert_eq!(
            broken(&with("local_file.x", odd)),
            [Law::DeposedKeys],
            "{key}"
        );
    }
}

#[test]
fn law_5_an_instance_has_an_object() {
    let mut husk = instance(object("x"));
    husk.current = None;
    assert_eq!(broken(&with("local_file.x", husk)), [Law::NoHusks]);
}

#[test]
fn law_6_an_object_has_one_operation() {
    let mut snapshot = snapshot();
    let another = Arc::new(create("local_file.c"));
    snapshot.intents.insert(another.token.clone(), another);
    assert_eq!(broken(&snapshot), [Law::OneOperation]);
}

#[test]
fn law_7_data_sources_are_only_read() {
    let text = "data.local_file.x";
    let tainted = changed(|o| o.status = Status::Tainted);
    assert_eq!(broken(&with(text, instance(tainted))), [Law::DataSources]);
    let mut deposed = instance(object("x"));
    deposed.deposed.insert("0123abcd".into(), object("old"));
    assert_eq!(broken(&with(text, deposed)), [Law::DataSources]);
    let record = Record::Intent(Arc::new(create(text)));
    assert_eq!(check_record(&record, &snapshot())[0].law, Law::DataSources);
}

#[test]
fn law_8_an_output_with_something_sensitive_is_declared_so() {
    let mut snapshot = snapshot();
    let value = Value::tuple([Value::from("hush").sensitive()]);
    snapshot.outputs = [("o".into(), OutputValue::new(value, false))].into();
    assert_eq!(broken(&snapshot), [Law::Outputs]);
}

#[test]
fn law_9_attributes_are_a_json_object() {
    let odd = changed(|o| o.attributes = Json::parse("[1]").unwrap());
    assert_eq!(
        broken(&with("local_file.x", instance(odd))),
        [Law::Attributes]
    );
}

#[test]
fn law_10_nothing_depends_on_itself_or_twice() {
    let own = changed(|o| o.dependencies = vec![path("local_file.x")]);
    assert_eq!(
        broken(&with("local_file.x[1]", instance(own))),
        [Law::Dependencies]
    );
    let twice = changed(|o| o.dependencies = vec![path("local_file.y"), path("local_file.y")]);
    assert_eq!(
        broken(&with("local_file.x", instance(twice))),
        [Law::Dependencies]
    );
}

#[test]
fn law_11_an_operation_tells_what_is_planned() {
    for (operation, plan) in [
        (Operation::Create, None),
        (Operation::Update, None),
        (Operation::Delete, Some(planned("x"))),
    ] {
        let intent = Intent::new(operation, address("local_file.x"), provider(), plan);
        let record = Record::Intent(Arc::new(intent));
        assert_eq!(check_record(&record, &snapshot())[0].law, Law::Planned);
    }
}

#[tokio::test]
async fn what_breaks_a_law_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let state = open(&store(dir.path())).await;
    let own = changed(|o| o.dependencies = vec![path("local_file.x")]);
    let put = Change::Put {
        address: address("local_file.x"),
        deposed: None,
        provider: provider(),
        object: own,
    };
    let error = state.change(vec![put]).await.unwrap_err();
    assert!(matches!(error, Error::Laws(_)), "{error}");
    assert!(state.snapshot().is_empty());
    assert!(!dir.path().join("mlinfra.state.journal").exists());
}
