//! The tree of an expression. Cloning it copies no more than its topmost node.

use std::sync::Arc;

use mlinfra_sdk::Value;

use crate::source::Span;

/// An expression and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its text.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// A value that needs no evaluation.
    Literal(Value),
    /// Text put together from parts. A quoted template that is one interpolation and nothing
    /// else is [`ExprKind::Interpolation`] instead.
    Template(Arc<[Expr]>),
    /// `"${x}"`: the value of `x`, of whatever type.
    Interpolation(Arc<Expr>),
    /// A `%{ for }` directive: the texts that the `for` expression makes, put together.
    TemplateJoin(Arc<Expr>),
    /// A name with the steps that follow it, as far as they are constant.
    Traversal(Traversal),
    /// Constant steps into the value of any other expression.
    Steps(Arc<Expr>, Arc<[TraversalStep]>),
    /// `collection[key]` where the key is not constant.
    Index(Arc<Index>),
    /// `source[*]` or `source.*` and what is done with each element.
    Splat(Arc<Splat>),
    /// The element that the innermost splat around is at.
    SplatElement,
    /// `[a, b]`
    Tuple(Arc<[Expr]>),
    /// `{ a = b }`
    Object(Arc<[ObjectItem]>),
    /// `condition ? a : b`
    Conditional(Arc<Conditional>),
    /// `a + b`
    Binary(Arc<Binary>),
    /// `-a` or `!a`
    Unary(UnaryOperator, Arc<Expr>),
    /// `name(a, b...)`
    Call(Arc<Call>),
    /// `[for … ]` or `{for … }`
    For(Arc<For>),
    /// `(a)`
    Paren(Arc<Expr>),
    /// `a.b` as the key of an object, of which it is not clear what it means.
    AmbiguousKey(Arc<Expr>),
}

/// A reference: a name and the constant steps that follow it, such as `a.b[0]["k"]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Traversal {
    /// The name it starts with.
    pub root: Arc<str>,
    /// Where that name stands.
    pub root_span: Span,
    /// What follows.
    pub steps: Vec<TraversalStep>,
    /// The whole of it.
    pub span: Span,
}

/// One step of a traversal.
#[derive(Clone, PartialEq, Debug)]
pub enum TraversalStep {
    /// `.name`
    Attribute(Arc<str>, Span),
    /// `[0]`, `["key"]` or `.0`
    Index(Value, Span),
}

/// Indexing with a key that is computed.
#[derive(Clone, PartialEq, Debug)]
pub struct Index {
    /// What is looked into.
    pub collection: Expr,
    /// The key.
    pub key: Expr,
    /// The brackets.
    pub span: Span,
}

/// A splat.
#[derive(Clone, PartialEq, Debug)]
pub struct Splat {
    /// The sequence, or a single value that is taken as a sequence of one.
    pub source: Expr,
    /// What is made of each element, which it names [`ExprKind::SplatElement`].
    pub each: Expr,
    /// The `[*]` or `.*`.
    pub marker: Span,
}

/// An item of an object expression.
#[derive(Clone, PartialEq, Debug)]
pub struct ObjectItem {
    /// The key; a bare word is a literal here.
    pub key: Expr,
    /// The value.
    pub value: Expr,
}

/// A choice.
#[derive(Clone, PartialEq, Debug)]
pub struct Conditional {
    /// What decides.
    pub condition: Expr,
    /// The result when it is true.
    pub if_true: Expr,
    /// The result when it is false.
    pub if_false: Expr,
}

/// An operator between two operands.
#[derive(Clone, PartialEq, Debug)]
pub struct Binary {
    /// The operator.
    pub operator: BinaryOperator,
    /// What stands before it.
    pub left: Expr,
    /// What stands after it.
    pub right: Expr,
}

/// An operator between two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOperator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

/// An operator before an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOperator {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// A function call.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The function, with its namespaces: `provider::a::b`.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// The arguments.
    pub arguments: Vec<Expr>,
    /// Whether the last argument is a sequence of arguments: `f(a...)`.
    pub expand: bool,
    /// From the opening parenthesis to the closing one.
    pub parentheses: Span,
}

