//! Which environment variables outlive the program that starts the agent.

/// Who and where the user is, and how this machine reaches its network. Everything else is an accident of the terminal
/// that happened to start the agent first.
const KEPT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "MLINFRA_CACHE",
    "ORT_DYLIB_PATH",
];

/// Prefixes of more such variables.
const KEPT_PREFIXES: &[&str] = &["XDG_", "LC_", "PIP_"];

/// The variables of this process that the agent and its processes start from.
pub(crate) fn kept() -> impl Iterator<Item = (String, String)> {
    let readable = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    readable.filter(|(name, _)| is_kept(name))
}

fn is_kept(name: &str) -> bool {
    KEPT.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accidents_are_not_kept() {
        for name in ["PATH", "HOME", "XDG_CACHE_HOME", "LC_ALL", "PIP_INDEX_URL"] {
            assert!(is_kept(name), "{name}");
        }
        for name in [
            "AWS_SECRET_ACCESS_KEY",
            "SSH_AUTH_SOCK",
            "VIRTUAL_ENV",
            "LD_PRELOAD",
            "RUST_LOG",
        ] {
            assert!(!is_kept(name), "{name}");
        }
    }
}
