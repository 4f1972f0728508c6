//! What our crates cost on top of the calls they make, in one run, as ratios: to libc by hand, to
//! memmap2, to C. Each line has a limit, and says whether it is met.
//!
//! | room | question |
//! |---|---|
//! | `counts` | are there more system calls or page faults than by hand? |
//! | `instructions` | how many instructions does it take? (valgrind) |
//! | `reading` | reading all of a mapped file, of 4 KiB to 64 MiB, mapped anew and mapped before |
//! | `cycles` | open–map–touch–drop, map–unmap, attach–detach |
//! | `truncation` | a read that survives truncation against the plain copy |
//! | `suite` | does this suite find what is known? If not, believe nothing above |
//! | `handover` | 64 bytes from process to process and back, against C |
//!
//! What is printed is also written down, for the report ([`benches::results::Costs`]).
//!
//! A word on the command line chooses the rooms whose names contain it. `OWN_COST_STRICT=1` makes a
//! limit that is missed a failure.

mod clock;
mod counts;
mod cycles;
mod handover;
mod instructions;
mod reading;
mod report;
mod suite;
mod truncation;

use std::process::ExitCode;

use benches::files::Place;
use benches::machine::Machine;
use benches::own::is_worker;
use benches::results::{self, Costs, OWN_COST, Run};
use benches::settings::{Mode, Settings};

use clock::Clock;
use report::Report;

/// What all rooms use.
struct Bench {
    clock: Clock,
    report: Report,
    place: Place,
    settings: Settings,
    mode: Mode,
}

type Room = fn(&mut Bench);

const ROOMS: [(&str, Room); 7] = [
    ("counts", counts::bench),
    ("instructions", instructions::bench),
    ("reading", reading::bench),
    ("cycles", cycles::bench),
    ("truncation", truncation::bench),
    ("suite", suite::bench),
    ("handover", handover::bench),
];

fn main() -> ExitCode {
    if is_worker() {
        return ExitCode::SUCCESS;
    }
    let mode = Mode::of_process();
    match mode {
        Mode::Help => return report::help(),
        Mode::List => return report::list(ROOMS.map(|(name, _)| name)),
        _ => {}
    }
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(why) => return report::wrong_usage(&why),
    };
    let rooms = Mode::filters(std::env::args().skip(1));
    let asked = |name: &str| rooms.is_empty() || rooms.iter().any(|room| name.contains(room));
    if !ROOMS.iter().any(|(name, _)| asked(name)) {
        return report::no_such_room(&rooms.join(" "), ROOMS.map(|(name, _)| name));
    }
    let place = match Place::choose(&settings, &results::target()) {
        Ok(place) => place,
        Err(error) => return report::failed(&error),
    };
    let machine = Machine::this();
    let run = Run::begins(OWN_COST, settings.is_quick(mode));
    let report = Report::new(run, &format!("{machine}; files in {place}"));
    let clock = Clock::new(mode, settings.is_quick(mode));
    let mut bench = Bench { clock, report, place, settings, mode };
    let visited = ROOMS.iter().filter(|(name, _)| asked(name));
    visited.clone().for_each(|(_, room)| room(&mut bench));
    let costs = bench.report.costs(machine, visited.count() == ROOMS.len());
    if mode.measures()
        && let Err(error) = keep(&costs)
    {
        return report::failed(&error);
    }
    bench.report.finish(&costs)
}

/// Writes it down, beside the other benches' results. Rooms that were left out stay as they were; a
/// file that cannot be read is replaced.
fn keep(costs: &Costs) -> std::io::Result<()> {
    let home = results::home();
    let all = match results::read_costs(&home) {
        Ok(Some(earlier)) => costs.clone().after(earlier),
        _ => costs.clone(),
    };
    results::write_costs(&home, &all).map(drop)
}
