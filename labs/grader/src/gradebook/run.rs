//! Grading a class, several at once.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ipc_common::{Error, Result};

use super::grades::{self, Row, Status};
use super::{Book, HandIn, Identity, Listing};
use crate::random::Seed;
use crate::supervisor::{Plan, Progress, Ready, Supervisor};

/// How often the tables of the whole class are written: each time costs in proportion to the class.
const TABLES: Duration = Duration::from_secs(2);

/// What to grade, and how.
#[derive(Clone, Copy, Debug)]
pub struct Class<'a> {
    /// What grades.
    pub supervisor: &'a Supervisor,
    /// The lab.
    pub ready: &'a Ready,
    /// What was handed in.
    pub listing: &'a Listing,
    /// Where results go.
    pub book: &'a Book,
    /// Which grader it is: [`grader`](super::grader).
    pub grader: &'a str,
    /// One seed for everybody; a fresh one each, if there is none.
    pub seed: Option<Seed>,
    /// How many at once.
    pub jobs: usize,
    /// Whether results that still stand are found out anew.
    pub again: bool,
}

/// A step forward.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// How many are done.
    pub done: usize,
    /// Of how many.
    pub of: usize,
    /// The last one.
    pub row: &'a Row,
}

/// Grades everybody, until `stop` says so: then no other one is begun. The rows are in the order of
/// the listing, those that cannot be taken last, and the tables are written in any case.
///
/// # Errors
///
/// If results cannot be written. What is written until then stands.
pub fn grade(
    class: &Class<'_>,
    stop: &(dyn Fn() -> bool + Sync),
    progress: &(dyn Fn(Step<'_>) + Sync),
) -> Result<Vec<Row>> {
    let handins = &class.listing.handins;
    let waiting = handins.iter().map(|one| Row::waiting(one.name(), one.folder_name()));
    let rows = waiting.chain(class.listing.not_taken.iter().map(Row::not_taken)).collect();
    let table = Mutex::new(Table { rows, done: 0, saved: Instant::now(), failed: None });
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..handins.len()).collect());
    let work = || {
        while !stop() && lock(&table).failed.is_none() {
            let Some(place) = lock(&waiting).pop_front() else { break };
            match one(class, &handins[place]) {
                Ok(row) => lock(&table).put(class, place, row, progress),
                Err(error) => lock(&table).failed = Some(error),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..class.jobs.clamp(1, handins.len().max(1)) {
            scope.spawn(work);
        }
    });
    let mut table = table.into_inner().unwrap_or_else(PoisonError::into_inner);
    table.save(class);
    table.failed.map_or(Ok(table.rows), Err)
}

/// The class so far.
struct Table {
    rows: Vec<Row>,
    done: usize,
    saved: Instant,
    failed: Option<Error>,
}

impl Table {
    fn put(
        &mut self,
        class: &Class<'_>,
        place: usize,
        row: Row,
        progress: &(dyn Fn(Step<'_>) + Sync),
    ) {
        self.done += 1;
        self.rows[place] = row;
        let of = class.listing.handins.len();
        progress(Step { done: self.done, of, row: &self.rows[place] });
        if self.saved.elapsed() > TABLES {
            self.save(class);
        }
    }

    fn save(&mut self, class: &Class<'_>) {
        let rubric = &class.ready.lab.rubric;
        let saved = grades::save(class.book.folder(), rubric, &self.rows, &class.listing.ignored);
        // The first failure is the one to tell.
        self.failed = self.failed.take().or(saved.err());
        self.saved = Instant::now();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One submission: graded, or found graded already.
fn one(class: &Class<'_>, handin: &HandIn) -> Result<Row> {
    let rubric = &class.ready.lab.rubric;
    let (name, folder) = (handin.name(), handin.folder_name());
    let submission = handin.take(rubric);
    let identity = Identity::of(&name, &submission, class);
    let standing = class.book.standing(&folder, &identity).filter(|_| !class.again);
    let was_there = standing.is_some();
    let report = match standing {
        Some(report) => report,
        None => {
            let save = class.book.begin(&folder, &identity)?;
            let plan = Plan { seed: class.seed, save: Some(save), ..Plan::default() };
            let mut report =
                class.supervisor.grade(class.ready, &submission, &plan, &mut |progress| {
                    if let Progress::SoFar(report) = progress {
                        class.book.so_far(&folder, rubric, report);
                    }
                });
            // What was not looked at to the end is not known.
            report.needs_rerun |= !report.is_whole;
            report
        }
    };
    // Also for one that was there: who grades may have been killed between two of its files.
    class.book.finish(&folder, rubric, &report)?;
    let status = if report.needs_rerun { Status::NeedsRerun } else { Status::Graded };
    let (identity, report) = (Some(identity), Some(report));
    Ok(Row { status, was_there, identity, report, ..Row::waiting(name, folder) })
}
