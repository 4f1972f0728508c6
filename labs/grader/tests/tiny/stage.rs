//! Checks and drivers, with hardly a sandbox around them.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use grader::check::Stop;
use grader::driver::{PATIENCE, Reply, hex_path};
use grader::evidence::process::{self, Mapping};
use grader::random::Seed;
use grader::sandbox::Ended;
use grader::stage::Stage;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
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
            name: "what_the_user_starts_meanwhile_takes_no_process_from_a_program",
            run: others_start,
            needs: &[rustc, need::ordinary_user],
        },
        Case {
            name: "a_program_that_others_keep_from_running_is_waited_for",
            run: others_run,
            needs: &[rustc, told_who_waits],
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

/// The kernel tells who has waited for a processor, and how long.
fn told_who_waits() -> Result<(), String> {
    let me = std::process::id().cast_signed();
    match process::ran_and_waited(me) {
        (Duration::ZERO, _) => Err("this kernel has no /proc/PID/schedstat".into()),
        _ => Ok(()),
    }
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

/// A program that looks again and again, and sleeps in between, until it has waited for a processor
/// longer than a program that is asleep is waited for.
fn others_run() {
    on_stage("../../../submissions/waits_for_a_processor.rs", |stage| {
        // All on one processor, the program with the least claim to it.
        let mut here = CpuSet::new();
        let all = sched_getaffinity(Pid::from_raw(0)).unwrap();
        let first = (0..CpuSet::count()).find(|cpu| all.is_set(*cpu).unwrap()).unwrap();
        here.set(first).unwrap();
        sched_setaffinity(Pid::from_raw(0), &here).unwrap();
        // (Not by testkit's `Program`, which reads in threads; a stage forks.)
        let _others = Others::start(4, "while :; do :; done");
        // SAFETY: a number.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
        let mut driver = stage.start().unwrap();
        // SAFETY: as above. Root may; another one stays behind himself, which does as well.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 0) };
        let path = stage.fresh_path();
        assert_eq!(driver.ask(&["put", &hex_path(&path), "-"]).reply, Reply::Ok(vec![]));
    });
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
