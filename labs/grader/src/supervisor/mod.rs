//! The supervisor: holds rubric and results, starts cells, and believes only what they tell it by
//! their own pipe.
//!
//! ```no_run
//! use grader::build::Submission;
//! use grader::supervisor::{Course, Plan, Supervisor};
//!
//! let course = Course::find()?;
//! let lab = course.lab("pass-a-note")?;
//! let supervisor = Supervisor::new(course, None, "/proc/self/exe".as_ref())?;
//! let ready = supervisor.prepare(&lab)?;
//! let submission = Submission::at("submissions/anna".as_ref());
//! let report = supervisor.grade(&ready, &submission, &Plan::default(), &mut |_| {});
//! println!("{} of {}", report.score, report.total);
//! # Ok::<(), ipc_common::Error>(())
//! ```

mod cache;
mod course;
mod detect;
mod folder;
mod grade;
mod many;
mod pipe;
mod run;
mod surroundings;
mod users;

use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};

use crate::build::{self, Toolchain, Tools, others_can_reach};
use crate::cell::Task;
use crate::sandbox::{Mode, fence};

pub use course::{Course, Lab};
pub(crate) use detect::tried;
pub use detect::{Found, works};
#[cfg(feature = "class")]
pub(crate) use folder::RunFolder;
pub use grade::{Plan, Progress};
pub use many::at_once;
use users::RunUser;
pub use users::is_of_a_run_user;

/// What grades submissions, one or many at once: it may be shared by threads.
#[derive(Debug)]
pub struct Supervisor {
    course: Course,
    mode: Mode,
    cell: PathBuf,
    cache: PathBuf,
    toolchain: Toolchain,
}

/// A lab whose dependencies are built.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The lab.
    pub lab: Lab,
    pub(crate) tools: Tools,
    /// Why points for it are not official, if they are not.
    pub(crate) doubt: Option<String>,
}

impl Supervisor {
    /// A supervisor that works in `mode`, or in the best one that there is. `cell` is the program
    /// that is started as `… cell`: the `lab` binary, or another one that calls
    /// [`cell::main`](crate::cell::main) for it.
    ///
    /// # Errors
    ///
    /// `ENOTSUP` if the mode does not work here; others if there is no toolchain, or no place for
    /// the cache.
    pub fn new(course: Course, mode: Option<Mode>, cell: &Path) -> Result<Supervisor> {
        let mode = match mode {
            Some(mode) => works(mode, cell).map(|()| mode).map_err(|why| {
                Error::refused("lab", Errno::ENOTSUP, format!("mode {mode}")).with_remedy(why)
            })?,
            None => Found::look(cell).best,
        };
        remove_stale(cell)?;
        let cache = cache::folder(&course, mode)?;
        let mut toolchain = Toolchain::find(course.folder())?;
        if mode == Mode::RunUid {
            toolchain = toolchain.for_everyone(&cache)?;
        }
        Ok(Supervisor { course, mode, cell: cell.into(), cache, toolchain })
    }

    /// The mode it works in.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The compiler, by name and version.
    pub fn compiler(&self) -> &str {
        &self.toolchain.version
    }

    /// The course that it grades.
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// Builds what submissions of a lab may use, unless that is done already.
    ///
    /// # Errors
    ///
    /// If cargo fails, with what it said.
    pub fn prepare(&self, lab: &Lab) -> Result<Ready> {
        let cargo_folder = self.course.target().join("lab");
        let built = build::prepare(
            self.course.folder(),
            &lab.rubric,
            &Toolchain { folder: self.toolchain.folder.clone(), ..self.toolchain.clone() },
            &cargo_folder,
            &self.cache,
        )?;
        let tools = Tools {
            toolchain: self.toolchain.folder.clone(),
            dependencies: built.folder,
            externs: built.externs,
            crate_name: lab.rubric.id.replace('-', "_"),
            edition: built.edition,
            linker: self.toolchain.linker.clone(),
        };
        Ok(Ready { lab: lab.clone(), tools, doubt: self.doubt(lab) })
    }

    /// Compiles and links a program that is right, in the sandbox: where that fails, no submission is
    /// to blame, and nobody has to be graded to find out.
    ///
    /// # Errors
    ///
    /// `ENOEXEC` if it fails, with what the compiler said.
    pub fn prove(&self) -> Result<()> {
        let tools = Tools {
            toolchain: self.toolchain.folder.clone(),
            // None are needed; a folder is.
            dependencies: self.toolchain.folder.clone(),
            externs: Vec::new(),
            crate_name: String::new(),
            edition: "2024".into(),
            linker: self.toolchain.linker.clone(),
        };
        let proved = detect::perform(self.mode, &self.cell, Task::Prove(Box::new(tools)));
        proved.map(drop).map_err(|why| {
            Error::refused("lab", Errno::ENOEXEC, format!("rustc, in mode {}", self.mode))
                .with_remedy(why)
        })
    }

    /// Without Landlock and without a root of its own, a submission may read what everybody may: the
    /// solutions, if they are such files.
    fn doubt(&self, lab: &Lab) -> Option<String> {
        if self.mode == Mode::Full || fence::is_there() {
            return None;
        }
        let secrets = ["solution", "mutants"].map(|name| lab.folder.join(name));
        let open = secrets.iter().find(|folder| folder.is_dir() && others_can_reach(folder))?;
        Some(format!(
            "not official: this kernel has no Landlock, and everybody may read {0}: chmod 700 {0}",
            open.display()
        ))
    }
}

/// What is left of runs whose warden and supervisor were both killed. (One of them alone would have
/// been enough to remove it.)
fn remove_stale(cell: &Path) -> Result<()> {
    folder::remove_stale();
    if nix::unistd::geteuid().is_root() {
        for user in RunUser::stale()? {
            grade::sweep(cell, Mode::RunUid, Some(user.id), None, Vec::new())?;
        }
    }
    Ok(())
}
