//! Bytes as one word of the protocol.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes as a word: two digits each, `-` for none.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    if bytes.is_empty() {
        return "-".into();
    }
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut word, byte| {
        // A String takes what is written to it.
        let _ = write!(word, "{byte:02x}");
        word
    })
}

/// A path as a word.
pub fn hex_path(path: &Path) -> String {
    hex(path.as_os_str().as_bytes())
}

/// The bytes of a word; `None` if it is not one of [`hex`]'s.
pub fn unhex(word: &str) -> Option<Vec<u8>> {
    if word == "-" {
        return Some(Vec::new());
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pairs = word.as_bytes().chunks_exact(2);
    if word.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some((digit(&pair[0])? * 16 + digit(&pair[1])?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for bytes in [&b""[..], b"\0", b"note\xff"] {
            assert_eq!(unhex(&hex(bytes)).as_deref(), Some(bytes));
        }
        for word in ["", "0", "0g", "00 ", "\u{e9}"] {
            assert_eq!(unhex(word), None, "{word:?}");
        }
    }
}
