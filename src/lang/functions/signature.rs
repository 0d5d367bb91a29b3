//! What a function takes and answers, and how it is called.

use mlinfra_sdk::{Data, Marks, Type, Value};

use super::arguments::{Arguments, CallError};
use crate::lang::scope::FunctionSettings;

/// A built-in function.
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// What it does, in one or two sentences.
    pub description: &'static str,
    /// The parameters that every call has.
    pub parameters: &'static [Parameter],
    /// The parameter that may be repeated after them, or left out.
    pub variadic: Option<Parameter>,
    /// What it answers.
    pub returns: Returns,
    /// Whether the answer may be null.
    nullable: bool,
    body: Body,
}

type Body = fn(&Arguments<'_>) -> Result<Value, CallError>;
type TypeOf = fn(&[Value]) -> Result<Type, CallError>;

/// A parameter of a function.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The name, as errors call it.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it takes null.
    pub null: bool,
    /// Whether the body deals with unknown values itself.
    unknown: bool,
    /// Whether the body deals with marks itself.
    marked: bool,
    /// Whether the result is of a known type although the argument is of none.
    dynamic: bool,
}

/// What a parameter takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Anything.
    Any,
    /// A truth value.
    Bool,
    /// A number.
    Number,
    /// Text.
    Text,
    /// Elements of any one type, in order.
    List,
    /// Truth values, in order.
    Bools,
    /// Texts, in order.
    Texts,
    /// Elements of any one type, without order.
    Set,
    /// Lists of texts under keys.
    MapOfTexts,
}

impl Kind {
    /// The type that an argument is converted to.
    pub fn ty(self) -> Type {
        match self {
            Kind::Any => Type::Dynamic,
            Kind::Bool => Type::Bool,
            Kind::Number => Type::Number,
            Kind::Text => Type::String,
            Kind::List => Type::list(Type::Dynamic),
            Kind::Bools => Type::list(Type::Bool),
            Kind::Texts => Type::list(Type::String),
            Kind::Set => Type::set(Type::Dynamic),
            Kind::MapOfTexts => Type::map(Type::list(Type::String)),
        }
    }
}

/// The type of a result.
#[derive(Clone, Copy)]
pub enum Returns {
    /// A truth value.
    Bool,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A list of texts.
    Texts,
    /// A set of texts.
    SetOfTexts,
    /// Anything: it is not known before the value is.
    Any,
    /// It depends on the arguments; the second part is how documentation states it.
    From(TypeOf, fn() -> Type),
}

impl Returns {
    /// The type as documentation states it.
    pub fn ty(&self) -> Type {
        match self {
            Returns::Bool => Type::Bool,
            Returns::Number => Type::Number,
            Returns::Text => Type::String,
            Returns::Texts => Type::list(Type::String),
            Returns::SetOfTexts => Type::set(Type::String),
            Returns::Any => Type::Dynamic,
            Returns::From(_, stated) => stated(),
        }
    }
}

impl Parameter {
    /// A parameter that takes known values without marks.
    pub const fn new(name: &'static str, kind: Kind) -> Parameter {
        Parameter {
            name,
            kind,
            null: false,
            unknown: false,
            marked: false,
            dynamic: false,
        }
    }

    /// Also takes null.
    pub const fn null(self) -> Parameter {
        Parameter { null: true, ..self }
    }

    /// Also takes unknown values.
    pub const fn unknown(self) -> Parameter {
        Parameter {
            unknown: true,
            ..self
        }
    }

    /// Keeps its marks.
    pub const fn marked(self) -> Parameter {
        Parameter {
            marked: true,
            ..self
        }
    }

    /// May be of unknown type without making the type of the result unknown.
    pub const fn dynamic(self) -> Parameter {
        Parameter {
            dynamic: true,
            ..self
        }
    }
}

impl Function {
    /// A function with a fixed number of parameters.
    pub const fn new(
        name: &'static str,
        description: &'static str,
        parameters: &'static [Parameter],
        returns: Returns,
        body: Body,
    ) -> Function {
        Function {
            name,
            description,
            parameters,
            variadic: None,
            returns,
            nullable: false,
            body,
        }
    }

    /// With a last parameter that may be repeated or left out.
    pub const fn variadic(self, parameter: Parameter) -> Function {
        Function {
            variadic: Some(parameter),
            ..self
        }
    }

    /// With an answer that may be null.
    pub const fn nullable(self) -> Function {
        Function {
            nullable: true,
            ..self
        }
    }

    /// The parameter that an argument is for.
    pub fn parameter(&self, index: usize) -> Option<&Parameter> {
        self.parameters.get(index).or(self.variadic.as_ref())
    }

    /// Calls the function with arguments that were converted to the types of its parameters.
    ///
    /// # Errors
    /// What the function has to say against the arguments.
    pub fn call(
        &self,
        mut values: Vec<Value>,
        settings: &FunctionSettings,
    ) -> Result<Value, CallError> {
        let mut taken = Marks::NONE;
        let mut sensitive = 0u64;
        let (mut unknown, mut dynamic) = (false, false);
        for (i, value) in values.iter_mut().enumerate() {
            let Some(parameter) = self.parameter(i) else {
                continue;
            };
            if value.is_null() && !parameter.null {
                return Err(CallError::argument(i, "argument must not be null"));
            }
            if !parameter.marked {
                let marks = value.marks_deep();
                if !marks.is_none() {
                    if marks.is_sensitive() {
                        sensitive |= 1 << i.min(63);
                    }
                    taken |= marks;
                    *value = std::mem::replace(value, Value::NULL).unmark_deep().0;
                }
            }
            unknown |= !parameter.unknown && !value.is_known();
            dynamic |= !parameter.dynamic && is_untyped(value);
        }
        let result = if dynamic {
            Value::UNKNOWN
        } else if unknown {
            let value = Value::unknown(self.result_type(&values)?);
            if self.nullable {
                value
            } else {
                value.never_null()
            }
        } else {
            (self.body)(&Arguments::new(&values, sensitive, settings))?
        };
        Ok(result.with_marks(taken))
    }

    /// The type of the result, for arguments of which some are not known.
    fn result_type(&self, values: &[Value]) -> Result<Type, CallError> {
        match self.returns {
            Returns::From(of, _) => of(values),
            _ => Ok(self.returns.ty()),
        }
    }
}

/// Whether not even the type of a value is known; null alone has none either.
fn is_untyped(value: &Value) -> bool {
    matches!(
        value.data(),
        Data::Unknown(Type::Dynamic, _) | Data::Null(Type::Dynamic)
    )
}
