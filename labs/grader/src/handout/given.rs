//! Which files of the course are given away, and how.

use std::path::Path;

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is copied.
    Whole,
    /// Rust code, without what belongs to a feature.
    Source,
    /// A rubric, without its hidden checks.
    Rubric,
    /// The grader's manifest, without features and tests.
    Manifest,
    /// Text, without what is for teachers.
    Text,
}

/// Files of the course's folder.
const TOP: [&str; 7] = [
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "rustfmt.toml",
    "rust-toolchain.toml",
];
/// Texts in there.
const TEXTS: [&str; 2] = ["CONTRIBUTING.md", "README.md"];
/// Folders that are given as they are: the textbook.
const FOLDERS: [&str; 4] = [".cargo", "benches", "crates", "slides-notes"];
/// But not what measures the grader, which takes solutions for it.
const GRADING: &str = "grading";
/// Of a lab.
const LAB: [&str; 4] = ["Cargo.toml", "README.md", "driver.rs", "src"];

/// What happens to the file at `path`, relative to the course; nothing if it is kept back.
pub(super) fn way(path: &Path) -> Option<Way> {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    match *parts {
        // Whatever folder is called so: nobody has to think of it twice.
        _ if parts.iter().any(|part| KEPT.contains(part)) => None,
        [file] if TOP.contains(&file) => Some(Way::Whole),
        [file] if TEXTS.contains(&file) => Some(Way::Text),
        ["labs", "README.md"] => Some(Way::Text),
        ["labs", "grader", "Cargo.toml"] => Some(Way::Manifest),
        ["labs", "grader", "src", ..] => Some(Way::Source),
        ["labs", "grader", ..] => None,
        ["labs", _, "lab.toml"] => Some(Way::Rubric),
        ["labs", _, part, ..] if LAB.contains(&part) => Some(Way::Whole),
        ["benches", GRADING, ..] => None,
        [top, _, ..] if FOLDERS.contains(&top) => Some(Way::Whole),
        _ => None,
    }
}

/// Names of folders that are kept back, and of what is built.
const KEPT: [&str; 6] = ["solution", "mutants", "fixtures", "hidden", "target", "book"];

/// Whether something below this folder may be given.
pub(super) fn enters(folder: &Path) -> bool {
    let mut parts = folder.iter().filter_map(|part| part.to_str());
    let top = parts.next().unwrap_or_default();
    let known = FOLDERS.contains(&top) || top == "labs";
    known && !folder.iter().any(|part| KEPT.iter().any(|kept| part == *kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_thought_of_stays_at_home() {
        for kept in [
            "solutions.zip",
            "labs/one/solution/a.rs",
            "labs/one/src/solution/a.rs",
            "labs/one/notes-for-teachers.md",
            "labs/grader/tests/tiny/main.rs",
            "labs/grader/src/checks/one/hidden/a.rs",
            "labs/grader/fixtures/README.md",
            "benches/grading",
            ".ci/run",
            ".git/config",
            "class/labs/one/README.md",
            "target/debug/lab",
            "crates/one/target/x",
        ] {
            assert_eq!(way(Path::new(kept)), None, "{kept}");
        }
        for (given, how) in [
            ("Cargo.lock", Way::Whole),
            (".cargo/config.toml", Way::Whole),
            ("crates/one/src/lib.rs", Way::Whole),
            ("labs/one/src/main.rs", Way::Whole),
            ("labs/one/lab.toml", Way::Rubric),
            ("labs/grader/src/lib.rs", Way::Source),
            ("labs/README.md", Way::Text),
        ] {
            assert_eq!(way(Path::new(given)), Some(how), "{given}");
        }
    }
}
