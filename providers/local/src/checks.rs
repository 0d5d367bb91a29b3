//! Finds what is wrong with the arguments of an object, as far as they are known.

use mlinfra_agent::name;
use mlinfra_sdk::{Data, Failure, FailureKind, Path, Problem, Value};

use crate::arguments;

/// What was found wrong with one configuration.
pub struct Checks<'c> {
    config: &'c Value,
    problems: Vec<Problem>,
}

impl<'c> Checks<'c> {
    /// Nothing yet.
    pub fn of(config: &'c Value) -> Checks<'c> {
        Checks {
            config,
            problems: Vec::new(),
        }
    }

    /// The argument, when it is set and wholly known.
    pub fn known(&self, argument: &str) -> Option<&'c Value> {
        let value = self.config.get(argument)?;
        (!value.is_null() && value.is_wholly_known()).then_some(value)
    }

    /// Something is wrong with an argument.
    pub fn wrong(&mut self, argument: &str, summary: &str, detail: impl Into<String>) {
        let path = Path::attribute(argument);
        self.problems.push(Problem::error(path, summary, detail));
    }

    /// `name` is one that the agent takes.
    pub fn name(&mut self) {
        if let Some(name) = self.known("name").and_then(Value::as_str)
            && let Err(refused) = name::check(name)
        {
            self.wrong("name", "Invalid name", sentence(&refused.message));
        }
    }

    /// `command`, the environments and `working_dir` are such as a process can have.
    pub fn program(&mut self) {
        if self.known("command").is_some() {
            let command = arguments::texts(self.config, "command");
            if let Err(refused) = name::check_program(&command) {
                self.wrong("command", "Invalid command", sentence(&refused.message));
            }
        }
        for argument in ["env", "secret_env"] {
            if self.known(argument).is_some() {
                let variables = arguments::map(self.config, argument);
                if let Err(refused) = name::check_variables(&variables) {
                    let detail = sentence(&refused.message);
                    self.wrong(argument, "Invalid environment variable", detail);
                }
            }
        }
        if self.known("working_dir").and_then(Value::as_str) == Some("") {
            let detail = "It is empty: leave it out for the configuration's own directory.";
            self.wrong("working_dir", "Invalid working directory", detail);
        }
    }

    /// The argument is a length of time, and more than none.
    pub fn seconds(&mut self, argument: &str) {
        if self.known(argument).is_some()
            && arguments::millis(self.config, argument).is_none_or(|millis| millis == 0)
        {
            let detail =
                format!("{argument} is a number of seconds greater than 0, such as 60 or 0.5.");
            self.wrong(argument, "Invalid length of time", detail);
        }
    }

    /// The argument is JSON text.
    pub fn json(&mut self, argument: &str) {
        if let Some(text) = self.known(argument).and_then(Value::as_str)
            && let Err(error) = serde_json::from_str::<serde_json::Value>(text)
        {
            let detail = format!("It is not JSON: {error}. Write it with jsonencode().");
            self.wrong(argument, "Invalid JSON", detail);
        }
    }

    /// The argument is one of these words.
    pub fn one_of(&mut self, argument: &str, words: &[&str]) {
        if let Some(word) = self.known(argument).and_then(Value::as_str)
            && !words.contains(&word)
        {
            let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
            let detail = format!("{word:?} is none of {}.", words.join(", "));
            self.wrong(argument, "Invalid value", detail);
        }
    }

    /// Whether the argument is left out.
    pub fn absent(&self, argument: &str) -> bool {
        let value = self.config.get(argument).map(Value::data);
        matches!(value, None | Some(Data::Null(_)))
    }

    /// All that is wrong.
    pub fn problems(self) -> Vec<Problem> {
        self.problems
    }
}

/// Refuses to plan what is wrong: arguments that became known late are looked at here first.
pub fn refuse(problems: Vec<Problem>) -> Result<(), Failure> {
    match problems.into_iter().find(|problem| !problem.warning) {
        None => Ok(()),
        Some(problem) => Err(
            Failure::new(FailureKind::Invalid, problem.summary, problem.detail).at(problem.path),
        ),
    }
}

/// A message of the agent as a sentence.
pub fn sentence(message: &str) -> String {
    let mut letters = message.trim().chars();
    let mut sentence: String = match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => return String::new(),
    };
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlinfra_sdk::Type;

    #[test]
    fn everything_wrong_is_found_and_the_unknown_is_left_alone() {
        let config = Value::object([
            ("name", Value::from("no name")),
            ("command", Value::list(Type::String, [])),
            ("spec", Value::from("{")),
            ("timeout_s", Value::from(0i64)),
            ("overlap", Value::from("queue")),
            ("env", Value::unknown(Type::map(Type::String))),
        ]);
        let mut checks = Checks::of(&config);
        checks.name();
        checks.program();
        checks.seconds("timeout_s");
        checks.json("spec");
        checks.one_of("overlap", &["skip", "allow"]);
        let found = checks.problems();
        let at: Vec<String> = found.iter().map(|p| p.path.to_string()).collect();
        assert_eq!(at, ["name", "command", "timeout_s", "spec", "overlap"]);
        assert!(found[4].detail.contains(r#""skip", "allow""#));
        assert!(refuse(found).is_err());
        assert!(refuse(Checks::of(&config).problems()).is_ok());
    }

    #[test]
    fn messages_become_sentences() {
        assert_eq!(sentence("port 1 is in use"), "Port 1 is in use.");
        assert_eq!(sentence("Well."), "Well.");
        assert_eq!(sentence(" "), "");
    }
}