/// A `for` expression.
#[derive(Clone, PartialEq, Debug)]
pub struct For {
    /// The name of the key or index, if one is given.
    pub key_name: Option<Arc<str>>,
    /// The name of the element.
    pub value_name: Arc<str>,
    /// What is gone through.
    pub collection: Expr,
    /// The key of the result, where that is an object.
    pub key: Option<Expr>,
    /// The value of the result.
    pub value: Expr,
    /// `if …`
    pub condition: Option<Expr>,
    /// `...`: values under the same key are gathered in a tuple.
    pub group: bool,
}

impl Expr {
    /// A call of a function.
    pub fn call(name: &str, arguments: Vec<Expr>, span: Span) -> Expr {
        let call = Call {
            name: name.into(),
            name_span: span,
            arguments,
            expand: false,
            parentheses: span,
        };
        Expr {
            kind: ExprKind::Call(Arc::new(call)),
            span,
        }
    }

    /// A value.
    pub fn literal(value: Value, span: Span) -> Expr {
        Expr {
            kind: ExprKind::Literal(value),
            span,
        }
    }

    /// An object of these items.
    pub fn object(items: Vec<(Expr, Expr)>, span: Span) -> Expr {
        let items = items
            .into_iter()
            .map(|(key, value)| ObjectItem { key, value });
        Expr {
            kind: ExprKind::Object(items.collect()),
            span,
        }
    }

    /// A tuple of these elements.
    pub fn tuple(elements: Vec<Expr>, span: Span) -> Expr {
        Expr {
            kind: ExprKind::Tuple(elements.into()),
            span,
        }
    }

    /// A reference.
    pub fn traversal(traversal: Traversal) -> Expr {
        Expr {
            span: traversal.span,
            kind: ExprKind::Traversal(traversal),
        }
    }

