//! Decimal text of big binary floats: read with correct rounding, written as short as possible.

use dashu_int::UBig;
use dashu_int::ops::BitTest;

use super::WRITTEN;
use super::float::{Float, Size};

/// The greatest exponent that is read; it bounds the time that a short text can cost.
const GREATEST_EXPONENT: i64 = 1_000_000;

/// Reads decimal text; `None` when it is none.
pub(super) fn parse(text: &str) -> Option<Float> {
    let (negative, unsigned) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if matches!(unsigned, "Inf" | "inf") {
        return Some(Float::infinity(negative, WRITTEN));
    }
    let (digits, exponent) = match unsigned.find(['e', 'E', 'p', 'P']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = [whole, fraction].concat();
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut ten = -i64::try_from(fraction.len()).ok()?;
    let mut two = 0;
    if let Some(exponent) = exponent {
        let power = read_exponent(&exponent[1..])?;
        if exponent.starts_with(['e', 'E']) {
            ten += power;
        } else {
            two += power;
        }
    }
    let mantissa = UBig::from_str_radix(&all, 10).ok()?;
    Some(from_decimal(negative, mantissa, ten, two))
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let power: i64 = text.parse().ok()?;
    (power.abs() <= GREATEST_EXPONENT).then_some(power)
}

/// `mantissa × 10^ten × 2^two`, rounded once.
fn from_decimal(negative: bool, mantissa: UBig, ten: i64, two: i64) -> Float {
    let power = |n: i64| UBig::from(5u8).pow(usize::try_from(n.unsigned_abs()).unwrap_or(0));
    let exponent = ten + two;
    if ten >= 0 {
        return Float::rounded(negative, mantissa * power(ten), exponent, false, WRITTEN);
    }
    let divisor = power(ten);
    let wanted = usize::from(WRITTEN) + 2 + divisor.bit_len();
    let shift = wanted.saturating_sub(mantissa.bit_len());
    let dividend = mantissa << shift;
    let quotient = &dividend / &divisor;
    let sticky = &quotient * &divisor != dividend;
    let exponent = exponent - i64::try_from(shift).unwrap_or(i64::MAX);
    Float::rounded(negative, quotient, exponent, sticky, WRITTEN)
}

/// A decimal number: the digits, and where the point stands before, among or after them.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// `mantissa × 2^exponent`, exactly.
    fn exact(mantissa: &UBig, exponent: i64) -> Decimal {
        let power = usize::try_from(exponent.unsigned_abs()).unwrap_or(0);
        let (integer, fraction) = if exponent >= 0 {
            (mantissa << power, 0)
        } else {
            (mantissa * UBig::from(5u8).pow(power), -exponent)
        };
        let mut digits = integer.to_string().into_bytes();
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) - fraction;
        digits.iter_mut().for_each(|d| *d -= b'0');
        Decimal { digits, point }.trimmed()
    }

    fn trimmed(mut self) -> Decimal {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        self
    }

    /// The digit `place` places after the first of a number whose point is at `point`.
    fn digit(&self, place: usize, point: i64) -> u8 {
        let shifted = i64::try_from(place).unwrap_or(i64::MAX) - (point - self.point);
        usize::try_from(shifted)
            .ok()
            .and_then(|i| self.digits.get(i))
            .copied()
            .unwrap_or(0)
    }

    /// One more in the last of the first `count` digits.
    fn rounded_up(mut self, count: usize) -> Decimal {
        self.digits.truncate(count);
        while let Some(last) = self.digits.pop() {
            if last < 9 {
                self.digits.push(last + 1);
                return self;
            }
        }
        Decimal {
            digits: vec![1],
            point: self.point + 1,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let digit = |i: i64| {
            let i = usize::try_from(i).ok();
            char::from(b'0' + i.and_then(|i| self.digits.get(i)).copied().unwrap_or(0))
        };
        if self.point <= 0 {
            text.push('0');
        }
        text.extend((0..self.point).map(digit));
        let end = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        if end > self.point {
            text.push('.');
            text.extend((self.point..end).map(digit));
        }
        text
    }
}

/// The shortest text that is read as the same number of the same precision.
pub(super) fn shortest(x: &Float) -> String {
    let sign = if x.negative { "-" } else { "" };
    match &x.size {
        Size::Zero => format!("{sign}0"),
        Size::Infinite => if x.negative { "-Inf" } else { "+Inf" }.to_owned(),
        Size::Finite(mantissa, exponent) => {
            let decimal = shorten(mantissa, *exponent, x.precision);
            format!("{sign}{}", decimal.text())
        }
    }
}

