//! `64K`, `1 MiB`: bytes as people write them.

const UNITS: [(&str, u32); 4] = [("", 0), ("K", 10), ("M", 20), ("G", 30)];

/// Bytes of `4096`, `64K`, `64 KiB`, `1m`, `1GB`: units are powers of 1024, as pages are.
///
/// # Errors
///
/// A sentence that says what a size looks like.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_uppercase();
    let unit = unit.strip_suffix("IB").or(unit.strip_suffix('B')).unwrap_or(&unit);
    let shift = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, shift)| *shift);
    let bytes = shift.zip(number.parse::<u64>().ok());
    bytes
        .and_then(|(shift, number)| number.checked_mul(1 << shift))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| format!("`{text}` is no size; one is 64K, 1M, 1GiB, or a number of bytes"))
}

/// `64 KiB`, `1 GiB`, `100 B`: with the largest unit that leaves a whole number.
pub fn show_size(bytes: u64) -> String {
    let whole = |(_, shift): &&(&str, u32)| bytes >= 1 << shift && bytes.is_multiple_of(1 << shift);
    match UNITS.iter().rev().find(whole) {
        Some((unit, shift)) if *shift > 0 => format!("{} {unit}iB", bytes >> shift),
        _ => format!("{bytes} B"),
    }
}

/// `63.1 GiB`: for amounts that are no round number.
pub fn show_roughly(bytes: u64) -> String {
    match UNITS.iter().rev().find(|(_, shift)| bytes >= 1 << shift) {
        Some((unit, shift)) if *shift > 0 => {
            format!("{:.1} {unit}iB", bytes as f64 / (1_u64 << shift) as f64)
        }
        _ => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("4096", 4096),
            ("100B", 100),
            ("64K", 65_536),
            (" 64 KiB ", 65_536),
            ("1m", 1 << 20),
            ("3GB", 3 << 30),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "K", "0", "-1", "1.5M", "64Q", "1iB2", "99999999999G", "1 M x"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for (bytes, text) in
            [(64, "64 B"), (1 << 16, "64 KiB"), (3 << 20, "3 MiB"), (1025, "1025 B")]
        {
            assert_eq!(show_size(bytes), text);
            assert_eq!(parse_size(text), Ok(bytes));
        }
        assert_eq!(show_roughly(67_108_865), "64.0 MiB");
        assert_eq!(show_roughly(1_000_000_000_000), "931.3 GiB");
        assert_eq!(show_roughly(0), "0 B");
    }
}
