//! Reads addresses from text: `module.a["k"].local_file.x[0]`, `serving.api.local_service.this`.

use std::sync::Arc;

use super::{InstanceKey, Mode, ModuleInstance, ModuleStep, Resource, ResourceInstance};

/// What an address on a command line selects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// Everything in a module instance.
    Module(ModuleInstance),
    /// All instances of a resource; also what two bare names are, unless they name a block of the
    /// vocabulary.
    Resource(ModuleInstance, Resource),
    /// One instance.
    Instance(ResourceInstance),
}

/// The text is not an address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text:?} is not an address: {reason}")]
pub struct ParseError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

struct Part {
    name: String,
    key: InstanceKey,
}

impl Target {
    /// Reads an address. `is_kind` tells the names of the vocabulary, such as `serving`.
    ///
    /// # Errors
    /// When the text is not an address.
    pub fn parse(text: &str, is_kind: impl Fn(&str) -> bool) -> Result<Target, ParseError> {
        let fail = |reason| ParseError {
            text: text.to_owned(),
            reason,
        };
        let parts = split(text).map_err(fail)?;
        let mut steps = Vec::new();
        let mut rest = parts.as_slice();
        loop {
            match rest {
                [word, call, tail @ ..] if word.name == "module" => {
                    steps.push(step(call.name.as_str(), call));
                    rest = tail;
                }
                [kind, name, tail @ ..]
                    if kind.name != "data" && (tail.len() >= 2 || is_kind(&kind.name)) =>
                {
                    steps.push(step(&format!("{}.{}", kind.name, name.name), name));
                    rest = tail;
                }
                _ => break,
            }
        }
        let module = ModuleInstance(steps.into());
        let (mode, ty, name) = match rest {
            [] if !module.is_root() => return Ok(Target::Module(module)),
            [data, ty, name] if data.name == "data" => (Mode::Data, ty, name),
            [ty, name] => (Mode::Managed, ty, name),
            _ => return Err(fail("expected a resource type and a name")),
        };
        if ty.key != InstanceKey::None {
            return Err(fail("a resource type has no index"));
        }
        let resource = Resource {
            mode,
            ty: ty.name.as_str().into(),
            name: name.name.as_str().into(),
        };
        Ok(match &name.key {
            InstanceKey::None => Target::Resource(module, resource),
            key => Target::Instance(ResourceInstance {
                module,
                resource,
                key: key.clone(),
            }),
        })
    }

    /// Whether some instance of a resource as written may be selected.
    pub fn touches(&self, module: &super::ModulePath, resource: &Resource) -> bool {
        match self {
            Target::Module(wanted) => module.0.starts_with(&wanted.path().0),
            Target::Resource(within, wanted) => within.path() == *module && wanted == resource,
            Target::Instance(wanted) => {
                wanted.module.path() == *module && wanted.resource == *resource
            }
        }
    }

    /// Whether an instance is selected.
    pub fn selects(&self, instance: &ResourceInstance) -> bool {
        match self {
            Target::Module(module) => instance.module.is_within(module),
            Target::Resource(module, resource) => {
                instance.module == *module && instance.resource == *resource
            }
            Target::Instance(wanted) => instance == wanted,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Module(module) => module.fmt(f),
            Target::Resource(module, resource) if module.is_root() => resource.fmt(f),
            Target::Resource(module, resource) => write!(f, "{module}.{resource}"),
            Target::Instance(instance) => instance.fmt(f),
        }
    }
}

impl ResourceInstance {
    /// Reads the address of one instance, as [`std::fmt::Display`] writes it.
    ///
    /// # Errors
    /// When the text is not such an address.
    pub fn parse(text: &str) -> Result<ResourceInstance, ParseError> {
        match Target::parse(text, |_| false)? {
            Target::Instance(instance) => Ok(instance),
            Target::Resource(module, resource) => Ok(ResourceInstance {
                module,
                resource,
                key: InstanceKey::None,
            }),
            Target::Module(_) => Err(ParseError {
                text: text.to_owned(),
                reason: "it names a module, not a resource",
            }),
        }
    }
}

fn step(name: &str, part: &Part) -> ModuleStep {
    ModuleStep {
        name: Arc::from(name),
        key: part.key.clone(),
    }
}

/// Splits at dots outside of brackets.
fn split(text: &str) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        let valid = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(valid) {
            return Err("expected a name");
        }
        let (key, tail) = match tail.strip_prefix('[') {
            Some(tail) => key(tail)?,
            None => (InstanceKey::None, tail),
        };
        parts.push(Part {
            name: name.to_owned(),
            key,
        });
        match tail.strip_prefix('.') {
            Some(tail) => rest = tail,
            None if tail.is_empty() => return Ok(parts),
            None => return Err("expected a dot"),
        }
    }
}

/// Reads `0]` or `"k"]`; answers the key and what follows.
fn key(text: &str) -> Result<(InstanceKey, &str), &'static str> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut value = String::new();
        let mut chars = quoted.char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    let tail = quoted[i + 1..].strip_prefix(']').ok_or("expected ]")?;
                    return Ok((InstanceKey::Key(value.into()), tail));
                }
                '\\' => value.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 'r')) => '\r',
                    Some((_, 't')) => '\t',
                    Some((_, c)) => c,
                    None => return Err("the key does not end"),
                }),
                c => value.push(c),
            }
        }
        return Err("the key does not end");
    }
    let (number, tail) = text.split_once(']').ok_or("expected ]")?;
    let number = number
        .parse()
        .map_err(|_| "an index is a whole number or a quoted string")?;
    Ok((InstanceKey::Index(number), tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_being_written_and_read() {
        for text in [
            "local_file.x",
            "local_file.x[3]",
            "local_file.x[\"a.b\\\"]\"]",
            "data.local_file.x",
            "module.a[0].module.b[\"k\"].local_file.x",
            "serving.api.local_service.this",
            "module.m.serving.api.data.local_file.x[1]",
        ] {
            let parsed = ResourceInstance::parse(text).unwrap();
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn two_names_are_a_block_of_the_vocabulary_when_the_first_is_a_kind() {
        let is_kind = |name: &str| name == "serving";
        assert!(matches!(
            Target::parse("serving.api", is_kind),
            Ok(Target::Module(_))
        ));
        assert!(matches!(
            Target::parse("local_file.x", is_kind),
            Ok(Target::Resource(..))
        ));
    }

    #[test]
    fn what_is_not_an_address_says_why() {
        for text in ["", "a", "a.b.c[", "a..b", "a[\"x].b", "a.b[x]", "a.b]"] {
            assert!(ResourceInstance::parse(text).is_err(), "{text}");
        }
    }
}
