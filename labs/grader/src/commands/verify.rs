//! `lab verify`: the grader, put to the test itself.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use grader::sandbox::Mode;
use grader::supervisor::{Course, Supervisor, works};
use grader::verify::{Found, Kind, Step, Verification, verify};
use ipc_common::Error;
use ipc_common::cli::{Failure, out, style};

/// When none of the modes works here.
const NOTHING_TRIED: u8 = 3;

/// Prove that the grader can be trusted: solutions pass, mutants fail, hostile submissions earn 0.
#[derive(Args)]
#[command(after_help = "\
Exit codes: 0 all is as it should be, 1 something is not, 2 wrong usage, 3 nothing was tried, as none
of the modes works here.")]
pub struct Verify {
    /// Only this lab.
    lab: Option<String>,
    /// Only in this mode; may be given several times. All that work here, if it is not given.
    #[arg(long)]
    mode: Vec<Mode>,
    /// Submissions that nobody here has seen, to be graded as well: whatever `lab grade` takes.
    #[arg(long, value_name = "DIR")]
    extra: Option<PathBuf>,
    /// How often each solution has to earn full marks.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// How many submissions at once. As many as there are processors, if it is not given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Where to write everything as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Verify {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// [`Failure::Said`] if something is not as it should be; [`Failure::Status`] 3 if nothing was tried.
    pub fn run(self) -> Result<(), Failure> {
        let cell = Path::new("/proc/self/exe");
        let course = Course::find()?;
        let labs = self.lab.clone().map_or_else(|| course.labs(), |lab| vec![lab]);
        let modes = if self.mode.is_empty() { Mode::ALL.to_vec() } else { self.mode.clone() };
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let jobs = self.jobs.map_or(cores, usize::from);
        let how = Verification { repeat: self.repeat, jobs, extra: self.extra.as_deref() };
        let mut out = out();
        let (mut found, mut skipped, mut wrong) = (Vec::new(), Vec::new(), 0);
        for mode in modes {
            if let Err(why) = works(mode, cell) {
                writeln!(out, "SKIPPED mode {mode}: {why}")?;
                skipped.push((mode, why));
                continue;
            }
            let supervisor = Supervisor::new(course.clone(), Some(mode), cell)?;
            supervisor.prove()?;
            for id in &labs {
                let lab = course.lab(id)?;
                if let Some(checks) = grader::checks::all().iter().find(|checks| checks.lab == *id)
                    && let Err(what) = lab.rubric.matches(checks)
                {
                    writeln!(out, "{what}")?;
                    wrong += 1;
                }
                let begun = Instant::now();
                let ready = supervisor.prepare(&lab)?;
                let one = verify(&supervisor, &ready, &how, &|step| progress(id, mode, step))?;
                clear_progress();
                show(&mut out, &one, begun.elapsed().as_secs_f64(), self.repeat)?;
                wrong += one.wrong();
                found.push(one);
            }
        }
        if let Some(path) = &self.json {
            let all = serde_json::json!({ "found": found, "skipped": skipped, "wrong": wrong });
            let text = serde_json::to_vec_pretty(&all).unwrap_or_default();
            fs::write(path, text)
                .map_err(|e| Error::from_io("open", &e, path.display().to_string()))?;
        }
        let tried: usize = found.iter().map(|one| one.judged.len()).sum();
        let not_tried: usize = found.iter().map(|one| one.skipped.len()).sum();
        writeln!(
            out,
            "\n{tried} submissions in {} lab runs, {not_tried} skipped, {} modes skipped: {wrong} wrong",
            found.len(),
            skipped.len()
        )?;
        match (wrong, found.is_empty()) {
            (0, false) => Ok(()),
            // Nothing tried is nothing proved; but it is not disproved either.
            (0, true) => Err(Failure::Status(NOTHING_TRIED)),
            _ => Err(Failure::Said),
        }
    }
}

/// A line that replaces itself on a terminal; elsewhere one now and then.
fn progress(lab: &str, mode: Mode, step: Step<'_>) {
    let mut err = anstream::stderr();
    let Step { done, of, judged } = step;
    // Nobody is left to tell if this fails.
    let _ = if std::io::stderr().is_terminal() {
        write!(err, "\r\x1b[K{lab}, mode {mode}: {done}/{of} {}", judged.name)
    } else if done % 10 == 0 || done == of {
        writeln!(err, "{lab}, mode {mode}: {done}/{of}")
    } else {
        Ok(())
    };
}

fn clear_progress() {
    if std::io::stderr().is_terminal() {
        let _ = write!(anstream::stderr(), "\r\x1b[K");
    }
}

fn show(out: &mut dyn Write, found: &Found, seconds: f64, repeat: u32) -> std::io::Result<()> {
    let strong = style::STRONG;
    writeln!(out, "\n{strong}{} in mode {}{strong:#}  ({seconds:.0} s)", found.lab, found.mode)?;
    found.matrix.draw(out)?;
    let count = |wanted: fn(&Kind) -> bool| {
        let all = found.judged.iter().filter(|judged| wanted(&judged.kind));
        let (good, bad): (Vec<_>, Vec<_>) = all.partition(|judged| judged.complaints.is_empty());
        format!("{} of {}", good.len(), good.len() + bad.len())
    };
    let line = |what: &str, n: String| format!("{what:<52} {n}");
    let starter = count(|kind| *kind == Kind::Starter);
    writeln!(out, "{}", line("starters that compile, warn of nothing and earn 0", starter))?;
    let solutions = count(|kind| *kind == Kind::Solution);
    let words = format!("solutions with full marks {repeat} times in a row");
    writeln!(out, "{}", line(&words, solutions))?;
    let mutants = count(|kind| matches!(kind, Kind::Mutant { .. }));
    writeln!(out, "{}", line("mutants that fail what they have to, and no more", mutants))?;
    let hostile = count(|kind| *kind == Kind::Hostile);
    writeln!(out, "{}", line("hostile submissions that earn 0", hostile))?;
    let neighbours = found.neighbours.to_string();
    writeln!(out, "{}", line("gradings of a neighbour meanwhile", neighbours))?;
    for judged in found.judged.iter().filter(|judged| judged.kind == Kind::Extra) {
        let Some(report) = judged.reports.first() else { continue };
        let open = report.not_passed().join(", ");
        writeln!(out, "extra {}: {} points; not passed: {open}", judged.name, report.score)?;
    }
    let mut skipped: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in &found.skipped {
        skipped.entry(&one.why).or_default().push(&one.name);
    }
    for (why, names) in skipped {
        writeln!(out, "SKIPPED {} ({}): {why}", names.len(), names.join(", "))?;
    }
    let error = style::ERROR;
    for judged in &found.judged {
        for what in &judged.complaints {
            writeln!(out, "{error}wrong:{error:#} {}: {what}", judged.name)?;
        }
    }
    for what in &found.complaints {
        writeln!(out, "{error}wrong:{error:#} {what}")?;
    }
    Ok(())
}
