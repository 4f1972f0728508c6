//! What there is to try: the starter, solutions, mutants, hostile submissions, and strangers'.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ipc_common::{Errno, Error, Result};
use serde::Serialize;

use crate::build::Submission;
use crate::gradebook::HandIn;
use crate::rubric::Rubric;
use crate::sandbox::Mode;
use crate::supervisor::{Course, Lab, RunFolder};

/// What it is, and so what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What students begin with: compiles, warns of nothing, earns 0.
    Starter,
    /// Earns full marks.
    Solution,
    /// Fails these checks, and passes all that do not depend on them.
    Mutant {
        /// The ids in its header.
        fails: Vec<String>,
    },
    /// Earns 0, and leaves nothing.
    Hostile,
    /// Nobody here has seen it: nothing is expected.
    Extra,
}

/// Something to grade.
#[derive(Debug)]
pub struct Subject {
    /// What it is.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
    /// Where it lies.
    pub submission: Submission,
    /// The folder that was made for it, if it had to be made. Held until the end.
    _made: Option<RunFolder>,
}

/// Something that is not tried here, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// What it is called.
    pub name: String,
    /// Why not.
    pub why: String,
}

impl Subject {
    fn at(kind: Kind, path: &Path) -> Subject {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Subject { kind, name, submission: Submission::at(path), _made: None }
    }
}

/// Starter, solutions and mutants of a lab, in this order.
///
/// # Errors
///
/// If they cannot be read; `EINVAL` for a mutant whose header names no check of the rubric's.
pub fn of_lab(lab: &Lab) -> Result<Vec<Subject>> {
    let mut subjects =
        vec![Subject { name: "starter".into(), ..Subject::at(Kind::Starter, &lab.folder) }];
    for path in rust_files(&lab.folder.join("solution"))? {
        subjects.push(Subject::at(Kind::Solution, &path));
    }
    for path in rust_files(&lab.folder.join("mutants"))? {
        let text = fs::read_to_string(&path)
            .map_err(|error| Error::from_io("open", &error, path.display().to_string()))?;
        let fails = header(&text);
        let wrong = fails.iter().find(|id| lab.rubric.check(id).is_none());
        if fails.is_empty() || wrong.is_some() {
            let what = wrong.map_or("no check", String::as_str);
            return Err(Error::refused("lab verify", Errno::EINVAL, path.display().to_string())
                .with_remedy(format!(
                    "its header `//! Fails: …` names {what}, which the rubric has not"
                )));
        }
        subjects.push(Subject::at(Kind::Mutant { fails }, &path));
    }
    Ok(subjects)
}

/// `//! Fails: a, b` in a mutant's first line.
fn header(text: &str) -> Vec<String> {
    let line = text.lines().next().and_then(|line| line.strip_prefix("//! Fails:"));
    let ids = line.unwrap_or_default().split(',').map(str::trim);
    ids.filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = entries(folder)?;
    found.retain(|path| path.extension().is_some_and(|end| end == "rs"));
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::from_io("readdir", &error, folder.display().to_string());
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()
        .map_err(failed)?;
    found.sort_unstable();
    Ok(found)
}

/// The hostile submissions for a lab, and those that cannot be tried here. Beside each lies
/// `about.txt`, with `lab: …` and perhaps `not in: MODE, MODE`; one that no repository can hold is
/// made by its `make.sh`.
///
/// # Errors
///
/// If the fixtures cannot be read.
pub fn hostile(course: &Course, lab: &Lab, mode: Mode) -> Result<(Vec<Subject>, Vec<Skipped>)> {
    let (mut subjects, mut skipped) = (Vec::new(), Vec::new());
    for path in entries(&course.folder().join("labs/grader/fixtures/hostile"))? {
        let about = fs::read_to_string(path.join("about.txt")).unwrap_or_default();
        let field = |name: &str| {
            about.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
        };
        if ![lab.rubric.id.as_str(), "any"].contains(&field("lab:")) {
            continue;
        }
        let mut subject = Subject::at(Kind::Hostile, &path);
        let mut skip = |why: &str| {
            skipped.push(Skipped { name: subject.name.clone(), why: why.to_owned() });
        };
        if mode == Mode::Tree {
            skip("mode tree does not hold hostile programs");
            continue;
        }
        if field("not in:").split(',').any(|not| not.trim() == mode.name()) {
            skip(&format!("mode {mode} does not hold it"));
            continue;
        }
        let script = path.join("make.sh");
        if script.exists() {
            match make(&script) {
                Ok(made) => {
                    subject.submission = Submission::Folder(made.path.clone());
                    subject._made = Some(made);
                }
                Err(why) => {
                    skip(&why);
                    continue;
                }
            }
        }
        subjects.push(subject);
    }
    Ok((subjects, skipped))
}

fn make(script: &Path) -> std::result::Result<RunFolder, String> {
    let made = RunFolder::make().map_err(|error| error.to_string())?;
    let run = Command::new("sh")
        .arg(script)
        .arg(&made.path)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("sh: {error}"))?;
    let said = String::from_utf8_lossy(&run.stderr);
    if run.status.success() { Ok(made) } else { Err(format!("make.sh: {}", said.trim())) }
}

/// Whatever lies in a folder: a submission each, taken as `lab grade` takes it.
///
/// # Errors
///
/// If it cannot be read.
pub fn extra(folder: &Path, rubric: &Rubric) -> Result<Vec<Subject>> {
    let subject = |path: &PathBuf| Subject {
        submission: HandIn::at(path, rubric),
        ..Subject::at(Kind::Extra, path)
    };
    Ok(entries(folder)?.iter().map(subject).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_checks_in_the_first_line_only() {
        assert_eq!(header("//! Fails: a, b-c\n//! why"), ["a", "b-c"]);
        assert!(header("//! A solution.\n//! Fails: a").is_empty());
    }
}
