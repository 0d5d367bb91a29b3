//! Which provider configuration each resource uses.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::config::{ModuleId, ProviderBlock, ProviderRef, ResourceBlock, Tree};
use crate::diag::{Diagnostic, Diagnostics};

/// A provider configuration among those of [`Providers`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ProviderId(pub u32);

/// A provider configuration that some resource uses.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// The provider's name among all providers.
    pub provider: Arc<str>,
    /// Which of several configurations.
    pub alias: Option<Arc<str>>,
    /// The module whose block configures it; the root where there is no block.
    pub module: ModuleId,
    /// The place of its block among those of the module.
    block: Option<usize>,
}

impl ProviderConfig {
    /// The block, if there is one.
    pub fn block<'t>(&self, tree: &'t Tree) -> Option<&'t ProviderBlock> {
        tree.get(self.module)
            .declarations
            .providers
            .get(self.block?)
    }
}

/// As it is recorded in state: `local`, `aws.west`.
impl fmt::Display for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.provider)?;
        match &self.alias {
            Some(alias) => write!(f, ".{alias}"),
            None => Ok(()),
        }
    }
}

/// A provider, its alias, and the module whose block configures it.
type Key = (Arc<str>, Option<Arc<str>>, ModuleId);

/// Every provider configuration that is used, each once.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    configs: Vec<ProviderConfig>,
    index: HashMap<Key, ProviderId>,
}

impl Providers {
    /// The configuration that a resource uses.
    pub fn of_resource(
        &mut self,
        tree: &Tree,
        module: ModuleId,
        resource: &ResourceBlock,
        diagnostics: &mut Diagnostics,
    ) -> Option<ProviderId> {
        let wanted = resource.provider.clone().unwrap_or_else(|| ProviderRef {
            name: resource.address.implied_provider().into(),
            alias: None,
        });
        let found = self.find(tree, module, &wanted);
        if found.is_none() {
            diagnostics.push(
                Diagnostic::error(
                    "Provider configuration not present",
                    format!("{} uses the provider configuration {wanted}, and no provider block of that name and alias is in this module or handed to it.", resource.address),
                )
                .at(resource.header)
                .code("E0014"),
            );
        }
        found
    }

    /// The default configuration of a provider, for an object that is in state only.
    pub fn default_of(&mut self, tree: &Tree, provider: &str) -> ProviderId {
        let wanted = ProviderRef {
            name: provider.into(),
            alias: None,
        };
        let root = tree.root().id;
        self.find(tree, root, &wanted)
            .unwrap_or_else(|| self.intern(provider.into(), None, root, None))
    }

    /// The configuration recorded in state as `name` or `name.alias`.
    pub fn recorded(&mut self, tree: &Tree, text: &str) -> ProviderId {
        let (name, alias) = match text.split_once('.') {
            Some((name, alias)) => (name, Some(Arc::from(alias))),
            None => (text, None),
        };
        let wanted = ProviderRef {
            name: name.into(),
            alias,
        };
        match self.find(tree, tree.root().id, &wanted) {
            Some(found) => found,
            None => self.default_of(tree, name),
        }
    }

    fn find(&mut self, tree: &Tree, module: ModuleId, wanted: &ProviderRef) -> Option<ProviderId> {
        let node = tree.get(module);
        let declarations = &node.declarations;
        let provider = declarations
            .settings
            .required_providers
            .get(&wanted.name)
            .map_or_else(|| Arc::clone(&wanted.name), |r| Arc::clone(&r.provider));
        let block = declarations
            .providers
            .iter()
            .position(|p| p.name == wanted.name && p.alias == wanted.alias);
        if block.is_some() {
            return Some(self.intern(provider, wanted.alias.clone(), module, block));
        }
        let Some(parent) = node.parent else {
            return wanted
                .alias
                .is_none()
                .then(|| self.intern(provider, None, module, None));
        };
        let mapped = tree.call(module).and_then(|call| {
            let same = |(inside, _): &&(ProviderRef, ProviderRef)| inside == wanted;
            call.providers.iter().find(same).map(|(_, outside)| outside)
        });
        match mapped {
            Some(outside) => self.find(tree, parent, outside),
            None if wanted.alias.is_none() => {
                // The parent may call the same provider by another name.
                let inherited = ProviderRef {
                    name: provider,
                    alias: None,
                };
                self.find(tree, parent, &inherited)
            }
            None => None,
        }
    }

    fn intern(
        &mut self,
        provider: Arc<str>,
        alias: Option<Arc<str>>,
        module: ModuleId,
        block: Option<usize>,
    ) -> ProviderId {
        let key = (Arc::clone(&provider), alias.clone(), module);
        let next = ProviderId(u32::try_from(self.configs.len()).unwrap_or(u32::MAX));
        let id = *self.index.entry(key).or_insert(next);
        if id == next {
            self.configs.push(ProviderConfig {
                provider,
                alias,
                module,
                block,
            });
        }
        id
    }

    /// A configuration.
    ///
    /// # Panics
    /// When the id is of others.
    pub fn get(&self, id: ProviderId) -> &ProviderConfig {
        &self.configs[id.0 as usize]
    }

    /// All configurations.
    pub fn iter(&self) -> impl Iterator<Item = (ProviderId, &ProviderConfig)> {
        (0..).map(ProviderId).zip(&self.configs)
    }
}
