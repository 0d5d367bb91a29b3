//! Durations such as `1h30m`, `-1.5s`, `10ms`.

use crate::lang::quote::quoted;

/// Reads a duration in nanoseconds; an error says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quoted(text));
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quoted(text)));
        }
        let scale = scale(unit).ok_or_else(|| {
            format!(
                "time: unknown unit {} in duration {}",
                quoted(unit),
                quoted(text)
            )
        })?;
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| invalid())?
        };
        total = whole
            .checked_mul(scale)
            .and_then(|n| n.checked_add(total))
            .map(|n| n + part(fraction, scale))
            .ok_or_else(invalid)?;
        if total > i128::from(i64::MAX) + 1 {
            return Err(invalid());
        }
        rest = next;
    }
    i64::try_from(if negative { -total } else { total }).map_err(|_| invalid())
}

fn digits(text: &str) -> (&str, &str) {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(count)
}

fn scale(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// A decimal fraction of a unit, cut to nanoseconds.
fn part(fraction: &str, scale: i128) -> i128 {
    let kept = &fraction[..fraction.len().min(18)];
    let numerator: i128 = kept.parse().unwrap_or(0);
    let power = u32::try_from(kept.len()).unwrap_or(0);
    numerator * scale / 10i128.pow(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_units() {
        assert_eq!(parse("1h30m"), Ok(5_400_000_000_000));
        assert_eq!(parse("-1.5s"), Ok(-1_500_000_000));
        assert_eq!(parse("1.h"), Ok(3_600_000_000_000));
        assert_eq!(parse("0"), Ok(0));
        for text in ["", "1", "x", "1d", "99999999999h", "-", ".s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
