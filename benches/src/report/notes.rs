//! A chapter of the notes has parts that the report writes: between two marks, which a reader of the
//! page does not see. All around them stays as somebody wrote it.
//!
//! ```
//! use benches::report::notes::replace;
//! let chapter = "Before.\n<!-- report: table -->\nold\n<!-- /report -->\nAfter.\n";
//! let renewed = replace(chapter, "table", "new\n").unwrap();
//! assert_eq!(renewed, "Before.\n<!-- report: table -->\n\nnew\n\n<!-- /report -->\nAfter.\n");
//! ```

const END: &str = "<!-- /report -->";

/// The chapter with another text in the part of that name.
///
/// # Errors
///
/// A sentence, if the chapter has no such part, or one without an end.
pub fn replace(chapter: &str, part: &str, text: &str) -> Result<String, String> {
    let begin = format!("<!-- report: {part} -->");
    let missing = |what: &str| format!("the chapter has no line `{what}`");
    let start = chapter.find(&begin).ok_or_else(|| missing(&begin))? + begin.len();
    let end = chapter[start..].find(END).ok_or_else(|| missing(END))? + start;
    if chapter[start..end].contains("<!-- report:") {
        return Err(format!("the part `{begin}` has no end before the next one"));
    }
    Ok(format!("{}\n\n{}\n\n{}", &chapter[..start], text.trim(), &chapter[end..]))
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn a_chapter_without_marks_is_left_alone() {
        assert!(replace("nothing", "table", "new").is_err());
        assert!(replace("<!-- report: table -->", "table", "new").is_err());
        let unended = "<!-- report: a -->\n<!-- report: b -->\n<!-- /report -->";
        assert!(replace(unended, "a", "new").is_err());
    }
}
