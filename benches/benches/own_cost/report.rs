//! What is printed, and written down for the page: a line for each figure, with its spread, its limit,
//! and what became of it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench reports to whoever runs it"
)]

use std::fmt::Display;
use std::process::ExitCode;

use benches::Spread;
use benches::machine::Machine;
use benches::results::{self, Costs, Figure, Line, Met, Room, Run, Skip};

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

impl Limit {
    /// As it is told.
    fn told(self) -> Option<results::Limit> {
        match self {
            Limit::AtMost(most) => Some(results::Limit::AtMost(most)),
            Limit::AtLeast(least) => Some(results::Limit::AtLeast(least)),
            Limit::None => None,
        }
    }
}

/// `at most 1.03   met`.
fn words(limit: Limit, met: Option<Met>) -> String {
    match (limit.told(), met) {
        (Some(limit), Some(met)) => format!("{:<16}{met}", limit.to_string()),
        _ => String::new(),
    }
}

/// A spread as wide as this, with the limit in it, says nothing about the limit.
const WIDE: f64 = 0.1;

/// The lines so far.
pub struct Report {
    unsure: Vec<String>,
    missed: Vec<String>,
    rooms: Vec<Room>,
    run: Run,
}

impl Report {
    pub fn new(run: Run, ran_on: &str) -> Report {
        println!("own_cost: {ran_on}");
        println!("figures are medians, with the middle half of them in brackets");
        Report { unsure: Vec::new(), missed: Vec::new(), rooms: Vec::new(), run }
    }

    /// Begins a room whose figures compare ours with theirs.
    pub fn room(&mut self, title: &str, ours: &str, theirs: &str) {
        self.begin(title, [ours, theirs]);
        println!("{:<44}{ours:>12}{theirs:>12}   ratio", "");
    }

    /// Begins a room that has no columns.
    pub fn heading(&mut self, title: &str) {
        self.begin(title, ["ours", "by hand"]);
    }

    fn begin(&mut self, title: &str, columns: [&str; 2]) {
        println!("\n{title}");
        self.rooms.push(Room {
            title: title.into(),
            columns: columns.map(str::to_owned),
            run: self.run.clone(),
            lines: Vec::new(),
            notes: Vec::new(),
            skipped: Vec::new(),
        });
    }

    /// The one that was begun last.
    fn here(&mut self) -> &mut Room {
        self.rooms.last_mut().expect("whoever reports has begun a room")
    }

    fn line(
        &mut self,
        what: &str,
        figure: Figure,
        limit: Option<results::Limit>,
        verdict: Option<Met>,
    ) {
        self.here().lines.push(Line { what: what.into(), figure, limit, verdict });
    }

    pub fn time(&mut self, what: &str, compared: &Compared, limit: Limit) {
        let &Compared { ratio, ours, theirs, unsettled, .. } = compared;
        let Spread { lower, median, upper, .. } = ratio;
        let met = match limit {
            Limit::AtMost(limit) | Limit::AtLeast(limit)
                if upper - lower > WIDE && (lower..=upper).contains(&limit) =>
            {
                let name = format!("{}, {what}", self.here().title);
                self.unsure.push(name);
                Some(Met::Unsure)
            }
            limit => self.judge(what, median, limit),
        };
        let moved = match unsettled {
            0 => String::new(),
            n => format!("  (the floor moved below {n} pairs)"),
        };
        let figure = format!("{median:.3} ({lower:.3} to {upper:.3})");
        let verdict = words(limit, met);
        println!("{what:<44}{ours:>9.0} ns{theirs:>9.0} ns   {figure:<26}{verdict}{moved}");
        self.line(what, Figure::Time { ours, theirs, ratio, unsettled }, limit.told(), met);
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
        let ratio = theirs.map(|theirs| match limit {
            Limit::None => ours / theirs,
            _ => judged,
        });
        let [shown, beside] = [
            ratio.map_or(String::new(), |ratio| format!("{ratio:.3}")),
            theirs.map_or(String::new(), |theirs| format!("{theirs:.0}")),
        ];
        let met = self.judge(what, judged, limit);
        let verdict = words(limit, met);
        println!("{what:<44}{ours:>12.0}{beside:>12}   {shown:<26}{verdict}");
        self.line(what, Figure::Number { ours, theirs, ratio }, limit.told(), met);
    }

    /// Two things that have to be the same; `none` if that could not be found out.
    pub fn same(&mut self, what: &str, ours: &str, theirs: &str, same: bool) {
        let met = self.found(what, same, ours, &format!("the same: {theirs}"));
        println!("{what:<44}  ours: {ours}\n{:<44}  hand: {theirs}   {met}", "");
        let figure = Figure::Counts { ours: ours.into(), theirs: theirs.into() };
        self.line(what, figure, Some(results::Limit::TheSame), Some(met));
    }

    pub fn note(&mut self, what: impl Display) {
        println!("{what}");
        let note = what.to_string();
        self.here().notes.push(note.trim().into());
    }

    pub fn skip(&mut self, what: &str, why: impl Display) {
        println!("SKIPPED {what}: {why}");
        let skip = Skip { what: what.into(), because: why.to_string() };
        self.here().skipped.push(skip);
    }

    fn judge(&mut self, what: &str, figure: f64, limit: Limit) -> Option<Met> {
        let met = match limit {
            Limit::AtMost(most) => figure <= most,
            Limit::AtLeast(least) => figure >= least,
            Limit::None => return None,
        };
        let limit = limit.told()?.to_string();
        Some(self.found(what, met, &format!("{figure:.3}"), &limit))
    }

    fn found(&mut self, what: &str, met: bool, figure: &str, limit: &str) -> Met {
        if met {
            return Met::Met;
        }
        let miss = format!("{}, {what}: {figure}, and not {limit}", self.here().title);
        self.missed.push(miss);
        Met::Missed
    }

    /// All of it, for the page; `whole` if every room was visited.
    pub fn costs(&self, machine: Machine, whole: bool) -> Costs {
        Costs::of(self.run.clone(), machine, self.rooms.clone(), whole)
    }

    /// The end, and whether it was a failure.
    pub fn finish(self, costs: &Costs) -> ExitCode {
        let Report { unsure, missed, .. } = self;
        println!("\n{}", costs.score());
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