    /// The value, when the expression is one that needs no evaluation.
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.kind {
            ExprKind::Literal(value) => Some(value),
            ExprKind::Paren(inner) => inner.as_literal(),
            _ => None,
        }
    }

    /// The reference, when the expression is one and nothing else.
    pub fn as_traversal(&self) -> Option<&Traversal> {
        match &self.kind {
            ExprKind::Traversal(traversal) => Some(traversal),
            _ => None,
        }
    }

    /// The word, when the expression is a bare one: `string`, `any`, `all`.
    pub fn as_keyword(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Traversal(t) if t.steps.is_empty() => Some(&t.root),
            _ => None,
        }
    }

    /// The references in the expression, in the order they are written; not those to variables
    /// of its own `for` expressions.
    pub fn references(&self) -> Vec<&Traversal> {
        let mut found = Vec::new();
        self.walk(&mut Vec::new(), &mut found);
        found
    }

    fn walk<'e>(&'e self, bound: &mut Vec<&'e str>, found: &mut Vec<&'e Traversal>) {
        if let ExprKind::Traversal(traversal) = &self.kind {
            if !bound.contains(&traversal.root.as_ref()) {
                found.push(traversal);
            }
            return;
        }
        if let ExprKind::For(f) = &self.kind {
            f.collection.walk(bound, found);
            let outside = bound.len();
            bound.extend(f.key_name.as_deref());
            bound.push(&f.value_name);
            for part in f.key.iter().chain([&f.value]).chain(&f.condition) {
                part.walk(bound, found);
            }
            bound.truncate(outside);
            return;
        }
        self.for_each_part(&mut |part| part.walk(bound, found));
    }

    /// The expressions this one is directly made of, in the order they are written.
    pub fn for_each_part<'e>(&'e self, visit: &mut impl FnMut(&'e Expr)) {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Traversal(_) | ExprKind::SplatElement => {}
            ExprKind::Template(parts) | ExprKind::Tuple(parts) => parts.iter().for_each(visit),
            ExprKind::Interpolation(inner)
            | ExprKind::TemplateJoin(inner)
            | ExprKind::Steps(inner, _)
            | ExprKind::Unary(_, inner)
            | ExprKind::Paren(inner)
            | ExprKind::AmbiguousKey(inner) => visit(inner),
            ExprKind::Index(index) => {
                visit(&index.collection);
                visit(&index.key);
            }
            ExprKind::Splat(splat) => {
                visit(&splat.source);
                visit(&splat.each);
            }
            ExprKind::Object(items) => items.iter().for_each(|item| {
                visit(&item.key);
                visit(&item.value);
            }),
            ExprKind::Conditional(c) => {
                visit(&c.condition);
                visit(&c.if_true);
                visit(&c.if_false);
            }
            ExprKind::Binary(b) => {
                visit(&b.left);
                visit(&b.right);
            }
            ExprKind::Call(call) => call.arguments.iter().for_each(visit),
            ExprKind::For(f) => {
                visit(&f.collection);
                f.key.iter().for_each(&mut *visit);
                visit(&f.value);
                f.condition.iter().for_each(visit);
            }
        }
    }

    /// Changes the references in the expression; not those to variables of its own `for`
    /// expressions.
    pub fn map_traversals(&mut self, change: &mut impl FnMut(&mut Traversal)) {
        // The change sees a `dyn`, so that the recursion has one instance for each caller.
        self.map_free(&mut Vec::new(), change);
    }

    fn map_free(&mut self, bound: &mut Vec<Arc<str>>, change: &mut dyn FnMut(&mut Traversal)) {
        let mut all = |parts: &mut [Expr], bound: &mut Vec<Arc<str>>| {
            for part in parts {
                part.map_free(bound, change);
            }
        };
        match &mut self.kind {
            ExprKind::Literal(_) | ExprKind::SplatElement => {}
            ExprKind::Traversal(traversal) => {
                if !bound.contains(&traversal.root) {
                    change(traversal);
                }
            }
            ExprKind::Template(parts) | ExprKind::Tuple(parts) => all(Arc::make_mut(parts), bound),
            ExprKind::Interpolation(inner)
            | ExprKind::TemplateJoin(inner)
            | ExprKind::Steps(inner, _)
            | ExprKind::Unary(_, inner)
            | ExprKind::Paren(inner)
            | ExprKind::AmbiguousKey(inner) => Arc::make_mut(inner).map_free(bound, change),
            ExprKind::Index(index) => {
                let index = Arc::make_mut(index);
                index.collection.map_free(bound, change);
                index.key.map_free(bound, change);
            }
            ExprKind::Splat(splat) => {
                let splat = Arc::make_mut(splat);
                splat.source.map_free(bound, change);
                splat.each.map_free(bound, change);
            }
            ExprKind::Object(items) => {
                for item in Arc::make_mut(items) {
                    item.key.map_free(bound, change);
                    item.value.map_free(bound, change);
                }
            }
            ExprKind::Conditional(c) => {
                let c = Arc::make_mut(c);
                c.condition.map_free(bound, change);
                c.if_true.map_free(bound, change);
                c.if_false.map_free(bound, change);
            }
            ExprKind::Binary(b) => {
                let b = Arc::make_mut(b);
                b.left.map_free(bound, change);
                b.right.map_free(bound, change);
            }
            ExprKind::Call(call) => all(&mut Arc::make_mut(call).arguments, bound),
            ExprKind::For(f) => {
                let f = Arc::make_mut(f);
                f.collection.map_free(bound, change);
                let outside = bound.len();
                bound.extend(f.key_name.clone());
                bound.push(Arc::clone(&f.value_name));
                for part in f
                    .key
                    .iter_mut()
                    .chain([&mut f.value])
                    .chain(&mut f.condition)
                {
                    part.map_free(bound, change);
                }
                bound.truncate(outside);
            }
        }
    }
}

impl Traversal {
    /// The names it begins with, up to the first index.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let steps = self.steps.iter().map_while(TraversalStep::as_attribute);
        std::iter::once(self.root.as_ref()).chain(steps.map(AsRef::as_ref))
    }
}

impl TraversalStep {
    /// Where the step stands.
    pub fn span(&self) -> Span {
        match self {
            TraversalStep::Attribute(_, span) | TraversalStep::Index(_, span) => *span,
        }
    }

    /// The name, when it is an attribute.
    pub fn as_attribute(&self) -> Option<&Arc<str>> {
        match self {
            TraversalStep::Attribute(name, _) => Some(name),
            TraversalStep::Index(..) => None,
        }
    }
}

/// As it would be written: `a.b[0]["k"]`.
impl std::fmt::Display for Traversal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.root)?;
        for step in &self.steps {
            match step {
                TraversalStep::Attribute(name, _) => write!(f, ".{name}")?,
                TraversalStep::Index(key, _) => match (key.as_str(), key.as_number()) {
                    (Some(key), _) => write!(f, "[{key:?}]")?,
                    (_, Some(key)) => write!(f, "[{key}]")?,
                    _ => f.write_str("[…]")?,
                },
            }
        }
        Ok(())
    }
}
