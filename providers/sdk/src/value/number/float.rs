//! Binary floating point of a given precision: a sign, a big mantissa and an exponent.

use std::cmp::Ordering;

use dashu_int::ops::BitTest;
use dashu_int::{IBig, Sign, UBig};

use super::ArithmeticError;

/// The greatest magnitude of an exponent; beyond it a number is infinite or zero. It is far from
/// anything one means and bounds the time and memory that printing a number takes.
const GREATEST_EXPONENT: i64 = 1 << 24;

/// A number `±mantissa × 2^exponent`. The mantissa is odd, so that equal numbers look equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Float {
    /// Whether there is a minus sign.
    pub(super) negative: bool,
    /// What follows the sign.
    pub(super) size: Size,
    /// To how many bits results with this number are rounded.
    pub(super) precision: u16,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Size {
    Zero,
    Finite(UBig, i64),
    Infinite,
}

impl Float {
    pub(super) fn infinity(negative: bool, precision: u16) -> Float {
        Float {
            negative,
            size: Size::Infinite,
            precision,
        }
    }

    pub(super) fn from_int(n: i64, precision: u16) -> Float {
        let mantissa = UBig::from(n.unsigned_abs());
        Float::rounded(n < 0, mantissa, 0, false, precision)
    }

    pub(super) fn from_big(n: &IBig, precision: u16) -> Float {
        let (sign, mantissa) = n.clone().into_parts();
        let bits = u16::try_from(mantissa.bit_len()).unwrap_or(u16::MAX);
        let precision = precision.max(bits);
        Float::rounded(sign == Sign::Negative, mantissa, 0, false, precision)
    }

