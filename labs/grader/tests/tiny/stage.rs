//! Checks and drivers, with hardly a sandbox around them.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use grader::check::Stop;
use grader::driver::{PATIENCE, Reply, hex_path};
use grader::evidence::process::Mapping;
use grader::random::Seed;
use grader::sandbox::Ended;
use grader::stage::{Stage, key_of};
use testkit::{Case, Folder, need};

use crate::checks::PUTS;
use crate::course::{rustc, source};

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn()| Case { name, run, needs: &[rustc] };
    vec![
        case("a_claim_alone_is_not_enough", a_claim_alone_is_not_enough),
        case("what_the_code_prints_is_no_answer", what_the_code_prints_is_no_answer),
        case("silence_has_an_end", silence_has_an_end),
        case("a_kill_is_seen", a_kill_is_seen),
        Case {
            name: "what_somebody_else_makes_meanwhile_is_not_the_checks",
            run: what_somebody_else_makes,
            needs: &[ipcmk],
        },
        Case {
            name: "what_the_user_starts_meanwhile_takes_no_process_from_a_program",
            run: others_start,
            needs: &[rustc, need::ordinary_user],
        },
    ]
}

/// Builds the driver with one of the submissions.
fn build(library: &str, folder: &Folder) -> PathBuf {
    let rustc = |arguments: &[&str]| {
        let built = Command::new("rustc")
            .args(["--edition=2024", "--out-dir"])
            .arg(folder.path())
            .args(arguments)
            .arg("-L")
            .arg(folder.path())
            .output()
            .expect("rustc");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    };
    let at = |name: &str| source(name).display().to_string();
    rustc(&["--crate-name=helper", "--crate-type=rlib", &at("course/helper/src/lib.rs")]);
    let library = at(&format!("course/labs/tiny/{library}"));
    rustc(&["--crate-name=tiny", "--crate-type=rlib", "--extern=helper", &library]);
    rustc(&["--crate-name=driver", &at("course/labs/tiny/driver.rs"), "--extern=tiny"]);
    folder.file("driver")
}

/// A stage with a driver of that library.
fn on_stage<T>(library: &str, then: impl FnOnce(&mut Stage) -> T) -> T {
    let folder = testkit::folder();
    let program = build(library, &folder);
    let scratch = testkit::folder();
    let seed = Seed::fresh().unwrap();
    let limit = Duration::from_secs(30);
    let mut stage =
        Stage::unprotected(&program, scratch.path(), seed, PUTS.id, limit).expect("a stage");
    then(&mut stage)
}

fn a_claim_alone_is_not_enough() {
    let Err(Stop::Failed(finding)) = on_stage("mutants/boasts.rs", PUTS.run) else {
        panic!("it passed")
    };
    assert_eq!(finding.misconception, Some("boasts"));
}

fn what_the_code_prints_is_no_answer() {
    let Err(Stop::Failed(finding)) = on_stage("mutants/chats.rs", PUTS.run) else {
        panic!("it passed")
    };
    assert!(finding.shown.contains("a line of its own: ok"), "{finding:?}");
}

fn silence_has_an_end() {
    on_stage("solution/right.rs", |stage| {
        let mut driver = stage.start().unwrap();
        driver.pause().unwrap();
        let asked = driver.send(&["put", "-", "-"]);
        let asked = driver.wait_within(asked, Duration::from_millis(50)).unwrap_err();
        assert_eq!(driver.wait(asked).reply, Reply::Silence);
        driver.resume().unwrap();
        assert_eq!(driver.finish(), Ok(Ended::Exited(0)));
    });
}

fn a_kill_is_seen() {
    on_stage("solution/right.rs", |stage| {
        let mut driver = stage.start().unwrap();
        // Right after exec(2) the program is not mapped yet.
        let program = |maps: &[Mapping]| maps.iter().any(|one| one.name.ends_with("driver"));
        let mapped = || Ok(program(&driver.maps()?));
        assert_eq!(stage.wait_until(PATIENCE, mapped), Ok(true));
        assert_eq!(driver.kill_9(), Ok(Ended::Killed(9)));
        assert!(matches!(driver.ask(&["put"]).reply, Reply::Ended(Ended::Killed(9))));
        assert!(driver.maps().is_err());
    });
}

fn ipcmk() -> Result<(), String> {
    rustc()?;
    let found = ["ipcmk", "ipcrm"].map(|tool| Command::new(tool).arg("-V").output());
    match found.iter().all(|found| found.as_ref().is_ok_and(|found| found.status.success())) {
        true => Ok(()),
        false => Err("there is no ipcmk or no ipcrm (util-linux)".into()),
    }
}

/// Without a namespace the objects of all lie side by side.
fn what_somebody_else_makes() {
    on_stage("solution/right.rs", |stage| {
        let made = |what: &str, how_much: &str| {
            let made = Command::new("ipcmk").args([what, how_much]).output().expect("ipcmk");
            let made = String::from_utf8(made.stdout).unwrap();
            made.trim().rsplit(' ').next().unwrap().to_owned()
        };
        let file = stage.key_file().unwrap();
        let segment = stage.make_segment(key_of(&file, 7).unwrap(), 100, 0o600).unwrap();
        let (memory, semaphores) = (made("--shmem", "100"), made("--semaphore", "1"));
        let found = stage.new_objects().unwrap();
        segment.remove().unwrap();
        let mut remove = Command::new("ipcrm");
        remove.args(["--shmem-id", &memory, "--semaphore-id", &semaphores]);
        assert!(remove.status().unwrap().success());
        // Whatever others do on this machine meanwhile.
        let ids: Vec<i32> = found.iter().map(|object| object.id).collect();
        assert_eq!(ids, [segment.id()], "not {memory} and {semaphores}");
    });
}

/// Other programs of the same user, until this is dropped.
struct Others(Vec<Child>);

impl Others {
    fn start(count: usize, script: &str) -> Others {
        let start = |_| Command::new("sh").args(["-c", script]).spawn().unwrap();
        Others((0..count).map(start).collect())
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        for other in &mut self.0 {
            let _ = other.kill().and_then(|()| other.wait().map(drop));
        }
    }
}

/// A language server with its threads, at the same save: more than a program may have.
fn others_start() {
    on_stage("../../../submissions/starts_a_thread.rs", |stage| {
        let mut driver = stage.start().unwrap();
        let _others = Others::start(100, "exec sleep 100");
        let path = stage.fresh_path();
        assert_eq!(driver.ask(&["put", &hex_path(&path), "-"]).reply, Reply::Ok(vec![]));
    });
}
