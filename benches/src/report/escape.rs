//! Text that is only text: names come from files, and files from anybody.

/// For HTML and SVG, in text and between quotation marks.
pub fn markup(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // No character of XML, not even escaped.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// For Markdown, in a cell of a table too.
pub fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' | '$' => {
                safe.push('\\');
                safe.push(character);
            }
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// For Markdown, as code, in a cell of a table too.
pub fn code(text: &str) -> String {
    let plain = |c: char| if c == '`' || c == '|' || c.is_control() { '\u{fffd}' } else { c };
    format!("`{}`", text.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_a_name_is_markup() {
        let name = "<script>alert(\"1\")</script>&'\u{7}";
        let safe = super::markup(name);
        assert!(!safe.contains(['<', '>', '"', '\'', '\u{7}']), "{safe}");
        assert_eq!(super::markdown("a|b<i>"), "a\\|b&lt;i>");
    }
}
