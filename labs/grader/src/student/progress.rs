//! How far a student is, in the user's state folder. Labs and checks are known by their ids, which stay:
//! an update of the course that brings other checks, points or titles does not touch what was reached.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ipc_common::{Errno, Error, Result, state};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::rubric::{Rubric, Visibility};
use crate::verdict::{Report, save_atomically};

/// All labs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Labs by their ids, those of other versions of the course among them.
    #[serde(default)]
    pub labs: BTreeMap<String, LabProgress>,
}

/// One lab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabProgress {
    /// When it was last checked, in seconds since 1970.
    #[serde(default)]
    pub checked: u64,
    /// Whether each check was passed when it was last run, by its id.
    #[serde(default)]
    pub passed: BTreeMap<String, bool>,
    /// How many hints were shown, by the check's id.
    #[serde(default)]
    pub hints: BTreeMap<String, usize>,
}

impl Progress {
    /// What is kept; nothing if there is nothing yet.
    ///
    /// # Errors
    ///
    /// Those of the state folder and of reading. A file that is damaged is put aside, and named in the
    /// error.
    pub fn load() -> Result<Progress> {
        Progress::load_from(&file()?)
    }

    fn load_from(path: &Path) -> Result<Progress> {
        let name = || path.display().to_string();
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                let aside = path.with_extension("damaged");
                let kept = fs::rename(path, &aside).map_or_else(
                    |_| "remove it".to_owned(),
                    |()| format!("it is now {}, and a new one is begun", aside.display()),
                );
                Error::refused("lab", Errno::EINVAL, name()).with_remedy(format!(
                    "the file with your progress is damaged ({error}): {kept}"
                ))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Progress::default()),
            Err(error) => Err(Error::from_io("open", &error, name())),
        }
    }

    /// Changes what is kept: read, changed and written by one process at a time, and whole at every
    /// moment.
    ///
    /// # Errors
    ///
    /// As [`Progress::load`], and those of writing.
    pub fn change<T>(change: impl FnOnce(&mut Progress) -> T) -> Result<T> {
        let path = file()?;
        let beside = path.with_extension("lock");
        let lock = OpenOptions::new().create(true).append(true).open(&beside);
        let failed = |error| Error::from_io("open", &error, beside.display().to_string());
        let _lock = Flock::lock(lock.map_err(failed)?, FlockArg::LockExclusive)
            .map_err(|(_, errno)| Error::new("flock", errno, beside.display().to_string()))?;
        let mut progress = Progress::load_from(&path)?;
        let result = change(&mut progress);
        let bytes = serde_json::to_vec_pretty(&progress).unwrap_or_default();
        save_atomically(&path, &bytes)?;
        Ok(result)
    }

    /// Takes in what a run on the working copy found. What was not looked at stays as it was, and so
    /// does everything if it does not compile: half a line is no step back.
    pub fn take_in(&mut self, report: &Report) {
        let lab = self.labs.entry(report.lab.clone()).or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        lab.checked = now.as_secs();
        if !report.build.as_ref().is_some_and(|build| build.succeeded) {
            return;
        }
        for check in &report.checks {
            if !check.outcome.is_graders() && check.was_asked_for() {
                lab.passed.insert(check.id.clone(), check.outcome.is_passed());
            }
        }
    }
}

impl LabProgress {
    /// Points reached, by the rubric as it is now.
    pub fn points(&self, rubric: &Rubric) -> u32 {
        let passed = rubric.checks.iter().filter(|check| self.has_passed(&check.id));
        passed.map(|check| check.points).sum()
    }

    /// Whether a check was passed when it was last run.
    pub fn has_passed(&self, check: &str) -> bool {
        self.passed.get(check).copied().unwrap_or(false)
    }

    /// The first visible check that is not passed.
    pub fn next<'a>(&self, rubric: &'a Rubric) -> Option<&'a str> {
        let open = rubric
            .checks
            .iter()
            .find(|check| check.visibility == Visibility::Visible && !self.has_passed(&check.id));
        open.map(|check| check.id.as_str())
    }
}

fn file() -> Result<PathBuf> {
    Ok(state::folder()?.join("labs.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_another_version_stay_and_count_for_nothing() {
        let text = r#"{"labs":{"old":{"passed":{"gone":true}},"l":{"passed":{"a":true,"gone":true},"new":1}}}"#;
        let progress: Progress = serde_json::from_str(text).unwrap();
        let rubric = Rubric::parse(
            "id = \"l\"\ntitle = \"L\"\nslide = \"S\"\nhours = 1\nfiles = [\"a\"]\n\
             dependencies = []\nwithheld = 30\n\
             [[check]]\nid = \"a\"\ntitle = \"T\"\npoints = 30\nvisibility = \"visible\"\nhint = \"H\"\n\
             [[check]]\nid = \"b\"\ntitle = \"T\"\npoints = 40\nvisibility = \"visible\"\nhint = \"H\"\n",
        )
        .unwrap();
        let lab = &progress.labs["l"];
        assert_eq!((lab.points(&rubric), lab.next(&rubric)), (30, Some("b")));
        let written = serde_json::to_string(&progress).unwrap();
        assert!(written.contains("\"old\"") && written.contains("\"gone\""), "{written}");
    }
}
