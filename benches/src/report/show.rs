//! Figures as people say them.

use std::time::{Duration, UNIX_EPOCH};

use super::rule::Outcome;
use crate::turns::Spread;

/// `1.23×`, `4.7×`, `52×`: as many digits as can be believed.
pub fn factor(times: f64) -> String {
    match times {
        times if times < 1.995 => format!("{times:.2}×"),
        times if times < 9.95 => format!("{times:.1}×"),
        times => format!("{times:.0}×"),
    }
}

/// `0.8×`, `1×`, `35×`: of time over time, for an axis.
pub fn multiple(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 0.995 => format!("{}×", (ratio * 1e3).round() / 1e3),
        ratio => factor(ratio).replace(".00×", "×").replace(".0×", "×"),
    }
}

/// `4.7× slower`, `1.2× faster`, `the same`: of time over time.
pub fn compared(ratio: f64) -> String {
    if (0.995..1.005).contains(&ratio) {
        "the same".into()
    } else if ratio > 1.0 {
        format!("{} slower", factor(ratio))
    } else {
        format!("{} faster", factor(1.0 / ratio))
    }
}

/// `▲ 4.7×` where the sign says which way; `? 1.06× faster` where it does not.
pub fn signed(outcome: Option<Outcome>, ratio: f64) -> String {
    let sign = outcome.map_or("✕", Outcome::sign);
    match outcome {
        Some(Outcome::Faster | Outcome::Slower) => {
            format!("{sign} {}", factor(ratio.max(1.0 / ratio)))
        }
        _ => format!("{sign} {}", compared(ratio)),
    }
}

/// `4.6–4.8×`, or `1.1× faster to 1.2× slower`: the middle half.
pub fn range(ratio: &Spread) -> String {
    let Spread { lower, upper, .. } = *ratio;
    let between = |low: f64, high: f64| {
        let [low, high] = [factor(low), factor(high)];
        if low == high { high } else { format!("{}–{high}", low.trim_end_matches('×')) }
    };
    if lower >= 1.0 {
        between(lower, upper)
    } else if upper <= 1.0 {
        between(1.0 / upper, 1.0 / lower)
    } else {
        format!("{} to {}", compared(lower), compared(upper))
    }
}

/// `640 ns`, `10.7 µs`, `1.23 s`: three digits.
pub fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        n if n < 999.5 => (n, "ns"),
        n if n < 999.5e3 => (n / 1e3, "µs"),
        n if n < 999.5e6 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    match value {
        v if v < 9.995 => format!("{v:.2} {unit}"),
        v if v < 99.95 => format!("{v:.1} {unit}"),
        v => format!("{v:.0} {unit}"),
    }
}

/// `10.7 µs (10.6 µs to 10.9 µs)`.
pub fn time_spread(spread: &Spread) -> String {
    format!("{} ({} to {})", time(spread.median), time(spread.lower), time(spread.upper))
}

/// `64K`, `1M`: for an axis and the head of a column.
pub fn short_size(bytes: u64) -> String {
    let long = crate::settings::show_size(bytes);
    long.replace(" KiB", "K").replace(" MiB", "M").replace(" GiB", "G")
}

/// `12,345`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `1 page fault`, `2 page faults`, `no page faults`.
pub fn count(count: u64, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        n => format!("{} {what}s", number(n)),
    }
}

/// `2026-11-26 08:00` (UTC), of seconds since 1970.
pub fn date(seconds: u64) -> String {
    // The end of the year 9999, above which there are no such dates.
    if seconds > 253_402_300_799 {
        return "an impossible date".into();
    }
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    let date = humantime::format_rfc3339_seconds(time).to_string();
    date[..16].replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_as_far_as_they_are_to_be_believed() {
        let shown = [1.0, 1.234, 4.66, 9.97, 52.4].map(factor);
        assert_eq!(shown, ["1.00×", "1.23×", "4.7×", "10×", "52×"]);
        assert_eq!([0.5, 1.001, 4.0].map(compared), ["2.0× faster", "the same", "4.0× slower"]);
        let spread = |lower, upper| Spread { min: 0.0, lower, median: 1.0, upper, max: 9.0 };
        assert_eq!(range(&spread(4.6, 4.8)), "4.6–4.8×");
        assert_eq!(range(&spread(0.25, 0.5)), "2.0–4.0×");
        assert_eq!(range(&spread(0.8, 1.2)), "1.25× faster to 1.20× slower");
        let shown = [0.5, 129.0, 999.6, 10_666.0, 2.5e6, 1.234e9].map(time);
        assert_eq!(shown, ["0.50 ns", "129 ns", "1.00 µs", "10.7 µs", "2.50 ms", "1.23 s"]);
        assert_eq!([64, 65_536, 1 << 30].map(short_size), ["64 B", "64K", "1G"]);
        assert_eq!([0, 999, 16_384, 1_234_567].map(number), ["0", "999", "16,384", "1,234,567"]);
    }

    #[test]
    fn a_date_of_nonsense_is_no_panic() {
        assert_eq!(date(u64::MAX), "an impossible date");
        assert_eq!(date(1_795_678_526), "2026-11-26 07:35");
    }
}
