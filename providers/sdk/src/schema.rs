//! What the arguments, results and nested blocks of a resource are.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ty::{ObjectType, Type};
use crate::value::Value;

/// Who sets an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The configuration must.
    Required,
    /// The configuration may; null otherwise.
    Optional,
    /// The configuration may; the provider does otherwise.
    OptionalComputed,
    /// The provider does.
    Computed,
}

/// One attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The type; may be or contain [`Type::Dynamic`].
    pub ty: Type,
    /// Who sets it.
    pub mode: Mode,
    /// For people; Markdown.
    pub description: String,
    /// Never shown.
    pub sensitive: bool,
    /// Handed to the provider and never stored.
    pub write_only: bool,
    /// A change needs a new object.
    pub force_new: bool,
    /// A computed value that an update in place may change, and so is unknown while one is planned.
    pub volatile: bool,
    /// What stands for null.
    pub default: Option<Value>,
    /// Why not to use it any more.
    pub deprecated: Option<String>,
}

impl Attribute {
    fn new(mode: Mode, ty: Type) -> Attribute {
        Attribute {
            ty,
            mode,
            description: String::new(),
            sensitive: false,
            write_only: false,
            force_new: false,
            volatile: false,
            default: None,
            deprecated: None,
        }
    }

    /// An attribute that the configuration must set.
    pub fn required(ty: Type) -> Attribute {
        Attribute::new(Mode::Required, ty)
    }

    /// An attribute that the configuration may set.
    pub fn optional(ty: Type) -> Attribute {
        Attribute::new(Mode::Optional, ty)
    }

    /// An attribute that the configuration may set and the provider sets otherwise.
    pub fn optional_computed(ty: Type) -> Attribute {
        Attribute::new(Mode::OptionalComputed, ty)
    }

    /// An attribute that the provider sets.
    pub fn computed(ty: Type) -> Attribute {
        Attribute::new(Mode::Computed, ty)
    }

    /// With a description.
    #[must_use]
    pub fn describe(mut self, text: &str) -> Attribute {
        self.description = text.to_owned();
        self
    }

    /// A change needs a new object.
    #[must_use]
    pub fn force_new(mut self) -> Attribute {
        self.force_new = true;
        self
    }

    /// Never shown.
    #[must_use]
    pub fn sensitive(mut self) -> Attribute {
        self.sensitive = true;
        self
    }

    /// Handed to the provider and never stored.
    #[must_use]
    pub fn write_only(mut self) -> Attribute {
        self.write_only = true;
        self
    }

    /// May change when the object is updated in place.
    #[must_use]
    pub fn volatile(mut self) -> Attribute {
        self.volatile = true;
        self
    }

    /// What stands for null.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Attribute {
        self.default = Some(value.into());
        self
    }

    /// Whether the configuration may set it.
    pub fn is_configurable(&self) -> bool {
        self.mode != Mode::Computed
    }

    /// Whether the provider may set it.
    pub fn is_computed(&self) -> bool {
        matches!(self.mode, Mode::Computed | Mode::OptionalComputed)
    }
}

/// How often a nested block may stand, and what it becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nesting {
    /// At most one: an object, or null.
    Single,
    /// Any number, in order: a list.
    List,
    /// Any number, without order: a set.
    Set,
    /// One label each: a map by label.
    Map,
}

/// A nested block.
#[derive(Clone, Debug)]
pub struct Block {
    /// How often it may stand.
    pub nesting: Nesting,
    /// What is inside.
    pub schema: Schema,
    /// The least number of blocks.
    pub least: usize,
    /// The greatest number of blocks.
    pub most: Option<usize>,
}

/// The schema of a resource, a data source, a provider's configuration or a nested block.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Grows when the stored form changes; see [`crate::Resource::upgrade`].
    pub version: u32,
    /// For people; Markdown.
    pub description: String,
    /// Attributes by name.
    pub attributes: BTreeMap<Arc<str>, Attribute>,
    /// Nested blocks by name.
    pub blocks: BTreeMap<Arc<str>, Block>,
    /// The object holds data: destroying it needs it said.
    pub holds_data: bool,
}

impl Schema {
    /// An empty schema with a description.
    pub fn new(description: &str) -> Schema {
        Schema {
            description: description.to_owned(),
            ..Schema::default()
        }
    }

    /// With an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, attribute: Attribute) -> Schema {
        self.attributes.insert(name.into(), attribute);
        self
    }

    /// With a nested block.
    #[must_use]
    pub fn block(mut self, name: &str, nesting: Nesting, schema: Schema) -> Schema {
        let block = Block {
            nesting,
            schema,
            least: 0,
            most: (nesting == Nesting::Single).then_some(1),
        };
        self.blocks.insert(name.into(), block);
        self
    }

    /// The object holds data: destroying it needs it said.
    #[must_use]
    pub fn holds_data(mut self) -> Schema {
        self.holds_data = true;
        self
    }

    /// With the version of the stored form.
    #[must_use]
    pub fn version(mut self, version: u32) -> Schema {
        self.version = version;
        self
    }

    /// The object type of a value of this schema.
    pub fn ty(&self) -> Type {
        let attributes = self
            .attributes
            .iter()
            .map(|(k, a)| (k.clone(), a.ty.clone()));
        let blocks = self.blocks.iter().map(|(k, b)| {
            let inner = b.schema.ty();
            let ty = match b.nesting {
                Nesting::Single => inner,
                Nesting::List => Type::list(inner),
                Nesting::Set => Type::set(inner),
                Nesting::Map => Type::map(inner),
            };
            (k.clone(), ty)
        });
        Type::Object(Arc::new(ObjectType {
            attributes: attributes.chain(blocks).collect(),
            optional: Default::default(),
        }))
    }
}