/// Cuts the exact digits as soon as what is left lies between the neighbours of the number.
fn shorten(mantissa: &UBig, exponent: i64, precision: u16) -> Decimal {
    let exact = Decimal::exact(mantissa, exponent);
    // The number with all bits of its precision and one more, so that the bounds, half a unit
    // away, are integers too.
    let shift = (usize::from(precision) + 1).saturating_sub(mantissa.bit_len());
    let fine = mantissa << shift;
    let fine_exponent = exponent - i64::try_from(shift).unwrap_or(0);
    let inclusive = !fine.bit(1);
    let lower = Decimal::exact(&(fine.clone() - 1u8), fine_exponent);
    let upper = Decimal::exact(&(fine + 1u8), fine_exponent);
    for (i, digit) in exact.digits.iter().copied().enumerate() {
        let low = lower.digit(i, exact.point);
        let high = upper.digit(i, exact.point);
        let last_of_lower = i64::try_from(i + 1).ok()
            == i64::try_from(lower.digits.len())
                .ok()
                .map(|n| n + exact.point - lower.point);
        let more_of_upper = i64::try_from(i + 1).ok()
            < i64::try_from(upper.digits.len())
                .ok()
                .map(|n| n + exact.point - upper.point);
        let down = low != digit || (inclusive && last_of_lower);
        let up = digit != high && (inclusive || digit + 1 < high || more_of_upper);
        match (down, up) {
            (true, true) => {
                let next = exact.digits.get(i + 1).copied().unwrap_or(0);
                let exactly_half = next == 5 && exact.digits.len() == i + 2;
                let round_up = if exactly_half {
                    digit % 2 == 1
                } else {
                    next >= 5
                };
                return cut(exact, i + 1, round_up);
            }
            (true, false) => return cut(exact, i + 1, false),
            (false, true) => return cut(exact, i + 1, true),
            (false, false) => {}
        }
    }
    exact
}

/// The text with so many digits after the point, halves rounded to even.
pub(super) fn fixed(x: &Float, places: usize) -> String {
    let sign = if x.negative { "-" } else { "" };
    let decimal = match exactly(x) {
        Ok(decimal) => decimal,
        Err(special) => return special.to_owned(),
    };
    let kept = decimal.point + i64::try_from(places).unwrap_or(i64::MAX);
    let mut text = rounded_to(decimal, kept).text();
    if places > 0 {
        let point = text.find('.').unwrap_or_else(|| {
            text.push('.');
            text.len() - 1
        });
        let width = point + 1 + places;
        text.extend(std::iter::repeat_n('0', width.saturating_sub(text.len())));
    }
    format!("{sign}{text}")
}

/// The digits, one before the point and `places` (or as few as tell the number) after it, and
/// the power of ten; without the sign.
pub(super) fn scientific(x: &Float, places: Option<usize>) -> (String, i64) {
    let decimal = match (&x.size, places) {
        (Size::Finite(mantissa, exponent), None) => shorten(mantissa, *exponent, x.precision),
        _ => match exactly(x) {
            Ok(decimal) => {
                let kept = places.map_or(1, |p| p.saturating_add(1));
                rounded_to(decimal, i64::try_from(kept).unwrap_or(i64::MAX))
            }
            Err(special) => return (special.trim_start_matches(['+', '-']).to_owned(), 0),
        },
    };
    let exponent = if decimal.digits.is_empty() {
        0
    } else {
        decimal.point - 1
    };
    let digit = |i: usize| char::from(b'0' + decimal.digits.get(i).copied().unwrap_or(0));
    let count = places
        .map_or(decimal.digits.len(), |p| p.saturating_add(1))
        .max(1);
    let mut text = String::from(digit(0));
    if count > 1 {
        text.push('.');
        text.extend((1..count).map(digit));
    }
    (text, exponent)
}

fn exactly(x: &Float) -> Result<Decimal, &'static str> {
    match &x.size {
        Size::Zero => Ok(Decimal {
            digits: Vec::new(),
            point: 1,
        }),
        Size::Infinite if x.negative => Err("-Inf"),
        Size::Infinite => Err("+Inf"),
        Size::Finite(mantissa, exponent) => Ok(Decimal::exact(mantissa, *exponent)),
    }
}

/// Rounded to its first `kept` digits, halves to even.
fn rounded_to(decimal: Decimal, kept: i64) -> Decimal {
    let Ok(kept) = usize::try_from(kept) else {
        return Decimal {
            digits: Vec::new(),
            point: 1,
        };
    };
    if kept >= decimal.digits.len() {
        return decimal;
    }
    let next = decimal.digits[kept];
    let half = next == 5 && decimal.digits.len() == kept + 1;
    let odd = kept > 0 && decimal.digits[kept - 1] % 2 == 1;
    cut(decimal, kept, if half { odd } else { next >= 5 })
}

fn cut(mut decimal: Decimal, count: usize, up: bool) -> Decimal {
    if up {
        return decimal.rounded_up(count);
    }
    decimal.digits.truncate(count);
    decimal.trimmed()
}
