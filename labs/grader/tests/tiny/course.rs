//! The tiny lab's course, copied to a folder of the case's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use grader::build::Submission;
use grader::sandbox::Mode;
use grader::supervisor::{Course, Plan, Ready, Supervisor};
use grader::verdict::Report;
use testkit::Folder;

pub struct Tiny {
    _folder: Option<Folder>,
    pub supervisor: Supervisor,
    pub ready: Ready,
}

pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tiny").join(name)
}

pub fn this_program() -> PathBuf {
    std::env::current_exe().expect("it runs")
}

/// A rustc that this user may run, and sources that he may read.
pub fn rustc() -> Result<(), String> {
    if let Err(error) = fs::read_dir(source("course")) {
        return Err(format!("this user may not read the course: {error}"));
    }
    let found = Command::new("rustc").arg("--version").output();
    if found.is_ok_and(|found| found.status.success()) {
        Ok(())
    } else {
        Err("there is no rustc that this user may run".into())
    }
}

pub fn mode(mode: Mode) -> Result<(), String> {
    rustc()?;
    grader::supervisor::works(mode, &this_program()).map_err(|why| format!("mode {mode}: {why}"))
}

impl Tiny {
    pub fn in_mode(mode: Mode) -> Tiny {
        let folder = testkit::folder();
        let tiny = Tiny::below(folder.path(), mode);
        Tiny { _folder: Some(folder), ..tiny }
    }

    /// In a folder that somebody else removes: this process may be killed.
    pub fn below(folder: &Path, mode: Mode) -> Tiny {
        copy(&source("course"), &folder.join("course"));
        // SAFETY: a case is a process with one thread.
        unsafe { std::env::remove_var("CARGO_TARGET_DIR") };
        let course = Course::at(&folder.join("course")).unwrap();
        let lab = course.lab("tiny").unwrap();
        let supervisor = Supervisor::new(course, Some(mode), &this_program()).unwrap();
        let ready = supervisor.prepare(&lab).unwrap();
        Tiny { supervisor, ready, _folder: None }
    }

    pub fn grade(&self, submission: &str) -> Report {
        let path = source(submission);
        self.supervisor.grade(&self.ready, &Submission::at(&path), &Plan::default(), &mut |_| {})
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}
