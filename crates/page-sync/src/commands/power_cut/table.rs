//! The outcomes as a table that fits 80 columns.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::Style;
use ipc_common::cli::style::{ERROR, FAINT, KERNEL, STRONG, WARNING};
use page_sync::power_cut::{Action, Barriers, Outcome, Report, Trial, WRITTEN};

pub fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let trials = report.groups().first().map_or(0, |(_, _, trials)| trials.len());
    let [first, second] = WRITTEN;
    let times = if trials == 1 { "once".into() } else { format!("{trials} times each") };
    writeln!(
        out,
        "Pages {first} and {second} of a file written through a shared mapping, then one thing,\n\
         then the power cut. What the pages held afterwards, {times}:\n"
    )?;
    writeln!(
        out,
        "{STRONG}{:<22}{:<9}{:<9}{:>8} {:>7}  time{STRONG:#}",
        "then",
        format!("page {first}"),
        format!("page {second}"),
        "sent",
        "flushes"
    )?;
    let groups = report.groups();
    for (action, _, trials) in groups.iter().filter(|group| group.1 == Barriers::On) {
        row(out, *action, trials)?;
    }
    writeln!(
        out,
        "\nThe same without barriers, so that the disk is never told to empty its cache:"
    )?;
    for (action, _, trials) in groups.iter().filter(|group| group.1 == Barriers::Off) {
        row(out, *action, trials)?;
    }
    writeln!(
        out,
        "\n{FAINT}sent: what went to the disk, and was in its cache. flushes: how often it had to\n\
         empty its cache onto its platter. time: the median and the extremes, on a disk\n\
         that is memory.{FAINT:#}"
    )?;
    let disturbed = report.trials().iter().filter(|trial| trial.is_disturbed()).count();
    if disturbed > 0 {
        writeln!(
            out,
            "\n{WARNING}Disturbed: {disturbed}.{WARNING:#} Some process called sync(2) just then, \
             which is about all disks,\nand kept what nobody here asked to keep."
        )?;
    }
    let sound = report.objections().is_empty();
    if sound {
        writeln!(
            out,
            "\nEvery promise was kept, and without barriers nothing survived: the experiment\n\
             shows what it says."
        )?;
    }
    Ok(())
}

fn row(out: &mut impl Write, action: Action, trials: &[&Trial]) -> io::Result<()> {
    write!(out, "{:<22}", action.calls())?;
    for place in 0..WRITTEN.len() {
        let found: Vec<Outcome> = trials.iter().map(|trial| trial.pages[place].1).collect();
        let (style, text) = cell(&found);
        write!(out, "{style}{text:<9}{style:#}")?;
    }
    let kib = range(trials.iter().map(|trial| trial.sent.div_ceil(1024)));
    let flushes = range(trials.iter().map(|trial| trial.flushes));
    writeln!(out, "{:>8} {flushes:>7}  {}", format!("{kib} KiB"), time(trials))
}

/// What was found in a page, all trials together.
fn cell(found: &[Outcome]) -> (Style, String) {
    let count = |wanted: &dyn Fn(&Outcome) -> bool| found.iter().filter(|one| wanted(one)).count();
    let (old, new) = (count(&|one| *one == Outcome::Old), count(&|one| *one == Outcome::New));
    let all = found.len();
    match (old, new) {
        (_, new) if new == all => (KERNEL, "new".into()),
        (old, _) if old == all => (WARNING, "old".into()),
        (old, new) if old + new == all => (ERROR, format!("new {new}/{all}")),
        (old, new) => (ERROR, format!("torn {}/{all}", all - old - new)),
    }
}

fn range(numbers: impl Iterator<Item = u64> + Clone) -> String {
    let (least, most) = (numbers.clone().min().unwrap_or(0), numbers.max().unwrap_or(0));
    if least == most { least.to_string() } else { format!("{least}–{most}") }
}

/// The median and the extremes, each in the unit in which it is short: beside one slow trial the
/// others are not nothing.
fn time(trials: &[&Trial]) -> String {
    let mut all: Vec<Duration> = trials.iter().map(|trial| trial.took).collect();
    all.sort_unstable();
    let (Some(least), Some(most)) = (all.first(), all.last()) else { return String::new() };
    let [(low, below), (middle, unit), (high, above)] =
        [*least, all[(all.len() - 1) / 2], *most].map(short);
    match all.len() {
        1 => format!("{middle} {unit}"),
        _ if below == above => format!("{middle} {unit} ({low}–{high})"),
        _ => format!("{middle} {unit} ({low} {below}–{high} {above})"),
    }
}

/// A number of at most three characters, and its unit.
fn short(took: Duration) -> (String, &'static str) {
    let micros = took.as_micros();
    match micros {
        0..1000 => (micros.to_string(), "µs"),
        1000..10_000 => (format!("{}.{}", micros / 1000, micros % 1000 / 100), "ms"),
        10_000..1_000_000 => ((micros / 1000).to_string(), "ms"),
        _ => ((micros / 1_000_000).to_string(), "s"),
    }
}

#[cfg(test)]
mod tests {
    use page_sync::power_cut::Outcome;

    use super::*;

    fn said(micros: &[u64]) -> String {
        let trials: Vec<Trial> = micros
            .iter()
            .map(|micros| Trial {
                action: Action::Fsync,
                barriers: Barriers::On,
                pages: WRITTEN.map(|page| (page, Outcome::New)),
                took: Duration::from_micros(*micros),
                sent: 0,
                flushes: 1,
                kernel_flushes: None,
            })
            .collect();
        time(&trials.iter().collect::<Vec<_>>())
    }

    #[test]
    fn one_slow_trial_does_not_make_nothing_of_the_others() {
        assert_eq!(said(&[96]), "96 µs");
        assert_eq!(said(&[96, 354, 81]), "96 µs (81–354)");
        assert_eq!(said(&[10_999, 96, 81]), "96 µs (81 µs–10 ms)");
        assert_eq!(said(&[1000, 9999, 999_999]), "9.9 ms (1.0–999)");
        assert_eq!(said(&[59_999_999, 999, 999]), "999 µs (999 µs–59 s)");
        // With the other columns, 58, that is no wider than a terminal.
        assert_eq!(said(&[999, 999, 999_999]).chars().count(), 22);
    }
}
