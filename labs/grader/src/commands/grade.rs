//! `lab grade`: a class.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use grader::gradebook::{self, Book, Class, Listing, Status, Summary};
use grader::random::Seed;
use grader::rubric::Rubric;
use grader::sandbox::Mode;
use grader::supervisor::{Course, Supervisor};
use ipc_common::Error;
use ipc_common::cli::{Failure, Quit, out, style, warn};

use super::progress::Bar;
use super::seed;

/// When somebody has to be graded again, or could not be taken.
const NEEDS_RERUN: u8 = 3;

/// Grade a class: a folder or a zip each, side by side; what is graded stays graded.
#[derive(Args)]
#[command(after_help = "\
DIR holds a folder, a zip or an .rs file for each submission: the lab's folder, the whole course, or
the one file; a folder that holds nothing but a zip will do, too. REPORT gets grades.csv for the
gradebook, grades.json with everything, and for each submission report.json, junit.xml and
Gradescope's results.json.

Run it again after a Ctrl-C, a crash, or when more was handed in: only what is new, has changed or
was not graded to the end is graded. A submission at which the grader failed gets no points, and no
zero either: it is marked `needs rerun`, and the next run takes it up. One that cannot be read
(another kind of archive, a link) is marked `not taken`.

Exit codes: 0 everybody is graded, 1 failed, 2 wrong usage, 3 some have to be graded again or could
not be taken, 130 ended by Ctrl-C.")]
pub struct Grade {
    /// The folder with what was handed in.
    dir: PathBuf,
    /// The lab: see `lab list`.
    #[arg(long)]
    lab: String,
    /// The folder for the results: a new one, an empty one, or one of an earlier run.
    #[arg(long, value_name = "REPORT")]
    out: PathBuf,
    /// What to put around programs; the best that there is here, if it is not given.
    #[arg(long)]
    mode: Option<Mode>,
    /// How many submissions at once. As many as there are processors, if it is not given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// The same random numbers for everybody; else each has a seed of its own, which is recorded. In
    /// any mode but full programs could read it here: then only @ and a file with it will do.
    #[arg(long, value_name = "SEED|@FILE")]
    seed: Option<Given>,
    /// Grade again what is graded already.
    #[arg(long)]
    again: bool,
    /// The summary as JSON instead.
    #[arg(long)]
    json: bool,
}

/// A seed, and whether it stands on the command line.
#[derive(Clone, Copy)]
struct Given {
    seed: Seed,
    is_shown: bool,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Given, String> {
        Ok(Given { seed: seed::given(text)?, is_shown: !text.starts_with('@') })
    }
}

impl Grade {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// [`Failure::Status`] 3 if somebody has to be graded again.
    pub fn run(self) -> Result<(), Failure> {
        let quit = Quit::watch()?;
        let course = Course::find()?;
        let lab = course.lab(&self.lab)?;
        let listing = gradebook::list(&self.dir)?;
        self.fits(&listing)?;
        for ignored in listing.not_taken.iter().chain(&listing.ignored) {
            warn(&format_args!("not graded: {}: {}", ignored.name, ignored.why));
        }
        for name in listing.names_of_several() {
            warn(&format_args!("{name} was handed in more than once: each is graded by itself"));
        }
        let cell = Path::new("/proc/self/exe");
        let supervisor = Supervisor::new(course, self.mode, cell)?;
        self.keeps_its_secret(supervisor.mode())?;
        let book = Book::open(&self.out, &self.lab)?;
        if !supervisor.mode().is_official() {
            warn(&"mode tree can be outwitted: these points are not official; see `lab doctor`");
        }
        supervisor.prove()?;
        let ready = supervisor.prepare(&lab)?;
        let grader = gradebook::grader(cell)?;
        let class = Class {
            supervisor: &supervisor,
            ready: &ready,
            listing: &listing,
            book: &book,
            grader: &grader,
            seed: self.seed.map(|given| given.seed),
            jobs: self.jobs(supervisor.mode()),
            again: self.again,
        };
        let bar = Bar::new(&self.lab);
        let told = AtomicBool::new(false);
        let stop = || {
            let asked = quit.asked().is_some();
            if asked && !told.swap(true, Ordering::Relaxed) {
                bar.clear();
                warn(&"stopping when those under way are done; Ctrl-C again stops at once");
            }
            asked
        };
        let rows = gradebook::grade(&class, &stop, &|step| {
            let rerun = step.row.status == Status::NeedsRerun;
            let remark = if rerun { ", the last one needs a rerun" } else { "" };
            bar.show(step.done, step.of, remark);
        });
        bar.clear();
        let rows = rows?;
        let summary = Summary::of(&lab.rubric, &rows);
        let mut out = out();
        if self.json {
            let text = serde_json::to_string_pretty(&summary).unwrap_or_default();
            writeln!(out, "{text}")?;
        } else {
            show(&mut out, &lab.rubric, &summary, &self.out, supervisor.mode())?;
        }
        quit.check()?;
        match summary.needs_rerun.is_empty() && summary.not_taken.is_empty() {
            true => Ok(()),
            false => Err(Failure::Status(NEEDS_RERUN)),
        }
    }

