//! Numbers of the language: binary floating point of up to 512 bits, and a fast path for
//! integers of machine size.
//!
//! What is written in a configuration has 512 bits of precision; what a function computes may
//! have fewer (a length has 64, a power 53), which shows only in the digits of a quotient.

mod decimal;
mod float;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use dashu_int::{IBig, UBig};
use float::Float;

/// The precision of numbers as people write them, in bits.
const WRITTEN: u16 = 512;
/// The precision of integers that come out of a function.
const MACHINE: u16 = 64;

/// A number: finite, with a sign even when it is zero, or infinite. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Number(Form);

#[derive(Clone, Debug)]
enum Form {
    /// An integer, and the bits of precision it has when it is divided.
    Int(i64, u16),
    Float(Arc<Float>),
}

/// The text is not a number.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is not a number")]
pub struct NotANumber(pub String);

/// An operation without a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ArithmeticError {
    /// ∞ + -∞
    #[error("can't compute sum of opposing infinities")]
    OpposingInfinities,
    /// ∞ - ∞
    #[error("can't subtract infinity from itself")]
    InfinityFromItself,
    /// 0 × ∞
    #[error("can't multiply zero by infinity")]
    ZeroByInfinity,
    /// 0 / 0 and ∞ / ∞
    #[error("can't divide zero by zero or infinity by infinity")]
    IndefiniteQuotient,
}

/// Making numbers and taking them apart.
impl Number {
    /// An integer as it would be written.
    pub fn written(n: i64) -> Number {
        Number(Form::Int(n, WRITTEN))
    }

    /// The positive infinity.
    pub fn infinity() -> Number {
        Number(Form::Float(Arc::new(Float::infinity(false, WRITTEN))))
    }

    /// From a machine float; `None` when it is not a number.
    pub fn from_f64(x: f64) -> Option<Number> {
        if x.is_nan() {
            None
        } else if x.fract() == 0.0 && x.abs() < 9e15 && !(x == 0.0 && x.is_sign_negative()) {
            Some(Number(Form::Int(x as i64, 53)))
        } else {
            Some(Float::from_f64(x).into())
        }
    }

    /// From an integer of any size, with as many bits of precision as it needs.
    pub fn from_big(n: &IBig) -> Number {
        match i64::try_from(n) {
            Ok(n) => Number(Form::Int(n, MACHINE)),
            Err(_) => Float::from_big(n, MACHINE).into(),
        }
    }

    /// As a machine integer, when it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Form::Int(n, _) => Some(*n),
            Form::Float(x) => i64::try_from(x.as_big()?).ok(),
        }
    }

    /// As an integer of any size, when it is one.
    pub fn as_big(&self) -> Option<IBig> {
        match &self.0 {
            Form::Int(n, _) => Some(IBig::from(*n)),
            Form::Float(x) => x.as_big(),
        }
    }

    /// As a machine float, rounded.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Form::Int(n, _) => *n as f64,
            Form::Float(x) => x.as_f64(),
        }
    }

    /// Whether it has no fraction; infinities are no integers.
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Form::Int(..) => true,
            Form::Float(x) => x.is_integer(),
        }
    }

    /// Whether it is infinite.
    pub fn is_infinite(&self) -> bool {
        matches!(&self.0, Form::Float(x) if x.is_infinite())
    }

    /// Whether it has a minus sign, which zero may have too.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Form::Int(n, _) => *n < 0,
            Form::Float(x) => x.negative,
        }
    }

    /// Whether it is zero, of either sign.
    pub fn is_zero(&self) -> bool {
        match &self.0 {
            Form::Int(n, _) => *n == 0,
            Form::Float(x) => x.is_zero(),
        }
    }

    /// Decimal text with so many digits after the point, halves rounded to even.
    pub fn fixed(&self, places: usize) -> String {
        decimal::fixed(&self.float(), places)
    }

    /// The digits in the form `d.ddd` with `places` digits after the point, or as few as tell the
    /// number, and the power of ten that they are multiplied by. The sign is left out.
    pub fn scientific(&self, places: Option<usize>) -> (String, i64) {
        decimal::scientific(&self.float(), places)
    }

    /// At most ten digits, with an exponent where it is very big or small.
    pub(super) fn in_ten_digits(&self) -> String {
        const DIGITS: i64 = 10;
        if self.is_infinite() {
            return self.to_string();
        }
        let sign = if self.is_negative() { "-" } else { "" };
        let (digits, exponent) = self.scientific(Some(9));
        let digits = digits.trim_end_matches('0').trim_end_matches('.');
        if (-4..DIGITS).contains(&exponent) {
            let places = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
            let text = self.abs().fixed(places);
            let text = match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.'),
                false => &text,
            };
            return format!("{sign}{text}");
        }
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        format!("{sign}{digits}e{exponent_sign}{:02}", exponent.abs())
    }

    fn precision(&self) -> u16 {
        match &self.0 {
            Form::Int(_, precision) => *precision,
            Form::Float(x) => x.precision,
        }
    }

    fn float(&self) -> Arc<Float> {
        match &self.0 {
            Form::Int(n, precision) => Arc::new(Float::from_int(*n, *precision)),
            Form::Float(x) => Arc::clone(x),
        }
    }
}

