//! Markdown without what is for teachers: all between `<!-- teachers -->` and `<!-- everybody -->`.

/// Takes it out.
pub(super) fn for_everybody(text: &str) -> String {
    let mut kept = String::new();
    let mut skips = false;
    for line in text.lines() {
        match line.trim() {
            "<!-- teachers -->" => skips = true,
            "<!-- everybody -->" => skips = false,
            _ if skips => {}
            _ => {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_teachers_goes() {
        let text = "a\n<!-- teachers -->\nb\n<!-- everybody -->\nc\n<!-- teachers -->\nd\n";
        assert_eq!(for_everybody(text), "a\nc\n");
    }
}
