//! The grader's `Cargo.toml` without features, tests and examples, and without the crates that only
//! they need.

/// Takes them out.
pub(super) fn without_features(text: &str) -> String {
    let gone = ["[features]", "[[test]]", "[[example]]"];
    let mut kept: Vec<&str> = Vec::new();
    let mut skips = false;
    for line in text.lines() {
        if line.starts_with('[') {
            skips = gone.contains(&line.trim());
            // The comment above belongs to it.
            while skips && kept.last().is_some_and(|last| last.starts_with('#')) {
                kept.pop();
            }
        } else if skips && line.starts_with('#') {
            // It is about what follows.
            kept.push(line);
            continue;
        }
        if !skips && !line.contains("optional = true") {
            kept.push(line);
        }
    }
    kept.join("\n").trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_go_with_their_comments() {
        let text = "[package]\nname = \"g\"\n\n# For tests.\n[[test]]\nname = \"t\"\n\n# Hidden.\n\
                    [features]\na = []\n\n# What it uses.\n[dependencies]\n\
                    z = { workspace = true, optional = true }\nb = \"1\"\n";
        let expected = "[package]\nname = \"g\"\n\n# What it uses.\n[dependencies]\nb = \"1\"\n";
        assert_eq!(without_features(text), expected);
    }
}
