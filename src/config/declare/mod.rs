//! Declarations: what the blocks of a module directory say, each kind of block in its own file.

mod block;
mod check;
mod endpoint;
mod module_call;
mod moves;
mod output;
mod provider;
mod resource;
mod settings;
mod variable;

pub use block::{identifier_problem, reserved};
pub use check::{Check, Condition};
pub use endpoint::{Endpoint, KeyedTarget};
pub use module_call::ModuleCall;
pub use moves::{Import, Moved, Removed};
pub use output::Output;
pub use provider::{ProviderBlock, ProviderRef};
pub use resource::{Lifecycle, ResourceBlock, Triggers};
pub use settings::{RequiredProvider, Settings};
pub use variable::Variable;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::body::{Block, Body, Label};
use crate::addr::Resource;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::lang::Expr;
use crate::source::{Sources, Span};

/// A local value.
#[derive(Clone, Debug)]
pub struct Local {
    /// The name.
    pub name: Arc<str>,
    /// Where the name stands.
    pub span: Span,
    /// The value.
    pub value: Expr,
}

/// Everything a module directory declares.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// Input variables.
    pub variables: BTreeMap<Arc<str>, Variable>,
    /// Local values.
    pub locals: BTreeMap<Arc<str>, Local>,
    /// Outputs.
    pub outputs: BTreeMap<Arc<str>, Output>,
    /// Calls of other modules, those of the vocabulary included once it was lowered.
    pub calls: BTreeMap<Arc<str>, ModuleCall>,
    /// Resources and data sources.
    pub resources: BTreeMap<Resource, ResourceBlock>,
    /// Provider configurations.
    pub providers: Vec<ProviderBlock>,
    /// Check blocks.
    pub checks: BTreeMap<Arc<str>, Check>,
    /// Moves of addresses.
    pub moved: Vec<Moved>,
    /// Objects to forget or destroy.
    pub removed: Vec<Removed>,
    /// Objects to take over.
    pub imports: Vec<Import>,
    /// The `terraform` and `mlinfra` blocks together.
    pub settings: Settings,
    /// Blocks of the vocabulary, until they are lowered.
    pub kinds: Vec<Block>,
}

impl Declarations {
    /// Reads the blocks of one file. `kinds` are the block types of the vocabulary.
    pub fn read(
        &mut self,
        body: Body,
        kinds: &[&str],
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) {
        for attribute in &body.attributes {
            diagnostics.push(super::body::unsupported_argument(
                &attribute.name,
                attribute.name_span,
                std::iter::empty(),
            ));
        }
        for block in body.blocks {
            let mut reader = Reader {
                declarations: self,
                sources,
                diagnostics,
            };
            reader.block(block, kinds);
        }
    }
}

/// Expressions, and the interface of the vocabulary.
impl Declarations {
    /// Takes an interface's declaration of an output away and lets the module's own take its
    /// place, with what the interface says of it.
    fn fulfil(&mut self, mut output: Output) -> Output {
        let declared_only = |o: &Output| o.value.is_none();
        if output.value.is_some()
            && self.outputs.get(&output.name).is_some_and(declared_only)
            && let Some(declared) = self.outputs.remove(&output.name)
        {
            output.description = output.description.or(declared.description);
            output.sensitive |= declared.sensitive;
        }
        output
    }

