//! One process a case, with a watchdog.

use std::env;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::panic;
use std::process::{ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::{emulator, sweep};

/// Names the case that a child is to run.
const CASE: &str = "TESTKIT_CASE";

/// A case that has not ended by then hangs. Generous: it says that something is stuck, not that
/// something is slow.
const WATCHDOG: Duration = Duration::from_secs(120);

/// A test, and what it needs to run.
pub struct Case {
    /// Its name: a sentence about what holds.
    pub name: &'static str,
    /// What it does; it fails by panicking.
    pub run: fn(),
    /// What has to be there; `Err` is the reason for skipping.
    pub needs: &'static [fn() -> Result<(), String>],
}

/// Runs the cases as `cargo test` would, or the one that this process was started for.
pub fn main(cases: Vec<Case>) -> ExitCode {
    if let Some(name) = env::var_os(CASE) {
        let case = cases.iter().find(|case| name == case.name).expect("no such case");
        return run_here(case);
    }
    let trials = cases.into_iter().map(|case| {
        Trial::ignorable_test(case.name, move || {
            if let Some(reason) = case.needs.iter().find_map(|need| need().err()) {
                // Aloud: libtest-mimic prints a reason only in its list.
                say(&format!("SKIPPED {}: {reason}", case.name));
                return Ok(Completion::ignored_with(reason));
            }
            run_in_child(&case).map(|()| Completion::Completed)
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn run_here(case: &Case) -> ExitCode {
    crate::program::remember(std::process::id(), SystemTime::now());
    // Nobody waits for us any more if the runner was killed.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).expect("a death signal needs no privilege");
    // Programs whose parent has gone then become our children, and are found by the sweep.
    // (qemu has no such call.)
    let adopts = nix::sys::prctl::set_child_subreaper(true).is_ok();
    assert!(adopts || emulator::is_emulated(), "a subreaper needs no privilege");
    let passed = panic::catch_unwind(case.run).is_ok();
    let left = sweep::sweep();
    for thing in &left {
        say(&format!("left behind: {thing}"));
    }
    if passed && left.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

fn run_in_child(case: &Case) -> Result<(), Failed> {
    let mut command = emulator::command(env::current_exe()?);
    // What the programs under test would heed, and who runs the tests did not mean for them.
    // (`CI` counts as a terminal that knows colours.)
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "XDG_STATE_HOME"] {
        command.env_remove(name);
    }
    let mut child = command
        .env(CASE, case.name)
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let group = Pid::from_raw(child.id().cast_signed());
    let heard = [listen(child.stdout.take()), listen(child.stderr.take())];
    let until = Instant::now() + WATCHDOG * watchdog_factor();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > until {
            break None;
        }
        thread::sleep(Duration::from_millis(2));
    };
    // Whatever is left of the group would hold the pipes open, and `join` would wait for it.
    let _ = killpg(group, Signal::SIGKILL);
    let status = match status {
        Some(status) => Ok(status),
        None => child.wait().map(|_| Err(format!("hung: killed after {WATCHDOG:?}")))?,
    };
    let heard: Vec<String> =
        heard.into_iter().map(|thread| thread.join().unwrap_or_default()).collect();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{status}\n{}", heard.concat()).into()),
        Err(hung) => Err(format!("{hung}\n{}", heard.concat()).into()),
    }
}

/// A full soak takes longer than a quick run, and that is no hang.
fn watchdog_factor() -> u32 {
    if crate::soak(0, 100) == 0 { 1 } else { 8 }
}

fn listen(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[expect(clippy::print_stderr, reason = "a test harness that does not speak helps nobody")]
fn say(what: &str) {
    eprintln!("{what}");
}
