//! A state for people, as `show` and `state show` print it.

use super::{ObjectView, StateView};
use crate::addr::Mode;
use crate::cli::view::diff::{self, Forced, Layout};
use crate::cli::view::style::Style;

/// All objects and outputs.
pub fn render(state: &StateView, style: &Style) -> String {
    if state.objects.is_empty() && state.outputs.is_empty() {
        return "The state file is empty. No resources are represented.\n".to_owned();
    }
    let mut out = String::new();
    let mut module = None;
    for object in &state.objects {
        // An empty line sets modules apart.
        if module.replace(&object.address.module) != Some(&object.address.module) && !out.is_empty()
        {
            out.push('\n');
        }
        out.push_str(&render_object(object, style));
        out.push('\n');
    }
    if !state.outputs.is_empty() {
        out.push_str("\nOutputs:\n\n");
        let layout = Layout::values(*style);
        for (name, output) in &state.outputs {
            let value = match output.sensitive {
                true => output.value.clone().sensitive(),
                false => output.value.clone(),
            };
            let change = diff::same(&value);
            let name = diff::attribute_name(name);
            out.push_str(&format!("{name} = {}\n", layout.write(&change, 0)));
        }
    }
    out
}

/// One object, under its address.
pub fn render_object(object: &ObjectView, style: &Style) -> String {
    let resource = &object.address.resource;
    let word = match resource.mode {
        Mode::Managed => "resource",
        Mode::Data => "data",
    };
    let deposed = match &object.deposed {
        Some(key) => format!(" (deposed object {key})"),
        None => String::new(),
    };
    let tainted = if object.tainted { " (tainted)" } else { "" };
    let value = Some(&object.value);
    let change = diff::block(value, value, &object.schema, &Forced::default());
    format!(
        "# {}{deposed}:{tainted}\n{word} \"{}\" \"{}\" {}\n",
        object.address,
        resource.ty,
        resource.name,
        Layout::values(*style).write(&change, 0)
    )
}

/// The addresses, a line each; a deposed object has none of its own.
pub fn list(state: &StateView) -> String {
    let current = state.objects.iter().filter(|o| o.deposed.is_none());
    current.map(|o| format!("{}\n", o.address)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mlinfra_sdk::{Attribute, Schema, Type, Value};

    use super::super::OutputView;
    use super::*;
    use crate::addr::ResourceInstance;

    fn schema() -> Schema {
        Schema::new("")
            .attribute("id", Attribute::computed(Type::String))
            .attribute("input", Attribute::optional(Type::Dynamic))
            .attribute("output", Attribute::computed(Type::Dynamic))
    }

    fn object(address: &str, input: Value) -> ObjectView {
        ObjectView {
            address: ResourceInstance::parse(address).unwrap(),
            provider: "terraform".into(),
            schema: Arc::new(schema()),
            schema_version: 0,
            value: Value::object([
                ("id", Value::from("i")),
                ("input", input),
                ("output", Value::NULL),
            ]),
            tainted: false,
            deposed: None,
            depends_on: Vec::new(),
        }
    }

    fn state() -> StateView {
        let input = Value::object([
            ("a", Value::from(1i64)),
            ("b", Value::tuple([Value::from("x")])),
            ("c", Value::NULL),
            ("d", Value::from("q").sensitive()),
            ("e", Value::tuple([])),
            ("h", Value::from("a\nb")),
            ("j", Value::from("{\"a\":1}")),
            ("o", Value::object::<Arc<str>>([])),
        ]);
        let mut tainted = object("module.m[\"k\"].terraform_data.b", Value::NULL);
        tainted.tainted = true;
        let outputs = [
            ("h", Value::from("line1\n  line2\n"), false),
            (
                "m",
                Value::map(
                    Type::Number,
                    [("a", Value::from(1i64)), ("b c", Value::from(2i64))],
                ),
                false,
            ),
            ("nul", Value::object([("a", Value::NULL)]), false),
            ("sec", Value::from("x"), true),
        ];
        StateView {
            objects: vec![object("terraform_data.a", input), tainted],
            outputs: outputs
                .map(|(name, value, sensitive)| (name.into(), OutputView { value, sensitive }))
                .into(),
            checks: Vec::new(),
        }
    }

    /// As Terraform 1.11.4 printed a state like it.
    #[test]
    fn a_state_reads_as_terraforms_does() {
        assert_eq!(
            render(&state(), &Style::PLAIN),
            r#"# terraform_data.a:
resource "terraform_data" "a" {
    id    = "i"
    input = {
        a = 1
        b = [
            "x",
        ]
        c = null
        d = (sensitive value)
        e = []
        h = <<-EOT
            a
            b
        EOT
        j = jsonencode(
            {
                a = 1
            }
        )
        o = {}
    }
}


# module.m["k"].terraform_data.b: (tainted)
resource "terraform_data" "b" {
    id = "i"
}


Outputs:

h = <<-EOT
    line1
      line2
EOT
m = {
    "a"   = 1
    "b c" = 2
}
nul = {}
sec = (sensitive value)
"#
        );
    }

    #[test]
    fn addresses_are_listed_without_deposed_objects() {
        let mut state = state();
        let mut deposed = state.objects[0].clone();
        deposed.deposed = Some("deadbeef".into());
        state.objects.insert(1, deposed);
        assert_eq!(
            list(&state),
            "terraform_data.a\nmodule.m[\"k\"].terraform_data.b\n"
        );
        assert!(
            render(&state, &Style::PLAIN)
                .contains("# terraform_data.a (deposed object deadbeef):\n")
        );
    }
}
