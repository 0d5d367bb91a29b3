//! Values on their way to the disk and back.

use mlinfra_sdk::{Attribute, Nesting, Path, Schema, Step, Type, Value};

use super::samples::*;
use crate::state::{DecodeError, Json, Object, Planned, Refusal};

fn nested() -> Schema {
    let door = Schema::new("")
        .attribute("code", Attribute::optional(Type::String).sensitive())
        .attribute("name", Attribute::optional(Type::String));
    Schema::new("")
        .attribute("any", Attribute::optional(Type::Dynamic))
        .attribute("tags", Attribute::optional(Type::map(Type::String)))
        .attribute("ids", Attribute::optional(Type::set(Type::String)))
        .block("front", Nesting::Single, door.clone())
        .block("doors", Nesting::List, door.clone())
        .block("gates", Nesting::Set, door)
}

fn door(code: &str) -> Value {
    Value::object([("code", Value::from(code)), ("name", Value::from("n"))])
}

fn house() -> Value {
    let ty = door("").ty();
    Value::object([
        (
            "any",
            Value::tuple([Value::from(1i64), Value::from("x").sensitive()]),
        ),
        (
            "tags",
            Value::map(
                Type::String,
                [("a", Value::from("1").sensitive()), ("b", "2".into())],
            ),
        ),
        (
            "ids",
            Value::set(Type::String, [Value::from("i").sensitive()]),
        ),
        ("front", door("1")),
        ("doors", Value::list(ty.clone(), [door("2"), door("3")])),
        ("gates", Value::set(ty, [door("4")])),
    ])
}

#[test]
fn a_value_comes_back_with_the_marks_it_had_and_those_of_its_schema() {
    let object = Object::encode(&house(), &nested()).unwrap();
    let value = object.decode(&nested()).unwrap();
    assert_eq!(value.clone().unmark_deep().0, house().unmark_deep().0);
    let sensitive = |value: &Value, path: Path| path.get(value).unwrap().marks().is_sensitive();
    let at = |name: &str| Path::attribute(name);
    let code = || Step::Attribute("code".into());
    for path in [
        at("any").then(Step::Index(1)),
        at("tags").then(Step::Key("a".into())),
        at("ids"),
        at("front").then(code()),
        at("doors").then(Step::Index(1)).then(code()),
        at("gates"),
    ] {
        assert!(sensitive(&value, path.clone()), "{path}");
    }
    for path in [
        at("any"),
        at("tags").then(Step::Key("b".into())),
        at("front"),
        at("doors")
            .then(Step::Index(0))
            .then(Step::Attribute("name".into())),
    ] {
        assert!(!sensitive(&value, path.clone()), "{path}");
    }
}

#[test]
fn a_mark_whose_place_is_gone_covers_what_is_left_of_it() {
    let mut object = Object::encode(&house(), &nested()).unwrap();
    object.sensitive = vec![Path::attribute("tags").then(Step::Key("gone".into()))];
    let value = object.decode(&nested()).unwrap();
    assert!(value.get("tags").unwrap().marks().is_sensitive());
    object.sensitive = vec![Path::attribute("gone")];
    assert!(object.decode(&nested()).unwrap().marks().is_sensitive());
}

#[test]
fn a_plan_comes_back_with_what_is_unknown() {
    let ids = Value::set(Type::String, [Value::unknown(Type::String), "i".into()]);
    let any = Value::unknown(Type::list(Type::Bool));
    let planned = house()
        .with_attribute("ids", ids)
        .with_attribute("any", any);
    let back = Planned::encode(&planned, &nested())
        .unwrap()
        .decode(&nested())
        .unwrap();
    assert_eq!(
        back.get("any"),
        Some(&Value::unknown(Type::list(Type::Bool)))
    );
    // An element of a set has no place of its own: the whole set is unknown.
    assert_eq!(
        back.get("ids"),
        Some(&Value::unknown(Type::set(Type::String)))
    );
    assert_eq!(back.get("front").and_then(|f| f.get_str("code")), Some("1"));
}

#[test]
fn a_value_that_does_not_fit_its_schema_is_refused() {
    for (name, value) in [
        ("name", Value::from(3i64)),
        ("name", Value::list(Type::String, [])),
        ("unheard", Value::from("of")),
    ] {
        let bad = super::samples::value("x").with_attribute(name, value);
        let refused = Object::encode(&bad, &schema()).unwrap_err();
        assert!(
            matches!(refused.0[..], [Refusal::Misfit { .. }]),
            "{refused}"
        );
    }
    assert!(Object::encode(&Value::NULL, &schema()).is_err());
}

#[test]
fn an_object_of_another_schema_version_is_for_the_provider_to_upgrade() {
    let object = object("x");
    let newer = schema().version(2);
    let error = object.decode(&newer).unwrap_err();
    let DecodeError::Version {
        stored: 1,
        known: 2,
    } = error
    else {
        panic!("{error}");
    };
    let upgraded = object.mark(value("x").unmark_deep().0, &newer);
    assert!(upgraded.get("secret").unwrap().marks().is_sensitive());
}

#[test]
fn json_is_kept_on_one_line() {
    let json = Json::parse("{\n  \"a\": \"b\\nc\"\r\n}\n").unwrap();
    assert!(!json.get().contains(['\n', '\r']));
    let value: serde_json::Value = serde_json::from_str(json.get()).unwrap();
    assert_eq!(value["a"], "b\nc");
    assert!(Json::parse("{").is_err());
}