/// Arithmetic. Results are rounded to the precision of the more precise operand, halves to even.
impl Number {
    /// `self + other`
    ///
    /// # Errors
    /// When both are infinite with different signs.
    pub fn add(&self, other: &Number) -> Result<Number, ArithmeticError> {
        if let Some(n) = self.fast(other, i64::checked_add) {
            return Ok(n);
        }
        Ok(self.float().add(&other.float())?.into())
    }

    /// `self - other`
    ///
    /// # Errors
    /// When both are infinite with the same sign.
    pub fn subtract(&self, other: &Number) -> Result<Number, ArithmeticError> {
        if let Some(n) = self.fast(other, i64::checked_sub) {
            return Ok(n);
        }
        let difference = self.float().add(&other.float().negate());
        let difference = difference.map_err(|_| ArithmeticError::InfinityFromItself)?;
        Ok(difference.into())
    }

    /// `self * other`
    ///
    /// # Errors
    /// When one is zero and the other infinite.
    pub fn multiply(&self, other: &Number) -> Result<Number, ArithmeticError> {
        // A zero may have a sign.
        let product = |a: i64, b: i64| a.checked_mul(b).filter(|n| *n != 0);
        if let Some(n) = self.fast(other, product) {
            return Ok(n);
        }
        Ok(self.float().multiply(&other.float())?.into())
    }

    /// `self / other`; a division by zero is infinite.
    ///
    /// # Errors
    /// When both are zero or both are infinite.
    pub fn divide(&self, other: &Number) -> Result<Number, ArithmeticError> {
        let quotient = |a: i64, b: i64| {
            let exact = a != 0 && a.checked_rem(b) == Some(0);
            if exact { a.checked_div(b) } else { None }
        };
        if let Some(n) = self.fast(other, quotient) {
            return Ok(n);
        }
        Ok(self.float().divide(&other.float())?.into())
    }

