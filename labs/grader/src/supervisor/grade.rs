//! Grading one submission: a job for a cell, and what comes back.

use std::path::{Path, PathBuf};

use ipc_common::Result;

use super::pipe::{Cell, End};
use super::run::Run;
use super::surroundings::Surroundings;
use super::{Ready, Supervisor};
use crate::build::{self, Submission};
use crate::cell::{CheckOrder, Grading, Job, Task};
use crate::evidence::census::Object;
use crate::random::Seed;
use crate::rubric::Visibility;
use crate::sandbox::Mode;
use crate::shown;
use crate::verdict::{CheckResult, Report};

/// How to grade.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Only the checks that students have.
    pub only_visible: bool,
    /// Only these checks, and what they depend on; all if it is empty.
    pub only: Vec<String>,
    /// The seed of a run that is to be done again.
    pub seed: Option<Seed>,
    /// How often to run all checks; 0 counts as once. There is a report a round.
    pub rounds: u32,
    /// Where the report is kept, from the start on and after every check.
    pub save: Option<PathBuf>,
}

/// What happens while it is graded.
#[derive(Clone, Debug)]
pub enum Progress<'a> {
    /// It waits for another run to end.
    Waiting,
    /// It is built, or not.
    Built(&'a crate::verdict::Build),
    /// A check is over.
    Checked(&'a CheckResult),
    /// Something more is known: this is the report so far, which is half of one.
    SoFar(&'a Report),
}

impl Supervisor {
    /// Grades a submission. There is a report in any case; what the grader could not find out is
    /// flagged in it (`needs_rerun`).
    pub fn grade(
        &self,
        ready: &Ready,
        submission: &Submission,
        plan: &Plan,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Report {
        let plan = Plan { rounds: 1, ..plan.clone() };
        self.grade_rounds(ready, submission, &plan, progress).swap_remove(0)
    }

    /// The same, with all checks run `plan.rounds` times, each time with other random numbers: a
    /// report a round, one at least. The first one is what is saved.
    pub fn grade_rounds(
        &self,
        ready: &Ready,
        submission: &Submission,
        plan: &Plan,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Vec<Report> {
        let name = shown::line(submission.path().as_os_str().as_encoded_bytes(), 200);
        let rubric = &ready.lab.rubric;
        let seed = plan.seed.map_or_else(Seed::fresh, Ok);
        let text = seed.as_ref().map_or_else(|_| String::new(), Seed::to_string);
        let mut blank = Report::new(rubric, &name, self.mode, &text, self.compiler());
        if let Some(doubt) = &ready.doubt {
            blank.official = false;
            blank.notes.push(doubt.clone());
        }
        let mut run = Run {
            reports: vec![blank; plan.rounds.max(1) as usize],
            save: plan.save.clone(),
            expected: 0,
        };
        run.save();
        match build::take(submission, &rubric.files) {
            Err(refused) => {
                // Names come from a stranger's archive.
                let why = shown::line(refused.to_string().as_bytes(), 300);
                if refused.is_graders {
                    run.grader_failed(&why);
                }
                for report in &mut run.reports {
                    report.nothing_runs(&why);
                    report.is_whole = true;
                }
            }
            Ok(sources) => {
                let done = seed.and_then(|seed| {
                    self.in_a_cell(ready, sources, plan, seed, &mut run, progress)
                });
                if let Err(error) = done {
                    run.grader_failed(&error.to_string());
                }
            }
        }
        run.save();
        run.reports
    }

    fn in_a_cell(
        &self,
        ready: &Ready,
        sources: Vec<(String, String)>,
        plan: &Plan,
        seed: Seed,
        run: &mut Run,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<()> {
        let around = Surroundings::make(self.mode)?;
        let checks = orders(ready, plan);
        run.expected = checks.len() * run.reports.len();
        let grading = Grading {
            lab: ready.lab.rubric.id.clone(),
            tools: ready.tools.clone(),
            sources,
            driver: ready.lab.driver.clone(),
            seed,
            checks,
            rounds: u32::try_from(run.reports.len()).unwrap_or(u32::MAX),
        };
        let lock = self.mode.is_alone().then(lock_for_this_user);
        let job = Job {
            mode: self.mode,
            run_user: around.user(),
            folder: around.folder(),
            lock,
            task: Task::Grade(Box::new(grading)),
        };
        let mut cell = Cell::start(&self.cell, &job)?;
        loop {
            match cell.next() {
                Ok(event) => run.heard(event, progress),
                Err(End::Gone) => break,
                Err(End::Broken(what)) => {
                    run.grader_failed(&what);
                    break;
                }
            }
        }
        let status = cell.end();
        if !status.is_some_and(|status| status.success()) {
            // The warden did not get to its own clean-up, perhaps.
            sweep(&self.cell, self.mode, around.user(), job.lock, around.before)?;
            let how = status.map_or_else(|| "it is not known".into(), |status| status.to_string());
            if !run.reports[0].is_whole {
                run.grader_failed(&format!("the cell's warden did not end well: {how}"));
            }
        }
        if !run.reports.iter().all(|report| report.is_whole) {
            run.grader_failed("the run did not come to its end");
        }
        Ok(())
    }
}

/// What a warden would have done that was killed: a cell that does nothing else. The run's processes
/// have gone by now; those of its user, if it has one, end here.
pub(super) fn sweep(
    cell: &Path,
    mode: Mode,
    run_user: Option<u32>,
    lock: Option<PathBuf>,
    before: Vec<Object>,
) -> Result<()> {
    if mode == Mode::Full && run_user.is_none() {
        // The namespaces have taken everything along.
        return Ok(());
    }
    let mode = if run_user.is_some() { Mode::RunUid } else { mode };
    let job = Job { mode, run_user, folder: None, lock, task: Task::Sweep { before } };
    let mut cell = Cell::start(cell, &job)?;
    while cell.next().is_ok() {}
    cell.end();
    Ok(())
}

/// The checks of a plan, in the rubric's order.
fn orders(ready: &Ready, plan: &Plan) -> Vec<CheckOrder> {
    let checks = &ready.lab.rubric.checks;
    let mut wanted: Vec<&str> = plan.only.iter().map(String::as_str).collect();
    // From the last to the first: dependencies are always earlier ones.
    for check in checks.iter().rev() {
        if wanted.contains(&check.id.as_str()) {
            wanted.extend(check.depends.iter().map(String::as_str));
        }
    }
    checks
        .iter()
        .filter(|check| !plan.only_visible || check.visibility == Visibility::Visible)
        .filter(|check| plan.only.is_empty() || wanted.contains(&check.id.as_str()))
        .map(|check| CheckOrder {
            id: check.id.clone(),
            seconds: check.seconds,
            depends: check.depends.clone(),
        })
        .collect()
}

/// One for all courses and target folders of a user: they share the System V objects, too.
fn lock_for_this_user() -> PathBuf {
    // Not `TMPDIR`, which may be another one in each terminal.
    Path::new("/tmp").join(format!("ipc-course-one-at-a-time-{}", nix::unistd::geteuid()))
}
