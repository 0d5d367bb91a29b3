//! Functions on numbers.

use dashu_int::IBig;
use mlinfra_sdk::{Data, Number, Refinement, Type, Value};

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};
use crate::lang::convert::convert;
use crate::lang::names::type_name;
use crate::lang::quote::quoted;

const NUM: Parameter = Parameter::new("num", Kind::Number).dynamic();

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "abs",
        "The number without its sign.",
        &[NUM],
        Returns::Number,
        |a| Ok(Value::from(a.number(0).abs())),
    ),
    Function::new(
        "ceil",
        "The nearest whole number that is not less.",
        &[NUM],
        Returns::Number,
        |a| Ok(Value::from(a.number(0).ceil())),
    ),
    Function::new(
        "floor",
        "The nearest whole number that is not greater.",
        &[NUM],
        Returns::Number,
        |a| Ok(Value::from(a.number(0).floor())),
    ),
    Function::new(
        "log",
        "The logarithm of a number to a base.",
        &[
            Parameter::new("num", Kind::Number),
            Parameter::new("base", Kind::Number),
        ],
        Returns::Number,
        |a| float(libm::log(a.number(0).as_f64()) / libm::log(a.number(1).as_f64())),
    ),
    Function::new(
        "max",
        "The greatest of the numbers.",
        &[],
        Returns::Number,
        |a| extreme(a, |n, best| n > best),
    )
    .variadic(Parameter::new("numbers", Kind::Number).dynamic()),
    Function::new(
        "min",
        "The least of the numbers.",
        &[],
        Returns::Number,
        |a| extreme(a, |n, best| n < best),
    )
    .variadic(Parameter::new("numbers", Kind::Number).dynamic()),
    Function::new(
        "parseint",
        "The whole number that a text stands for in a base from 2 to 62.",
        &[
            Parameter::new("number", Kind::Any),
            Parameter::new("base", Kind::Number),
        ],
        Returns::From(parseint_type, || Type::Dynamic),
        parseint,
    ),
    Function::new(
        "pow",
        "The number raised to a power.",
        &[
            Parameter::new("num", Kind::Number),
            Parameter::new("power", Kind::Number),
        ],
        Returns::Number,
        |a| float(power(a.number(0).as_f64(), a.number(1).as_f64())),
    ),
    Function::new(
        "signum",
        "-1, 0 or 1 for a negative number, zero, or a positive one.",
        &[Parameter::new("num", Kind::Number)],
        Returns::Number,
        |a| Ok(Value::from(a.integer(0)?.signum())),
    ),
    Function::new(
        "sum",
        "The sum of the numbers of a list, set or tuple.",
        &[Parameter::new("list", Kind::Any)],
        Returns::From(|_| Ok(Type::Number), || Type::Dynamic),
        sum,
    ),
    Function::new(
        "range",
        "A list of numbers from a start (0) up to a limit by steps of a size (1).",
        &[],
        Returns::From(
            |_| Ok(Type::list(Type::Number)),
            || Type::list(Type::Number),
        ),
        range,
    )
    .variadic(Parameter::new("params", Kind::Number)),
];

fn float(x: f64) -> Result<Value, CallError> {
    Number::from_f64(x)
        .map(Value::from)
        .ok_or_else(|| CallError::new("the result is not a real number"))
}

/// `x` to the power of `y`: the whole part of `y` by squaring, the rest by the exponential
/// function. The last digits of a result depend on the way it is computed, and this is the one
/// that others of this field take.
fn power(x: f64, y: f64) -> f64 {
    let mut whole = y.abs().trunc();
    let mut rest = y.abs() - whole;
    if !x.is_finite() || x == 0.0 || whole >= 9e18 || rest != 0.0 && x < 0.0 {
        return x.powf(y);
    }
    if rest == 0.5 && whole == 0.0 {
        return if y > 0.0 { x.sqrt() } else { 1.0 / x.sqrt() };
    }
    if rest > 0.5 {
        rest -= 1.0;
        whole += 1.0;
    }
    let mut result = if rest == 0.0 {
        1.0
    } else {
        libm::exp(rest * libm::log(x))
    };
    let mut factor = x;
    let mut left = whole as u64;
    while left != 0 {
        if left & 1 == 1 {
            result *= factor;
        }
        factor *= factor;
        left >>= 1;
    }
    if y < 0.0 { 1.0 / result } else { result }
}

fn extreme(a: &Arguments<'_>, better: fn(&Number, &Number) -> bool) -> Result<Value, CallError> {
    let mut numbers = a.values().iter().filter_map(Value::as_number);
    let mut best = numbers
        .next()
        .ok_or_else(|| CallError::new("must pass at least one number"))?;
    for number in numbers {
        if better(number, best) {
            best = number;
        }
    }
    Ok(Value::from(best.clone()))
}

