//! Every environment variable that the program reads, in one place.
//!
//! | variable | what it does |
//! |---|---|
//! | `MLINFRA_VAR_name`, `TF_VAR_name` | the value of a variable; the first wins |
//! | `MLINFRA_RUNTIME` | where the `mlinfra-runtime` program is; beside `mlinfra` otherwise |
//! | `NO_COLOR` | no colours, whatever its value |
//! | `TERM=dumb` | no colours |
//! | `COLUMNS` | the width to wrap at, when the terminal does not tell |

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Values of variables, by whole name.
pub fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(key, _)| key.starts_with("MLINFRA_VAR_") || key.starts_with("TF_VAR_"))
        .collect()
}

/// Where the `mlinfra-runtime` program is.
pub fn runtime_program() -> PathBuf {
    if let Some(path) = std::env::var_os("MLINFRA_RUNTIME") {
        return PathBuf::from(path);
    }
    let beside = std::env::current_exe().ok();
    let beside = beside.and_then(|program| Some(program.parent()?.join("mlinfra-runtime")));
    beside.unwrap_or_else(|| PathBuf::from("mlinfra-runtime"))
}

/// Whether the environment asks for no colours.
pub fn no_color() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|v| v == "dumb")
}

/// Who runs the program: `user@host`.
pub fn who() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    format!("{}@{host}", user.unwrap_or_else(|_| "unknown".into()))
}
