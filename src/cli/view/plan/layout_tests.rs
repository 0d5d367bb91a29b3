//! Layouts that `terraform_data` cannot show: typed attributes, nested blocks, our own notes.

use std::sync::Arc;

use mlinfra_sdk::{Attribute, Nesting, Path, Schema, Step, Type, Value};

use super::*;
use crate::addr::ResourceInstance;
use crate::plan::ActionReason;

fn schema() -> Schema {
    let rule = Schema::new("")
        .attribute("port", Attribute::required(Type::Number))
        .attribute("note", Attribute::optional(Type::String));
    Schema::new("")
        .attribute("id", Attribute::computed(Type::String))
        .attribute("image", Attribute::required(Type::String).force_new())
        .attribute("labels", Attribute::optional(Type::map(Type::String)))
        .attribute("args", Attribute::optional(Type::list(Type::String)))
        .attribute("zones", Attribute::optional(Type::set(Type::String)))
        .attribute("password", Attribute::optional(Type::String).sensitive())
        .attribute(
            "limits",
            Attribute::optional(Type::object([("cpu", Type::Number), ("gpu", Type::Number)])),
        )
        .attribute(
            "probes",
            Attribute::optional(Type::map(Type::object([("path", Type::String)]))),
        )
        .block("health", Nesting::Single, rule.clone())
        .block("rule", Nesting::List, rule.clone())
        .block("peer", Nesting::Set, rule.clone())
        .block("env", Nesting::Map, rule)
}

fn rule(port: i64, note: Option<&str>) -> Value {
    let note = note.map_or(Value::null(Type::String), Value::from);
    Value::object([("port", Value::from(port)), ("note", note)])
}

fn rule_type() -> Type {
    rule(1, Some("")).ty()
}

/// A service whose attributes are null but for those given.
fn service(set: &[(&str, Value)]) -> Value {
    let Type::Object(object) = schema().ty() else {
        unreachable!()
    };
    let empty = object.attributes.iter().map(|(name, ty)| {
        let value = match (name.as_ref(), ty) {
            ("rule", Type::List(t)) => Value::list(t.as_ref().clone(), []),
            ("peer", Type::Set(t)) => Value::set(t.as_ref().clone(), []),
            ("env", Type::Map(t)) => Value::map::<Arc<str>>(t.as_ref().clone(), []),
            (_, ty) => Value::null(ty.clone()),
        };
        (name.clone(), value)
    });
    set.iter()
        .fold(Value::object(empty), |value, (name, part)| {
            value.with_attribute(name, part.clone())
        })
}

fn strings(items: &[&str]) -> Vec<Value> {
    items.iter().map(|item| Value::from(*item)).collect()
}

fn labels(entries: &[(&str, &str)]) -> Value {
    Value::map(
        Type::String,
        entries.iter().map(|(k, v)| (*k, Value::from(*v))),
    )
}

fn change(action: Action, before: Value, after: Value) -> ResourceChange {
    ResourceChange {
        address: ResourceInstance::parse("serving.api.local_service.this").unwrap(),
        previous_address: None,
        deposed: None,
        provider: "local".into(),
        schema: Arc::new(schema()),
        action,
        reason: None,
        before,
        after,
        replace: Vec::new(),
        notes: Vec::new(),
        importing: None,
        protected: false,
    }
}

/// The resource alone, without what stands around it.
fn shown(change: ResourceChange) -> String {
    let plan = Plan {
        changes: vec![change],
        ..Plan::default()
    };
    let text = render(&plan, &Style::PLAIN);
    let (_, rest) = text.split_once("following actions:\n\n").unwrap();
    rest.rsplit_once("\n\nPlan:").unwrap().0.to_owned()
}

fn nothing() -> Value {
    Value::null(schema().ty())
}

#[test]
fn a_creation_shows_every_type() {
    let after = service(&[
        ("id", Value::unknown(Type::String)),
        ("image", "app:1".into()),
        ("labels", labels(&[("tier", "web"), ("a b", "c")])),
        ("args", Value::list(Type::String, strings(&["-x", "y"]))),
        ("zones", Value::set(Type::String, strings(&["b", "a"]))),
        ("password", "hunter2".into()),
        (
            "limits",
            Value::object([
                ("cpu", Value::from(2i64)),
                ("gpu", Value::null(Type::Number)),
            ]),
        ),
        ("health", rule(80, None)),
        (
            "rule",
            Value::list(rule_type(), [rule(1, Some("one")), rule(2, None)]),
        ),
        ("env", Value::map(rule_type(), [("blue", rule(3, None))])),
    ]);
    let mut creation = change(Action::Create, nothing(), after);
    creation.notes = vec!["will train version 2, because train.py changed".into()];
    assert_eq!(
        shown(creation),
        r#"  # serving.api.local_service.this will be created
  # (will train version 2, because train.py changed)
  + resource "local_service" "this" {
      + args     = [
          + "-x",
          + "y",
        ]
      + id       = (known after apply)
      + image    = "app:1"
      + labels   = {
          + "a b"  = "c"
          + "tier" = "web"
        }
      + limits   = {
          + cpu = 2
        }
      + password = (sensitive value)
      + zones    = [
          + "a",
          + "b",
        ]

      + env "blue" {
          + port = 3
        }

      + health {
          + port = 80
        }

      + rule {
          + note = "one"
          + port = 1
        }
      + rule {
          + port = 2
        }
    }"#
    );
}

