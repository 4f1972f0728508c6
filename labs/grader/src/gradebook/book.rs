//! The folder of a class's results. Every file in it is whole at every moment.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::Identity;
use crate::report;
use crate::rubric::Rubric;
use crate::verdict::{Report, save_atomically};

/// The file that makes a folder a report.
const MARK: &str = "about.json";

/// What is in it.
#[derive(Serialize, Deserialize)]
struct About {
    what: String,
    lab: String,
}

/// The name in `what`, with the version of the format.
const WHAT: &str = "grades of a lab, 1";

/// The folder, ours alone as long as this lives.
#[derive(Debug)]
pub struct Book {
    folder: PathBuf,
    _lock: Flock<File>,
}

impl Book {
    /// Opens a report, or begins one: in a new folder or an empty one.
    ///
    /// # Errors
    ///
    /// `EEXIST` for a folder with something else in it, or the report of another lab; `EAGAIN` if
    /// somebody is grading into it; those of making it.
    pub fn open(folder: &Path, lab: &str) -> Result<Book> {
        let name = folder.display().to_string();
        let refused = |errno, remedy: String| {
            Err(Error::refused("lab grade", errno, name.clone()).with_remedy(remedy))
        };
        let failed = |call, error: &_| Error::from_io(call, error, name.clone());
        let is_empty = match fs::read_dir(folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Grades are nobody else's business.
                let mut new = DirBuilder::new();
                let made = new.recursive(true).mode(0o700).create(folder);
                made.map_err(|error| failed("mkdir", &error))?;
                true
            }
            Err(error) => return Err(failed("open", &error)),
        };
        let mark = folder.join(MARK);
        if !is_empty && !mark.exists() && !is_just_begun(folder) {
            let remedy = "there is something else in it: name a new folder, or an empty one";
            return refused(Errno::EEXIST, remedy.into());
        }
        let file = File::open(folder).map_err(|error| failed("open", &error))?;
        let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => lock,
            Err((_, Errno::EAGAIN)) => {
                return refused(Errno::EAGAIN, "somebody else is grading into it just now".into());
            }
            Err((_, errno)) => return Err(Error::new("flock", errno, name)),
        };
        if let Ok(bytes) = fs::read(&mark) {
            let about = serde_json::from_slice::<About>(&bytes).ok();
            let Some(about) = about.filter(|about| about.what == WHAT) else {
                let remedy = format!("its {MARK} is not that of a report of this version's");
                return refused(Errno::EEXIST, remedy);
            };
            if about.lab != lab {
                let remedy = format!("it is the report of {}: name another folder", about.lab);
                return refused(Errno::EEXIST, remedy);
            }
        } else {
            let about = About { what: WHAT.into(), lab: lab.into() };
            let bytes = serde_json::to_vec_pretty(&about).unwrap_or_default();
            save_atomically(&mark, &bytes)?;
        }
        let book = Book { folder: folder.to_owned(), _lock: lock };
        remove_unfinished(folder);
        let inner = book.folder.join("submissions");
        fs::create_dir_all(&inner)
            .map_err(|error| Error::from_io("mkdir", &error, inner.display().to_string()))?;
        Ok(book)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The result of a submission, if it was graded to its end, and still stands.
    pub(super) fn standing(&self, folder: &str, identity: &Identity) -> Option<Report> {
        let then: Identity = read(&self.entry(folder).join("identity.json"))?;
        let report: Report = read(&self.entry(folder).join("report.json"))?;
        (then == *identity && report.is_whole && !report.needs_rerun).then_some(report)
    }

    /// Makes a folder for a result that is to come; what was in there does not stand any more. Returns
    /// where the report goes.
    pub(super) fn begin(&self, folder: &str, identity: &Identity) -> Result<PathBuf> {
        let entry = self.entry(folder);
        fs::create_dir_all(&entry)
            .map_err(|error| Error::from_io("mkdir", &error, entry.display().to_string()))?;
        remove_unfinished(&entry);
        // In this order: an old result never lies beside a new identity.
        for name in ["results.json", "junit.xml", "report.json"] {
            match fs::remove_file(entry.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::from_io("unlink", &error, entry.display().to_string()));
                }
                _ => {}
            }
        }
        let bytes = serde_json::to_vec_pretty(identity).unwrap_or_default();
        save_atomically(&entry.join("identity.json"), &bytes)?;
        Ok(entry.join("report.json"))
    }

    /// Writes what is known so far for a platform that ends the grader itself when its time is over, and
    /// takes what is there.
    pub(super) fn so_far(&self, folder: &str, rubric: &Rubric, report: &Report) {
        let gradescope = serde_json::to_vec_pretty(&report::gradescope(report, rubric));
        // What cannot be written now cannot be written at the end, and is told then.
        let _ = save_atomically(
            &self.entry(folder).join("results.json"),
            &gradescope.unwrap_or_default(),
        );
    }

    /// Writes a result in all its forms.
    pub(super) fn finish(&self, folder: &str, rubric: &Rubric, report: &Report) -> Result<()> {
        let entry = self.entry(folder);
        let bytes = serde_json::to_vec_pretty(report).unwrap_or_default();
        save_atomically(&entry.join("junit.xml"), report::junit(report, rubric).as_bytes())?;
        let gradescope = serde_json::to_vec_pretty(&report::gradescope(report, rubric));
        save_atomically(&entry.join("results.json"), &gradescope.unwrap_or_default())?;
        // Last: with it, the result stands.
        save_atomically(&entry.join("report.json"), &bytes)
    }

    fn entry(&self, folder: &str) -> PathBuf {
        self.folder.join("submissions").join(folder)
    }
}

/// Whether all there is was left by a `save_atomically` that did not get to its end.
fn is_just_begun(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().all(|entry| entry.file_name().to_string_lossy().starts_with(MARK))
    })
}

/// Files that `save_atomically` had not yet given their names when somebody was killed. They are
/// nobody's: the folder is ours alone.
fn remove_unfinished(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().ends_with(b".new") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
