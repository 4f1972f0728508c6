//! What is hidden in the course, and whether it stands somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The real course.
pub fn course() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).expect("the course")
}

/// Files below a folder, by their paths in it, without what is built.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            let name = entry.file_name();
            if kind.is_dir() && name != "target" && name != ".git" {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path().strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found
}

fn lines(path: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    let long = text.lines().map(str::trim).filter(|line| line.len() >= 24);
    long.map(str::to_owned).collect()
}

/// The words that only hidden files have, by file. What is hidden is decided here by its place alone,
/// and not by the code under test.
pub fn secrets() -> BTreeMap<PathBuf, BTreeSet<String>> {
    let course = course();
    let folders = ["solution", "mutants", "fixtures", "hidden"];
    let is_hidden = |path: &Path| path.iter().any(|part| folders.iter().any(|name| part == *name));
    let is_ours = |path: &Path| path.starts_with("labs/grader/tests") || path.starts_with(".ci");
    let (hidden, public): (Vec<_>, Vec<_>) =
        files(&course).into_iter().partition(|path| is_hidden(path));
    let is_rubric = |path: &PathBuf| path.ends_with("lab.toml");
    let public: BTreeSet<String> = public
        .iter()
        .filter(|path| !is_ours(path) && !is_rubric(path))
        .flat_map(|path| lines(&course.join(path)))
        .collect();
    let mut secrets: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for path in hidden {
        let own = lines(&course.join(&path)).into_iter().filter(|line| !public.contains(line));
        secrets.insert(path.clone(), own.collect());
    }
    for lab in ["pass-a-note", "shared-mailbox"] {
        let path = course.join("labs").join(lab).join("lab.toml");
        let rubric = grader::rubric::Rubric::load(&path).unwrap();
        let hidden = rubric
            .checks
            .into_iter()
            .filter(|check| check.visibility == grader::rubric::Visibility::Hidden);
        let words = hidden.flat_map(|check| {
            let words = check.misconceptions.into_iter().map(|one| one.words);
            // That a rule is checked, the README may say in the same words.
            let [title, id] = [("title", check.title), ("id", check.id)]
                .map(|(name, value)| format!("{name} = \"{value}\""));
            words.chain([check.hint, title, id])
        });
        secrets.insert(path, words.collect());
    }
    secrets
}

/// Where something hidden stands in a handout.
pub fn leaks(handout: &Path, secrets: &BTreeMap<PathBuf, BTreeSet<String>>) -> Vec<String> {
    let mut leaks = Vec::new();
    let hidden: BTreeSet<&str> = secrets.values().flatten().map(String::as_str).collect();
    for path in files(handout) {
        let name = path.display();
        if ["solution", "mutants", "fixtures", "hidden"]
            .iter()
            .any(|part| path.iter().any(|p| p == *part))
        {
            leaks.push(format!("{name} is there"));
        }
        let text = String::from_utf8_lossy(&fs::read(handout.join(&path)).unwrap()).into_owned();
        for line in text.lines().map(str::trim) {
            if hidden.contains(line) {
                leaks.push(format!("{name}: {line}"));
            }
        }
        for (from, words) in secrets.iter().filter(|(from, _)| from.ends_with("lab.toml")) {
            for words in words.iter().filter(|words| text.contains(words.as_str())) {
                leaks.push(format!("{name}: {words} of {}", from.display()));
            }
        }
    }
    leaks
}
