//! `lab check`: the visible checks on the working copy, and the first failure explained.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use clap::Args;
use grader::build::Submission;
use grader::random::Seed;
use grader::report;
use grader::rubric::{Rubric, Visibility};
use grader::sandbox::Mode;
use grader::student::Progress;
use grader::supervisor::{Course, Lab, Plan, Progress as Step, Ready, Supervisor};
use grader::verdict::Report;
use ipc_common::cli::{Failure, out, warn};

use super::seed;

/// Check your solution of a lab, as the grader will: the first failure is explained.
#[derive(Args)]
pub struct Check {
    /// The lab: see `lab list`.
    lab: String,
    /// Only this check, and what it depends on. May be given several times.
    #[arg(long)]
    only: Vec<String>,
    /// What to check instead of your working copy: a folder, or one file for src/lib.rs; where classes
    /// are graded, whatever `lab grade` takes.
    #[arg(long, value_name = "PATH")]
    submission: Option<PathBuf>,
    /// What to put around your program; the best that there is here, if it is not given.
    #[arg(long)]
    mode: Option<Mode>,
    /// All checks, the hidden ones too, where they are at hand.
    #[arg(long)]
    all: bool,
    /// The seed of a run that is to be done again, with the same random numbers; or @ and a file with it.
    #[arg(long, value_name = "SEED|@FILE", value_parser = seed::given)]
    seed: Option<Seed>,
    /// The report as JSON instead.
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// [`Failure::Said`] if a check is not passed.
    pub fn run(self) -> Result<(), Failure> {
        let course = Course::find()?;
        let lab = course.lab(&self.lab)?;
        known(&lab.rubric, &self.only)?;
        let submission = self.submission(&lab);
        let supervisor = Supervisor::new(course, self.mode, Path::new("/proc/self/exe"))?;
        let ready = prepare(&supervisor, &lab)?;
        let plan = Plan {
            only_visible: !self.all,
            only: self.only.clone(),
            seed: self.seed,
            ..Plan::default()
        };
        let report = if self.json {
            let report = supervisor.grade(&ready, &submission, &plan, &mut |_| {});
            let text = serde_json::to_string_pretty(&report).unwrap_or_default();
            writeln!(out(), "{text}")?;
            report
        } else {
            aloud(&supervisor, &ready, &submission, &plan)?
        };
        // Another folder says nothing about how far one is.
        if self.submission.is_none() {
            remember(&report);
        }
        let wanted = |id: &str, visibility| {
            (self.all || visibility == Visibility::Visible)
                && (self.only.is_empty() || self.only.iter().any(|only| only == id))
        };
        let mut checks = report.checks.iter().filter(|check| wanted(&check.id, check.visibility));
        if report.needs_rerun || checks.any(|check| !check.outcome.is_passed()) {
            return Err(Failure::Said);
        }
        Ok(())
    }

    fn submission(&self, lab: &Lab) -> Submission {
        #[cfg(feature = "class")]
        if let Some(path) = &self.submission {
            // Somebody's hand-in is to be graded again as it was.
            return grader::gradebook::HandIn::at(path, &lab.rubric);
        }
        Submission::at(self.submission.as_deref().unwrap_or(&lab.folder))
    }
}

/// With a line for each check as soon as it is over.
pub fn aloud(
    supervisor: &Supervisor,
    ready: &Ready,
    submission: &Submission,
    plan: &Plan,
) -> Result<Report, Failure> {
    let mut out = out();
    let rubric = &ready.lab.rubric;
    // What cannot be written now is noticed at the end.
    let report = supervisor.grade(ready, submission, plan, &mut |progress| match progress {
        Step::Waiting => drop(writeln!(out, "waiting for another run to end")),
        Step::Built(build) => drop(write!(out, "{}", build.messages)),
        Step::Checked(result) => drop(report::line(&mut out, result)),
        Step::SoFar(_) => {}
    });
    if report.build.is_none() && report.is_whole {
        // The same for all: it was not even compiled.
        report.checks.first().map_or(Ok(()), |check| report::line(&mut out, check))?;
    }
    let first = report.checks.iter().find(|check| {
        use grader::verdict::Outcome::{Failed, GraderFailed};
        matches!(check.outcome, Failed { .. } | GraderFailed { .. })
    });
    if let Some(check) = first {
        writeln!(out, "\n{} ({})", check.title, check.id)?;
        report::explain(&mut out, rubric, check)?;
    }
    report::summary(&mut out, &report)?;
    let hidden = report.total - visible(rubric);
    if plan.only_visible && hidden > 0 {
        writeln!(out, "{hidden} points are in hidden checks, which are not run here.")?;
    }
    Ok(report)
}

fn visible(rubric: &Rubric) -> u32 {
    let visible = rubric.checks.iter().filter(|check| check.visibility == Visibility::Visible);
    visible.map(|check| check.points).sum()
}

/// Whether the rubric has these checks.
pub fn known(rubric: &Rubric, ids: &[String]) -> Result<(), Failure> {
    match ids.iter().find(|id| rubric.check(id).is_none()) {
        Some(unknown) => Err(Failure::Usage(format!("{} has no check {unknown:?}", rubric.id))),
        None => Ok(()),
    }
}

/// Builds what a lab may use. The first time it takes a while, and that is said.
pub fn prepare(supervisor: &Supervisor, lab: &Lab) -> Result<Ready, Failure> {
    let (done, waits) = mpsc::channel::<()>();
    let id = lab.rubric.id.clone();
    let patience = std::thread::spawn(move || {
        if waits.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let mut err = anstream::stderr();
            // Nobody is left to tell if this fails.
            let _ = writeln!(err, "building the crates that {id} may use; only the first time");
        }
    });
    let ready = supervisor.prepare(lab);
    drop(done);
    let _ = patience.join();
    Ok(ready?)
}

/// How long nobody asks what is going on.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Keeps how far one is. That it cannot be kept is told, and is no failure of the check.
pub fn remember(report: &Report) {
    if let Err(error) = Progress::change(|progress| progress.take_in(report)) {
        warn(&error);
    }
}
