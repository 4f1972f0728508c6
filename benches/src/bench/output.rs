//! What a bench says besides criterion. The only place that prints.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench reports to whoever runs it"
)]

use std::process::ExitCode;

use nix::sys::signal::{SigHandler, Signal, signal};

use crate::results::Record;

pub(super) fn say(what: &str) {
    println!("{what}");
}

/// Below criterion's lines for the case: what the time was spent on, and how it compares.
pub(super) fn case(record: &Record) {
    let (measured, counts) = (&record.measured, &record.counts);
    let faults = match counts.faults.major {
        0 => format!("{}", counts.faults.minor),
        major => format!("{} ({major} of them major)", counts.faults.minor + major),
    };
    let wherever = match counts.faults_vary() {
        Some([fewest, most]) => format!(" ({fewest} to {most}, as the mapping lies)"),
        None => String::new(),
    };
    println!(
        "                        faults {faults}{wherever}, system calls {}",
        counts.system_calls
    );
    println!(
        "                        {:.3} of `{}` ({:.3} to {:.3}, {} pairs)",
        measured.ratio.median,
        measured.reference,
        measured.ratio.lower,
        measured.ratio.upper,
        measured.pairs
    );
    // Of two processes on one processor, each takes it from the other: that is no news.
    if measured.interrupted as usize * 2 > measured.pairs && counts.of == super::group::ONE_PROCESS
    {
        println!(
            "                        the machine is busy: in {} of the pairs somebody else had our processor",
            measured.interrupted
        );
    }
    if measured.again > 0 {
        let kept = match measured.unsettled {
            0 => String::new(),
            kept => format!("; {kept} pairs are kept although it moved each time"),
        };
        println!(
            "                        the floor moved: measured again {} times{kept}",
            measured.again
        );
    }
}

/// `cargo bench -- --list | head` is no reason to panic: this process ends quietly, as others do.
pub(super) fn end_with_a_broken_pipe() {
    // SAFETY: the default action; no handler of ours.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
}

pub(super) fn wrong_usage(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(2)
}

pub(super) fn failed(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::FAILURE
}

/// Ends the bench from the middle of a case, where nobody can take an error: a disk that is full
/// after all. Nothing has to be cleaned up.
#[expect(clippy::exit, reason = "criterion's closures return no error")]
pub fn stop(why: &dyn std::fmt::Display) -> ! {
    eprintln!("error: {why}");
    std::process::exit(1)
}
