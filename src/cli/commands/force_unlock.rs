//! `mlinfra force-unlock`: takes a lock away that its holder cannot give back.

use std::process::ExitCode;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::operation;
use crate::state::Error;

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
A holder that died has let go of its lock already; this is for state that is kept elsewhere, and
for a holder that hangs. Two writers at once can do harm.

Example, with the id that the error shows:
  mlinfra force-unlock 0192f0c1-5a52-7c60-a4b0-3cbb4d9b2a1e
")]
pub struct Arguments {
    /// The lock's id.
    id: String,

    /// Accepted and ignored: nothing is asked.
    #[arg(long)]
    force: bool,
}

/// Takes the lock away.
pub async fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    let _ = arguments.force;
    match operation::store(&cx.root).force_unlock(&arguments.id).await {
        Ok(holder) => {
            cx.print(&format!(
                "The state has been unlocked. It was held by {}.\n",
                holder.who
            ));
            ExitCode::SUCCESS
        }
        Err(e) => cx.fail_with(Error::Lock(e)),
    }
}
