//! Where and for whom a command runs.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use super::arguments::Arguments;
use super::environment;
use super::view::Style;
use crate::diag::{Diagnostic, Diagnostics, terminal};
use crate::source::Sources;

/// Where and for whom a command runs.
pub struct Context {
    /// The directory of the configuration, absolute.
    pub root: PathBuf,
    /// How to write to standard output.
    pub style: Style,
    /// How to write to standard error.
    pub error_style: Style,
    /// Standard output is a terminal.
    pub interactive: bool,
}

impl Context {
    /// The context of this process.
    ///
    /// # Errors
    /// When the directory cannot be entered.
    pub fn new(arguments: &Arguments) -> Result<Context, Diagnostic> {
        let wanted = arguments
            .chdir
            .clone()
            .unwrap_or_else(|| PathBuf::from("."));
        let root = std::fs::canonicalize(&wanted).map_err(|e| {
            Diagnostic::error(
                "Cannot enter the directory",
                format!("{} cannot be entered: {e}.", wanted.display()),
            )
        })?;
        // Relative names, in functions and of files, start at the configuration.
        std::env::set_current_dir(&root).map_err(|e| {
            Diagnostic::error(
                "Cannot enter the directory",
                format!("{} cannot be entered: {e}.", wanted.display()),
            )
        })?;
        let color = !arguments.no_color && !environment::no_color();
        let style = |terminal: bool| Style {
            color: color && terminal,
            width: terminal
                .then(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
                .flatten(),
        };
        Ok(Context {
            root,
            style: style(std::io::stdout().is_terminal()),
            error_style: style(std::io::stderr().is_terminal()),
            interactive: std::io::stdout().is_terminal(),
        })
    }

    /// Writes to standard output; a reader who went away is no error.
    pub fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes diagnostics to standard error.
    pub fn report(&self, diagnostics: &Diagnostics, sources: &Sources) {
        if !diagnostics.is_empty() {
            let text = terminal::render_all(diagnostics, sources, &self.error_style);
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
    }

    /// Writes diagnostics to standard error and answers the exit code of a failure.
    pub fn fail(&self, diagnostics: &Diagnostics, sources: &Sources) -> ExitCode {
        self.report(diagnostics, sources);
        ExitCode::from(1)
    }

    /// Writes an error that is not about the configuration's text.
    pub fn fail_with(&self, diagnostics: impl Into<Diagnostics>) -> ExitCode {
        self.fail(&diagnostics.into(), &Sources::default())
    }
}

/// Reports an error before there is a context.
pub fn report_early(diagnostic: &Diagnostic) -> ExitCode {
    let style = Style::PLAIN;
    eprint!(
        "{}",
        terminal::render(diagnostic, &Sources::default(), &style)
    );
    ExitCode::from(1)
}