    /// Where runs go one at a time anyway, more would only wait.
    fn jobs(&self, mode: Mode) -> usize {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let usual = if mode.is_alone() { 1 } else { cores };
        self.jobs.map_or(usual, usize::from)
    }

    /// Whether nobody who is graded can know what is asked for.
    fn keeps_its_secret(&self, mode: Mode) -> Result<(), Failure> {
        match self.seed {
            Some(Given { is_shown: true, .. }) if mode != Mode::Full => {
                Err(Failure::Usage(format!(
                    "in mode {mode} a submission could read the seed among this command's \
                     arguments: put it into a file of yours, and give `--seed @FILE`"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Whether DIR and REPORT make sense together.
    fn fits(&self, listing: &Listing) -> Result<(), Failure> {
        if listing.handins.is_empty() && listing.not_taken.is_empty() {
            let dir = ipc_common::cli::shown(&self.dir);
            return Err(Failure::Usage(format!(
                "{dir}: nothing was handed in: there is no folder, zip or .rs file in it"
            )));
        }
        let dir = fs::canonicalize(&self.dir)
            .map_err(|e| Error::from_io("realpath", &e, self.dir.display().to_string()))?;
        // As far as it is there.
        let absolute = std::path::absolute(&self.out)
            .map_err(|e| Error::from_io("realpath", &e, self.out.display().to_string()))?;
        let there = absolute.ancestors().find_map(|part| fs::canonicalize(part).ok());
        if there.is_some_and(|there| there.starts_with(&dir)) {
            return Err(Failure::Usage(
                "REPORT would lie in DIR, and be graded as a submission the next time: \
                 name a folder elsewhere"
                    .into(),
            ));
        }
        Ok(())
    }
}

fn show(
    out: &mut dyn Write,
    rubric: &Rubric,
    summary: &Summary,
    report: &Path,
    mode: Mode,
) -> std::io::Result<()> {
    let Summary { submissions, graded, were_there, .. } = summary;
    let strong = style::STRONG;
    write!(out, "{strong}{}{strong:#}, mode {mode}: {graded} of {submissions} graded", rubric.id)?;
    match were_there {
        0 => writeln!(out)?,
        n => writeln!(out, ", {n} of them before")?,
    }
    if let (Some(mean), Some(median)) = (summary.mean, summary.median) {
        writeln!(out, "mean {mean:.1}, median {median:.1} of {} points\n", rubric.total())?;
        for (check, (id, passed)) in rubric.checks.iter().zip(&summary.passed) {
            let width = (20 * passed).checked_div(*graded).unwrap_or(0);
            let (full, empty) = ("█".repeat(width), "░".repeat(20 - width));
            let faint = style::FAINT;
            writeln!(out, "{id:<16} {full}{faint}{empty}{faint:#} {passed:>4}  {}", check.title)?;
        }
    }
    if summary.not_graded > 0 {
        writeln!(out, "\nnot graded yet: {}", summary.not_graded)?;
    }
    if !summary.not_taken.is_empty() {
        writeln!(out, "\nnot taken, as they cannot be read: {}", summary.not_taken.join(", "))?;
    }
    if !summary.needs_rerun.is_empty() {
        let warning = style::WARNING;
        writeln!(
            out,
            "\n{warning}{} need a rerun{warning:#}, as the grader failed there (grades.json says how):",
            summary.needs_rerun.len()
        )?;
        for name in &summary.needs_rerun {
            writeln!(out, "  {name}")?;
        }
    }
    writeln!(out, "\n{}", ipc_common::cli::shown(&report.join("grades.csv")))
}
