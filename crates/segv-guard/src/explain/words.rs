//! Small change: numbers, names and verbs as they stand in a sentence.

use std::path::Path;

use crate::fault::Access;

/// `1 byte`, `400 bytes`, `12 KiB`, `3 GiB`: exact as long as that can be read at a glance.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count == 1 {
        return "1 byte".into();
    }
    if count < 10_000 {
        return format!("{count} bytes");
    }
    let (mut count, mut unit) = (count / 1024, 0);
    while count >= 10_000 && unit + 1 < UNITS.len() {
        (count, unit) = (count / 1024, unit + 1);
    }
    format!("{count} {}", UNITS[unit])
}

/// For a sentence that goes on with the address.
pub(super) fn verb(access: Access) -> &'static str {
    match access {
        Access::Read => "reading",
        Access::Write => "writing",
        Access::Execute => "executing",
        Access::Unknown => "touching",
    }
}

/// A path may hold anything, and this goes to a terminal.
pub(super) fn plain(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

/// The last part of a path, without `prefix`; of a memfd also without the ` (deleted)` that the
/// kernel puts behind each of them.
pub(super) fn file_name(path: &Path, prefix: &str) -> String {
    let name = plain(Path::new(path.file_name().unwrap_or(path.as_os_str())));
    match name.strip_prefix(prefix) {
        Some(name) if !prefix.is_empty() => name.trim_end_matches(" (deleted)").into(),
        _ => name,
    }
}

/// If an address is really a piece of text: the text, as it stands in memory. A pointer that a
/// string was copied over looks like this.
///
/// ```
/// use segv_guard::explain::text_in;
///
/// assert_eq!(text_in(usize::from_ne_bytes(*b"hello wo")).as_deref(), Some("hello wo"));
/// assert_eq!(text_in(0x7f31_c0a0_4000), None);
/// ```
pub fn text_in(address: usize) -> Option<String> {
    let bytes = address.to_ne_bytes();
    let end = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    let printable = bytes[..end].iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    // Fewer would be chance: every third address has two such bytes at its end.
    (end >= 4 && printable).then(|| bytes[..end].iter().map(|byte| char::from(*byte)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_while_they_are_small() {
        for (count, word) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (9_999, "9999 bytes"),
            (16 * 1024, "16 KiB"),
            (64 << 20, "64 MiB"),
            (1 << 40, "1024 GiB"),
            (u64::MAX, "16777215 TiB"),
        ] {
            assert_eq!(bytes(count), word);
        }
    }

    #[test]
    fn only_text_is_taken_for_text() {
        assert_eq!(text_in(usize::from_ne_bytes(*b"hello wo")).as_deref(), Some("hello wo"));
        assert_eq!(text_in(usize::from_ne_bytes(*b"AAAA\0\0\0\0")).as_deref(), Some("AAAA"));
        for address in [0, 8, 0x4141, 0x7f31_c0a0_4000, usize::MAX] {
            assert_eq!(text_in(address), None);
        }
    }

    #[test]
    fn a_name_cannot_move_the_cursor() {
        assert_eq!(file_name(Path::new("/a/\u{1b}[2J\n"), ""), "\\u{1b}[2J\\n");
        assert_eq!(file_name(Path::new("/memfd:pad (deleted)"), "memfd:"), "pad");
        assert_eq!(file_name(Path::new("/"), ""), "/");
    }
}
