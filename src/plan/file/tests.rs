//! A plan with everything in it comes back as it was; a damaged one is refused.

use mlinfra_sdk::{Attribute, Marks, Path, Step, Type, Value};

use super::*;
use crate::addr::{ModuleInstance, Target};
use crate::plan::{
    Action, ActionReason, CheckResult, CheckStatus, Mode, OutputChange, ResourceChange,
};
use crate::state::{InstanceState, ProviderRef};

fn schema() -> Arc<Schema> {
    Arc::new(
        Schema::new("")
            .attribute("id", Attribute::computed(Type::String))
            .attribute("ports", Attribute::optional(Type::set(Type::Number)))
            .attribute("any", Attribute::optional(Type::Dynamic)),
    )
}

/// A number as reading makes it: with all its digits.
fn number(text: &str) -> Value {
    Value::from(text.parse::<mlinfra_sdk::Number>().unwrap())
}

fn object(id: Value) -> Value {
    let ports = [number("1"), Value::unknown(Type::Number)];
    Value::object([
        ("id", id),
        ("ports", Value::set(Type::Number, ports)),
        (
            "any",
            Value::tuple([Value::from("s").sensitive(), Value::UNKNOWN]),
        ),
    ])
}

fn change() -> ResourceChange {
    let address = |text| ResourceInstance::parse(text).unwrap();
    ResourceChange {
        address: address("module.a[\"x\"].test_thing.b[3]"),
        previous_address: Some(address("test_thing.b")),
        deposed: Some("00c0ffee".into()),
        provider: "test".into(),
        schema: schema(),
        action: Action::CreateThenDelete,
        reason: Some(ActionReason::ReplaceByTriggers),
        before: Value::NULL,
        after: object(Value::unknown(Type::String)),
        replace: vec![Path(vec![
            Step::Attribute("any".into()),
            Step::Index(1),
            Step::Key("k".into()),
            Step::Element(number("2")),
        ])],
        notes: vec!["will train".into()],
        importing: Some("i-1".into()),
        protected: true,
    }
}

fn prior() -> Snapshot {
    let value = Value::object([
        ("id", Value::from("1")),
        ("ports", Value::null(Type::set(Type::Number))),
        ("any", Value::from("x").sensitive()),
    ]);
    let mut prior = Snapshot {
        lineage: "l".into(),
        serial: 7,
        ..Snapshot::default()
    };
    let instance = InstanceState {
        provider: ProviderRef::root("test"),
        current: Some(Arc::new(Object::encode(&value, &schema()).unwrap())),
        deposed: BTreeMap::new(),
    };
    let address = ResourceInstance::parse("test_thing.b").unwrap();
    prior.resources.insert(address, instance);
    prior
}

fn saved() -> SavedPlan {
    let prior = prior();
    let address = ResourceInstance::parse("test_thing.b").unwrap();
    let known = prior.current(&address).cloned();
    let output = OutputChange {
        action: Action::Update,
        before: number("1"),
        after: object(Value::from("y")),
        sensitive: true,
    };
    let check = CheckResult {
        kind: "check",
        address: "check.x".into(),
        status: CheckStatus::Fail,
        instances: vec![("check.x".into(), CheckStatus::Fail, vec!["no".into()])],
    };
    SavedPlan {
        timestamp: jiff::Timestamp::UNIX_EPOCH,
        configuration: "d".into(),
        options: Options {
            mode: Mode::RefreshOnly,
            replace: vec![address.clone()],
            targets: vec![
                Target::parse("serving.api", |_| true).unwrap(),
                Target::parse("test_thing.b", |_| false).unwrap(),
                Target::Module(ModuleInstance::root().child(&"m".into(), Default::default())),
            ],
            ..Options::default()
        },
        ephemeral: BTreeSet::from(["token".into()]),
        plan: Plan {
            mode: Mode::RefreshOnly,
            changes: vec![change()],
            drift: vec![change()],
            outputs: BTreeMap::from([("o".into(), output)]),
            checks: vec![check],
            variables: BTreeMap::from([("v".into(), Value::from("s").sensitive())]),
            deferred: vec![("a".into(), "b".into())],
        },
        bookkeeping: Bookkeeping {
            moves: vec![(address.clone(), change().address)],
            refreshed: BTreeMap::from([(address.clone(), known.clone()), (change().address, None)]),
            imported: known
                .map(|object| (address.clone(), (ProviderRef::root("test"), object)))
                .into_iter()
                .collect(),
        },
        data: BTreeMap::from([(address, object(Value::from("z")))]),
        prior: Arc::new(prior),
    }
}

fn read_back(bytes: &[u8]) -> Result<SavedPlan, Damage> {
    decode(bytes, &|provider, _| match provider {
        "test" => Ok(schema()),
        _ => Err("there is no such provider".into()),
    })
}

#[test]
fn a_plan_comes_back_whole() {
    let saved = saved();
    let bytes = encode(&saved).unwrap();
    let back = read_back(&bytes).unwrap();
    assert_eq!(format!("{back:?}"), format!("{saved:?}"));
    assert_eq!(encode(&back).unwrap(), bytes);
}

#[test]
fn a_cut_or_changed_plan_is_refused_at_every_byte() {
    let bytes = encode(&saved()).unwrap();
    for length in 0..bytes.len() {
        assert!(read_back(&bytes[..length]).is_err(), "cut at {length}");
    }
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(read_back(&changed).is_err(), "changed at {place}");
    }
}

#[test]
fn other_versions_are_told_from_damage() {
    let text = String::from_utf8(encode(&saved()).unwrap()).unwrap();
    let with = |from: &str, to: &str| read_back(text.replacen(from, to, 1).as_bytes()).unwrap_err();
    assert_eq!(
        with("\"version\":1", "\"version\":2"),
        Damage::Version { found: 2 }
    );
    let program = format!("\"program\":{PROGRAM:?}");
    let found = "9.9.9".to_owned();
    assert_eq!(
        with(&program, "\"program\":\"9.9.9\""),
        Damage::Program { found }
    );
    assert_eq!(with("mlinfra plan", "mlinfra state"), Damage::Foreign);
    assert_eq!(with("test_thing", "test_think"), Damage::Changed);
}

#[test]
fn an_ephemeral_value_keeps_a_plan_from_being_written() {
    let mut saved = saved();
    let secret = Value::from("s").with_marks(Marks::EPHEMERAL);
    saved.plan.variables.insert("token".into(), secret);
    assert!(encode(&saved).is_err());
}
