//! A student's text on an instructor's terminal: it may say anything and drive nothing.

/// Text of several lines with everything that drives a terminal taken out: escape sequences whole,
/// so that no `[2J` stays behind, and every control but the end of a line and the tab.
pub fn harmless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\n' | '\t' => kept.push(character),
            '\u{1b}' => skip_sequence(&mut rest),
            other if other.is_control() || is_misleading(other) => {}
            other => kept.push(other),
        }
    }
    kept
}

/// After an ESC: a CSI up to its final byte, an OSC and its like up to their end, or one character.
fn skip_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => {
            // Parameters and intermediates, then one final byte (ECMA-48).
            while rest.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
            rest.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            // A string ends at BEL or ESC \; one that does not end at all costs no more than a line.
            while let Some(c) = rest.next_if(|c| *c != '\n') {
                if c == '\u{7}' || c == '\u{1b}' && rest.next_if_eq(&'\\').is_some() {
                    return;
                }
            }
        }
        _ => {}
    }
}

/// Characters that change the order in which a line is shown, and so what it seems to say.
fn is_misleading(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Bytes on one line, with controls as escapes, of `most` characters at most.
pub fn line(bytes: &[u8], most: usize) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character.is_control() || is_misleading(character) {
                true => shown.extend(character.escape_default()),
                false => shown.push(character),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shortened(&shown, most)
}

/// A text of `most` characters at most, its end cut off.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_go_whole_and_text_stays() {
        for (bytes, text) in [
            (&b"a\x1b[2Jb\x1b[1;31mred\x1b[0m\n"[..], "abred\n"),
            (b"x\x1b]0;title\x07y\x1b]8;;http://a\x1b\\z", "xyz"),
            (b"one\r\x08\x07two\tthree", "onetwo\tthree"),
            (b"\x1b]0;without end\nnext", "\nnext"),
            ("\u{202e}evil\u{9b}2J".as_bytes(), "evil2J"),
        ] {
            assert_eq!(harmless(bytes), text);
        }
    }

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(line(b"a\nb\xff", 80), "a\\nb\\xff");
        assert_eq!(line(b"abcdef", 3), "abc…");
    }
}
