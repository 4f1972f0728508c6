//! Where the course and its labs lie.

use std::fs;
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};

use crate::rubric::Rubric;

/// The course's folder, with `labs` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    folder: PathBuf,
}

/// A lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lab {
    /// Its folder.
    pub folder: PathBuf,
    /// Its rubric.
    pub rubric: Rubric,
    /// The text of its `driver.rs`.
    pub driver: String,
}

impl Course {
    /// The course that the working directory is in; else the one that this program was built in.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is neither.
    pub fn find() -> Result<Course> {
        let here = std::env::current_dir().unwrap_or_default();
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.ancestors()
            .chain(built_in.ancestors())
            .find_map(|folder| Course::at(folder).ok())
            .ok_or_else(|| {
                Error::refused("lab", Errno::ENOENT, here.display().to_string())
                    .with_remedy("this is not in the course's folder: go there, and try again")
            })
    }

    /// The course in a folder.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it has no `labs` and no lock file.
    pub fn at(folder: &Path) -> Result<Course> {
        let has = |name: &str| folder.join(name).exists();
        if has("labs") && has("Cargo.lock") {
            Ok(Course { folder: folder.to_owned() })
        } else {
            Err(Error::refused("lab", Errno::ENOENT, folder.display().to_string())
                .with_remedy("a course has a folder `labs` and a file `Cargo.lock`"))
        }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where cargo builds.
    pub fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| self.folder.join("target"), |target| self.folder.join(target))
    }

    /// The ids of its labs, sorted.
    pub fn labs(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.join("labs")).into_iter().flatten().flatten();
        let mut ids: Vec<String> = entries
            .filter(|entry| entry.path().join("lab.toml").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        ids.sort_unstable();
        ids
    }

    /// A lab.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is none of that name; `EINVAL` if its rubric is wrong.
    pub fn lab(&self, id: &str) -> Result<Lab> {
        let folder = self.folder.join("labs").join(id);
        if !self.labs().iter().any(|lab| lab == id) {
            let known = self.labs().join(", ");
            return Err(Error::refused("lab", Errno::ENOENT, id)
                .with_remedy(format!("there is no lab of that name; there are: {known}")));
        }
        let rubric = Rubric::load(&folder.join("lab.toml")).map_err(|error| {
            Error::refused("lab", Errno::EINVAL, id).with_remedy(error.to_string())
        })?;
        if rubric.id != id {
            return Err(Error::refused("lab", Errno::EINVAL, id)
                .with_remedy(format!("its rubric says that it is {:?}", rubric.id)));
        }
        let driver = folder.join("driver.rs");
        let driver = fs::read_to_string(&driver)
            .map_err(|error| Error::from_io("open", &error, driver.display().to_string()))?;
        Ok(Lab { folder, rubric, driver })
    }
}