    /// Calls `f` with every expression that is evaluated or refers to something.
    pub fn map_expressions(&mut self, f: &mut impl FnMut(&mut Expr)) {
        for variable in self.variables.values_mut() {
            conditions(&mut variable.validations, f);
        }
        for local in self.locals.values_mut() {
            f(&mut local.value);
        }
        for output in self.outputs.values_mut() {
            output.value.iter_mut().for_each(&mut *f);
            output.depends_on.iter_mut().for_each(&mut *f);
            conditions(&mut output.preconditions, f);
        }
        for call in self.calls.values_mut() {
            call.arguments.values_mut().for_each(|a| f(&mut a.value));
            call.depends_on.iter_mut().for_each(&mut *f);
            let repetition = [&mut call.count, &mut call.for_each, &mut call.enabled];
            repetition.into_iter().flatten().for_each(&mut *f);
        }
        for resource in self.resources.values_mut() {
            Arc::make_mut(&mut resource.arguments).map_expressions(f);
            resource.depends_on.iter_mut().for_each(&mut *f);
            let lifecycle = &mut resource.lifecycle;
            lifecycle.replace_triggered_by.iter_mut().for_each(&mut *f);
            conditions(&mut lifecycle.preconditions, f);
            conditions(&mut lifecycle.postconditions, f);
            let repetition = [
                &mut resource.count,
                &mut resource.for_each,
                &mut resource.enabled,
            ];
            repetition.into_iter().flatten().for_each(&mut *f);
        }
        for provider in &mut self.providers {
            Arc::make_mut(&mut provider.arguments).map_expressions(f);
        }
        for check in self.checks.values_mut() {
            conditions(&mut check.assertions, f);
        }
        for import in &mut self.imports {
            f(&mut import.id);
            import.for_each.iter_mut().for_each(&mut *f);
            import.to.keys_mut().for_each(&mut *f);
        }
    }
}

fn conditions(conditions: &mut [Condition], f: &mut impl FnMut(&mut Expr)) {
    for condition in conditions {
        f(&mut condition.condition);
        f(&mut condition.message);
    }
}

const BLOCKS: &[&str] = &[
    "variable",
    "locals",
    "output",
    "module",
    "resource",
    "data",
    "provider",
    "terraform",
    "mlinfra",
    "check",
    "moved",
    "removed",
    "import",
];

struct Reader<'r> {
    declarations: &'r mut Declarations,
    sources: &'r Sources,
    diagnostics: &'r mut Diagnostics,
}

