//! The difference between two values as a tree, and that tree as text in Terraform's layout.
//!
//! | module | what it does |
//! |---|---|
//! | `pairs` | which elements of two sequences belong together |
//! | `attribute` | values of a known type |
//! | `dynamic` | values of any type, compared as JSON |
//! | `block` | objects under a schema, with their nested blocks |
//! | `write` | the tree as text |
//! | `text` | strings in it: quoted, line by line, or as the JSON they hold |

mod attribute;
mod block;
mod dynamic;
mod pairs;
mod text;
mod write;

use std::sync::Arc;

use mlinfra_sdk::{Path, Step, Value};

pub use block::block;
pub use dynamic::dynamic;
pub use text::{attribute_name, quoted};
pub use write::{Layout, symbol};

/// What happens to a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It stays.
    NoOp,
    /// It comes into being.
    Create,
    /// It becomes another.
    Update,
    /// It goes.
    Delete,
}

/// The difference at one place.
#[derive(Clone, Debug)]
pub struct Change {
    /// What happens there.
    pub kind: Kind,
    /// It needs a new object.
    pub forces_replacement: bool,
    /// What there is to show.
    pub shape: Shape,
}

/// What there is to show of a difference.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A number, a truth value or null, as text.
    Scalar {
        /// Before.
        before: String,
        /// After.
        after: String,
    },
    /// Text; `None` is null.
    Text {
        /// Before.
        before: Option<Arc<str>>,
        /// After.
        after: Option<Arc<str>>,
    },
    /// A list, tuple or set.
    Sequence {
        /// The elements of both, in order.
        items: Vec<Change>,
        /// Whether neighbours of a change are shown, because the order matters.
        ordered: bool,
    },
    /// A map: quoted keys.
    Map(Vec<(Arc<str>, Change)>),
    /// An object: names.
    Object(Vec<(Arc<str>, Change)>),
    /// A nested block, or a whole resource.
    Block {
        /// Its attributes by name, without those that are null before and after.
        attributes: Vec<(Arc<str>, Change)>,
        /// Its nested blocks: name, label, difference.
        blocks: Vec<(Arc<str>, Option<Arc<str>>, Change)>,
    },
    /// It is known only after apply; what there was.
    Unknown(Option<Box<Change>>),
    /// It must not be shown.
    Sensitive {
        /// What is hidden.
        inner: Box<Change>,
        /// It was to be hidden before.
        before: bool,
        /// It is to be hidden from now on.
        after: bool,
        /// It is a nested block.
        block: bool,
    },
    /// It becomes a value of another type.
    Retyped(Box<Change>, Box<Change>),
}

/// One side of a difference; `None` where there is nothing, not even a null that was written down.
type Side<'v> = Option<&'v Value>;

/// The changes below some place that need a new object, as the steps that are left to them.
#[derive(Clone, Debug, Default)]
pub struct Forced<'p>(Vec<&'p [Step]>);

impl<'p> Forced<'p> {
    /// All of a plan's paths, from the resource itself.
    pub fn new(paths: &'p [Path]) -> Forced<'p> {
        Forced(paths.iter().map(|path| path.0.as_slice()).collect())
    }

    /// Whether the very place needs a new object.
    fn here(&self) -> bool {
        self.0.iter().any(|steps| steps.is_empty())
    }

    /// What is left below the step that `is_step` picks.
    fn below(&self, is_step: impl Fn(&Step) -> bool) -> Forced<'p> {
        let left = self.0.iter().filter_map(|steps| match steps.split_first() {
            Some((first, rest)) if is_step(first) => Some(rest),
            _ => None,
        });
        Forced(left.collect())
    }

    fn named(&self, name: &str) -> Forced<'p> {
        self.below(|step| matches!(step, Step::Attribute(n) | Step::Key(n) if n.as_ref() == name))
    }

    fn element(&self, pair: &pairs::Pair, before: &[Value], after: &[Value]) -> Forced<'p> {
        self.below(|step| match step {
            Step::Index(i) => pair.before.or(pair.after) == Some(*i),
            Step::Element(element) => [
                pair.before.and_then(|i| before.get(i)),
                pair.after.and_then(|i| after.get(i)),
            ]
            .contains(&Some(element)),
            _ => false,
        })
    }
}

impl Change {
    fn new(kind: Kind, forced: &Forced<'_>, shape: Shape) -> Change {
        Change {
            kind,
            forces_replacement: forced.here(),
            shape,
        }
    }
}

/// A value that stays as it is, under its own type.
pub fn same(value: &Value) -> Change {
    let forced = Forced::default();
    attribute::attribute(Some(value), Some(value), &value.ty(), &forced)
}

/// What happens to something that has parts: it comes or goes as a whole, or it changes when one
/// of its parts does.
fn kind_of_parts<'c>(
    before: bool,
    after: bool,
    parts: impl IntoIterator<Item = &'c Change>,
) -> Kind {
    match (before, after) {
        (false, true) => Kind::Create,
        (true, false) => Kind::Delete,
        _ if parts.into_iter().any(|part| part.kind != Kind::NoOp) => Kind::Update,
        _ => Kind::NoOp,
    }
}

/// Looks past what must not be shown and what is not known yet; `show` compares the rest.
fn guarded(
    before: Side<'_>,
    after: Side<'_>,
    forced: &Forced<'_>,
    is_block: bool,
    show: &dyn Fn(Side<'_>, Side<'_>) -> Change,
) -> Change {
    let hidden = |side: Side<'_>| side.is_some_and(|v| v.marks().is_sensitive());
    let (hidden_before, hidden_after) = (hidden(before), hidden(after));
    if hidden_before || hidden_after {
        let plain = |side: Side<'_>| side.map(|v| v.clone().unmark_deep().0);
        let (before, after) = (plain(before), plain(after));
        let inner = guarded(before.as_ref(), after.as_ref(), forced, is_block, show);
        let kind = match inner.kind {
            Kind::NoOp if hidden_before != hidden_after => Kind::Update,
            kind => kind,
        };
        let shape = Shape::Sensitive {
            inner: Box::new(inner),
            before: hidden_before,
            after: hidden_after,
            block: is_block,
        };
        return Change::new(kind, forced, shape);
    }
    if after.is_some_and(|v| !v.is_known()) {
        let before = before.filter(|v| !v.is_null());
        let kind = before.map_or(Kind::Create, |_| Kind::Update);
        let before = before.map(|v| Box::new(show(Some(v), None)));
        return Change::new(kind, forced, Shape::Unknown(before));
    }
    show(before, after)
}
