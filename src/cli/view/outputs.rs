//! Outputs for people: after an apply, and by `output`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::state::OutputView;
use super::value;
use crate::cli::view::style::{Ink, Style};

/// All outputs, a line or more each; those that are sensitive are not shown.
pub fn render(outputs: &BTreeMap<Arc<str>, OutputView>) -> String {
    let line = |(name, output): (&Arc<str>, &OutputView)| {
        let hidden = output.sensitive || output.value.marks().is_sensitive();
        let shown = match hidden {
            true => "<sensitive>".to_owned(),
            false => value::render(&output.value),
        };
        format!("{name} = {shown}\n")
    };
    outputs.iter().map(line).collect()
}

/// One output that was asked for by name: shown even when it is sensitive.
pub fn render_one(output: &OutputView) -> String {
    let (value, _) = output.value.clone().unmark_deep();
    format!("{}\n", value::render(&value))
}

/// The section that follows an apply; nothing where there are no outputs.
pub fn after_apply(outputs: &BTreeMap<Arc<str>, OutputView>, style: &Style) -> String {
    if outputs.is_empty() {
        return String::new();
    }
    let headline = style.paint(Ink::BoldGreen, "Outputs:");
    format!("\n{headline}\n\n{}", render(outputs))
}

/// Why a value cannot be printed as it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("only a string, number or truth value can be printed raw, not {0}")]
pub struct NotRaw(pub String);

/// One output for a script: text as it is, without quotes or line end.
///
/// # Errors
/// When the value is not a string, number or truth value.
pub fn raw(output: &OutputView) -> Result<String, NotRaw> {
    let value = &output.value;
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let shown = value.as_bool().map(|b| b.to_string());
    let shown = shown.or_else(|| value.as_number().map(ToString::to_string));
    shown.ok_or_else(|| match value.is_null() {
        true => NotRaw("null".to_owned()),
        false => NotRaw(format!("a value of type {}", value.ty().friendly())),
    })
}

#[cfg(test)]
mod tests {
    use mlinfra_sdk::Value;

    use super::*;

    fn outputs() -> BTreeMap<Arc<str>, OutputView> {
        let view = |value: Value, sensitive| OutputView { value, sensitive };
        BTreeMap::from([
            ("a".into(), view(Value::from(1i64), false)),
            ("s".into(), view(Value::from("x"), true)),
            ("marked".into(), view(Value::from("y").sensitive(), false)),
            (
                "t".into(),
                view(
                    Value::tuple([Value::from(true), Value::from("z").sensitive()]),
                    false,
                ),
            ),
        ])
    }

    #[test]
    fn sensitive_outputs_are_shown_only_by_name() {
        let all = outputs();
        assert_eq!(
            after_apply(&all, &Style::PLAIN),
            "\nOutputs:\n\na = 1\nmarked = <sensitive>\ns = <sensitive>\n\
             t = [\n  true,\n  (sensitive value),\n]\n"
        );
        assert_eq!(render_one(&all["s"]), "\"x\"\n");
        assert_eq!(after_apply(&BTreeMap::new(), &Style::PLAIN), "");
    }

    #[test]
    fn only_plain_values_are_raw() {
        let all = outputs();
        assert_eq!(raw(&all["s"]).unwrap(), "x");
        assert_eq!(raw(&all["a"]).unwrap(), "1");
        assert_eq!(
            raw(&all["t"]).unwrap_err().to_string(),
            "only a string, number or truth value can be printed raw, not a value of type tuple"
        );
    }
}
