//! Metrics as JSON: numbers, and words for what JSON has no numbers for.
//!
//! A training that ends with `NaN` is a fact worth recording; plain JSON would write it as `null` and not read it back.
//! Used in derived types as `#[serde(with = "crate::metrics")]`.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serializer};

/// Metric names and values.
pub type Metrics = BTreeMap<String, f64>;

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Word(String),
}

pub(crate) fn serialize<S: Serializer>(
    metrics: &Metrics,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(metrics.len()))?;
    for (name, &value) in metrics {
        if value.is_finite() {
            map.serialize_entry(name, &value)?;
        } else {
            map.serialize_entry(name, word(value))?;
        }
    }
    map.end()
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metrics, D::Error> {
    let written = BTreeMap::<String, Written>::deserialize(deserializer)?;
    written
        .into_iter()
        .map(|(name, value)| value.number().map(|n| (name, n)).map_err(D::Error::custom))
        .collect()
}

fn word(value: f64) -> &'static str {
    match value {
        v if v.is_nan() => "NaN",
        v if v > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

impl Written {
    fn number(self) -> Result<f64, String> {
        match self {
            Self::Number(n) => Ok(n),
            Self::Word(w) => match w.as_str() {
                "NaN" => Ok(f64::NAN),
                "Infinity" => Ok(f64::INFINITY),
                "-Infinity" => Ok(f64::NEG_INFINITY),
                other => Err(format!("`{other}` is no metric's value")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    #[derive(Serialize, Deserialize)]
    struct Holder(#[serde(with = "crate::metrics")] Metrics);

    #[test]
    fn every_float_survives_exactly() {
        let values = [
            0.1 + 0.2,
            f64::MIN_POSITIVE,
            1e300,
            -0.0,
            0.812_345_678_901_234_5,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        let metrics: Metrics = values
            .iter()
            .enumerate()
            .map(|(i, v)| (format!("m{i}"), *v))
            .collect();
        let text = serde_json::to_string(&Holder(metrics.clone())).unwrap();
        let back: Holder = serde_json::from_str(&text).unwrap();
        for (name, value) in &metrics {
            assert_eq!(
                back.0.get(name).map(|v| v.to_bits()),
                Some(value.to_bits()),
                "{name}"
            );
        }
    }

    #[test]
    fn nan_is_kept_and_null_is_refused() {
        let text = serde_json::to_string(&Holder([("loss".to_owned(), f64::NAN)].into())).unwrap();
        assert_eq!(text, r#"{"loss":"NaN"}"#);
        assert!(
            serde_json::from_str::<Holder>(&text)
                .unwrap()
                .0
                .get("loss")
                .unwrap()
                .is_nan()
        );
        assert!(serde_json::from_str::<Holder>(r#"{"loss":null}"#).is_err());
        assert!(serde_json::from_str::<Holder>(r#"{"loss":"low"}"#).is_err());
    }
}
