//! `kill -9` of whoever takes part in a grading, at any moment: nothing is left, and no student gets
//! a zero for it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use grader::build::Submission;
use grader::sandbox::Mode;
use grader::supervisor::Plan;
use grader::verdict::Report;
use grader::verify::Leftovers;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::{Case, Folder, Program};

use crate::checks::WAITS;
use crate::course::{self, Tiny};
use crate::modes::{full, landlock, run_uid, tree};
use crate::strange::in_rubric;

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn(), needs| Case { name, run, needs };
    vec![
        case("kills_in_mode_full", || everyone_once(Mode::Full), &[full]),
        case("kills_in_mode_run_uid", || everyone_once(Mode::RunUid), &[run_uid]),
        case("kills_in_mode_landlock", || everyone_once(Mode::Landlock), &[landlock]),
        case("kills_in_mode_tree", || everyone_once(Mode::Tree), &[tree]),
        case("a_later_run_sweeps_what_two_kills_left", both_who_sweep, &[run_uid]),
        case("kills_at_any_moment_in_mode_full", || at_any_moment(Mode::Full), &[full]),
        case("kills_at_any_moment_in_mode_run_uid", || at_any_moment(Mode::RunUid), &[run_uid]),
        case("kills_at_any_moment_in_mode_landlock", || at_any_moment(Mode::Landlock), &[landlock]),
    ]
}

/// What this program does as `tiny grade MODE FOLDER`: grades one that lingers, and prints the report.
/// On standard input it waits for a line first.
pub fn grade(mode: &str, folder: &Path) -> ExitCode {
    let mode = Mode::ALL.into_iter().find(|one| one.name() == mode).expect("a mode");
    let mut tiny = Tiny::below(folder, mode);
    // Longer than anybody waits for leftovers: only a kill ends it.
    tiny.ready.lab.rubric.checks = vec![in_rubric(WAITS, 60)];
    say("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
    let submission = Submission::at(&course::source("submissions/lingers.rs"));
    let plan = Plan { save: Some(folder.join("report.json")), ..Plan::default() };
    let report = tiny.supervisor.grade(&tiny.ready, &submission, &plan, &mut |_| {});
    say(&serde_json::to_string(&report).expect("JSON"));
    ExitCode::SUCCESS
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("somebody listens");
}

/// A supervisor, about to grade.
struct Grading {
    program: Program,
    folder: Folder,
}

impl Grading {
    fn start(mode: Mode) -> Grading {
        let folder = testkit::folder();
        let mut command = Command::new(course::this_program());
        let mut program = Program::start(command.args(["grade", mode.name()]).arg(folder.path()));
        program.line_with("ready");
        program.tell("go\n");
        Grading { program, folder }
    }

    /// The chain of processes that take part: supervisor, warden, cell, check, keeper; then programs.
    fn chain(&self) -> Vec<i32> {
        let mut chain = vec![self.program.pid().cast_signed()];
        while let Some(next) = first_child(chain[chain.len() - 1]) {
            chain.push(next);
        }
        chain
    }

    /// Waits until the hostile program has left its things.
    fn until_it_lingers(&self) -> Vec<i32> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let drivers = processes().into_iter().filter(|one| one.name == "driver").count();
            let chain = self.chain();
            // The one that is asked, and at least one that has fled.
            if drivers >= 4 && chain.len() >= 6 {
                return chain;
            }
            assert!(Instant::now() < until, "nothing is started: {chain:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

struct Running {
    pid: i32,
    parent: i32,
    name: String,
}

fn processes() -> Vec<Running> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let row = |pid: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
        let mut columns = rest.split(' ');
        let is_there = columns.next()? != "Z";
        let parent = columns.next()?.parse().ok()?;
        is_there.then(|| Running { pid, parent, name: name.to_owned() })
    };
    entries.filter_map(|entry| row(entry.file_name().to_str()?.parse().ok()?)).collect()
}

fn first_child(of: i32) -> Option<i32> {
    // A program namespace's PID 1 is a child of the check's, too: it has no children that we want.
    let children = processes().into_iter().filter(|one| one.parent == of && one.name != "init");
    children.map(|one| one.pid).min()
}

/// Nobody of these, nobody else's: nothing below this case, no object, no file.
fn nothing_is_left(before: &Leftovers, what: &str) {
    let left = before.since().unwrap();
    assert!(left.is_empty(), "after {what}: {left:#?}");
}

fn everyone_once(mode: Mode) {
    let before = Leftovers::before(mode).unwrap();
    for (place, who) in ["supervisor", "warden", "cell", "check", "keeper"].iter().enumerate() {
        let mut grading = Grading::start(mode);
        let chain = grading.until_it_lingers();
        kill(Pid::from_raw(chain[place]), Signal::SIGKILL).unwrap();
        if *who == "supervisor" {
            grading.program.kill_9();
        } else {
            let report: Report = serde_json::from_str(&grading.program.line()).unwrap();
            assert_eq!(report.score, 0);
            assert!(report.needs_rerun, "{who}: {report:#?}");
            let saved = std::fs::read(grading.folder.file("report.json")).unwrap();
            let saved: Report = serde_json::from_slice(&saved).unwrap();
            assert_eq!(saved.needs_rerun, report.needs_rerun);
            grading.program.finish();
        }
        nothing_is_left(&before, who);
    }
}

fn at_any_moment(mode: Mode) {
    let before = Leftovers::before(mode).unwrap();
    for round in 0..testkit::soak(5, 50) {
        let grading = Grading::start(mode);
        std::thread::sleep(Duration::from_micros(testkit::random_u64() % 900_000));
        let chain = grading.chain();
        let place = (testkit::random_u64() as usize) % chain.len();
        let victim = chain[place];
        let _ = kill(Pid::from_raw(victim), Signal::SIGKILL);
        // And the supervisor a moment later, unless it is the last one who could sweep.
        std::thread::sleep(Duration::from_micros(testkit::random_u64() % 50_000));
        if place == 1 && mode != Mode::Full {
            grading.program.finish();
        } else {
            grading.program.kill_9();
        }
        nothing_is_left(&before, &format!("round {round}, {victim} of {chain:?}"));
    }
}

/// With both of them gone, nobody is left who could sweep: until the next run comes.
fn both_who_sweep() {
    let before = Leftovers::before(Mode::RunUid).unwrap();
    let grading = Grading::start(Mode::RunUid);
    let chain = grading.until_it_lingers();
    let _ = kill(Pid::from_raw(chain[0]), Signal::SIGSTOP);
    let _ = kill(Pid::from_raw(chain[1]), Signal::SIGKILL);
    grading.program.kill_9();
    // The programs end by themselves; their objects stay until somebody grades again: this case, or
    // another one that is faster.
    Tiny::in_mode(Mode::RunUid);
    nothing_is_left(&before, "both");
}
