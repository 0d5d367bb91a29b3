//! `mlinfra version`.

use std::process::ExitCode;

use clap::Args;

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
pub struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the version.
pub fn run(arguments: &Arguments) -> ExitCode {
    let version = env!("CARGO_PKG_VERSION");
    let platform = format!("{}_{}", std::env::consts::OS, std::env::consts::ARCH);
    if arguments.json {
        let json = serde_json::json!({ "mlinfra_version": version, "platform": platform });
        println!("{json:#}");
    } else {
        println!("mlinfra v{version}\non {platform}");
    }
    ExitCode::SUCCESS
}
