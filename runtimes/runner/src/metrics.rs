//! What a command measured: JSON lines in the file named by `MLINFRA_METRICS`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use mlinfra_registry::Metrics;
use serde_json::{Map, Value};

/// How much is read at once, and the longest line.
const CHUNK: u64 = 1 << 20;

/// One line: values at a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measurement {
    /// The step, where the line says one.
    pub(crate) step: Option<u64>,
    /// The values; `NaN` and infinities are values.
    pub(crate) values: Metrics,
}

impl Measurement {
    /// The values as JSON, which has no numbers for what is not finite.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        self.values
            .iter()
            .map(|(name, value)| (name.clone(), json_number(*value)))
            .collect()
    }
}

/// A number as JSON; what is not finite is written as a word, as the registry does.
pub(crate) fn json_number(value: f64) -> Value {
    let word = match value {
        value if value.is_nan() => "NaN",
        value if value == f64::INFINITY => "Infinity",
        value if value == f64::NEG_INFINITY => "-Infinity",
        value => return Value::from(value),
    };
    Value::from(word)
}

/// Reads a metrics file while it grows.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    offset: u64,
}

impl Follower {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            offset: 0,
        }
    }

    /// The whole lines that came since the last call; `last` takes an unfinished one too.
    pub(crate) fn next(&mut self, last: bool) -> io::Result<Vec<Result<Measurement, String>>> {
        let mut measurements = Vec::new();
        loop {
            let (lines, read) = self.read(last)?;
            measurements.extend(
                lines
                    .iter()
                    .filter(|line| !line.trim().is_empty())
                    .map(|line| parse(line)),
            );
            if read == 0 {
                return Ok(measurements);
            }
        }
    }

    fn read(&mut self, last: bool) -> io::Result<(Vec<String>, u64)> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(CHUNK).read_to_end(&mut bytes)?;
        let full = bytes.len() as u64 == CHUNK;
        let end = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        // A line longer than all that is read at once is taken in parts, which then are no JSON.
        let end = if (end == 0 && full) || (last && !full) {
            bytes.len()
        } else {
            end
        };
        bytes.truncate(end);
        self.offset += end as u64;
        Ok((
            String::from_utf8_lossy(&bytes)
                .lines()
                .map(str::to_owned)
                .collect(),
            end as u64,
        ))
    }
}

/// The last value of each metric in a file, and what in it is no measurement.
pub(crate) fn last_values(path: &Path) -> io::Result<(Metrics, Vec<String>)> {
    let mut metrics = Metrics::new();
    let mut problems = Vec::new();
    for measurement in Follower::new(path).next(true)? {
        match measurement {
            Ok(measurement) => metrics.extend(measurement.values),
            Err(problem) => problems.push(problem),
        }
    }
    Ok((metrics, problems))
}

/// Understands one line: numbers are metrics, `step` is the step, anything else is left alone.
fn parse(line: &str) -> Result<Measurement, String> {
    let problem = || {
        format!(
            "this line of metrics is no JSON object: {}",
            line.chars().take(200).collect::<String>()
        )
    };
    let value: Value = serde_json::from_str(&quote_words(line)).map_err(|_| problem())?;
    let object = value.as_object().ok_or_else(problem)?;
    let step = object.get("step").and_then(Value::as_u64);
    let values = object.iter().filter(|(name, _)| *name != "step");
    let values = values
        .filter_map(|(name, value)| Some((name.clone(), number(value)?)))
        .collect();
    Ok(Measurement { step, values })
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(word) => match word.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// Puts quotes around the words that Python's `json` writes for numbers that JSON does not have.
fn quote_words(line: &str) -> String {
    let mut quoted = String::with_capacity(line.len() + 8);
    let mut rest = line;
    let mut in_string = false;
    while let Some(first) = rest.chars().next() {
        let word = ["-Infinity", "Infinity", "NaN"]
            .into_iter()
            .find(|word| !in_string && rest.starts_with(word));
        let taken = match (word, first) {
            (Some(word), _) => {
                quoted.extend(['"']);
                quoted.push_str(word);
                quoted.extend(['"']);
                word.len()
            }
            (None, '\\') if in_string => {
                // The escaped character belongs to the backslash and ends nothing.
                let taken = first.len_utf8() + rest.chars().nth(1).map_or(0, char::len_utf8);
                quoted.push_str(rest.get(..taken).unwrap_or(rest));
                taken
            }
            (None, character) => {
                in_string ^= character == '"';
                quoted.push(character);
                character.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn numbers_are_metrics_and_the_step_is_not() {
        let measurement =
            parse(r#"{"step": 3, "auc": 0.5, "n": 7, "note": "x", "flag": true, "more": {}}"#)
                .unwrap();
        assert_eq!(measurement.step, Some(3));
        assert_eq!(
            measurement.values,
            [("auc".to_owned(), 0.5), ("n".to_owned(), 7.0)].into()
        );
        assert!(parse("[1]").is_err());
        assert!(parse("{\"auc\": 0.").is_err());
    }

    #[test]
    fn what_python_writes_for_a_diverged_loss_is_read() {
        let line =
            r#"{"loss": NaN, "a": -Infinity, "b": Infinity, "NaN \" NaN": 1, "note": "NaN"}"#;
        let values = parse(line).unwrap().values;
        assert!(values["loss"].is_nan() && values["note"].is_nan());
        assert_eq!(
            (values["a"], values["b"]),
            (f64::NEG_INFINITY, f64::INFINITY)
        );
        assert_eq!(values["NaN \" NaN"], 1.0);
    }

    #[test]
    fn the_last_line_with_a_key_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        assert_eq!(last_values(&path).unwrap(), (Metrics::new(), vec![]));
        std::fs::write(
            &path,
            "{\"auc\": 0.5, \"loss\": 2}\nnonsense\n\n{\"auc\": 0.75}",
        )
        .unwrap();
        let (metrics, problems) = last_values(&path).unwrap();
        assert_eq!(
            metrics,
            [("auc".to_owned(), 0.75), ("loss".to_owned(), 2.0)].into()
        );
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn a_growing_file_is_read_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut follower = Follower::new(&path);
        let mut file = File::create(&path).unwrap();
        file.write_all(b"{\"auc\": 0.5}\n{\"au").unwrap();
        assert_eq!(follower.next(false).unwrap().len(), 1);
        assert_eq!(follower.next(false).unwrap().len(), 0);
        file.write_all(b"c\": 0.6}").unwrap();
        assert_eq!(follower.next(false).unwrap().len(), 0);
        assert_eq!(follower.next(true).unwrap(), [parse("{\"auc\": 0.6}")]);
    }
}
