//! Functions on ranges of IP addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use dashu_int::{IBig, UBig};
use mlinfra_sdk::{Number, Type, Value};

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};

const PREFIX: Parameter = Parameter::new("prefix", Kind::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "cidrhost",
        "The address of a host in a range, by its number; negative ones count from the end.",
        &[PREFIX, Parameter::new("hostnum", Kind::Number)],
        Returns::Text,
        host,
    ),
    Function::new(
        "cidrnetmask",
        "The netmask of a range of IPv4 addresses.",
        &[PREFIX],
        Returns::Text,
        netmask,
    ),
    Function::new(
        "cidrsubnet",
        "A part of a range: its prefix made longer by some bits, which hold a number.",
        &[
            PREFIX,
            Parameter::new("newbits", Kind::Number),
            Parameter::new("netnum", Kind::Number),
        ],
        Returns::Text,
        subnet,
    ),
    Function::new(
        "cidrsubnets",
        "Consecutive parts of a range, each with its prefix made longer by so many bits.",
        &[PREFIX],
        Returns::Texts,
        subnets,
    )
    .variadic(Parameter::new("newbits", Kind::Number)),
];

/// A range of addresses: those that share the first `length` of `bits` bits.
#[derive(Clone)]
struct Range {
    first: UBig,
    length: i64,
    bits: i64,
}

impl Range {
    fn parse(a: &Arguments<'_>) -> Result<Range, CallError> {
        let text = a.text(0);
        read_range(text).ok_or_else(|| {
            CallError::new(format!(
                "invalid CIDR expression: invalid CIDR address: {}",
                a.tell(0, text)
            ))
        })
    }

    fn address(&self, n: &UBig) -> String {
        if self.bits == 32 {
            let n = u32::try_from(n).unwrap_or(u32::MAX);
            Ipv4Addr::from(n).to_string()
        } else {
            let address = Ipv6Addr::from(u128::try_from(n).unwrap_or(u128::MAX));
            match address.to_ipv4_mapped() {
                Some(mapped) => mapped.to_string(),
                None => address.to_string(),
            }
        }
    }

    /// The address with a number put in, whose last bit is the last of a prefix of `length`.
    fn with_number(&self, number: &IBig, length: i64) -> UBig {
        let shift = usize::try_from(self.bits - length).unwrap_or(0);
        let address = IBig::from(self.first.clone()) | (number.clone() << shift);
        // A number too great or below zero reaches beyond the bits of the address.
        let (_, magnitude) = address.into_parts();
        let bits = usize::try_from(self.bits).unwrap_or(0);
        magnitude & UBig::ones(bits)
    }
}

fn read_range(text: &str) -> Option<Range> {
    let (address, length) = text.split_once('/')?;
    if length.is_empty() || length.len() > 3 || !length.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let length: i64 = length.parse().ok()?;
    let (n, bits) = if address.contains(':') {
        let address: Ipv6Addr = address.parse().ok()?;
        (UBig::from(u128::from(address)), 128)
    } else {
        (UBig::from(read_v4(address)?), 32)
    };
    if length > bits {
        return None;
    }
    let host_bits = usize::try_from(bits - length).ok()?;
    Some(Range {
        first: (n >> host_bits) << host_bits,
        length,
        bits,
    })
}

/// Zeros before a number do not make it octal.
fn read_v4(text: &str) -> Option<u32> {
    let mut address = 0u32;
    let mut count = 0;
    for part in text.split('.') {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let octet: u8 = part
            .trim_start_matches('0')
            .parse()
            .or_else(|e| {
                if part.bytes().all(|b| b == b'0') {
                    Ok(0)
                } else {
                    Err(e)
                }
            })
            .ok()?;
        address = address << 8 | u32::from(octet);
        count += 1;
    }
    (count == 4).then_some(address)
}

fn whole(number: &Number) -> Result<IBig, CallError> {
    number
        .as_big()
        .ok_or_else(|| CallError::new("value must be a whole number"))
}

