//! The command line of the runner.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use mlinfra_registry::Trigger;
use tokio::sync::watch;

use crate::error::RunError;
use crate::outcome::RunResult;
use crate::run::{Setting, execute};
use crate::spec::Spec;

/// The exit code of a run that was asked to stop, as for a process that SIGTERM ended.
const CANCELLED: u8 = 143;

/// Executes a training run: code and inputs in, a model version out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlinfra-runtime run --spec run.json
  MLINFRA_SPEC=run.json MLINFRA_RESULT=result.json mlinfra-runtime run")]
pub struct RunArgs {
    /// The file that says what to run.
    #[arg(long, value_name = "FILE", env = "MLINFRA_SPEC")]
    pub spec: PathBuf,
    /// The file to write the result to, as JSON; standard output when absent.
    #[arg(long, value_name = "FILE", env = "MLINFRA_RESULT")]
    pub result: Option<PathBuf>,
    /// The file to append progress to, as JSON lines.
    #[arg(long, value_name = "FILE", env = "MLINFRA_EVENTS")]
    pub events: Option<PathBuf>,
    /// The name of the run; made up when absent.
    #[arg(long, value_name = "ID", env = "MLINFRA_RUN_ID")]
    pub run_id: Option<String>,
    /// What made the run start, where that differs from the spec.
    #[arg(long, env = "MLINFRA_TRIGGER", value_parser = trigger)]
    pub trigger: Option<Trigger>,
    /// The time at which a schedule fired.
    #[arg(long, value_name = "TIME", env = "MLINFRA_FIRED_AT")]
    pub fired_at: Option<String>,
}

fn trigger(text: &str) -> Result<Trigger, String> {
    match text {
        "apply" => Ok(Trigger::Apply),
        "schedule" => Ok(Trigger::Schedule),
        "manual" => Ok(Trigger::Manual),
        _ => Err("expected apply, schedule or manual".to_owned()),
    }
}

impl RunArgs {
    /// Executes the run and says how it went.
    pub fn run(self) -> ExitCode {
        mlinfra_kit::logging::init(mlinfra_kit::logging::Format::Text);
        match self.execute() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("mlinfra-runtime: {error}");
                if matches!(error, RunError::Cancelled) {
                    ExitCode::from(CANCELLED)
                } else {
                    ExitCode::FAILURE
                }
            }
        }
    }

    fn execute(self) -> Result<(), RunError> {
        let bytes = std::fs::read(&self.spec).map_err(RunError::file("read", &self.spec))?;
        let spec = Spec::parse(&bytes)?;
        let setting = Setting {
            run_id: self.run_id,
            trigger: self.trigger,
            fired_at: self.fired_at,
            events: self.events,
            environments: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|source| RunError::Start {
            program: "mlinfra-runtime".to_owned(),
            source,
        })?;
        let result = runtime.block_on(async {
            let signal = mlinfra_kit::shutdown::signal();
            let signal = signal.map_err(|source| RunError::Start {
                program: "mlinfra-runtime".to_owned(),
                source,
            })?;
            let (asked, stop) = watch::channel(false);
            tokio::spawn(async move {
                signal.await;
                asked.send_replace(true);
                // Kept, so that those who wait for the wish to stop never see it vanish.
                asked.closed().await;
            });
            execute(spec, setting, stop).await
        });
        // A digest of a large input that is being taken is not waited for.
        runtime.shutdown_background();
        let result = result?;
        write_result(self.result.as_deref(), &result)
    }
}

fn write_result(path: Option<&Path>, result: &RunResult) -> Result<(), RunError> {
    let shown = path.unwrap_or_else(|| Path::new("standard output"));
    let text = serde_json::to_string_pretty(result)
        .map_err(|error| RunError::file("write", shown)(error.into()))?;
    match path {
        None => {
            println!("{text}");
            Ok(())
        }
        Some(path) => mlinfra_kit::durable::write(path, text.as_bytes(), 0o600)
            .map_err(|error| RunError::file("write", path)(std::io::Error::other(error))),
    }
}
