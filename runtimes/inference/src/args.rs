//! The command line of `mlinfra-runtime infer`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::settings::{Follow, Settings, SettingsError};

/// Serves models over the Open Inference Protocol.
#[derive(Clone, Debug, Args)]
pub struct InferArgs {
    /// The model registry: a folder or a file:// URL
    #[arg(long, value_name = "URL", env = "MLINFRA_REGISTRY")]
    pub registry: Option<String>,
    /// A model of the registry to serve: `[NAME=]MODEL[@ALIAS]` follows an alias (champion, if none is given),
    /// `[NAME=]MODEL:VERSION` stays at a version; may be repeated
    #[arg(long = "model", value_name = "MODEL")]
    pub models: Vec<Follow>,
    /// An ONNX file to serve as it is: `[NAME=]PATH`; may be repeated
    #[arg(long = "model-file", value_name = "PATH")]
    pub files: Vec<String>,
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// How many requests a model computes at a time [default: the number of cores]
    #[arg(long, value_name = "N")]
    pub sessions: Option<usize>,
    /// How many requests to a model may wait for their turn; more are answered 503
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub queue: usize,
    /// The environment variable that holds the bearer token which clients must send
    #[arg(long, value_name = "NAME", default_value = "MLINFRA_TOKEN")]
    pub token_env: String,
    /// How often the registry is asked where an alias points, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 500)]
    pub poll_interval_ms: u64,
    /// The longest request body in bytes, after decompression
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024 * 1024)]
    pub max_request_bytes: usize,
    /// How many seconds requests in flight may take to finish after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub drain_seconds: u64,
    /// Where model files of a remote registry are kept [default: mlinfra/models in the user's cache]
    #[arg(long, value_name = "FOLDER")]
    pub cache: Option<PathBuf>,
}

impl InferArgs {
    /// The settings that these arguments and the environment give.
    pub fn settings(self) -> Result<Settings, SettingsError> {
        let mut problems = Vec::new();
        let mut files = Vec::new();
        for text in &self.files {
            match named_file(text) {
                Some(file) => files.push(file),
                None => problems.push(format!(
                    "--model-file {text}: give the model a name, as in --model-file NAME={text}"
                )),
            }
        }
        let token = match std::env::var(&self.token_env) {
            Ok(token) if token.is_empty() => {
                problems.push(format!(
                    "--token-env {}: the variable is set but empty",
                    self.token_env
                ));
                None
            }
            Ok(token) => Some(token),
            Err(std::env::VarError::NotPresent) => None,
            Err(e) => {
                problems.push(format!("--token-env {}: {e}", self.token_env));
                None
            }
        };
        let settings = Settings {
            registry: self.registry,
            models: self.models,
            files,
            listen: self.listen,
            sessions: self.sessions.unwrap_or_else(cores),
            queue: self.queue,
            token,
            poll_interval: Duration::from_millis(self.poll_interval_ms),
            max_request_bytes: self.max_request_bytes,
            drain: Duration::from_secs(self.drain_seconds),
            cache: self
                .cache
                .unwrap_or_else(|| crate::library::cache_folder().join("models")),
        };
        if let Err(more) = settings.check() {
            problems.extend(more.problems);
        }
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsError { problems })
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// `NAME=PATH`, or a path whose file stem is the name.
fn named_file(text: &str) -> Option<(String, PathBuf)> {
    if let Some((name, path)) = text.split_once('=') {
        return Some((name.to_owned(), PathBuf::from(path)));
    }
    let path = PathBuf::from(text);
    let name = path.file_stem()?.to_str()?.to_owned();
    Some((name, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: InferArgs,
    }

    fn settings(args: &[&str]) -> Result<Settings, SettingsError> {
        Command::parse_from(
            ["infer", "--token-env", "NO_SUCH_VARIABLE"]
                .iter()
                .chain(args),
        )
        .args
        .settings()
    }

    #[test]
    fn defaults_are_for_this_machine_only() {
        let settings =
            settings(&["--model-file", "x/double.onnx"]).unwrap_or_else(|e| panic!("{e}"));
        assert!(settings.listen.ip().is_loopback());
        assert_eq!(
            settings.files,
            [("double".to_owned(), PathBuf::from("x/double.onnx"))]
        );
        assert!(settings.sessions >= 1);
        assert_eq!(settings.poll_interval, Duration::from_millis(500));
    }

    #[test]
    fn a_public_address_needs_a_token() {
        let error = settings(&["--model-file", "m=x.onnx", "--listen", "0.0.0.0:0"])
            .err()
            .unwrap();
        assert!(error.to_string().contains("--token-env"), "{error}");
    }
}
