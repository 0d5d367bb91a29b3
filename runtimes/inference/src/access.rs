//! Who may ask: a bearer token, where one is set.

use axum::http::{HeaderMap, header};
use mlinfra_registry::Digest;

/// The token that clients must send. Only its digest is kept.
pub(crate) struct Access(Option<Digest>);

impl Access {
    pub(crate) fn new(token: Option<&str>) -> Self {
        Self(token.map(|token| Digest::of(token.as_bytes())))
    }

    /// Whether a request may pass. Health is open, because orchestrators ask for it without a token.
    pub(crate) fn allows(&self, path: &str, headers: &HeaderMap) -> bool {
        let Some(expected) = &self.0 else { return true };
        if matches!(path, "/v2/health/live" | "/v2/health/ready") {
            return true;
        }
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = given.and_then(|value| value.split_once(' '));
        // Digests are compared, so that the time it takes says nothing about the token.
        token.is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer")
                && Digest::of(token.trim().as_bytes()) == *expected
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> HeaderMap {
        [(header::AUTHORIZATION, value.parse().unwrap())]
            .into_iter()
            .collect()
    }

    #[test]
    fn only_the_token_passes() {
        let access = Access::new(Some("secret"));
        assert!(
            access.allows("/v2", &with("Bearer secret"))
                && access.allows("/v2", &with("bearer secret"))
        );
        for wrong in [
            "Bearer",
            "Bearer ",
            "Bearer secre",
            "Bearer secrets",
            "Basic secret",
            "secret",
        ] {
            assert!(!access.allows("/v2", &with(wrong)), "{wrong}");
        }
        assert!(!access.allows("/metrics", &HeaderMap::new()));
        assert!(access.allows("/v2/health/ready", &HeaderMap::new()));
        assert!(Access::new(None).allows("/v2", &HeaderMap::new()));
    }
}
