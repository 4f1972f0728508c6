//! What a lab began with, and what it is now, kept before it goes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use ipc_common::{Errno, Error, Result, state};

use crate::supervisor::Lab;

/// The folder in a lab's folder that has its files as they were: a handout has it.
pub const STARTER: &str = "starter";

/// The files of a lab as they were handed out: their names and texts.
///
/// A handout has them in a folder. In a clone of the course it is what the repository it was cloned
/// from has; without one, the last commit.
///
/// # Errors
///
/// `ENOENT` if there is neither.
pub fn starter(lab: &Lab) -> Result<Vec<(String, String)>> {
    lab.rubric.files.iter().map(|file| Ok((file.clone(), text(&lab.folder, file)?))).collect()
}

fn text(folder: &Path, file: &str) -> Result<String> {
    let given = folder.join(STARTER).join(file);
    match fs::read_to_string(&given) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        read => {
            return read.map_err(|e| Error::from_io("open", &e, given.display().to_string()));
        }
    }
    let of = |commit: &str| {
        let said = Command::new("git")
            .args(["show", &format!("{commit}:./{file}")])
            .current_dir(folder)
            .output()
            .ok()?;
        said.status.success().then(|| String::from_utf8(said.stdout).ok()).flatten()
    };
    ["origin/HEAD", "@{upstream}", "HEAD"].iter().find_map(|commit| of(commit)).ok_or_else(|| {
        Error::refused("lab reset", Errno::ENOENT, given.display().to_string())
            .with_remedy("there is no starter here, and no git repository that has one")
    })
}

/// Keeps a lab's files as they are now, in the user's state folder. Returns where.
///
/// # Errors
///
/// Those of the state folder, and of copying.
pub fn keep(lab: &Lab) -> Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let kept = state::folder()?.join("kept");
    let name = |more: u32| kept.join(format!("{}-{}", lab.rubric.id, now + u64::from(more)));
    let failed =
        |call, path: &Path, error: &_| Error::from_io(call, error, path.display().to_string());
    fs::create_dir_all(&kept).map_err(|error| failed("mkdir", &kept, &error))?;
    // Two within a second are two.
    let folder = (0..100)
        .map(name)
        .find(|folder| fs::create_dir(folder).is_ok())
        .ok_or_else(|| Error::refused("mkdir", Errno::EEXIST, kept.display().to_string()))?;
    for file in &lab.rubric.files {
        let (from, to) = (lab.folder.join(file), folder.join(file));
        if let Some(above) = to.parent() {
            fs::create_dir_all(above).map_err(|error| failed("mkdir", above, &error))?;
        }
        match fs::copy(&from, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            copied => drop(copied.map_err(|error| failed("write", &to, &error))?),
        }
    }
    Ok(folder)
}
