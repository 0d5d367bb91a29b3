//! What a service, a schedule and a job have in common: a command and what it runs in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mlinfra_agent::messages::Secrets;
use mlinfra_sdk::{Attribute, Schema, Type, Value};

use crate::arguments;

/// A command and what it runs in.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Environment variables that are never shown.
    pub secret_env: BTreeMap<String, String>,
    /// An absolute directory.
    pub working_dir: Option<PathBuf>,
}

/// A program as the agent has it.
pub struct Seen<'v> {
    /// Program and arguments.
    pub command: &'v [String],
    /// Environment variables.
    pub env: &'v BTreeMap<String, String>,
    /// The names of those that are never shown.
    pub secret_names: &'v [String],
    /// The directory.
    pub working_dir: Option<&'v Path>,
}

/// The attributes of `command`, `env`, `secret_env` and `working_dir`.
pub struct Attributes {
    /// Program and arguments.
    pub command: Attribute,
    /// Environment variables.
    pub env: Attribute,
    /// Environment variables that are never shown.
    pub secret_env: Attribute,
    /// The directory.
    pub working_dir: Attribute,
}

impl Attributes {
    /// As they are usually.
    pub fn new() -> Attributes {
        Attributes {
            command: Attribute::required(Type::list(Type::String)).describe(
                "The program and its arguments. No shell comes between: for one, write `[\"sh\", \"-c\", \"…\"]`.",
            ),
            env: Attribute::optional(Type::map(Type::String)).describe(
                "Environment variables. Of the environment of the command line only what every process needs \
                 is passed on, such as `PATH` and `HOME`.",
            ),
            secret_env: Attribute::optional(Type::map(Type::String)).sensitive().describe(
                "Environment variables whose values are never shown and are kept in a file that only you can read.",
            ),
            working_dir: Attribute::optional(Type::String).describe(
                "The directory it runs in, relative to the configuration's directory, which is the default.",
            ),
        }
    }

    /// A change of what decides the outcome needs a new object.
    pub fn force_new(self) -> Attributes {
        Attributes {
            command: self.command.force_new(),
            env: self.env.force_new(),
            secret_env: self.secret_env,
            working_dir: self.working_dir.force_new(),
        }
    }

    /// The schema with these attributes.
    pub fn within(self, schema: Schema) -> Schema {
        schema
            .attribute("command", self.command)
            .attribute("env", self.env)
            .attribute("secret_env", self.secret_env)
            .attribute("working_dir", self.working_dir)
    }
}

impl Program {
    /// What an object says.
    pub fn of(object: &Value, root: &Path) -> Program {
        Program {
            command: arguments::texts(object, "command"),
            env: arguments::map(object, "env"),
            secret_env: arguments::map(object, "secret_env"),
            working_dir: arguments::text(object, "working_dir").map(|dir| root.join(dir)),
        }
    }

    /// The secret environment, for the agent.
    pub fn secrets(&self) -> Secrets {
        Secrets::new(self.secret_env.clone())
    }

    /// The object with what the agent has in place of what differs from it.
    pub fn drifted(&self, mut object: Value, seen: &Seen<'_>) -> Value {
        if self.command != seen.command {
            object = object.with_attribute("command", arguments::list_value(seen.command));
        }
        if self.env != *seen.env {
            object = object.with_attribute("env", arguments::map_value(seen.env));
        }
        if !self.secret_env.keys().eq(seen.secret_names) {
            // The agent does not tell secrets: a new one is shown as empty, so that it is seen to differ.
            let secret = |name: &String| {
                let known = self.secret_env.get(name);
                (name.clone(), known.cloned().unwrap_or_default())
            };
            let secrets = seen.secret_names.iter().map(secret).collect();
            object = object.with_attribute("secret_env", arguments::map_value(&secrets));
        }
        if self.working_dir.as_deref() != seen.working_dir {
            let dir = seen.working_dir.map(Path::to_string_lossy);
            object = object.with_attribute("working_dir", arguments::text_value(dir.as_deref()));
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_taken_from_the_agent() {
        let schema = Attributes::new().within(Schema::new(""));
        let secrets = BTreeMap::from([("A".to_owned(), "a".to_owned())]);
        let object = arguments::blank(&schema)
            .with_attribute("command", arguments::list_value(&["serve".into()]))
            .with_attribute("working_dir", "sub".into())
            .with_attribute("secret_env", arguments::map_value(&secrets));
        let program = Program::of(&object, Path::new("/root"));
        let (command, env) = (["serve".to_owned()], BTreeMap::new());
        let names = ["A".to_owned()];
        let same = Seen {
            command: &command,
            env: &env,
            secret_names: &names,
            working_dir: Some(Path::new("/root/sub")),
        };
        assert_eq!(program.drifted(object.clone(), &same), object);

        let (command, names) = (["other".to_owned()], ["A".to_owned(), "B".to_owned()]);
        let other = Seen {
            command: &command,
            secret_names: &names,
            working_dir: None,
            ..same
        };
        let drifted = program.drifted(object, &other);
        assert_eq!(arguments::texts(&drifted, "command"), ["other"]);
        assert!(drifted.get("env").unwrap().is_null());
        assert!(drifted.get("working_dir").unwrap().is_null());
        let secrets = arguments::map(&drifted, "secret_env");
        assert_eq!(secrets.get("A").map(String::as_str), Some("a"));
        assert_eq!(secrets.get("B").map(String::as_str), Some(""));
    }
}