#[test]
fn an_update_shows_what_differs_and_counts_the_rest() {
    let before = service(&[
        ("id", "i-1".into()),
        ("image", "app:1".into()),
        ("labels", labels(&[("a", "1"), ("b", "2"), ("c", "3")])),
        ("args", Value::list(Type::String, strings(&["a", "b"]))),
        ("zones", Value::set(Type::String, strings(&["a", "b"]))),
        ("health", rule(80, Some("x"))),
        (
            "rule",
            Value::list(rule_type(), [rule(1, None), rule(2, None)]),
        ),
        ("peer", Value::set(rule_type(), [rule(5, None)])),
        (
            "probes",
            Value::map(
                Value::object([("path", Value::from(""))]).ty(),
                [("live", Value::object([("path", Value::from("/a"))]))],
            ),
        ),
    ]);
    let after = service(&[
        ("id", "i-1".into()),
        ("image", "app:1".into()),
        ("labels", labels(&[("a", "1"), ("b", "3"), ("d", "4")])),
        ("args", Value::list(Type::String, strings(&["a", "b"]))),
        ("zones", Value::set(Type::String, strings(&["a", "c"]))),
        ("health", rule(80, Some("x"))),
        (
            "rule",
            Value::list(rule_type(), [rule(1, None), rule(3, None)]),
        ),
        ("peer", Value::set(rule_type(), [rule(6, None)])),
        (
            "probes",
            Value::map(
                Value::object([("path", Value::from(""))]).ty(),
                [("live", Value::object([("path", Value::from("/b"))]))],
            ),
        ),
    ]);
    assert_eq!(
        shown(change(Action::Update, before, after)),
        r#"  # serving.api.local_service.this will be updated in-place
  ~ resource "local_service" "this" {
        id     = "i-1"
      ~ labels = {
          ~ "b" = "2" -> "3"
          - "c" = "3"
          + "d" = "4"
            # (1 unchanged element hidden)
        }
      ~ probes = {
          ~ "live" = {
              ~ path = "/a" -> "/b"
            },
        }
      ~ zones  = [
          - "b",
          + "c",
            # (1 unchanged element hidden)
        ]
        # (2 unchanged attributes hidden)

      - peer {
          - port = 5 -> null
        }
      + peer {
          + port = 6
        }

      ~ rule {
          ~ port = 2 -> 3
        }

        # (2 unchanged blocks hidden)
    }"#
    );
}

#[test]
fn a_replacement_says_what_forces_it() {
    let before = service(&[
        ("id", "i-1".into()),
        ("image", "app:1".into()),
        (
            "limits",
            Value::object([("cpu", Value::from(1i64)), ("gpu", Value::from(0i64))]),
        ),
    ]);
    let after = service(&[
        ("id", Value::unknown(Type::String)),
        ("image", "app:2".into()),
        (
            "limits",
            Value::object([("cpu", Value::from(2i64)), ("gpu", Value::from(0i64))]),
        ),
    ]);
    let mut replacement = change(Action::DeleteThenCreate, before, after);
    replacement.reason = Some(ActionReason::ReplaceBecauseCannotUpdate);
    replacement.protected = true;
    replacement.replace = vec![
        Path::attribute("image"),
        Path::attribute("limits").then(Step::Attribute("cpu".into())),
    ];
    assert_eq!(
        shown(replacement),
        r#"  # serving.api.local_service.this must be replaced
  # (it holds data, which will be lost)
-/+ resource "local_service" "this" {
      ~ id     = "i-1" -> (known after apply)
      ~ image  = "app:1" -> "app:2" # forces replacement
      ~ limits = {
          ~ cpu = 1 -> 2 # forces replacement
            # (1 unchanged attribute hidden)
        }
    }"#
    );
}

