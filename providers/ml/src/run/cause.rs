//! Why a job runs again: what differs between the run on record and the one that is wanted.

use std::collections::BTreeSet;

use mlinfra_sdk::Value;

/// How many causes of one sort are told.
const TOLD: usize = 5;

/// Every cause, in words that end a sentence beginning with "because".
pub(super) fn causes(prior: &Value, made: &Value) -> Vec<String> {
    let mut causes = few(
        changed_entries(prior, made, "files", ""),
        "more files changed",
    );
    causes.extend(few(
        changed_entries(prior, made, "inputs", "input "),
        "more inputs changed",
    ));
    let mut params = Vec::new();
    let null = Value::NULL;
    let of = |value: &'_ Value| value.get("params").unwrap_or(&null).clone();
    changed_values("params", &of(prior), &of(made), &mut params);
    causes.extend(few(params, "more parameters changed"));
    let words = |value: &Value| {
        let items = value.get("command").and_then(Value::elements);
        let words = items.unwrap_or_default().iter().filter_map(Value::as_str);
        words.collect::<Vec<_>>().join(" ")
    };
    if prior.get("command") != made.get("command") {
        causes.push(format!(
            "command changed from `{}` to `{}`",
            words(prior),
            words(made)
        ));
    }
    let texts = [
        ("python", "Python"),
        ("model", "model"),
        ("registry", "registry"),
    ];
    for (name, shown) in texts {
        if prior.get(name) != made.get(name) {
            let of = |value: &Value| value.get_str(name).unwrap_or("none").to_owned();
            causes.push(format!(
                "{shown} changed from {} to {}",
                of(prior),
                of(made)
            ));
        }
    }
    if prior.get("objective") != made.get("objective") {
        causes.push("objective changed".to_owned());
    }
    if prior.get("version").is_none_or(Value::is_null) {
        causes.push("the last run failed".to_owned());
    }
    causes
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn joined(causes: &[String]) -> String {
    match causes.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn few(mut causes: Vec<String>, more: &str) -> Vec<String> {
    let rest = causes.len().saturating_sub(TOLD);
    if rest > 0 {
        causes.truncate(TOLD);
        causes.push(format!("{rest} {more}"));
    }
    causes
}

/// Entries of a map that differ: files by their digest, inputs by theirs.
fn changed_entries(prior: &Value, made: &Value, attribute: &str, what: &str) -> Vec<String> {
    let keys = |value: &Value| -> BTreeSet<String> {
        let entries = value.get(attribute).and_then(Value::entries);
        entries
            .into_iter()
            .flatten()
            .map(|(key, _)| key.to_string())
            .collect()
    };
    let content = |value: &Value, key: &str| {
        let entry = value
            .get(attribute)
            .and_then(|entries| entries.get(key))
            .cloned()?;
        // Where an input lies does not matter, what it holds does.
        Some(entry.get("digest").cloned().unwrap_or(entry))
    };
    let (before, after) = (keys(prior), keys(made));
    before
        .union(&after)
        .filter_map(|key| match (content(prior, key), content(made, key)) {
            (Some(a), Some(b)) if a == b => None,
            (Some(_), Some(_)) => Some(format!("{what}{key} changed")),
            (None, _) => Some(format!("{what}{key} was added")),
            (_, None) => Some(format!("{what}{key} was removed")),
        })
        .collect()
}

/// Parameters that differ, to the depth at which they do.
fn changed_values(path: &str, before: &Value, after: &Value, causes: &mut Vec<String>) {
    if before == after || same(before, after) {
        return;
    }
    let (Some(b), Some(a)) = (entries(before), entries(after)) else {
        causes.push(match (before.is_null(), after.is_null()) {
            (true, _) => format!("{path} was added"),
            (_, true) => format!("{path} was removed"),
            _ => format!("{path} changed from {} to {}", shown(before), shown(after)),
        });
        return;
    };
    let keys: BTreeSet<&str> = b.keys().chain(a.keys()).map(AsRef::as_ref).collect();
    for key in keys {
        let inner = format!("{path}.{key}");
        match (b.get(key), a.get(key)) {
            (Some(before), Some(after)) => changed_values(&inner, before, after, causes),
            (None, Some(after)) => causes.push(format!("{inner} = {} was added", shown(after))),
            (Some(_), None) => causes.push(format!("{inner} was removed")),
            (None, None) => {}
        }
    }
}

/// No parameters at all are the same as none that are named.
fn entries(value: &Value) -> Option<mlinfra_sdk::value::Entries> {
    if value.is_null() {
        return Some(Default::default());
    }
    value.entries().cloned()
}

/// Whether two values read the same, as a list and a tuple of equal elements do.
fn same(before: &Value, after: &Value) -> bool {
    json(before).is_some_and(|before| json(after).as_ref() == Some(&before))
}

fn json(value: &Value) -> Option<String> {
    value
        .encode(&value.ty())
        .ok()
        .map(|json| json.get().to_owned())
}

/// A value on one line, cut where it is long.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = json(value).unwrap_or_default();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlinfra_sdk::Type;

    fn run(files: &[(&str, &str)], params: &str) -> Value {
        let files = files
            .iter()
            .map(|(path, digest)| (*path, Value::from(*digest)));
        Value::object([
            ("files", Value::map(Type::String, files)),
            ("params", Value::from_json(params).unwrap()),
            ("version", Value::from(1i64)),
        ])
    }

    #[test]
    fn every_cause_is_named() {
        let prior = run(
            &[("train.py", "a"), ("old.py", "b")],
            r#"{"depth": 6, "tree": {"leaf": 1}}"#,
        );
        let made = run(
            &[("train.py", "c"), ("new.py", "b")],
            r#"{"depth": 8, "tree": {}, "seed": 1}"#,
        );
        assert_eq!(
            causes(&prior, &made),
            [
                "new.py was added",
                "old.py was removed",
                "train.py changed",
                "params.depth changed from 6 to 8",
                "params.seed = 1 was added",
                "params.tree.leaf was removed",
            ]
        );
    }

    #[test]
    fn an_input_that_moved_has_not_changed() {
        let of = |uri: &str, digest: &str| {
            let input = Value::object([("uri", Value::from(uri)), ("digest", Value::from(digest))]);
            Value::object([
                ("inputs", Value::object([("digits", input)])),
                ("version", Value::from(1i64)),
            ])
        };
        assert!(causes(&of("file:///a", "x"), &of("file:///b", "x")).is_empty());
        assert_eq!(
            causes(&of("file:///a", "x"), &of("file:///a", "y")),
            ["input digits changed"]
        );
    }

    #[test]
    fn causes_are_joined_as_a_sentence() {
        let of = |n: usize| joined(&["a", "b", "c"].map(str::to_owned)[..n]);
        assert_eq!(
            (of(1).as_str(), of(2).as_str(), of(3).as_str()),
            ("a", "a and b", "a, b and c")
        );
        let many = (0..9).map(|n| n.to_string()).collect();
        assert_eq!(
            few(many, "more files changed").last().unwrap(),
            "4 more files changed"
        );
    }
}
