//! What the kernel shows a check: of the student's user, and of this run.

use std::path::Path;

use ipc_common::key::ftok;
use ipc_common::{Key, Project};

use super::{Setting, Stage, blame};
use crate::check::Stop;
use crate::evidence::census::{self, Object};
use crate::evidence::file::{self, FileStat, Opened};
use crate::evidence::segment::Segment;
use crate::evidence::semaphores::Semaphores;
use crate::sandbox::{Mode, sweep};

impl Stage {
    /// The segment that [`ftok`] of a path and a project leads to, if there is one.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it is there and its mode lets its own owner not look; [`Stop::Grader`]
    /// for the rest.
    pub fn segment_of_file(&self, path: &Path, project: u8) -> Result<Option<Segment>, Stop> {
        self.segment(key_of(path, project)?)
    }

    /// The segment with a key, if there is one.
    ///
    /// # Errors
    ///
    /// As for [`Stage::segment_of_file`].
    pub fn segment(&self, key: Key) -> Result<Option<Segment>, Stop> {
        let found = Segment::find(key, self.setting.identity);
        found.map_err(|error| blame::for_objects(error, self.setting.mode))
    }

    /// Makes a segment as a stranger would who came first.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if the program has the key or all the room already; [`Stop::Grader`] for the
    /// rest.
    pub fn make_segment(&self, key: Key, size: usize, mode: u32) -> Result<Segment, Stop> {
        let made = Segment::create(key, size, mode, self.setting.identity);
        made.map_err(|error| blame::for_objects(error, self.setting.mode))
    }

    /// The semaphore set with a key, if there is one.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if its mode lets its own owner not look; [`Stop::Grader`] for other errors of
    /// semget(2) and semctl(2).
    pub fn semaphores(&self, key: Key) -> Result<Option<Semaphores>, Stop> {
        let found = Semaphores::find(key, self.setting.identity);
        found.map_err(|error| blame::for_objects(error, self.setting.mode))
    }

    /// The System V objects that came since the check began: its programs' and those that the check
    /// made for it. Where others' lie beside them, only those that were made by a program of the
    /// check, or have the key of one of its files: the same person may try something by hand
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// [`Stop::Grader`] if they cannot be listed.
    pub fn new_objects(&self) -> Result<Vec<Object>, Stop> {
        let Setting { mode, identity, .. } = self.setting;
        let mut now = census::all()?;
        now.retain(|object| sweep::is_of_the_run(object, mode, identity, &self.before));
        if !sweep::has_its_own(mode, identity) {
            let keys = self.keys_of_files()?;
            now.retain(|object| match object.maker {
                0 => keys.contains(&without_project(object.key)),
                maker => self.makers.contains(&maker),
            });
        }
        Ok(now)
    }

    fn keys_of_files(&self) -> Result<Vec<i32>, Stop> {
        let files = file::below(&self.setting.folder)?;
        // One that has gone meanwhile gives no key.
        let keys = files.iter().filter_map(|path| key_of(path, 1).ok());
        Ok(keys.map(|key| without_project(key.raw())).collect())
    }

    /// What is at a path.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if the program has closed the folder that it is in; [`Stop::Grader`] for the
    /// rest but ENOENT.
    pub fn file_stat(&self, path: &Path) -> Result<Option<FileStat>, Stop> {
        file::stat(path).map_err(|error| blame::for_files(error, self.setting.mode))
    }

    /// The regular file at a path, opened.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if something else is there, or its mode lets its own owner not read.
    pub fn open(&self, path: &Path) -> Result<Option<Opened>, Stop> {
        Opened::at(path, self.setting.identity).map_err(|error| {
            Stop::failed("a regular file that its owner may read", error.to_string())
        })
    }
}

/// What the keys of one file have in common: ftok puts the project into the upper eight bits.
fn without_project(key: i32) -> i32 {
    key & 0x00ff_ffff
}

/// The key of [`ftok`] for a path and a project, as the grader reckons it.
///
/// # Errors
///
/// [`Stop::Failed`] if the program has removed the file, or closed the folder that it is in.
pub fn key_of(path: &Path, project: u8) -> Result<Key, Stop> {
    let project = Project::new(project.into())?;
    let found = ftok(path, project);
    // No mode: nothing is written, so whose disk it is does not matter.
    Ok(found.map_err(|error| blame::for_files(error, Mode::Tree))?.key())
}
