//! A note handed from one process to another and back: what the slide "IPC Solutions" compares.
//!
//! Two real processes. Both copy the whole note in and out, whatever carries it: a transport that is
//! measured without touching the note measures nothing. On one side of the table are those that wait
//! by looking (their processor does nothing else), on the other those that sleep and are woken.
//!
//! | room | what it is |
//! |---|---|
//! | `trip` | a round trip by any transport |
//! | `shared` | memory that both have: a segment, a mapped file; in bare libc, and by our library |
//! | `waiting` | how the end of a wait is noticed: looking, yielding, futex, semaphore |
//! | `streams` | pipe, FIFO, socket |
//!
//! Where the traps are dealt with: the place of both processes is fixed, and one core and two are
//! groups of their own, since waking a core that sleeps takes longer than any difference between a
//! pipe and a socket; the floor is two cache lines between the very same two processors.

mod shared;
mod streams;
mod trip;
mod waiting;

use std::process::ExitCode;

use benches::bench::{About, Case, Group, stop};
use benches::files::Place;
use benches::floor::{self, Lines, Steady};
use benches::placement::{self, Processors};
use benches::settings::show_size;
use benches::{Bench, Watch, Work};
use ipc_common::Result;

use shared::{Kind, Memory, Raw, Views};
use streams::Stream;
use trip::{Transport, Trip};
use waiting::{Futex, Looking, Semaphores, Yielding};

const SIZES: [u64; 3] = [64, 1 << 10, 64 << 10];

const LINES: &str = "two cache lines";
const PIPE: &str = "pipe";

fn main() -> ExitCode {
    let mut bench = match Bench::start("message_round_trip") {
        Ok(bench) => bench,
        Err(code) => return code,
    };
    let processors = Processors::choose();
    placement::pin(processors.here).unwrap_or_else(|error| stop(&error));
    if let Some(there) = processors.there {
        across(&mut bench, there, processors.siblings);
    } else {
        bench.skip("message_round_trip, across two cores", "there is one processor only");
    }
    on_one(&mut bench, processors.here);
    bench.finish()
}

/// Each on a processor of its own: the one may look while the other works.
fn across(bench: &mut Bench, there: usize, siblings: bool) {
    let mut floor = floor::bounce(there).unwrap_or_else(|error| stop(&error));
    let place = bench.place().clone();
    let sizes = bench.sizes_of(&SIZES);
    // Of a virtual machine nobody inside knows whose threads its processors are: look at the floor.
    let which = if siblings { "two threads of one core" } else { "two processors" };
    let mut group = group(bench, "across two cores", which, LINES, &mut floor);
    for size in sizes {
        let lines = Lines::new(there).unwrap_or_else(|error| stop(&error));
        let mut reference = |watch: &mut Watch, rounds: u64| lines.rounds(watch, rounds);
        let more = Lines::new(there).unwrap_or_else(|error| stop(&error));
        one(&mut group, LINES, size, &mut |w, n| more.rounds(w, n), &mut reference);
        drop(more);
        let mut on = On { place: &place, processor: there, size, reference: &mut reference };
        for kind in Kind::ALL {
            on.bare::<Looking>(&mut group, kind);
            on.ours::<Looking>(&mut group, kind);
        }
        on.sleepers(&mut group);
    }
    group.finish();
}

/// Both on one processor: whoever waits has to let the other run.
fn on_one(bench: &mut Bench, here: usize) {
    let mut floor = floor::alone();
    let place = bench.place().clone();
    let sizes = bench.sizes_of(&SIZES);
    let mut group = group(bench, "on one core", "one core", PIPE, &mut floor);
    for size in sizes {
        let pipe = Stream::pipe().unwrap_or_else(|error| stop(&error));
        let mut reference = Trip::new(pipe, here, size);
        let mut reference = |watch: &mut Watch, rounds: u64| reference.rounds(watch, rounds);
        let mut on = On { place: &place, processor: here, size, reference: &mut reference };
        for kind in Kind::ALL {
            on.bare::<Yielding>(&mut group, kind);
        }
        on.sleepers(&mut group);
    }
    group.finish();
}

fn group<'a>(
    bench: &'a mut Bench,
    name: &str,
    which: &str,
    reference: &'static str,
    floor: &'a mut Steady,
) -> Group<'a> {
    let about = About {
        varies: "bytes in the note",
        reference,
        labels: vec![("processors", which.into())],
        uses_files: false,
        long: false,
        counts_of: Some("the asking one of two processes"),
    };
    bench.group(format!("message_round_trip {name}"), about, floor)
}

/// Where the other process is, and what all are compared with.
struct On<'a, 'r> {
    place: &'a Place,
    processor: usize,
    size: u64,
    reference: &'a mut Work<'r>,
}

impl On<'_, '_> {
    /// Those that sleep and are woken.
    fn sleepers(&mut self, group: &mut Group<'_>) {
        for kind in Kind::ALL {
            self.bare::<Futex>(group, kind);
        }
        self.bare::<Semaphores>(group, Kind::Segment);
        self.run(group, PIPE, Stream::pipe());
        self.run(group, "FIFO", Stream::fifo(self.place));
        self.run(group, "unix socket", Stream::socket());
    }

    /// Shared memory, by libc alone.
    fn bare<W: waiting::Waiting>(&mut self, group: &mut Group<'_>, kind: Kind) {
        let (place, len) = (self.place, Memory::<Raw, W>::needed(self.size));
        let name = format!("{}, {}", kind.name(), W::NAME);
        self.run(group, &name, Raw::new(kind, place, len).and_then(Memory::<_, W>::new));
    }

    /// The same, by our library.
    fn ours<W: waiting::Waiting>(&mut self, group: &mut Group<'_>, kind: Kind) {
        let (place, len) = (self.place, Memory::<Views, W>::needed(self.size));
        let name = format!("{}, {}", kind.library(), W::NAME);
        self.run(group, &name, Views::new(kind, place, len).and_then(Memory::<_, W>::new));
    }

    fn run<T: Transport>(&mut self, group: &mut Group<'_>, name: &str, transport: Result<T>) {
        let mut transport = match transport {
            Ok(transport) => Some(transport),
            // No System V objects in this kernel, no FIFOs in this file system.
            Err(error) => {
                return group.skip(&format!("{name}, {}", show_size(self.size)), error.to_string());
            }
        };
        let mut trip = None;
        // Started in the first round: a case that is filtered out needs no process.
        let mut work = |watch: &mut Watch, rounds| {
            let trip = trip.get_or_insert_with(|| {
                let transport = transport.take().expect("there is one trip");
                Trip::new(transport, self.processor, self.size)
            });
            trip.rounds(watch, rounds);
        };
        one(group, name, self.size, &mut work, self.reference);
    }
}

fn one(
    group: &mut Group<'_>,
    function: &str,
    size: u64,
    work: &mut Work<'_>,
    reference: &mut Work<'_>,
) {
    let case = Case { function, value: size.to_string(), bytes: size, ..Case::default() };
    group.case(&case, work, reference);
}
