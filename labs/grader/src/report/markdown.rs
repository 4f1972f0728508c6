//! A handout at the terminal.

use std::io::{self, Write};

use ipc_common::cli::style;

/// Writes it. Markdown reads well as it is; headings and code stand out.
///
/// # Errors
///
/// Those of writing.
pub fn markdown(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let (strong, code) = (style::STRONG, style::READER);
    let mut in_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if in_code {
            writeln!(out, "    {code}{line}{code:#}")?;
        } else if line.starts_with('#') {
            writeln!(out, "{strong}{line}{strong:#}")?;
        } else {
            writeln!(out, "{}", spans(line))?;
        }
    }
    Ok(())
}

/// `**strong**` and `code` in a line, as far as they are closed. Code keeps its marks: without colours
/// a word would not look like code.
fn spans(line: &str) -> String {
    let (strong, code) = (style::STRONG, style::READER);
    let mut shown = String::new();
    let mut rest = line;
    loop {
        let mark = ["**", "`"].into_iter().filter_map(|mark| Some((rest.find(mark)?, mark))).min();
        let Some((at, mark)) = mark else { break };
        let after = &rest[at + mark.len()..];
        let Some(end) = after.find(mark) else { break };
        shown.push_str(&rest[..at]);
        let inner = &after[..end];
        match mark {
            "`" => shown.push_str(&format!("{code}`{inner}`{code:#}")),
            _ => shown.push_str(&format!("{strong}{inner}{strong:#}")),
        }
        rest = &after[end + mark.len()..];
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_styles_and_lonely_ones_stay() {
        let shown = spans("a `b` **c** 2 * 3 `d");
        assert!(!shown.contains("**") && shown.contains("\u{1b}[1mc\u{1b}"), "{shown}");
        assert!(shown.ends_with("2 * 3 `d"), "{shown}");
    }
}