fn parseint_type(values: &[Value]) -> Result<Type, CallError> {
    match values.first().map(Value::ty) {
        Some(Type::String | Type::Dynamic) | None => Ok(Type::Number),
        Some(ty) => Err(CallError::argument(
            0,
            format!("first argument must be a string, not {}", type_name(&ty)),
        )),
    }
}

fn parseint(a: &Arguments<'_>) -> Result<Value, CallError> {
    parseint_type(a.values())?;
    let base = a.number(1).as_i64().filter(|base| (2..=62).contains(base));
    let base = base.ok_or_else(|| {
        CallError::argument(1, "base must be a whole number between 2 and 62 inclusive")
    })?;
    let text = a.text(0);
    digits_in_base(text, base)
        .map(|n| Value::from(Number::from_big(&n)))
        .ok_or_else(|| {
            CallError::argument(
                0,
                format!(
                    "cannot parse {} as a base {} integer",
                    a.tell(0, quoted(text)),
                    a.tell(1, base.to_string())
                ),
            )
        })
}

/// Digits beyond nine are letters; up to base 36 their case does not matter.
fn digits_in_base(text: &str, base: i64) -> Option<IBig> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    let mut n = IBig::ZERO;
    for b in digits.bytes() {
        let digit = match b {
            b'0'..=b'9' => b - b'0',
            b'a'..=b'z' => b - b'a' + 10,
            b'A'..=b'Z' if base <= 36 => b - b'A' + 10,
            b'A'..=b'Z' => b - b'A' + 36,
            _ => return None,
        };
        if i64::from(digit) >= base {
            return None;
        }
        n = n * base + digit;
    }
    Some(if text.starts_with('-') { -n } else { n })
}

fn sum(a: &Arguments<'_>) -> Result<Value, CallError> {
    let list = a.value(0);
    let ty = list.ty();
    let fail = |message: String| Err(CallError::argument(0, message));
    let elements = match list.data() {
        Data::List(_, items) | Data::Set(_, items) | Data::Tuple(items) => items.as_slice(),
        Data::Map(..) | Data::Object(_) => {
            return fail(format!(
                "argument must be list, set, or tuple. Received {}",
                type_name(&ty)
            ));
        }
        _ => return fail("cannot sum noniterable".into()),
    };
    if elements.is_empty() {
        return fail("cannot sum an empty list".into());
    }
    if !list.is_wholly_known() {
        return Ok(Value::unknown_refined(Type::Number, Refinement::not_null()));
    }
    let mut total: Option<Number> = None;
    for element in elements {
        let number = convert(element, &Type::Number).ok();
        let number = number.as_ref().and_then(Value::as_number).cloned();
        let Some(number) = number else {
            return fail("argument must be list, set, or tuple of number values".into());
        };
        total = Some(match total {
            None => number,
            Some(total) => total
                .add(&number)
                .map_err(|e| CallError::new(e.to_string()))?,
        });
    }
    Ok(total.map_or(Value::UNKNOWN, Value::from))
}

/// The most elements that `range` makes.
const LONGEST_RANGE: usize = 1024;

fn range(a: &Arguments<'_>) -> Result<Value, CallError> {
    let zero = Number::written(0);
    let one = Number::written(1);
    let minus_one = Number::written(-1);
    let (start, end, step) = match a.values().len() {
        1 => {
            let end = a.number(0);
            let step = if end < zero { minus_one } else { one };
            (zero.clone(), end, step)
        }
        2 => {
            let (start, end) = (a.number(0), a.number(1));
            let step = if end < start { minus_one } else { one };
            (start, end, step)
        }
        3 => (a.number(0), a.number(1), a.number(2)),
        _ => return Err(CallError::new("must have one, two, or three arguments")),
    };
    let down = step < zero;
    if down && end > start {
        return Err(CallError::argument(
            1,
            "end must be less than start when step is negative",
        ));
    }
    if !down && end < start {
        return Err(CallError::argument(
            1,
            "end must be greater than start when step is positive",
        ));
    }
    let mut items = Vec::new();
    let mut at = start;
    while if down { at > end } else { at < end } {
        if items.len() >= LONGEST_RANGE {
            return Err(CallError::new(format!(
                "more than {LONGEST_RANGE} values were generated; either decrease the difference \
                 between start and end or use a smaller step"
            )));
        }
        items.push(Value::from(at.clone()));
        at = at.add(&step).map_err(|e| CallError::new(e.to_string()))?;
    }
    Ok(Value::list(Type::Number, items))
}
