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
    folder: Folder,
    pub supervisor: Supervisor,
    pub ready: Ready,
}

pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tiny").join(name)
}

pub fn this_program() -> PathBuf {
    std::env::current_exe().expect("it runs")
}

/// A rustc that this user may run.
pub fn rustc() -> Result<(), String> {
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
        copy(&source("course"), &folder.file("course"));
        // SAFETY: a case is a process with one thread.
        unsafe { std::env::remove_var("CARGO_TARGET_DIR") };
        let course = Course::at(&folder.file("course")).unwrap();
        let lab = course.lab("tiny").unwrap();
        let supervisor = Supervisor::new(course, Some(mode), &this_program()).unwrap();
        let ready = supervisor.prepare(&lab).unwrap();
        Tiny { folder, supervisor, ready }
    }

    /// A path in the case's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
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
