//! Numbers as people read them: digits in groups, binary units, times in the unit that fits.

use std::time::Duration;

/// `2 184 302`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// `+4 112`, `-7`, `0`.
pub fn count_change(change: i64) -> String {
    format!("{}{}", sign(change), count(change.unsigned_abs()))
}

/// `1 item`, `96 204 items`.
pub fn items(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "item" } else { "items" })
}

/// `96.1 MiB`: three digits at most, whole numbers from a hundred on.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        // From here on it would be four digits.
        if value < 999.5 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    let decimals = if value < 99.95 { 1 } else { 0 };
    format!("{value:.decimals$} {unit}")
}

/// `+1.2 MiB`, `-64 B`, `0`.
pub fn bytes_change(change: i64) -> String {
    if change == 0 {
        "0".to_owned()
    } else {
        format!("{}{}", sign(change), bytes(change.unsigned_abs()))
    }
}

/// `0.2 ms`, `11 ms`, `1.2 s`, `10 s`, `3 min 20 s`, `5 h 10 min`, `12 days`.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let whole = seconds.round() as u64;
    if time.is_zero() {
        "0 s".to_owned()
    } else if seconds < 0.000_999_5 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 0.009_95 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 0.999_5 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 9.95 && time.subsec_nanos() != 0 {
        format!("{seconds:.1} s")
    } else if whole < 120 {
        format!("{whole} s")
    } else if whole < 2 * 3600 {
        pair(whole / 60, "min", whole % 60, "s")
    } else if whole < 48 * 3600 {
        pair(whole / 3600, "h", whole % 3600 / 60, "min")
    } else {
        format!("{} days", count(whole / 86400))
    }
}

/// `+411/s`, `+2.4/s`, `+12/min`: a second where it brings at least one, a minute otherwise.
pub fn rate(per_second: f64) -> String {
    let (value, unit) = if per_second >= 0.95 {
        (per_second, "s")
    } else {
        (per_second * 60.0, "min")
    };
    if value >= 9.95 {
        format!("+{}/{unit}", count(value.round() as u64))
    } else {
        format!("+{value:.1}/{unit}")
    }
}

fn pair(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

fn sign(change: i64) -> &'static str {
    match change {
        1.. => "+",
        0 => "",
        _ => "-",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1000), "1 000");
        assert_eq!(count(2_184_302), "2 184 302");
        assert_eq!(count_change(4112), "+4 112");
        assert_eq!(count_change(i64::MIN), "-9 223 372 036 854 775 808");
        assert_eq!(items(1), "1 item");
    }

    #[test]
    fn bytes_have_three_digits_at_most() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1000), "1.0 KiB");
        assert_eq!(bytes(1003 << 10), "1.0 MiB");
        assert_eq!(bytes(999 << 20), "999 MiB");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(100_767_334), "96.1 MiB");
        assert_eq!(bytes(412 << 20), "412 MiB");
        assert_eq!(bytes((1 << 20) - 1), "1.0 MiB");
        assert_eq!(bytes(102_350), "100 KiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
        assert_eq!(bytes_change(-1536), "-1.5 KiB");
        assert_eq!(bytes_change(0), "0");
    }

    #[test]
    fn times_take_the_unit_that_fits() {
        let shown: Vec<String> = [
            85e-6,
            0.00021,
            0.011,
            0.9996,
            1.25,
            10.004,
            10.0,
            1.0,
            200.0,
            18_600.0,
            7200.0,
            1_036_800.0,
        ]
        .iter()
        .map(|&seconds| time(Duration::from_secs_f64(seconds)))
        .collect();
        assert_eq!(time(Duration::ZERO), "0 s");
        assert_eq!(
            shown,
            [
                "85 µs",
                "210 µs",
                "11 ms",
                "1.0 s",
                "1.2 s",
                "10 s",
                "10 s",
                "1 s",
                "3 min 20 s",
                "5 h 10 min",
                "2 h",
                "12 days"
            ]
        );
    }

    #[test]
    fn rates_say_how_many_in_which_time() {
        assert_eq!(rate(411.2), "+411/s");
        assert_eq!(rate(2.44), "+2.4/s");
        assert_eq!(rate(0.2), "+12/min");
        assert_eq!(rate(0.01), "+0.6/min");
    }
}
