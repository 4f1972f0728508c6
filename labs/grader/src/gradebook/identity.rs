//! What a result is a result of. If any of it has changed, the result does not stand any more.

use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Class;
use crate::build::Submission;
use crate::sandbox::Mode;

/// What a result is a result of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The lab.
    pub lab: String,
    /// What it is called.
    pub name: String,
    /// A hash of the files that were taken, or of why they were not.
    pub content: String,
    /// A hash of the rubric and the driver.
    pub rubric: String,
    /// The grader's version, and a hash of the program: a check that was mended is in no version.
    pub grader: String,
    /// rustc's version.
    pub compiler: String,
    /// What stood around the program.
    pub mode: Mode,
    /// Where the random numbers come from: `fresh` for each, or one seed for all.
    pub seeds: String,
}

impl Identity {
    /// That of a submission that is about to be graded.
    pub(super) fn of(name: &str, submission: &Submission, class: &Class<'_>) -> Identity {
        let Class { supervisor, ready, seed, grader, .. } = class;
        let rubric = &ready.lab.rubric;
        let text = serde_json::to_string(rubric).unwrap_or_default();
        Identity {
            lab: rubric.id.clone(),
            name: name.to_owned(),
            content: content(submission),
            rubric: hash([text.as_bytes(), ready.lab.driver.as_bytes()]),
            grader: (*grader).to_owned(),
            compiler: supervisor.compiler().to_owned(),
            mode: supervisor.mode(),
            seeds: seed.map_or_else(|| "fresh".to_owned(), |seed| seed.to_string()),
        }
    }
}

/// The grader that has this program: its version, and a hash.
///
/// # Errors
///
/// If the program cannot be read.
pub fn grader(program: &Path) -> ipc_common::Result<String> {
    let bytes = std::fs::read(program).map_err(|error| {
        ipc_common::Error::from_io("read", &error, program.display().to_string())
    })?;
    Ok(format!("{} {}", env!("CARGO_PKG_VERSION"), hash([bytes.as_slice()])))
}

fn content(submission: &Submission) -> String {
    match submission {
        Submission::Taken(_, Ok(files)) => {
            hash(files.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]))
        }
        Submission::Taken(_, Err(refused)) => hash([b"refused".as_slice(), refused.why.as_bytes()]),
        Submission::Folder(_) | Submission::File(_) => String::new(),
    }
}

/// 128 bits, and no cryptography: that two of a student's own texts differ is all that it has to
/// tell. The numbers may be others with another compiler; then everything is graded again anyway.
fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut halves = [DefaultHasher::new(), DefaultHasher::new()];
    halves[1].write_u8(1);
    for part in parts {
        for half in &mut halves {
            half.write_usize(part.len());
            half.write(part);
        }
    }
    halves.map(|half| format!("{:016x}", half.finish())).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_which_part_matters() {
        let parts = |a: &'static str, b: &'static str| hash([a.as_bytes(), b.as_bytes()]);
        assert_eq!(parts("ab", "c"), parts("ab", "c"));
        assert_ne!(parts("ab", "c"), parts("a", "bc"));
        assert_eq!(parts("", "").len(), 32);
    }
}
