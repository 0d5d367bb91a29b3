//! The arguments of the command line, in Terraform's spelling (`-out=p`) and the usual one
//! (`--out p`).

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::commands;

/// Declarative infrastructure for machine learning.
///
/// Write what shall be there in HCL, look at the plan, apply it.
#[derive(Parser, Debug)]
#[command(
    name = "mlinfra",
    version,
    disable_version_flag = true,
    after_help = "\
Examples:
  mlinfra plan                               show what would change in this directory
  mlinfra -chdir=examples/quickstart apply   make another directory's configuration real
  mlinfra explain serving                    what a kind takes and answers
"
)]
pub struct Arguments {
    /// Run in this directory instead of the current one.
    #[arg(long, global = true, value_name = "DIR")]
    pub chdir: Option<PathBuf>,

    /// No colours.
    #[arg(long, global = true)]
    pub no_color: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Check that the directory can be worked in. Nothing else needs it first.
    Init(commands::init::Arguments),
    /// Check a configuration without looking at the world.
    Validate(commands::validate::Arguments),
    /// Show what applying would change.
    Plan(commands::plan::Arguments),
    /// Make the configuration real.
    Apply(commands::apply::Arguments),
    /// Destroy what the configuration made; what holds data is kept unless that is said.
    Destroy(commands::destroy::Arguments),
    /// Show the state, or a saved plan.
    Show(commands::show::Arguments),
    /// Show the values of outputs.
    Output(commands::output::Arguments),
    /// List and show the objects in the state.
    State(commands::state::Arguments),
    /// Evaluate expressions, one a line.
    Console(commands::console::Arguments),
    /// Rewrite configuration files in the canonical layout.
    Fmt(commands::fmt::Arguments),
    /// Take a lock away that its holder cannot give back.
    ForceUnlock(commands::force_unlock::Arguments),
    /// Print the dependency graph in the DOT language.
    Graph(commands::graph::Arguments),
    /// Explain a kind of the vocabulary, or the code of an error.
    Explain(commands::explain::Arguments),
    /// Print the version.
    #[command(aliases = ["v"])]
    Version(commands::version::Arguments),
}

/// Options of every command that needs the values of variables.
#[derive(Args, Debug, Clone, Default)]
#[group(skip)]
pub struct VariableArguments {
    /// The value of a variable: name=value. May be given several times.
    #[arg(long = "var", value_name = "NAME=VALUE", action = clap::ArgAction::Append)]
    pub var: Vec<String>,

    /// A file with values of variables. May be given several times.
    #[arg(long = "var-file", value_name = "FILE", action = clap::ArgAction::Append)]
    pub var_file: Vec<PathBuf>,
}

/// Options of every command that opens the state for writing.
#[derive(Args, Debug, Clone)]
#[group(skip)]
pub struct LockArguments {
    /// Whether to hold the state's lock while working.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub lock: bool,

    /// How long to wait for the lock: 30s, 2m.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub lock_timeout: String,
}

/// Options of every command that makes a plan.
#[derive(Args, Debug, Clone)]
#[group(skip)]
pub struct PlanArguments {
    /// Variables.
    #[command(flatten)]
    pub variables: VariableArguments,

    /// The lock.
    #[command(flatten)]
    pub lock: LockArguments,

    /// Plan to destroy everything.
    #[arg(long)]
    pub destroy: bool,

    /// Only take note of what changed in the world.
    #[arg(long, conflicts_with = "destroy")]
    pub refresh_only: bool,

    /// Whether to read every object from the world first.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub refresh: bool,

    /// Replace this object, whatever else changes. May be given several times.
    #[arg(long, value_name = "ADDRESS", action = clap::ArgAction::Append)]
    pub replace: Vec<String>,

    /// Only this and what it needs. May be given several times.
    #[arg(long, value_name = "ADDRESS", action = clap::ArgAction::Append)]
    pub target: Vec<String>,

    /// How many operations may run at once.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub parallelism: usize,

    /// Objects that hold data may be destroyed.
    #[arg(long)]
    pub destroy_data: bool,

    /// Whether to ask for what is missing. Nothing is ever asked for but approval.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub input: bool,

    /// Warnings in one line each.
    #[arg(long)]
    pub compact_warnings: bool,
}

impl PlanArguments {
    /// A plan of everything, with these variables.
    pub fn new(variables: VariableArguments, lock: LockArguments) -> PlanArguments {
        PlanArguments {
            variables,
            lock,
            destroy: false,
            refresh_only: false,
            refresh: true,
            replace: Vec::new(),
            target: Vec::new(),
            parallelism: 10,
            destroy_data: false,
            input: false,
            compact_warnings: false,
        }
    }
}

/// Turns Terraform's spelling into the usual one: `-out=p` into `--out=p`.
pub fn usual(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut verbatim = false;
    arguments
        .into_iter()
        .map(|argument| {
            let Some(text) = argument.to_str() else {
                return argument;
            };
            verbatim |= text == "--";
            let mut chars = text.chars();
            let single = chars.next() == Some('-')
                && chars.next().is_some_and(|c| c.is_ascii_lowercase())
                && chars.next().is_some();
            if single && !verbatim {
                let text = if text == "-version" {
                    "version".into()
                } else {
                    format!("-{text}")
                };
                return OsString::from(text);
            }
            argument
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn terraform_spelling_is_the_usual_spelling() {
        let given = words("mlinfra -chdir=x plan -out=p -var a=-1 -h --json - -- -x");
        let usual = usual(given);
        assert_eq!(
            usual,
            words("mlinfra --chdir=x plan --out=p --var a=-1 -h --json - -- -x")
        );
    }

    #[test]
    fn the_definition_holds_together() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}
