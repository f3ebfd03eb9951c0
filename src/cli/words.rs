//! What a single word of an option means, or what is wrong with it.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::TypedSource;
use crate::allocations::domain_named;
use crate::capture::plan::Graph;
use crate::report::output::{FileFormat, LATER};
use crate::report::picture::Weight;

/// Longer times are slips of the keyboard.
const LONGEST_SECONDS: f64 = 365.25 * 86400.0;
/// A look takes about a tenth of a millisecond, and is followed by a much longer rest.
const HIGHEST_RATE: NonZeroU32 = NonZeroU32::new(10_000).unwrap();

pub fn seconds(typed: &str) -> Result<Duration, String> {
    match typed.parse::<f64>() {
        Ok(seconds) if (0.0..=LONGEST_SECONDS).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a time is a number of seconds, up to a year: 10, 0.5".to_owned()),
    }
}

/// A number is a process, whatever files there are; `./4242` is a file.
pub(super) fn word(typed: OsString) -> Result<TypedSource, String> {
    let path = PathBuf::from(&typed);
    match typed.to_str().map(pid) {
        Some(Ok(pid)) => Ok(TypedSource::Pid(pid)),
        _ if path.exists() => Ok(TypedSource::File(path)),
        Some(Err(why)) => Err(format!("there is no such file, and {why}")),
        None => Err("there is no such file".to_owned()),
    }
}

pub fn pid(typed: &str) -> Result<u32, String> {
    match typed.parse() {
        Ok(pid) if pid > 0 => Ok(pid),
        _ => Err("a process id is a number; `pgrep -af python` lists the Python programs that run".to_owned()),
    }
}

/// How often a program is looked at in a second.
pub fn rate(typed: &str) -> Result<NonZeroU32, String> {
    let rate = typed.parse().ok().filter(|rate| *rate <= HIGHEST_RATE);
    rate.ok_or_else(|| format!("a rate is a whole number of looks a second, from 1 to {HIGHEST_RATE}: 400"))
}

/// How many bytes lie between two samples.
pub fn sample_bytes(typed: &str) -> Result<u64, String> {
    let bytes = size(typed).filter(|bytes| SAMPLE_BYTES.contains(bytes));
    bytes.ok_or_else(|| {
        "samples are 1 KiB to 1 GiB apart, as in 65536, 64K, 512KiB or 4M; --every records all".to_owned()
    })
}

const SAMPLE_BYTES: RangeInclusive<u64> = 1 << 10..=1 << 30;

fn size(typed: &str) -> Option<u64> {
    let digits_end = typed
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(typed.len());
    let (digits, unit) = typed.split_at(digits_end);
    let shift = match unit {
        "" | "B" => 0,
        "K" | "KiB" => 10,
        "M" | "MiB" => 20,
        "G" | "GiB" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

pub fn address(typed: &str) -> Result<u64, String> {
    let digits = typed.strip_prefix("0x").or_else(|| typed.strip_prefix("0X"));
    let address = match digits {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => typed.parse(),
    };
    address.map_err(|_| "an address is a number: 0x7f31c0de, or as id() gives it, 139852612345".to_owned())
}

pub fn format<F: FileFormat>(typed: &str) -> Result<F, String> {
    let names: Vec<&str> = F::ALL.iter().map(|format| format.name()).collect();
    F::named(typed).ok_or_else(|| {
        let why = if LATER.contains(&typed) {
            "is not available yet"
        } else {
            "is unknown"
        };
        format!("the format {why}; there are {}", names.join(", "))
    })
}

pub fn domain(typed: &str) -> Result<&'static str, String> {
    let named = domain_named(typed);
    named.ok_or_else(|| "the domain is unknown; there are raw, mem, object, malloc and mmap".to_owned())
}

pub fn graph(typed: &str) -> Result<Graph, String> {
    match typed {
        "ownership" => Ok(Graph::Ownership),
        "types" => Ok(Graph::Types),
        "allocation" => Ok(Graph::Allocation),
        _ => Err("the graph is unknown; there are ownership, types and allocation".to_owned()),
    }
}

pub fn weight(typed: &str) -> Result<Weight, String> {
    let named = Weight::ALL.into_iter().find(|weight| weight.word() == typed);
    named.ok_or_else(|| "the weight is unknown; there are bytes, count, growth, peak and total".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_a_range() {
        assert_eq!(sample_bytes("65536"), Ok(65536));
        assert_eq!(sample_bytes("64K"), sample_bytes("64KiB"));
        assert_eq!(sample_bytes("4M"), Ok(4 << 20));
        assert_eq!(sample_bytes("1GiB"), Ok(1 << 30));
        for refused in ["", "0", "1023", "2G", "K", "-4K", "4k", "4.5M", "99999999999999G"] {
            assert!(
                sample_bytes(refused).unwrap_err().contains("1 KiB to 1 GiB"),
                "{refused}"
            );
        }
    }
}
