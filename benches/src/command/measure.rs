//! Running the benches of which there are no results: built by cargo, started by us, so that a
//! signal ends them with us; and watched, so that somebody can see how far they are.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use benches::results::OWN_COST;
use ipc_common::Error;
use ipc_common::cli::style::{FAINT, STRONG};
use ipc_common::cli::{Failure, Quit};

use super::output::package;

/// Runs these benches, one after the other.
pub fn run(benches: &[&str], home: &Path, quick: bool, quit: &Quit) -> Result<(), Failure> {
    if benches.is_empty() {
        return Ok(());
    }
    let how =
        if quick { "quick runs, about a minute each" } else { "full runs, some minutes each" };
    say(&format!("to be measured: {} ({how})", benches.join(", ")));
    let programs = build(benches, quit)?;
    for bench in benches {
        let program = programs.get(*bench).ok_or_else(|| {
            Failure::Usage(format!(
                "cargo has built no bench named {bench}: is this the project's own?"
            ))
        })?;
        measure(bench, program, home, quick, quit)?;
    }
    Ok(())
}

/// Each bench's program.
fn build(benches: &[&str], quit: &Quit) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["bench", "--no-run", "--message-format=json-render-diagnostics"]);
    command.args(benches.iter().flat_map(|bench| ["--bench", bench])).current_dir(package());
    let mut programs = BTreeMap::new();
    Running::start(&mut command)?.until_it_ends("cargo", quit, |line| {
        let message: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let program = message["executable"].as_str().map(PathBuf::from);
        if let (Some(name), Some(program)) = (message["target"]["name"].as_str(), program) {
            programs.insert(name.to_owned(), program);
        }
    })?;
    Ok(programs)
}

fn measure(
    bench: &str,
    program: &Path,
    home: &Path,
    quick: bool,
    quit: &Quit,
) -> Result<(), Failure> {
    let home = std::path::absolute(home).unwrap_or_else(|_| home.to_owned());
    let command = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.arg("--bench").args(arguments).current_dir(package()).env("CRITERION_HOME", &home);
        command
    };
    let mut cases = 0;
    let mut list = command(&["--list"]);
    // Of a list criterion's --quick says nothing.
    list.env("BENCH_QUICK", if quick { "1" } else { "" }).stderr(Stdio::null());
    Running::start(&mut list)?
        .until_it_ends(bench, quit, |line| cases += usize::from(is_listed(line)))?;
    let how: &[&str] = if quick { &["--noplot", "--quick"] } else { &["--noplot"] };
    let mut progress = Progress::new(bench, cases);
    // Criterion's own progress goes to standard error, a line for each step of each case.
    let mut command = command(how);
    let running = Running::start(command.stderr(Stdio::piped()))?;
    let ended = running.until_it_ends(bench, quit, |line| progress.line(line));
    progress.end();
    ended
}

/// `GROUP/FUNCTION/VALUE: benchmark`, or, of the bench without criterion, `ROOM: bench`.
fn is_listed(line: &str) -> bool {
    line.ends_with(": benchmark") || line.ends_with(": bench")
}

/// A program that is ended with us.
struct Running {
    child: Child,
    lines: Receiver<String>,
    complaints: thread::JoinHandle<Vec<String>>,
}

/// Of what a program that failed said on standard error, so many lines are shown.
const LAST_WORDS: usize = 12;

impl Running {
    fn start(command: &mut Command) -> Result<Running, Failure> {
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|error| {
            let program = command.get_program().to_string_lossy().into_owned();
            Error::from_io("execve", &error, program).with_remedy(
                "the report runs cargo and the benches; `--no-run` shows what there is".to_owned(),
            )
        })?;
        let (send, lines) = mpsc::channel();
        let output = child.stdout.take();
        thread::spawn(move || {
            for line in output.map(BufReader::new).into_iter().flat_map(BufRead::lines) {
                if line.is_ok_and(|line| send.send(line).is_err()) {
                    break;
                }
            }
        });
        let errors = child.stderr.take();
        let complaints = thread::spawn(move || {
            let lines = errors
                .map(BufReader::new)
                .into_iter()
                .flat_map(BufRead::lines)
                .map_while(Result::ok);
            lines.fold(Vec::new(), |mut last: Vec<String>, line| {
                last.push(line);
                if last.len() > LAST_WORDS {
                    last.remove(0);
                }
                last
            })
        });
        Ok(Running { child, lines, complaints })
    }

    /// Every line of its output, until it ends well.
    fn until_it_ends(
        mut self,
        name: &str,
        quit: &Quit,
        mut line: impl FnMut(&str),
    ) -> Result<(), Failure> {
        loop {
            if let Err(signal) = quit.check() {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return Err(signal);
            }
            match self.lines.recv_timeout(Quit::NAP) {
                Ok(text) => line(&text),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait().map_err(|error| Error::from_io("wait", &error, name))?;
        if status.success() {
            return Ok(());
        }
        // Ctrl-C goes to it and to us: then its end is ours.
        quit.check()?;
        let words = self.complaints.join().unwrap_or_default();
        words.iter().for_each(|word| say(word));
        say(&format!("{name} failed ({status}); what it has measured until then is kept"));
        Err(Failure::Said)
    }
}

/// How far a bench is: one line that is written over, or, where nobody watches, one in ten.
struct Progress {
    bench: String,
    cases: usize,
    done: usize,
    started: Instant,
    watched: bool,
    /// Whether its first room has begun.
    begun: bool,
}

impl Progress {
    fn new(bench: &str, cases: usize) -> Progress {
        let watched = std::io::stderr().is_terminal();
        let started = Instant::now();
        Progress { bench: bench.into(), cases, done: 0, started, watched, begun: false }
    }

    /// Of the bench's own lines: the last of each case counts, and what is skipped is passed on.
    fn line(&mut self, line: &str) {
        if line.starts_with("SKIPPED") {
            self.clear();
            say(line);
        }
        if !self.is_done(line) {
            return;
        }
        self.done += 1;
        let Progress { bench, cases, done, started, watched, .. } = self;
        let pieces = pieces(bench);
        let seconds = started.elapsed().as_secs();
        let left = seconds * (cases.saturating_sub(*done)) as u64 / (*done).max(1) as u64;
        let text = format!("{STRONG}{bench}{STRONG:#}: {done} of {cases} {pieces}, {seconds} s");
        if *watched {
            let _ =
                write!(anstream::stderr(), "\r{text}{FAINT}, about {left} s left{FAINT:#}\x1b[K");
        } else if done.is_multiple_of((*cases / 10).max(1)) {
            say(&text);
        }
    }

    /// Whether a case ends with this line.
    fn is_done(&mut self, line: &str) -> bool {
        if self.bench != OWN_COST {
            // `faults 1, system calls 2 (mmap 1, munmap 1)`: once for each case.
            return line.trim_start().starts_with("faults ");
        }
        // An empty line stands before each room and before the end: all but the first end one.
        line.is_empty() && std::mem::replace(&mut self.begun, true)
    }

    fn clear(&self) {
        if self.watched {
            let _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }

    fn end(&self) {
        self.clear();
        let seconds = self.started.elapsed().as_secs();
        let Progress { bench, done, .. } = self;
        say(&format!("{bench}: {done} {} in {seconds} s", pieces(bench)));
    }
}

/// What a bench is divided into.
fn pieces(bench: &str) -> &'static str {
    if bench == OWN_COST { "rooms" } else { "cases" }
}

fn say(what: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(anstream::stderr(), "{what}");
}
