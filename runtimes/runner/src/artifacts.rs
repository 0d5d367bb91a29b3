//! What of a run's output is the model, and under which names the rest is kept.

use std::collections::BTreeSet;

use crate::error::RunError;

/// The name of the model among the artefacts of a version.
pub(crate) const MODEL: &str = "model.onnx";

/// The file with recorded inputs and outputs.
pub(crate) const EXAMPLES: &str = "examples.json";

/// An output file and the name of the artefact it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) path: String,
    pub(crate) name: String,
}

/// Names all output files, the model first. Takes their paths in the output folder.
pub(crate) fn name_all(paths: &[String]) -> Result<Vec<Named>, RunError> {
    let model = model(paths)?;
    // A model may keep its weights in files beside it, and knows them by their names alone.
    let beside = model
        .rsplit_once('/')
        .map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let mut taken = BTreeSet::from([MODEL.to_owned()]);
    let mut named = vec![Named {
        path: model.to_owned(),
        name: MODEL.to_owned(),
    }];
    for path in paths.iter().filter(|path| *path != model) {
        let name = free_name(path.strip_prefix(&beside).unwrap_or(path), &taken);
        taken.insert(name.clone());
        named.push(Named {
            path: path.clone(),
            name,
        });
    }
    Ok(named)
}

/// The path of the model.
fn model(paths: &[String]) -> Result<&str, RunError> {
    if paths.iter().any(|path| path == MODEL) {
        return Ok(MODEL);
    }
    let models: Vec<&String> = paths
        .iter()
        .filter(|path| path.ends_with(".onnx"))
        .collect();
    match models.as_slice() {
        [model] => Ok(model),
        [] => Err(RunError::NoModel {
            found: paths.iter().take(20).cloned().collect(),
        }),
        models => Err(RunError::SeveralModels {
            models: models.iter().map(|path| (*path).clone()).collect(),
        }),
    }
}

/// The name for a path: the registry's names know no folders and few characters.
fn free_name(path: &str, taken: &BTreeSet<String>) -> String {
    const LONGEST: usize = 100;
    let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let name: String = path
        .chars()
        .map(|character| if allowed(character) { character } else { '_' })
        .collect();
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    let mut name = if begins_well {
        name
    } else {
        format!("file{name}")
    };
    // All characters are ASCII by now, so any place is a boundary; the end of a path tells more than its beginning.
    let cut = name.len().saturating_sub(LONGEST);
    name = name
        .split_off(cut)
        .trim_start_matches(['.', '_', '-'])
        .to_owned();
    let mut candidates = (2..).map(|number| format!("{number}-{name}"));
    if taken.contains(&name) || name.is_empty() {
        candidates
            .find(|name| !taken.contains(name))
            .unwrap_or(name)
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&str]) -> Result<Vec<String>, String> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let named = name_all(&paths).map_err(|error| error.to_string())?;
        for named in &named {
            mlinfra_registry::check_name("artefact", &named.name).unwrap();
        }
        Ok(named
            .into_iter()
            .map(|named| format!("{}={}", named.name, named.path))
            .collect())
    }

    #[test]
    fn one_model_is_found_whatever_its_name() {
        assert_eq!(
            names(&["report.html", "out/best.onnx"]).unwrap(),
            ["model.onnx=out/best.onnx", "report.html=report.html"]
        );
        let weights = names(&["out/best.onnx", "out/best.onnx.data", "other/x"]).unwrap();
        assert_eq!(
            weights[1], "best.onnx.data=out/best.onnx.data",
            "the model finds its weights by their name"
        );
        let both = names(&["a.onnx", "model.onnx", "examples.json"]).unwrap();
        assert_eq!(
            both,
            [
                "model.onnx=model.onnx",
                "a.onnx=a.onnx",
                "examples.json=examples.json"
            ]
        );
    }

    #[test]
    fn none_and_several_say_what_to_do() {
        let none = names(&["model.pkl"]).unwrap_err();
        assert!(
            none.contains("wrote no model") && none.contains("model.pkl"),
            "{none}"
        );
        let several = names(&["a.onnx", "b/c.onnx"]).unwrap_err();
        assert!(
            several.contains("a.onnx, b/c.onnx") && several.contains("model.onnx"),
            "{several}"
        );
    }

    #[test]
    fn every_file_gets_a_name_of_its_own() {
        let odd = [
            "model.onnx",
            "a/b.png",
            "a_b.png",
            ".hidden",
            "é t.txt",
            "sub/model.onnx",
        ];
        let named = names(&odd).unwrap();
        assert_eq!(named.len(), odd.len());
        let unique: BTreeSet<_> = named.iter().map(|named| named.split('=').next()).collect();
        assert_eq!(unique.len(), odd.len());
        assert_eq!(names(&["model.onnx", &"x/".repeat(200)]).unwrap().len(), 2);
    }
}
