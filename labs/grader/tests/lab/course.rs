//! The tiny lab's course, copied to a folder of the case's own, and `lab` in it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::{Finished, Folder, Program};

pub struct Course {
    pub folder: Folder,
}

/// A rustc that this user may run.
pub fn rustc() -> Result<(), String> {
    let found = Command::new("rustc").arg("--version").output();
    match found {
        Ok(found) if found.status.success() => Ok(()),
        _ => Err("there is no rustc that this user may run".into()),
    }
}

pub fn tiny(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tiny").join(name)
}

/// A solution of the tiny lab.
pub fn right() -> String {
    fs::read_to_string(tiny("course/labs/tiny/solution/right.rs")).unwrap()
}

/// One that earns 60 points.
pub fn forgets() -> String {
    fs::read_to_string(tiny("course/labs/tiny/mutants/forgets.rs")).unwrap()
}

/// One that does not answer for a long time.
pub fn sleeps() -> String {
    right().replace(
        "fs::write(path, text)",
        "std::thread::sleep(std::time::Duration::from_secs(1000)); fs::write(path, text)",
    )
}

impl Course {
    pub fn new() -> Course {
        let folder = testkit::folder();
        copy(&tiny("course"), &folder.file("course"));
        fs::create_dir(folder.file("in")).unwrap();
        fs::create_dir(folder.file("home")).unwrap();
        Course { folder }
    }

    /// With one more check, the first one, which waits for a program as long as that takes: what is to
    /// happen in the middle of a check needs no luck then.
    pub fn that_waits() -> Course {
        let course = Course::new();
        let rubric = course.path("course/labs/tiny/lab.toml");
        let text = fs::read_to_string(&rubric).unwrap().replace("points = 60", "points = 50");
        let waits = "[[check]]\nid = \"waits\"\ntitle = \"It answers\"\npoints = 10\nseconds = 300\n\
                     visibility = \"visible\"\nhint = \"none\"\n\n";
        fs::write(rubric, text.replacen("[[check]]", &format!("{waits}[[check]]"), 1)).unwrap();
        course
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    /// `lab`, standing in the course's folder.
    pub fn lab<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command
            .arg0("lab")
            .args(arguments)
            .current_dir(self.path("course"))
            .env("XDG_STATE_HOME", self.path("home"))
            .env_remove("TESTKIT_CASE")
            .env_remove("CARGO_TARGET_DIR");
        command
    }

    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Finished {
        Program::run(&mut self.lab(arguments))
    }

    /// `lab grade in --lab tiny --out REPORT`.
    pub fn grade(&self) -> Command {
        self.lab(["grade", "../in", "--lab", "tiny", "--out", "../report"])
    }

    /// Hands in a folder with one source file.
    pub fn hand_in(&self, name: impl AsRef<Path>, text: &str) {
        let folder = self.path("in").join(name).join("src");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("lib.rs"), text).unwrap();
    }

    /// Hands in a zip of these files.
    pub fn hand_in_zip(&self, name: &str, files: &[(&str, &str)]) {
        let mut zip = zip::ZipWriter::new(fs::File::create(self.path("in").join(name)).unwrap());
        for (name, text) in files {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
    }

    pub fn json(&self, name: &str) -> Value {
        let path = self.path("report").join(name);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A submission's line of the gradebook: name, score, total, status.
    pub fn line(&self, name: &str) -> Vec<String> {
        let csv = fs::read_to_string(self.path("report/grades.csv")).unwrap();
        let line = csv.lines().find(|line| line.starts_with(&format!("{name},")));
        let line = line.unwrap_or_else(|| panic!("no {name} in {csv}"));
        line.split(',').take(4).map(str::to_owned).collect()
    }

    /// The seed that a submission was graded with: another one each time.
    pub fn seed(&self, folder: &str) -> String {
        let report = self.json(&format!("submissions/{folder}/report.json"));
        report["seed"].as_str().unwrap().to_owned()
    }
}

pub fn copy(from: &Path, to: &Path) {
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
