//! 64 bytes from one process to another and back, on a processor each, by our views and in C: the
//! same protocol, in the same memory, in turns.

mod ours;

use std::sync::atomic::AtomicU32;

use benches::c::{Library, Loop, Pages};
use benches::floor::{bounce, wait_for};
use benches::own::Segment;
use benches::peer::Peer;
use benches::placement::{Processors, pin};
use benches::watch::{Work, took};
use benches::{Spread, Watch};
use ipc_common::view::WriteView;
use ipc_common::{Error, Result};
use mmap_file::{MapOptions, Mapping};

use crate::Bench;
use crate::report::Limit::AtMost;

const MEMORY: usize = 4096;
/// A round takes less than a microsecond. If the shortest of many took so long, somebody else has
/// one of the processors, and both sides measure the scheduler.
const BUSY_NS: f64 = 100_000.0;

/// C's loops.
#[derive(Clone, Copy)]
struct InC {
    ask: Loop,
    answer: Loop,
}

/// The last room: it keeps this process on one processor from here on.
pub fn bench(bench: &mut Bench) {
    bench.report.room("64 bytes to another process and back, over C", "ours", "C");
    let Processors { here, there: Some(there), .. } = Processors::choose() else {
        let why = "two processes that wait by looking need two processors, and here is one";
        return bench.report.skip("the hand-over", why);
    };
    let Some(library) = Library::load("handover", &[]) else {
        return bench.report.skip("the hand-over", "there is no C to compare it with");
    };
    wait_as_we_do(&library);
    let in_c = InC { ask: library.function(c"ask"), answer: library.function(c"answer") };
    let floor = pin(here).and_then(|()| bounce(there));
    match floor {
        Ok(floor) => bench.clock.set_floor(floor),
        Err(why) => return bench.report.skip("the hand-over", why),
    }
    let segment = Segment::new(MEMORY);
    let in_segment =
        segment.and_then(|memory| compare(bench, "System V segment", memory.view(), in_c, there));
    if let Err(why) = in_segment {
        bench.report.skip("System V segment", why);
    }
    let file = mapped(bench);
    let in_file =
        file.and_then(|memory| compare(bench, "mapped file", memory.write_view()?, in_c, there));
    if let Err(why) = in_file {
        bench.report.skip("mapped file", why);
    }
}

/// Both sides wait by this function: see c/handover.c.
#[inline(never)]
extern "C" fn wait(word: &AtomicU32, number: u32) {
    wait_for(word, number);
}

fn wait_as_we_do(library: &Library) {
    type WaitBy = unsafe extern "C" fn(extern "C" fn(&AtomicU32, u32));
    // SAFETY: c/handover.c declares it so.
    let wait_by: WaitBy = unsafe { std::mem::transmute(library.address(c"wait_by")) };
    // SAFETY: it stores a pointer. Whoever calls that passes an aligned word of the mapping.
    unsafe { wait_by(wait) };
}

fn mapped(bench: &Bench) -> Result<Mapping> {
    let file = bench.place.unnamed()?;
    file.set_len(MEMORY as u64)
        .map_err(|error| Error::from_io("ftruncate", &error, "a new file"))?;
    MapOptions::new().read_write().map(&file)
}

fn compare(
    bench: &mut Bench,
    what: &str,
    view: WriteView<'_>,
    in_c: InC,
    there: usize,
) -> Result<()> {
    let pages = Pages { start: view.as_ptr().cast_mut(), pages: 1, page: view.len() };
    let our_peer = Peer::start(
        there,
        || (),
        |ready, rounds| {
            ready();
            ours::answer(view, number(rounds)).expect("nobody takes the memory away");
        },
    )?;
    let their_peer = Peer::start(
        there,
        || (),
        |ready, rounds| {
            ready();
            // SAFETY: the memory is longer than the protocol's, and nobody has references to it.
            unsafe { in_c.answer.run(pages, number(rounds)) };
        },
    )?;
    // Each begins to count at 1. The peer of the last turn has done with the memory: what it stored
    // last was its answer.
    let order = |peer: &Peer, rounds| {
        ours::reset(view).expect("nobody takes the memory away");
        peer.order(rounds);
    };
    let mut ours = |watch: &mut Watch, rounds: u64| {
        order(&our_peer, rounds);
        watch.on(|| ours::ask(view, number(rounds)).expect("nobody takes the memory away"));
    };
    let mut theirs = |watch: &mut Watch, rounds: u64| {
        order(&their_peer, rounds);
        // SAFETY: as above.
        watch.on(|| unsafe { in_c.ask.run(pages, number(rounds)) });
    };
    if is_busy(&mut theirs) {
        let why =
            "the machine is busy: two processors are never free at once; measure when it rests";
        bench.report.skip(what, why);
        return Ok(());
    }
    let compared = bench.clock.compare_parts(&mut ours, &mut theirs);
    bench.report.time(what, &compared, AtMost(1.05));
    let Spread { median, min, max, .. } = compared.floor;
    bench
        .report
        .note(format!("  two cache lines to and fro: {median:.0} ns ({min:.0} to {max:.0})"));
    Ok(())
}

fn is_busy(work: &mut Work<'_>) -> bool {
    const TRIES: usize = 10;
    const ROUNDS: u64 = 100;
    let shortest = (0..TRIES).map(|_| took(work, ROUNDS)).min().expect("there are some");
    shortest.as_secs_f64() * 1e9 / ROUNDS as f64 > BUSY_NS
}

fn number(rounds: u64) -> u32 {
    u32::try_from(rounds).expect("a turn is short")
}
