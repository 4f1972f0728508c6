//! Bytes from strangers on one line of a terminal: text in shared memory, names of files.

use std::fmt::{Formatter, Result, Write};

/// Writes `bytes` so that nothing of them drives the terminal, breaks the line or goes unseen:
/// what is no UTF-8 appears as `\xNN`, controls as `\n`, `\t` or `\u{…}`.
pub(crate) fn on_one_line(f: &mut Formatter<'_>, bytes: &[u8]) -> Result {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || is_misleading(character) {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

/// Characters that change the order in which a line is shown, and so what it seems to say, or that
/// a terminal may take for the end of the line.
pub(crate) fn is_misleading(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
