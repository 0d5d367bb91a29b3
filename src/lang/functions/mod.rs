//! The built-in functions: a table of what each takes and answers, a file for each group.
//!
//! A function's body sees values that have the types of its parameters, are known and not null
//! and carry no marks, except where a parameter says that it takes more. What was unknown or
//! marked among the arguments is so in the result.

mod arguments;
mod conversion;
mod csv;
mod date;
mod encoding;
mod files;
mod format;
mod hash;
mod json;
mod mapping;
mod network;
mod numeric;
mod regex;
mod sequence;
mod set;
mod signature;
mod templating;
mod text;
mod tfvars;
mod yaml;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use arguments::{Arguments, CallError};
pub use signature::{Function, Kind, Parameter, Returns};
pub(super) use templating::is_template_function;

/// All groups of the table.
const GROUPS: &[&[Function]] = &[
    numeric::FUNCTIONS,
    text::FUNCTIONS,
    sequence::FUNCTIONS,
    mapping::FUNCTIONS,
    set::FUNCTIONS,
    conversion::FUNCTIONS,
    csv::FUNCTIONS,
    date::FUNCTIONS,
    encoding::FUNCTIONS,
    files::FUNCTIONS,
    hash::FUNCTIONS,
    network::FUNCTIONS,
    templating::FUNCTIONS,
    yaml::FUNCTIONS,
    format::FUNCTIONS,
    json::FUNCTIONS,
    regex::FUNCTIONS,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> =
    LazyLock::new(|| all().map(|f| (f.name, f)).collect());

/// All functions, group by group.
pub fn all() -> impl Iterator<Item = &'static Function> {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// The function of this name, which may also be written `core::name`.
pub fn find(name: &str) -> Option<&'static Function> {
    let name = name.strip_prefix("core::").unwrap_or(name);
    BY_NAME.get(name).copied()
}

/// The function of this name of the built-in provider `terraform`.
pub fn find_in_builtin_provider(name: &str) -> Option<&'static Function> {
    tfvars::FUNCTIONS.iter().find(|f| f.name == name)
}

/// The names of all functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|f| f.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_its_own_name_and_a_description() {
        let mut seen = std::collections::BTreeSet::new();
        for function in all() {
            assert!(seen.insert(function.name), "{} twice", function.name);
            assert!(function.description.ends_with('.'), "{}", function.name);
        }
    }
}
