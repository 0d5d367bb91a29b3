//! YAML: text of values, and values of text.

mod emit;
mod read;
mod scalar;

use mlinfra_sdk::{Type, Value};

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "yamldecode",
        "The value that a YAML text stands for.",
        &[Parameter::new("src", Kind::Text)],
        Returns::Any,
        |a| read::decode(a.text(0)).map_err(CallError::new),
    ),
    Function::new(
        "yamlencode",
        "The value as YAML text, in block style.",
        &[Parameter::new("value", Kind::Any)
            .null()
            .unknown()
            .dynamic()],
        Returns::Text,
        encode,
    ),
];

fn encode(a: &Arguments<'_>) -> Result<Value, CallError> {
    let value = a.value(0);
    if !value.is_wholly_known() {
        return Ok(Value::unknown(Type::String).never_null());
    }
    Ok(Value::from(emit::document(value)))
}