#[test]
fn a_deposed_object_says_where_it_comes_from() {
    let before = service(&[("id", "i-1".into()), ("labels", labels(&[("a", "b")]))]);
    let mut deposed = change(Action::Delete, before, nothing());
    deposed.deposed = Some("deadbeef".into());
    assert_eq!(
        shown(deposed),
        r#"  # serving.api.local_service.this (deposed object deadbeef) will be destroyed
  # (left over from a partially-failed replacement of this instance)
  - resource "local_service" "this" {
      - id     = "i-1" -> null
      - labels = {
          - "a" = "b"
        } -> null
    }"#
    );
}

#[test]
fn hidden_and_unknown_blocks_show_only_that_they_are() {
    let before = service(&[("id", "i".into()), ("health", rule(1, None).sensitive())]);
    let after = service(&[
        ("id", "i".into()),
        ("health", rule(2, None).sensitive()),
        ("rule", Value::unknown(Type::list(rule_type()))),
    ]);
    assert_eq!(
        shown(change(Action::Update, before, after)),
        r#"  # serving.api.local_service.this will be updated in-place
  ~ resource "local_service" "this" {
        id = "i"

      ~ health {
            # At least one attribute in this block is (or was) sensitive,
            # so its contents will not be displayed.
        }

      + rule (known after apply)
    }"#
    );
}

#[test]
fn no_secret_is_ever_written() {
    let secret = || Value::from("hunter2").sensitive();
    let hidden = service(&[
        ("password", "hunter2".into()),
        ("labels", Value::map(Type::String, [("a", secret())])),
        ("args", Value::list(Type::String, [secret(), secret()])),
        (
            "health",
            Value::object([("port", Value::from(1i64)), ("note", secret())]),
        ),
        (
            "rule",
            Value::list(rule_type(), [rule(1, Some("hunter2"))]).sensitive(),
        ),
        ("zones", Value::set(Type::String, [secret()])),
    ]);
    for (before, after) in [
        (nothing(), hidden.clone()),
        (hidden.clone(), nothing()),
        (hidden.clone(), service(&[])),
        (hidden.clone(), hidden),
    ] {
        for action in [Action::Update, Action::Forget, Action::Create] {
            let text = render(
                &Plan {
                    changes: vec![change(action, before.clone(), after.clone())],
                    ..Plan::default()
                },
                &Style::PLAIN,
            );
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}

#[test]
fn drift_deferred_and_kept_objects_have_their_sections() {
    let kept = service(&[("id", "i".into())]);
    let mut keeping = change(Action::NoOp, kept.clone(), kept.clone());
    keeping.protected = true;
    let plan = Plan {
        mode: Mode::Destroy,
        changes: vec![keeping, change(Action::Delete, kept.clone(), nothing())],
        drift: vec![change(Action::Delete, kept, nothing())],
        deferred: vec![(
            "kubernetes_object.x".into(),
            "its provider needs the cluster that this plan makes".into(),
        )],
        ..Plan::default()
    };
    let text = render(&plan, &Style::PLAIN);
    for part in [
        "\nNote: Objects have changed outside of mlinfra\n\nmlinfra detected the following changes",
        "  # serving.api.local_service.this has been deleted\n",
        "\nPlan: 0 to add, 0 to change, 1 to destroy.\n\nNote: Some changes are deferred\n",
        "  # kubernetes_object.x is deferred\n  # (its provider needs the cluster",
        "\nNote: Objects that hold data are kept\n",
        "  # serving.api.local_service.this will be kept\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn colours_are_terraforms() {
    let coloured = Style {
        color: true,
        width: Some(80),
    };
    let after = service(&[("id", Value::unknown(Type::String))]);
    let plan = Plan {
        changes: vec![change(Action::Create, nothing(), after)],
        ..Plan::default()
    };
    let text = render(&plan, &coloured);
    for part in [
        "  \u{1b}[32m+\u{1b}[0m create\n",
        "\u{1b}[1m  # serving.api.local_service.this\u{1b}[0m will be created\n",
        "  \u{1b}[32m+\u{1b}[0m resource \"local_service\" \"this\" {\n",
        "\u{1b}[1mPlan:\u{1b}[0m 1 to add",
    ] {
        assert!(text.contains(part), "{part:?}\n{text:?}");
    }
}

#[test]
fn a_plan_that_failed_half_way_says_so() {
    let none = render_unfinished(&Plan::default(), &Style::PLAIN);
    assert_eq!(
        none,
        "\nPlanning failed. mlinfra encountered an error while generating this plan.\n\n"
    );
    let some = Plan {
        changes: vec![change(Action::Delete, service(&[]), nothing())],
        ..Plan::default()
    };
    let some = render_unfinished(&some, &Style::PLAIN);
    assert!(
        some.contains("\nmlinfra planned the following actions, but then encountered a problem:\n")
    );
}