impl Reader<'_> {
    fn block(&mut self, block: Block, kinds: &[&str]) {
        let d = &mut *self.diagnostics;
        match block.ty.as_ref() {
            "variable" => {
                if let Some(v) = variable::read(&block, self.sources, d) {
                    self.insert(
                        |d| &mut d.variables,
                        v.name.clone(),
                        v,
                        block.header,
                        "variable",
                    );
                }
            }
            "output" => {
                if let Some(o) = output::read(&block, self.sources, d) {
                    let o = self.declarations.fulfil(o);
                    self.insert(
                        |d| &mut d.outputs,
                        o.name.clone(),
                        o,
                        block.header,
                        "output",
                    );
                }
            }
            "locals" => self.locals(block),
            "module" => {
                if let Some(call) = module_call::read(&block, d) {
                    self.insert(
                        |d| &mut d.calls,
                        call.name.clone(),
                        call,
                        block.header,
                        "module",
                    );
                }
            }
            "resource" | "data" => {
                if let Some(r) = resource::read(block, self.sources, d) {
                    self.resource(r);
                }
            }
            "provider" => {
                if let Some(p) = provider::read(block, d) {
                    self.provider(p);
                }
            }
            "check" => {
                if let Some((check, data)) = check::read(&block, self.sources, d) {
                    if let Some(data) = data {
                        self.resource(data);
                    }
                    self.insert(
                        |d| &mut d.checks,
                        check.name.clone(),
                        check,
                        block.header,
                        "check",
                    );
                }
            }
            "moved" => {
                let moved = moves::read_moved(&block, &|name| kinds.contains(&name), d);
                self.declarations.moved.extend(moved);
            }
            "removed" => {
                let removed = moves::read_removed(&block, &|name| kinds.contains(&name), d);
                self.declarations.removed.extend(removed);
            }
            "import" => {
                if let Some(import) = moves::read_import(&block, &|name| kinds.contains(&name), d) {
                    self.import(import);
                }
            }
            "terraform" | "mlinfra" => settings::read(&block, &mut self.declarations.settings, d),
            kind if kinds.contains(&kind) => self.declarations.kinds.push(block),
            _ => d.push(super::body::unsupported_block(
                &block,
                BLOCKS.iter().chain(kinds).copied(),
                std::iter::empty(),
            )),
        }
    }

    fn locals(&mut self, block: Block) {
        block::no_labels(&block, self.diagnostics);
        for nested in &block.body.blocks {
            let d = super::body::unsupported_block(nested, std::iter::empty(), std::iter::empty());
            self.diagnostics.push(d);
        }
        for attribute in block.body.attributes {
            let local = Local {
                name: attribute.name.clone(),
                span: attribute.name_span,
                value: attribute.value,
            };
            let span = attribute.name_span;
            self.insert(
                |d| &mut d.locals,
                attribute.name,
                local,
                span,
                "local value",
            );
        }
    }

    fn resource(&mut self, resource: ResourceBlock) {
        let key = resource.address.clone();
        if let Some(first) = self.declarations.resources.get(&key) {
            let what = match key.mode {
                crate::addr::Mode::Managed => "resource",
                crate::addr::Mode::Data => "data resource",
            };
            self.diagnostics.push(
                Diagnostic::error(
                    format!("Duplicate {what} {:?} configuration", key.ty),
                    format!(
                        "A {} {what} named {:?} was already declared at {}. Resource names must be unique per type in each module.",
                        key.ty, key.name, block::place(first.header, self.sources)
                    ),
                )
                .at(resource.header)
                .code("E0008"),
            );
            return;
        }
        self.declarations.resources.insert(key, resource);
    }

    fn import(&mut self, import: Import) {
        let imports = &self.declarations.imports;
        // With keys, only evaluating tells whether two are about the same instance.
        let same = |other: &&Import| {
            import.to.keys().next().is_none()
                && other.to.keys().next().is_none()
                && other.to.path() == import.to.path()
        };
        if let Some(first) = imports.iter().find(same) {
            let path = import.to.path();
            let place = block::place(first.header, self.sources);
            self.diagnostics.push(
                Diagnostic::error(
                    format!("Duplicate import configuration for \"{path}\""),
                    format!("An import block for the resource \"{path}\" was already declared at {place}. A resource can have only one import block."),
                )
                .at(import.to.span)
                .code(codes::DUPLICATE),
            );
            return;
        }
        self.declarations.imports.push(import);
    }

    fn provider(&mut self, provider: ProviderBlock) {
        let same = |p: &&ProviderBlock| p.name == provider.name && p.alias == provider.alias;
        if let Some(first) = self.declarations.providers.iter().find(same) {
            self.diagnostics.push(
                Diagnostic::error(
                    "Duplicate provider configuration",
                    format!(
                        "A configuration for provider {:?} was already given at {}. If multiple configurations are required, set the \"alias\" argument for alternative configurations.",
                        provider.name, block::place(first.header, self.sources)
                    ),
                )
                .at(provider.header)
                .code("E0008"),
            );
            return;
        }
        self.declarations.providers.push(provider);
    }

    fn insert<T: Declared>(
        &mut self,
        map: impl Fn(&mut Declarations) -> &mut BTreeMap<Arc<str>, T>,
        name: Arc<str>,
        value: T,
        span: Span,
        what: &str,
    ) {
        if let Some(first) = map(self.declarations).get(&name) {
            let place = block::place(first.declared_at(), self.sources);
            self.diagnostics
                .push(block::duplicate(what, &name, &place).at(span));
            return;
        }
        map(self.declarations).insert(name, value);
    }
}

/// Something that is declared at a place.
trait Declared {
    fn declared_at(&self) -> Span;
}

macro_rules! declared {
    ($($ty:ty => $field:ident),*) => {
        $(impl Declared for $ty {
            fn declared_at(&self) -> Span {
                self.$field
            }
        })*
    };
}

declared!(Variable => header, Output => header, ModuleCall => header, Check => header, Local => span);

/// The only label of a block, checked as a name.
fn name_of(block: &Block, d: &mut Diagnostics) -> Option<Label> {
    let label = block::labels::<1>(block, &["name"], d)?[0].clone();
    if let Some(problem) = identifier_problem(&label.text) {
        d.push(
            Diagnostic::error(format!("Invalid {} name", block.ty), problem)
                .at(label.span)
                .code("E0005"),
        );
        return None;
    }
    Some(label)
}