    /// The remainder of the division that is cut towards zero; `self` when `other` is zero.
    ///
    /// # Errors
    /// When one is zero and the other infinite.
    pub fn modulo(&self, other: &Number) -> Result<Number, ArithmeticError> {
        if self.is_infinite() || other.is_infinite() {
            return self.multiply(other);
        }
        if other.is_zero() {
            return Ok(self.clone());
        }
        let remainder = |a: i64, b: i64| a.checked_rem(b).filter(|n| *n != 0);
        if let Some(n) = self.fast(other, remainder) {
            return Ok(n);
        }
        let whole = self.divide(other)?.float().truncate();
        let whole = whole.with_precision(self.precision());
        let part = whole.multiply(&other.float())?;
        let part = part.with_precision(self.precision());
        let rest = self.float().add(&part.negate())?;
        Ok(rest.with_precision(self.precision()).into())
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negate(&self) -> Number {
        match &self.0 {
            Form::Int(n, precision) if *n != 0 && *n != i64::MIN => {
                Number(Form::Int(-n, *precision))
            }
            _ => self.float().negate().into(),
        }
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(&self) -> Number {
        if self.is_negative() {
            self.negate()
        } else {
            self.clone()
        }
    }

    /// The greatest integer that is not greater; infinities stay.
    #[must_use]
    pub fn floor(&self) -> Number {
        self.to_integer(true)
    }

    /// The least integer that is not less; infinities stay.
    #[must_use]
    pub fn ceil(&self) -> Number {
        self.to_integer(false)
    }

    fn to_integer(&self, down: bool) -> Number {
        let Form::Float(x) = &self.0 else {
            return self.clone();
        };
        if x.is_infinite() {
            return self.clone();
        }
        if x.is_zero() {
            return Number(Form::Int(0, x.precision));
        }
        if x.is_integer() {
            return self.clone();
        }
        let whole = Number::from(x.truncate());
        // A zero that comes of rounding has no sign.
        let whole = if whole.is_zero() { whole.abs() } else { whole };
        let one = Number(Form::Int(1, x.precision));
        let moved = match (x.negative, down) {
            (true, true) => whole.subtract(&one),
            (false, false) => whole.add(&one),
            _ => return whole,
        };
        moved.unwrap_or(whole)
    }

    /// The result of an operation on machine integers, when it is one and exact.
    fn fast(&self, other: &Number, op: impl Fn(i64, i64) -> Option<i64>) -> Option<Number> {
        match (&self.0, &other.0) {
            (Form::Int(a, p), Form::Int(b, q)) => {
                let precision = *p.max(q);
                let n = op(*a, *b)?;
                let exact = precision >= 64 || n.unsigned_abs() < 1 << precision.min(63);
                exact.then_some(Number(Form::Int(n, precision)))
            }
            _ => None,
        }
    }
}

impl From<Float> for Number {
    fn from(x: Float) -> Number {
        match x.as_small() {
            Some(n) => Number(Form::Int(n, x.precision)),
            None => Number(Form::Float(Arc::new(x))),
        }
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Number {
        Number(Form::Int(n, MACHINE))
    }
}

impl From<usize> for Number {
    fn from(n: usize) -> Number {
        Number::from_big(&IBig::from(UBig::from(n)))
    }
}

/// Decimal text with an optional sign, fraction and exponent; also `Inf`.
impl FromStr for Number {
    type Err = NotANumber;
    fn from_str(text: &str) -> Result<Number, NotANumber> {
        let plain = text.len() < 19 && text.bytes().all(|b| b.is_ascii_digit());
        if let (true, Ok(n)) = (plain, text.parse()) {
            return Ok(Number::written(n));
        }
        decimal::parse(text)
            .map(Number::from)
            .ok_or_else(|| NotANumber(text.to_owned()))
    }
}

/// The shortest decimal text that is read back as the same number, without an exponent.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Int(n, _) => write!(f, "{n}"),
            Form::Float(x) => f.write_str(&decimal::shortest(x)),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (&self.0, &other.0) {
            (Form::Int(a, _), Form::Int(b, _)) => a.cmp(b),
            _ => self.float().compare(&other.float()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn n(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn decimal_fractions_add_up_as_people_expect() {
        assert_eq!(n("0.1").add(&n("0.2")).unwrap(), n("0.3"));
        assert_eq!(n("0.1").add(&n("0.2")).unwrap().to_string(), "0.3");
    }

    #[test]
    fn a_third_has_155_digits() {
        let third = n("1").divide(&n("3")).unwrap().to_string();
        assert_eq!(third.len(), 157);
        assert!(third.starts_with("0.333") && third.ends_with("335"));
        let short = Number::from(1i64).divide(&Number::from(3i64)).unwrap();
        assert_eq!(short.to_string(), "0.33333333333333333334");
    }

    #[test]
    fn zero_has_a_sign_and_a_division_by_it_is_infinite() {
        assert_eq!(n("0").negate().to_string(), "-0");
        assert_eq!(n("0").multiply(&n("-1")).unwrap().to_string(), "-0");
        assert_eq!(n("0").negate(), n("0"));
        assert_eq!(n("1").divide(&n("0")).unwrap().to_string(), "+Inf");
        assert_eq!(
            n("0").divide(&n("0")),
            Err(ArithmeticError::IndefiniteQuotient)
        );
        let inf = Number::infinity();
        assert_eq!(inf.subtract(&inf), Err(ArithmeticError::InfinityFromItself));
        assert_eq!(inf.multiply(&n("0")), Err(ArithmeticError::ZeroByInfinity));
    }

    #[test]
    fn remainders_are_cut_towards_zero() {
        for (a, b, rest) in [
            ("7", "3", "1"),
            ("7", "-3", "1"),
            ("-7", "3", "-1"),
            ("7.5", "2", "1.5"),
            ("5", "0", "5"),
            ("1e30", "7", "1"),
        ] {
            assert_eq!(n(a).modulo(&n(b)).unwrap().to_string(), rest, "{a} % {b}");
        }
    }

    #[test]
    fn texts_that_are_no_numbers_are_refused() {
        for text in [
            "", "-", ".", "1e", "0x10", "1_0", " 5", "Infinity", "1e+", "++1", "1.2.3",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
        for (text, shown) in [
            ("+5", "5"),
            ("5.", "5"),
            (".5", "0.5"),
            ("010", "10"),
            ("1p3", "8"),
            ("1P-3", "0.125"),
            ("inf", "+Inf"),
            ("-Inf", "-Inf"),
            ("1E-3", "0.001"),
            ("-0", "-0"),
        ] {
            assert_eq!(n(text).to_string(), shown);
        }
    }

    #[test]
    fn machine_floats_are_taken_exactly() {
        assert_eq!(Number::from_f64(0.1).unwrap().to_string(), "0.1");
        assert_ne!(Number::from_f64(0.1).unwrap(), n("0.1"));
        assert_eq!(n("1e400").as_f64(), f64::INFINITY);
        assert_eq!(n("0.1").as_f64(), 0.1);
        assert_eq!(n("-2.5").as_f64(), -2.5);
        assert_eq!(n("5e-324").as_f64(), 5e-324);
    }

    #[test]
    fn floor_and_ceil_go_to_the_neighbours() {
        for (x, floor, ceil) in [
            ("1.5", "1", "2"),
            ("-1.5", "-2", "-1"),
            ("3", "3", "3"),
            ("-0.5", "-1", "0"),
            ("1e-400", "0", "1"),
        ] {
            assert_eq!(n(x).floor().to_string(), floor);
            assert_eq!(n(x).ceil().to_string(), ceil);
        }
    }

    #[test]
    fn digits_can_be_asked_for() {
        assert_eq!(n("2.5").fixed(0), "2");
        assert_eq!(n("3.5").fixed(0), "4");
        assert_eq!(n("-0.126").fixed(2), "-0.13");
        assert_eq!(n("3").fixed(2), "3.00");
        assert_eq!(n("0.001").fixed(2), "0.00");
        assert_eq!(n("9.99").fixed(1), "10.0");
        assert_eq!(n("0").fixed(1), "0.0");
        assert_eq!(n("12345.678").scientific(Some(2)), ("1.23".into(), 4));
        assert_eq!(n("1e21").scientific(None), ("1".into(), 21));
        assert_eq!(n("0").scientific(Some(1)), ("0.0".into(), 0));
        assert_eq!(n("9.99").scientific(Some(1)), ("1.0".into(), 1));
    }

    fn integer() -> impl Strategy<Value = IBig> {
        (any::<i128>(), 0u32..3).prop_map(|(n, power)| IBig::from(n).pow(power as usize))
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(digits in "-?[0-9]{1,40}(\\.[0-9]{1,40})?(e-?[0-9]{1,2})?") {
            let number = n(&digits);
            prop_assert_eq!(n(&number.to_string()), number);
        }

        #[test]
        fn quotients_are_read_back(a in any::<i64>(), b in any::<i64>()) {
            prop_assume!(b != 0);
            let quotient = Number::written(a).divide(&Number::written(b)).unwrap();
            prop_assert_eq!(n(&quotient.to_string()), quotient);
        }

        #[test]
        fn integers_below_512_bits_are_computed_exactly(a in integer(), b in integer()) {
            let (x, y) = (n(&a.to_string()), n(&b.to_string()));
            prop_assert_eq!(x.add(&y).unwrap().as_big(), Some(&a + &b));
            prop_assert_eq!(x.subtract(&y).unwrap().as_big(), Some(&a - &b));
            prop_assert_eq!(x.multiply(&y).unwrap().as_big(), Some(&a * &b));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x.to_string(), a.to_string());
        }

        #[test]
        fn order_and_addition_agree(a in -1e300f64..1e300, b in -1e300f64..1e300) {
            let (x, y) = (Number::from_f64(a).unwrap(), Number::from_f64(b).unwrap());
            prop_assert_eq!(x.cmp(&y), a.partial_cmp(&b).unwrap());
            prop_assert_eq!(x.as_f64(), a);
            prop_assert_eq!(x.add(&y).unwrap(), y.add(&x).unwrap());
            prop_assert_eq!(x.add(&y).unwrap().as_f64(), a + b);
            prop_assert_eq!(x.to_string().parse::<f64>().unwrap(), a);
        }
    }
}