    pub(super) fn from_f64(x: f64) -> Float {
        if x.is_infinite() {
            return Float::infinity(x < 0.0, 53);
        }
        let bits = x.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, exponent) = match (bits >> 52) & 0x7ff {
            0 => (fraction, -1074),
            e => (
                fraction | 1 << 52,
                i64::try_from(e).unwrap_or_default() - 1075,
            ),
        };
        let negative = x.is_sign_negative();
        Float::rounded(negative, UBig::from(mantissa), exponent, false, 53)
    }

    /// `mantissa × 2^exponent`, and a bit more when `sticky`, rounded half to even.
    pub(super) fn rounded(
        negative: bool,
        mut mantissa: UBig,
        mut exponent: i64,
        sticky: bool,
        precision: u16,
    ) -> Float {
        let surplus = mantissa.bit_len().saturating_sub(usize::from(precision));
        if surplus > 0 {
            let half = mantissa.bit(surplus - 1);
            let below = sticky || mantissa.trailing_zeros().is_some_and(|z| z < surplus - 1);
            mantissa >>= surplus;
            exponent += as_exponent(surplus);
            if half && (below || mantissa.bit(0)) {
                mantissa += 1u8;
            }
        }
        let size = match mantissa.trailing_zeros() {
            None => Size::Zero,
            Some(zeros) => {
                let mantissa = mantissa >> zeros;
                let exponent = exponent + as_exponent(zeros);
                let top = exponent + as_exponent(mantissa.bit_len());
                if top > GREATEST_EXPONENT {
                    Size::Infinite
                } else if top < -GREATEST_EXPONENT {
                    Size::Zero
                } else {
                    Size::Finite(mantissa, exponent)
                }
            }
        };
        Float {
            negative,
            size,
            precision,
        }
    }

    pub(super) fn with_precision(&self, precision: u16) -> Float {
        match &self.size {
            Size::Finite(mantissa, exponent) => {
                Float::rounded(self.negative, mantissa.clone(), *exponent, false, precision)
            }
            size => Float {
                negative: self.negative,
                size: size.clone(),
                precision,
            },
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.size == Size::Zero
    }

    pub(super) fn is_infinite(&self) -> bool {
        self.size == Size::Infinite
    }

    pub(super) fn is_integer(&self) -> bool {
        match &self.size {
            Size::Zero => true,
            Size::Finite(_, exponent) => *exponent >= 0,
            Size::Infinite => false,
        }
    }

    /// As an integer, when it is one.
    pub(super) fn as_big(&self) -> Option<IBig> {
        let magnitude = match &self.size {
            Size::Zero => UBig::ZERO,
            Size::Finite(mantissa, exponent) => mantissa << usize::try_from(*exponent).ok()?,
            Size::Infinite => return None,
        };
        Some(IBig::from_parts(self.sign(), magnitude))
    }

    /// As a machine integer, when it is one and has no sign that would be lost.
    pub(super) fn as_small(&self) -> Option<i64> {
        match &self.size {
            Size::Zero if !self.negative => Some(0),
            Size::Finite(mantissa, exponent) if (0..63).contains(exponent) => {
                let mantissa = i64::try_from(mantissa).ok()?;
                let magnitude = mantissa.checked_mul(1 << exponent)?;
                Some(if self.negative { -magnitude } else { magnitude })
            }
            _ => None,
        }
    }

    fn sign(&self) -> Sign {
        if self.negative {
            Sign::Negative
        } else {
            Sign::Positive
        }
    }

    pub(super) fn as_f64(&self) -> f64 {
        let magnitude = match &self.size {
            Size::Zero => 0.0,
            Size::Infinite => f64::INFINITY,
            Size::Finite(mantissa, exponent) => {
                let top = as_exponent(mantissa.bit_len()) + exponent;
                // Numbers below 2^-1021 have fewer bits the smaller they are.
                let bits = (top + 1074).clamp(0, 53);
                if bits == 0 && top < -1074 {
                    0.0
                } else {
                    let bits = u16::try_from(bits).unwrap_or(53);
                    scaled(&Float::rounded(
                        false,
                        mantissa.clone(),
                        *exponent,
                        false,
                        bits,
                    ))
                }
            }
        };
        if self.negative { -magnitude } else { magnitude }
    }

    pub(super) fn negate(&self) -> Float {
        Float {
            negative: !self.negative,
            ..self.clone()
        }
    }

    /// Without the fraction.
    pub(super) fn truncate(&self) -> Float {
        match &self.size {
            Size::Finite(mantissa, exponent) if *exponent < 0 => {
                let cut = usize::try_from(-exponent).unwrap_or(usize::MAX);
                let whole = if cut >= mantissa.bit_len() {
                    UBig::ZERO
                } else {
                    mantissa >> cut
                };
                Float::rounded(self.negative, whole, 0, false, self.precision)
            }
            _ => self.clone(),
        }
    }

    pub(super) fn add(&self, other: &Float) -> Result<Float, ArithmeticError> {
        let precision = self.precision.max(other.precision);
        let ((a, i), (b, j)) = match (&self.size, &other.size) {
            (Size::Infinite, Size::Infinite) if self.negative != other.negative => {
                return Err(ArithmeticError::OpposingInfinities);
            }
            (Size::Infinite, _) => return Ok(self.clone()),
            (_, Size::Infinite) => return Ok(other.clone()),
            (Size::Zero, Size::Zero) => {
                return Ok(Float {
                    negative: self.negative && other.negative,
                    size: Size::Zero,
                    precision,
                });
            }
            (Size::Zero, _) => return Ok(other.with_precision(precision)),
            (_, Size::Zero) => return Ok(self.with_precision(precision)),
            (Size::Finite(a, i), Size::Finite(b, j)) => ((a, *i), (b, *j)),
        };
        let exponent = i.min(j);
        let shift = |n: &UBig, from: i64| n << usize::try_from(from - exponent).unwrap_or(0);
        let a = IBig::from_parts(self.sign(), shift(a, i));
        let b = IBig::from_parts(other.sign(), shift(b, j));
        let (sign, mantissa) = (a + b).into_parts();
        let negative = sign == Sign::Negative;
        Ok(Float::rounded(
            negative, mantissa, exponent, false, precision,
        ))
    }

    pub(super) fn multiply(&self, other: &Float) -> Result<Float, ArithmeticError> {
        let negative = self.negative != other.negative;
        let wanted = self.precision.max(other.precision);
        match (&self.size, &other.size) {
            (Size::Infinite, Size::Zero) | (Size::Zero, Size::Infinite) => {
                Err(ArithmeticError::ZeroByInfinity)
            }
            (Size::Infinite, _) | (_, Size::Infinite) => Ok(Float::infinity(negative, wanted)),
            (Size::Zero, _) | (_, Size::Zero) => Ok(Float {
                negative,
                size: Size::Zero,
                precision: wanted,
            }),
            (Size::Finite(a, i), Size::Finite(b, j)) => {
                // A product keeps all its bits up to 512.
                let mut product = Float::rounded(negative, a * b, i + j, false, super::WRITTEN);
                let needed = match &product.size {
                    Size::Finite(mantissa, _) => mantissa.bit_len(),
                    _ => 0,
                };
                product.precision = wanted.max(u16::try_from(needed).unwrap_or(wanted));
                Ok(product)
            }
        }
    }

    pub(super) fn divide(&self, other: &Float) -> Result<Float, ArithmeticError> {
        let negative = self.negative != other.negative;
        let precision = self.precision.max(other.precision);
        let zero = Float {
            negative,
            size: Size::Zero,
            precision,
        };
        match (&self.size, &other.size) {
            (Size::Infinite, Size::Infinite) | (Size::Zero, Size::Zero) => {
                Err(ArithmeticError::IndefiniteQuotient)
            }
            (Size::Zero, _) | (_, Size::Infinite) => Ok(zero),
            (Size::Infinite, _) | (_, Size::Zero) => Ok(Float::infinity(negative, precision)),
            (Size::Finite(a, i), Size::Finite(b, j)) => {
                // Enough bits for the precision and one to round by.
                let wanted = usize::from(precision) + 2;
                let shift = (wanted + b.bit_len()).saturating_sub(a.bit_len());
                let dividend = a << shift;
                let quotient = &dividend / b;
                let sticky = &quotient * b != dividend;
                let exponent = i - j - as_exponent(shift);
                Ok(Float::rounded(
                    negative, quotient, exponent, sticky, precision,
                ))
            }
        }
    }

    pub(super) fn compare(&self, other: &Float) -> Ordering {
        let sign = |x: &Float| match (&x.size, x.negative) {
            (Size::Zero, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        let order = sign(self).cmp(&sign(other));
        if order.is_ne() || self.is_zero() {
            return order;
        }
        let magnitude = match (&self.size, &other.size) {
            (Size::Finite(a, i), Size::Finite(b, j)) => {
                let top = |n: &UBig, e: i64| as_exponent(n.bit_len()) + e;
                top(a, *i).cmp(&top(b, *j)).then_with(|| {
                    let least = *i.min(j);
                    let shift = |n: &UBig, e: i64| n << usize::try_from(e - least).unwrap_or(0);
                    shift(a, *i).cmp(&shift(b, *j))
                })
            }
            (a, b) => (*a == Size::Infinite).cmp(&(*b == Size::Infinite)),
        };
        if self.negative {
            magnitude.reverse()
        } else {
            magnitude
        }
    }
}

/// A count of bits as an exponent. No mantissa has 2^63 bits.
fn as_exponent(bits: usize) -> i64 {
    i64::try_from(bits).unwrap_or(i64::MAX)
}

/// A float of at most 53 bits as a machine float.
fn scaled(x: &Float) -> f64 {
    let Size::Finite(mantissa, exponent) = &x.size else {
        return if x.is_infinite() { f64::INFINITY } else { 0.0 };
    };
    let mantissa = u64::try_from(mantissa).unwrap_or(u64::MAX) as f64;
    let power = i32::try_from(*exponent)
        .unwrap_or(i32::MAX)
        .clamp(-2200, 2200);
    // In two steps, because 2^-1074 alone may be needed of a mantissa above one.
    let half = power / 2;
    mantissa * 2f64.powi(half) * 2f64.powi(power - half)
}
