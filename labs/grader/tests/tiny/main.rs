//! A tiny lab, to try the grader itself on: a text is to be put into a file.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use grader::check::{Check, Stop, Verdict, require};
use grader::driver::{PATIENCE, Reply, hex, hex_path};
use grader::evidence::process::Mapping;
use grader::random::Seed;
use grader::sandbox::Ended;
use grader::stage::Stage;
use testkit::Folder;

testkit::cases! {
    what_is_right_passes needs rustc;
    a_claim_alone_is_not_enough needs rustc;
    what_the_code_prints_is_no_answer needs rustc;
    silence_has_an_end needs rustc;
    a_kill_is_seen needs rustc;
}

const PUTS: Check = Check { id: "puts", run: puts };

fn puts(stage: &mut Stage) -> Verdict {
    let path = stage.fresh_path();
    let length = stage.random().between(10, 3000);
    let text = stage.random().bytes(length);
    let mut driver = stage.start()?;
    driver.ask(&["put", &hex_path(&path), &hex(&text)]).ok()?;
    let Some(file) = stage.open(&path)? else {
        return Err(Stop::failed("a file with the text", "there is no file").because("boasts"));
    };
    let found = file.read(0, text.len() + 1)?;
    require(found == text, "the text, and nothing else, in the file", || {
        format!("{} bytes, which differ", found.len())
    })?;
    driver.finish_cleanly()
}

fn rustc() -> Result<(), String> {
    let found = Command::new("rustc").arg("--version").output();
    found
        .is_ok_and(|found| found.status.success())
        .then_some(())
        .ok_or_else(|| "there is no rustc that this user may run".to_owned())
}

/// Builds the driver with one of the libraries beside this file.
fn build(library: &str, folder: &Folder) -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tiny");
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
    let source = |name: &str| sources.join(name).display().to_string();
    rustc(&["--crate-name=tiny", "--crate-type=rlib", &source(library)]);
    rustc(&["--crate-name=driver", &source("driver.rs"), "--extern=tiny"]);
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

fn what_is_right_passes() {
    assert_eq!(on_stage("right.rs", PUTS.run), Ok(()));
}

fn a_claim_alone_is_not_enough() {
    let Err(Stop::Failed(finding)) = on_stage("boasts.rs", PUTS.run) else { panic!("it passed") };
    assert_eq!(finding.misconception, Some("boasts"));
}

fn what_the_code_prints_is_no_answer() {
    let Err(Stop::Failed(finding)) = on_stage("chats.rs", PUTS.run) else { panic!("it passed") };
    assert!(finding.shown.contains("a line of its own: ok"), "{finding:?}");
}

fn silence_has_an_end() {
    on_stage("right.rs", |stage| {
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
    on_stage("right.rs", |stage| {
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
