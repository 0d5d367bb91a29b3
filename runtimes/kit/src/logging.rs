//! Logs to stderr, as text for people or as JSON lines for collectors.

use tracing_subscriber::EnvFilter;

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("`{other}` is no log format; use `text` or `json`")),
        }
    }
}

/// Begins to log; later calls change nothing. What is logged is set by `MLINFRA_LOG` or else `RUST_LOG`, in the syntax
/// of `tracing`'s filters; without either everything from `info` up.
pub fn init(format: Format) {
    let wanted = ["MLINFRA_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    let wanted = wanted
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "info".to_owned());
    let (filter, problem) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(e) => (EnvFilter::new("info"), Some(e)),
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    // A second initialisation fails, and the first one stands: that is what is wanted.
    let _ = match format {
        Format::Text => lines.try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
    if let Some(problem) = problem {
        tracing::warn!(
            "the log filter `{wanted}` is not understood ({problem}); logging from `info` up"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_names() {
        assert_eq!("json".parse(), Ok(Format::Json));
        assert_eq!("text".parse(), Ok(Format::Text));
        assert!("xml".parse::<Format>().is_err());
    }

    #[test]
    fn initialising_twice_is_harmless() {
        init(Format::Text);
        init(Format::Json);
    }
}
