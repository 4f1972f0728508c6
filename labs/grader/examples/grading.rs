//! How fast submissions are graded: a lab's solutions, over and over, each as if it were a new one,
//! all checks, sandboxed. For `benches/grading`, which compares it with `cargo test`.
//!
//! ```text
//! grading LAB COUNT JOBS
//! ```
//!
//! Prints one line: the count, the seconds, the mode.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use grader::build::Submission;
use grader::supervisor::{Course, Plan, Supervisor, at_once};
use ipc_common::Error;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // The cell is this program again.
    if arguments.first().is_some_and(|first| first == "cell") {
        return grader::cell::main(grader::checks::all());
    }
    let parsed = match &arguments[..] {
        [lab, count, jobs] => count.parse().ok().zip(jobs.parse().ok()).map(|both| (lab, both)),
        _ => None,
    };
    let Some((lab, (count, jobs))) = parsed else {
        let _ = writeln!(std::io::stderr(), "usage: grading LAB COUNT JOBS");
        return ExitCode::from(2);
    };
    match measure(lab, count, jobs) {
        Ok(line) => {
            let _ = writeln!(std::io::stdout(), "{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "grading: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(lab: &str, count: usize, jobs: usize) -> Result<String, Error> {
    let course = Course::find()?;
    let lab = course.lab(lab)?;
    let solutions = lab.folder.join("solution");
    let failed = |error| Error::from_io("readdir", &error, solutions.display().to_string());
    let entries = fs::read_dir(&solutions).map_err(failed)?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    let supervisor = Supervisor::new(course, None, Path::new("/proc/self/exe"))?;
    let ready = supervisor.prepare(&lab)?;
    let submissions: Vec<Submission> =
        paths.iter().cycle().take(count).map(|path| Submission::at(path)).collect();
    let begun = Instant::now();
    let reports = at_once(&submissions, jobs, &|submission| {
        supervisor.grade(&ready, submission, &Plan::default(), &mut |_| {})
    });
    let seconds = begun.elapsed().as_secs_f64();
    // A rate of wrong results would be worth nothing.
    if let Some(report) = reports.iter().find(|report| report.score != report.total) {
        let what = format!("{}: {} points; {:?}", report.submission, report.score, report.notes);
        return Err(Error::refused("grading", ipc_common::Errno::EINVAL, what));
    }
    Ok(format!("{count} {seconds:.2} {}", supervisor.mode()))
}
