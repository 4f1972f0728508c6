//! What is printed: a line for each figure, with its spread, its limit, and what became of it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench reports to whoever runs it"
)]

use std::fmt::Display;
use std::process::ExitCode;

use benches::Spread;

use crate::clock::Compared;

/// What a figure has to be.
#[derive(Clone, Copy)]
pub enum Limit {
    /// Not more.
    AtMost(f64),
    /// Not less.
    AtLeast(f64),
    /// Shown beside the others.
    None,
}

/// A spread as wide as this, with the limit in it, says nothing about the limit.
const WIDE: f64 = 0.1;

/// The lines so far.
pub struct Report {
    met: usize,
    unsure: Vec<String>,
    missed: Vec<String>,
    skipped: usize,
    room: String,
}

impl Report {
    pub fn new(ran_on: &str) -> Report {
        println!("own_cost: {ran_on}");
        println!("figures are medians, with the middle half of them in brackets");
        Report { met: 0, unsure: Vec::new(), missed: Vec::new(), skipped: 0, room: String::new() }
    }

    /// Begins a room whose figures compare ours with theirs.
    pub fn room(&mut self, title: &str, ours: &str, theirs: &str) {
        title.clone_into(&mut self.room);
        println!("\n{title}");
        println!("{:<44}{ours:>12}{theirs:>12}   ratio", "");
    }

    /// Begins a room that has no columns.
    pub fn heading(&mut self, title: &str) {
        title.clone_into(&mut self.room);
        println!("\n{title}");
    }

    pub fn time(&mut self, what: &str, compared: &Compared, limit: Limit) {
        let Compared { ratio, ours, theirs, unsettled, .. } = compared;
        let Spread { lower, median, upper, .. } = ratio;
        let verdict = match limit {
            Limit::AtMost(limit) | Limit::AtLeast(limit)
                if upper - lower > WIDE && (*lower..=*upper).contains(&limit) =>
            {
                self.unsure.push(format!("{}, {what}", self.room));
                format!("{limit:<16}unsure")
            }
            limit => self.verdict(what, *median, limit),
        };
        let moved = match unsettled {
            0 => String::new(),
            n => format!("  (the floor moved below {n} pairs)"),
        };
        let figure = format!("{median:.3} ({lower:.3} to {upper:.3})");
        println!("{what:<44}{ours:>9.0} ns{theirs:>9.0} ns   {figure:<26}{verdict}{moved}");
    }

    /// Numbers that are the same each time: `judged` against the limit.
    pub fn number(
        &mut self,
        what: &str,
        ours: f64,
        theirs: Option<f64>,
        judged: f64,
        limit: Limit,
    ) {
        // What is judged, where that is something else than what is shown.
        let ratio = theirs.map_or(String::new(), |theirs| match limit {
            Limit::None => format!("{:.3}", ours / theirs),
            _ => format!("{judged:.3}"),
        });
        let theirs = theirs.map_or(String::new(), |theirs| format!("{theirs:.0}"));
        let verdict = self.verdict(what, judged, limit);
        println!("{what:<44}{ours:>12.0}{theirs:>12}   {ratio:<26}{verdict}");
    }

    /// Two things that have to be the same; `none` if that could not be found out.
    pub fn same(&mut self, what: &str, ours: &str, theirs: &str, same: bool) {
        let verdict = self.judge(what, same, ours, &format!("the same: {theirs}"));
        println!("{what:<44}  {ours}\n{:<44}  {theirs}   {verdict}", "");
    }

    pub fn note(&mut self, what: impl Display) {
        println!("{what}");
    }

    pub fn skip(&mut self, what: &str, why: impl Display) {
        self.skipped += 1;
        println!("SKIPPED {what}: {why}");
    }

    /// `at most 1.03   met`.
    fn verdict(&mut self, what: &str, figure: f64, limit: Limit) -> String {
        let (met, words) = match limit {
            Limit::AtMost(most) => (figure <= most, format!("at most {most}")),
            Limit::AtLeast(least) => (figure >= least, format!("at least {least}")),
            Limit::None => return String::new(),
        };
        let judged = self.judge(what, met, &format!("{figure:.3}"), &words);
        format!("{words:<16}{judged}")
    }

    fn judge(&mut self, what: &str, met: bool, figure: &str, limit: &str) -> &'static str {
        if met {
            self.met += 1;
            return "met";
        }
        self.missed.push(format!("{}, {what}: {figure}, and not {limit}", self.room));
        "MISSED"
    }

    /// The end, and whether it was a failure.
    pub fn finish(self) -> ExitCode {
        let Report { met, unsure, missed, skipped, .. } = self;
        let counts = [missed.len(), unsure.len()];
        println!("\n{met} met, {} missed, {} unsure, {skipped} skipped", counts[0], counts[1]);
        for what in &unsure {
            println!("unsure  {what}: the limit is within a wide spread; the machine is busy");
        }
        for miss in &missed {
            println!("MISSED  {miss}");
        }
        let strict =
            std::env::var_os("OWN_COST_STRICT").is_some_and(|set| !set.is_empty() && set != "0");
        if strict && !missed.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

pub fn help() -> ExitCode {
    println!(
        "\
cargo bench -p benches --bench own_cost -- [--quick] [ROOM…]

What our crates cost on top of the calls they make. Each line has a limit and says whether it is
met. ROOM is a part of one of the names that --list prints; without one, all are visited.

Set by the environment:
  BENCH_DIR=FOLDER       make files there
  BENCH_MAX=16M          no file above this
  OWN_COST_STRICT=1      a limit that is missed is a failure: exit code 1

Instructions are counted by valgrind, and the hand-over is compared with C: what is missing is
skipped aloud. The script benches/instructions visits that one room."
    );
    ExitCode::SUCCESS
}

pub fn list(rooms: impl IntoIterator<Item = &'static str>) -> ExitCode {
    rooms.into_iter().for_each(|room| println!("{room}: bench"));
    ExitCode::SUCCESS
}

/// Not a failure: `cargo bench -- FILTER` asks all benches for what one of them has.
pub fn no_such_room(asked: &str, rooms: impl IntoIterator<Item = &'static str>) -> ExitCode {
    let rooms = rooms.into_iter().collect::<Vec<_>>().join(", ");
    println!("own_cost: no room is named `{asked}`, so nothing is measured; there are {rooms}");
    ExitCode::SUCCESS
}

pub fn wrong_usage(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(2)
}

pub fn failed(why: &dyn Display) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::FAILURE
}
