//! `mlinfra fmt`: rewrites configuration files in the canonical layout.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::cli::context::Context;
use crate::diag::{Diagnostic, Diagnostics};
use crate::format::{FormatError, diff, format};
use crate::source::{Sources, Span};

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Examples:
  mlinfra fmt                     rewrite the files of this directory, print their names
  mlinfra fmt -recursive          those of folders below, too
  mlinfra fmt -check -diff        change nothing; show what would change, exit with 3 if anything
  mlinfra fmt -                   standard input to standard output
")]
pub struct Arguments {
    /// Change nothing; exit with 3 when something would change.
    #[arg(long)]
    check: bool,

    /// Show the changes.
    #[arg(long)]
    diff: bool,

    /// Print the names of the files that change.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    list: bool,

    /// Write the changes.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    write: bool,

    /// The folders below, too.
    #[arg(long)]
    recursive: bool,

    /// Files or folders; this folder when left out.
    paths: Vec<PathBuf>,
}

/// Formats.
pub fn run(arguments: &Arguments, cx: &Context) -> ExitCode {
    let mut formatter = Formatter {
        arguments,
        cx,
        sources: Sources::default(),
        diagnostics: Diagnostics::new(),
        changed: false,
    };
    if arguments.paths.iter().any(|p| p.as_os_str() == "-") {
        formatter.standard_input();
    } else if arguments.paths.is_empty() {
        formatter.path(Path::new("."), true);
    } else {
        for path in &arguments.paths {
            formatter.path(path, true);
        }
    }
    if formatter.diagnostics.has_errors() {
        return cx.fail(&formatter.diagnostics, &formatter.sources);
    }
    ExitCode::from(if arguments.check && formatter.changed {
        3
    } else {
        0
    })
}

struct Formatter<'f> {
    arguments: &'f Arguments,
    cx: &'f Context,
    sources: Sources,
    diagnostics: Diagnostics,
    changed: bool,
}

impl Formatter<'_> {
    fn standard_input(&mut self) {
        let mut text = String::new();
        if let Err(e) = std::io::stdin().read_to_string(&mut text) {
            self.fail("standard input", &e);
            return;
        }
        if let Some(formatted) = self.formatted("<stdin>", &text) {
            self.changed |= formatted != text;
            if !self.arguments.check {
                self.cx.print(&formatted);
            }
        }
    }

    /// A file that was named, or all files of a folder that end as configuration does.
    fn path(&mut self, path: &Path, named: bool) {
        if !path.is_dir() {
            self.file(path);
            return;
        }
        if !named && !self.arguments.recursive {
            return;
        }
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(e) => return self.fail(&path.display().to_string(), &e),
        };
        let mut inside: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        inside.sort();
        for path in inside {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let known = [".hcl", ".tf", ".tfvars"]
                .iter()
                .any(|end| name.ends_with(end));
            if !name.starts_with('.') && (path.is_dir() || known) {
                self.path(&path, false);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let name = path.strip_prefix(".").unwrap_or(path).display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => return self.fail(&name, &e),
        };
        let Some(formatted) = self.formatted(&name, &text) else {
            return;
        };
        if formatted == text {
            return;
        }
        self.changed = true;
        if self.arguments.list {
            self.cx.print(&format!("{name}\n"));
        }
        if self.arguments.diff {
            self.cx.print(&diff(&name, &text, &formatted));
        }
        if self.arguments.write
            && !self.arguments.check
            && let Err(e) = replace(path, &formatted)
        {
            self.fail(&name, &e);
        }
    }

    fn formatted(&mut self, name: &str, text: &str) -> Option<String> {
        match format(text) {
            Ok(formatted) => Some(formatted),
            Err(FormatError::Syntax {
                message, offset, ..
            }) => {
                let source = self.sources.add(name, None, text);
                self.diagnostics.push(
                    Diagnostic::error(
                        "Invalid syntax",
                        format!("The file was left as it is: {message}."),
                    )
                    .at(Span::new(source, offset..offset + 1))
                    .code(crate::diag::codes::SYNTAX),
                );
                None
            }
            Err(e) => {
                self.diagnostics.push(Diagnostic::error(
                    "Cannot format",
                    format!("{name} was left as it is: {e}."),
                ));
                None
            }
        }
    }

    fn fail(&mut self, name: &str, error: &std::io::Error) {
        self.diagnostics.push(Diagnostic::error(
            "Cannot read or write a file",
            format!("{name}: {error}."),
        ));
    }
}

/// Puts the text in the file's place at once, with the file's own permissions.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let permissions = std::fs::metadata(path)?.permissions();
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}
