//! Does it all, several submissions at once.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipc_common::Result;
use serde::Serialize;

use super::subject::{self, Skipped, Subject};
use super::{Judged, Kind, Leftovers, Matrix, judge};
use crate::sandbox::Mode;
use crate::supervisor::{Plan, Ready, Supervisor, at_once};

/// How to verify.
#[derive(Clone, Debug)]
pub struct Verification<'a> {
    /// How often each solution has to earn full marks.
    pub repeat: u32,
    /// How many submissions at once.
    pub jobs: usize,
    /// A folder of submissions that nobody here has seen.
    pub extra: Option<&'a Path>,
}

/// All that was found about a lab in a mode.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The lab.
    pub lab: String,
    /// The mode.
    pub mode: Mode,
    /// Every submission, and what is wrong with its result.
    pub judged: Vec<Judged>,
    /// Which mutant fails which check.
    pub matrix: Matrix,
    /// What was not tried here, and why.
    pub skipped: Vec<Skipped>,
    /// How often a neighbour was graded beside the hostile ones.
    pub neighbours: usize,
    /// What is wrong with the whole: checks that nothing fails, things left behind.
    pub complaints: Vec<String>,
}

/// A step forward.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// How many are done.
    pub done: usize,
    /// Of how many.
    pub of: usize,
    /// The last one.
    pub judged: &'a Judged,
}

impl Found {
    /// How many things are wrong.
    pub fn wrong(&self) -> usize {
        self.complaints.len()
            + self.judged.iter().map(|judged| judged.complaints.len()).sum::<usize>()
    }
}

/// Verifies a lab in the supervisor's mode.
///
/// # Errors
///
/// If the fixtures cannot be read.
pub fn verify(
    supervisor: &Supervisor,
    ready: &Ready,
    how: &Verification<'_>,
    progress: &(dyn Fn(Step<'_>) + Sync),
) -> Result<Found> {
    let rubric = &ready.lab.rubric;
    let before = Leftovers::before(supervisor.mode())?;
    let mut honest = subject::of_lab(&ready.lab)?;
    if let Some(folder) = how.extra {
        honest.extend(subject::extra(folder, rubric)?);
    }
    let (hostile, skipped) = subject::hostile(supervisor.course(), &ready.lab, supervisor.mode())?;
    let of = honest.len() + hostile.len();
    let count = Mutex::new(0);
    let one = |subject: &Subject| {
        let rounds = if subject.kind == Kind::Solution { how.repeat } else { 1 };
        let plan = Plan { rounds, ..Plan::default() };
        let reports = supervisor.grade_rounds(ready, &subject.submission, &plan, &mut |_| {});
        let judged = judge(&subject.kind, &subject.name, rubric, reports);
        let mut done = count.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *done += 1;
        progress(Step { done: *done, of, judged: &judged });
        judged
    };
    let neighbour = honest.iter().find(|subject| subject.kind == Kind::Solution);
    let mut judged = at_once(&honest, how.jobs, &one);
    // The hostile ones together, with an honest neighbour all the time.
    let over = AtomicBool::new(false);
    let neighbours = Mutex::new(Vec::new());
    thread::scope(|scope| {
        if let Some(neighbour) = neighbour.filter(|_| !hostile.is_empty()) {
            let (over, neighbours) = (&over, &neighbours);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let plan = Plan::default();
                    let report = supervisor.grade(ready, &neighbour.submission, &plan, &mut |_| {});
                    let judged = judge(&neighbour.kind, &neighbour.name, rubric, vec![report]);
                    neighbours
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push(judged);
                    // Half of the time is enough; it is the hostile ones that have to be tried.
                    let enough = Instant::now() + begun.elapsed();
                    while Instant::now() < enough && !over.load(Ordering::Relaxed) {
                        thread::sleep(Duration::from_millis(20));
                    }
                }
            });
        }
        judged.extend(at_once(&hostile, how.jobs, &one));
        over.store(true, Ordering::Relaxed);
    });
    let neighbours = neighbours.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let matrix = Matrix::of(rubric, &judged);
    let mut complaints: Vec<String> = matrix
        .never_failed()
        .into_iter()
        .map(|id| format!("no mutant fails {id}: nobody knows whether it can fail"))
        .collect();
    for neighbour in &neighbours {
        let disturbed = neighbour.complaints.iter();
        complaints.extend(disturbed.map(|what| format!("a neighbour of hostile ones: {what}")));
    }
    // The folders that were made for some of them go, too.
    drop(hostile);
    complaints.extend(before.since()?.into_iter().map(|what| format!("left behind: {what}")));
    Ok(Found {
        lab: rubric.id.clone(),
        mode: supervisor.mode(),
        judged,
        matrix,
        skipped,
        neighbours: neighbours.len(),
        complaints,
    })
}