fn host(a: &Arguments<'_>) -> Result<Value, CallError> {
    let mut number = whole(&a.number(1))?;
    let range = Range::parse(a)?;
    let host_bits = usize::try_from(range.bits - range.length).unwrap_or(0);
    let last = IBig::from(UBig::ones(host_bits));
    let mut distance = number.clone();
    if number < IBig::ZERO {
        distance = -number - 1;
        number = &last - &distance;
    }
    if distance > last {
        return Err(CallError::new(format!(
            "prefix of {} does not accommodate a host numbered {number}",
            range.length
        )));
    }
    let address = range.with_number(&number, range.bits);
    Ok(Value::from(range.address(&address)))
}

fn netmask(a: &Arguments<'_>) -> Result<Value, CallError> {
    let range = Range::parse(a)?;
    if range.bits != 32 {
        return Err(CallError::new(format!(
            "IPv6 addresses cannot have a netmask: {}",
            a.tell(0, a.text(0))
        )));
    }
    let host_bits = usize::try_from(range.bits - range.length).unwrap_or(0);
    let mask = UBig::ones(32) & !IBig::from(UBig::ones(host_bits));
    Ok(Value::from(range.address(&mask)))
}

fn subnet(a: &Arguments<'_>) -> Result<Value, CallError> {
    let more = a.integer(1)?;
    let number = whole(&a.number(2))?;
    let range = Range::parse(a)?;
    let length = range.length.saturating_add(more);
    if length > range.bits || length < 0 {
        return Err(CallError::new(format!(
            "insufficient address space to extend prefix of {} by {more}",
            range.length
        )));
    }
    let fits = match usize::try_from(more) {
        Ok(more) => number <= IBig::from(UBig::ones(more)),
        Err(_) => true,
    };
    if !fits {
        return Err(CallError::new(format!(
            "prefix extension of {more} does not accommodate a subnet numbered {number}"
        )));
    }
    let host_bits = usize::try_from(range.bits - length).unwrap_or(0);
    let network = Range {
        first: (range.first.clone() >> host_bits) << host_bits,
        ..range
    };
    let first = network.with_number(&number, length);
    Ok(Value::from(format!("{}/{length}", network.address(&first))))
}

fn subnets(a: &Arguments<'_>) -> Result<Value, CallError> {
    let range = Range::parse(a).map_err(|e| CallError::argument(0, e.message))?;
    let end = range.first.clone()
        + (UBig::ONE << usize::try_from(range.bits - range.length).unwrap_or(0));
    let mut next = range.first.clone();
    let mut previous: Option<String> = None;
    let mut parts = Vec::new();
    for i in 1..a.values().len() {
        let fail = |message: String| Err(CallError::argument(i, message));
        let more = a
            .integer(i)
            .map_err(|e| CallError::argument(i, e.message))?;
        if more < 1 {
            return fail("must extend prefix by at least one bit".into());
        }
        if more > 32 {
            return fail("may not extend prefix by more than 32 bits".into());
        }
        let length = range.length + more;
        if length > range.bits {
            let family = if range.bits == 32 { "IPv4" } else { "IPv6" };
            return fail(format!(
                "would extend prefix to {length} bits, which is too long for an {family} address"
            ));
        }
        let size = UBig::ONE << usize::try_from(range.bits - length).unwrap_or(0);
        // A part begins where its size divides the address.
        let rest = &next % &size;
        if rest != UBig::ZERO {
            next += &size - rest;
        }
        if &next + &size > end {
            let after = previous.unwrap_or_else(|| a.tell(0, a.text(0)));
            return fail(format!(
                "not enough remaining address space for a subnet with a prefix of {length} bits \
                 after {after}"
            ));
        }
        let part = format!("{}/{length}", range.address(&next));
        parts.push(Value::from(part.as_str()));
        previous = Some(part);
        next += size;
    }
    Ok(Value::list(Type::String, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        for text in [
            "10.0.0.0",
            "300.0.0.0/8",
            "10.0.0.0/33",
            "10.0.0/8",
            "x/8",
            "::/129",
        ] {
            assert!(read_range(text).is_none(), "{text}");
        }
        let range = read_range("010.001.2.3/16").unwrap();
        assert_eq!(range.address(&range.first), "10.1.0.0");
    }
}
