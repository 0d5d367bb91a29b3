//! Which configuration of which provider manages an object, written as one string.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::addr::{ModulePath, Target};

/// A configuration of a provider: `provider["local"]`, `module.a.provider["aws"].west`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ProviderRef {
    /// The module that holds the configuration.
    pub module: ModulePath,
    /// The provider's name: `local`.
    pub name: Arc<str>,
    /// The alias of the configuration; the default one has none.
    pub alias: Option<Arc<str>>,
}

/// The text does not name a provider configuration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} does not name a provider configuration, such as provider[\"local\"]")]
pub struct NotAProvider(pub String);

impl ProviderRef {
    /// The default configuration of a provider in the root module.
    pub fn root(name: &str) -> ProviderRef {
        ProviderRef {
            module: ModulePath::root(),
            name: name.into(),
            alias: None,
        }
    }
}

impl fmt::Display for ProviderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "provider[\"{}\"]", self.name)?;
        match &self.alias {
            Some(alias) => write!(f, ".{alias}"),
            None => Ok(()),
        }
    }
}

impl FromStr for ProviderRef {
    type Err = NotAProvider;

    fn from_str(text: &str) -> Result<ProviderRef, NotAProvider> {
        let read = || {
            let (module, rest) = text.split_once("provider[\"")?;
            let (name, rest) = rest.split_once("\"]")?;
            let module = match module.strip_suffix('.') {
                None if module.is_empty() => ModulePath::root(),
                None => return None,
                Some(module) => match Target::parse(module, |_| true).ok()? {
                    Target::Module(module) => module.path(),
                    _ => return None,
                },
            };
            let alias = match rest {
                "" => None,
                rest => Some(rest.strip_prefix('.')?.into()),
            };
            let name = name.into();
            Some(ProviderRef {
                module,
                name,
                alias,
            })
        };
        // What was read must be written the same way, so that nothing is dropped in silence.
        read()
            .filter(|p: &ProviderRef| is_name(&p.name) && p.alias.as_deref().is_none_or(is_name))
            .filter(|p| p.to_string() == text)
            .ok_or_else(|| NotAProvider(text.to_owned()))
    }
}

fn is_name(text: &str) -> bool {
    let valid = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    !text.is_empty() && text.chars().all(valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_references_survive_being_written_and_read() {
        for text in [
            "provider[\"local\"]",
            "provider[\"local\"].west",
            "module.a.provider[\"aws\"]",
            "module.provider.serving.api.provider[\"aws\"].x",
        ] {
            let parsed: ProviderRef = text.parse().unwrap();
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_provider_is_refused() {
        for text in [
            "",
            "local",
            "provider[\"\"]",
            "provider[\"local\"",
            "provider[\"local\"]west",
            "module.a[0].provider[\"local\"]",
            "xprovider[\"local\"]",
            "provider[\"lo\"cal\"]",
            "provider[\"local\"].",
            "provider[\"local\"].a.b",
        ] {
            assert!(text.parse::<ProviderRef>().is_err(), "{text}");
        }
    }
}
