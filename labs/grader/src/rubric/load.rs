//! Reading a rubric, and refusing one that cannot be right.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{Rubric, TOTAL};
use crate::check::LabChecks;

/// What is wrong with a rubric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RubricError {
    path: PathBuf,
    what: String,
}

impl fmt::Display for RubricError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for RubricError {}

impl Rubric {
    /// Reads `lab.toml`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is no rubric, or contradicts itself: points that do not add up to
    /// [`TOTAL`], an id used twice, a dependency on a later or an unknown check, a file name that
    /// leads out of a submission.
    pub fn load(path: &Path) -> Result<Rubric, RubricError> {
        let text = fs::read_to_string(path)
            .map_err(|error| RubricError { path: path.into(), what: error.to_string() })?;
        Rubric::parse(&text).map_err(|what| RubricError { path: path.into(), what })
    }

    /// [`Rubric::load`] of a text.
    ///
    /// # Errors
    ///
    /// As there, in words.
    pub fn parse(text: &str) -> Result<Rubric, String> {
        let rubric: Rubric = toml::from_str(text).map_err(|error| error.to_string())?;
        rubric.contradiction().map_or(Ok(rubric), Err)
    }

    /// Whether rubric and code name the same checks: a check that is not run must not look passed,
    /// and one without points would be run for nothing.
    ///
    /// # Errors
    ///
    /// The ids that only one of the two has.
    pub fn matches(&self, checks: &LabChecks) -> Result<(), String> {
        let code: HashSet<&str> = checks.checks.iter().map(|check| check.id).collect();
        let rubric: HashSet<&str> = self.checks.iter().map(|check| check.id.as_str()).collect();
        if code.len() != checks.checks.len() {
            return Err(format!("{}: an id is used twice in the code", self.id));
        }
        let mut lonely: Vec<&str> = code.symmetric_difference(&rubric).copied().collect();
        lonely.sort_unstable();
        match lonely.is_empty() {
            true => Ok(()),
            false => Err(format!("{}: only in rubric or code: {}", self.id, lonely.join(", "))),
        }
    }

    fn contradiction(&self) -> Option<String> {
        let mut known = HashSet::new();
        for check in &self.checks {
            if let Some(unknown) = check.depends.iter().find(|id| !known.contains(id.as_str())) {
                return Some(format!(
                    "{} depends on {unknown}, which is no earlier check",
                    check.id
                ));
            }
            if !known.insert(check.id.as_str()) {
                return Some(format!("two checks are called {}", check.id));
            }
            if check.points == 0 || check.seconds == 0 {
                return Some(format!("{}: points and seconds are at least 1", check.id));
            }
        }
        let total = self.total();
        if total != TOTAL {
            return Some(format!("the points add up to {total}, and should to {TOTAL}"));
        }
        let leads_out = |file: &&String| {
            !Path::new(file).components().all(|part| matches!(part, Component::Normal(_)))
        };
        if let Some(file) = self.files.iter().find(leads_out) {
            return Some(format!("the file {file:?} is not one inside a submission"));
        }
        self.files.is_empty().then(|| "no files are taken from a submission".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "id = \"l\"\ntitle = \"L\"\nslide = \"S\"\nhours = 2\n\
                        files = [\"src/lib.rs\"]\ndependencies = [\"libc\"]\n";

    fn check(id: &str, points: u32, more: &str) -> String {
        format!(
            "[[check]]\nid = \"{id}\"\ntitle = \"T\"\npoints = {points}\n\
             visibility = \"visible\"\nhint = \"H\"\n{more}\n"
        )
    }

    #[test]
    fn a_whole_rubric_is_read() {
        let more = "depends = [\"a\"]\n[[check.misconception]]\nid = \"m\"\nwords = \"W\"";
        let text = format!("{HEAD}{}{}", check("a", 60, ""), check("b", 40, more));
        let rubric = Rubric::parse(&text).unwrap();
        assert_eq!(rubric.checks[1].words("m"), Some("W"));
        assert_eq!(rubric.checks[0].seconds, 10);
    }

    #[test]
    fn contradictions_are_refused() {
        for (text, part) in [
            (format!("{HEAD}{}", check("a", 99, "")), "add up to 99"),
            (format!("{HEAD}{0}{0}", check("a", 50, "")), "two checks are called a"),
            (format!("{HEAD}{}", check("a", 100, "depends = [\"b\"]")), "no earlier check"),
            (format!("{HEAD}{}", check("a", 100, "surprise = 1")), "surprise"),
            (
                format!("{}{}", HEAD.replace("src/lib.rs", "../lib.rs"), check("a", 100, "")),
                "not one inside",
            ),
        ] {
            let what = Rubric::parse(&text).unwrap_err();
            assert!(what.contains(part), "{what}");
        }
    }
}
