//! 64 bytes from one process to another and back, on a processor each, by our views and in C: the
//! same protocol, in the same memory, in turns.

mod ours;
mod peer;

use benches::Watch;
use benches::own::Segment;
use ipc_common::view::WriteView;
use mmap_file::MapOptions;

use crate::Bench;
use crate::c::Library;
use crate::report::Limit::AtMost;
use peer::{InC, MEMORY, Peer, two_processors};

pub fn bench(bench: &mut Bench) {
    bench.report.room("64 bytes to another process and back, over C", "ours", "C");
    let Some(library) = Library::load("handover", &[]) else {
        return bench.report.skip("the hand-over", "there is no C to compare it with");
    };
    let in_c = InC { ask: library.function(c"ask"), answer: library.function(c"answer") };

    match Segment::new(MEMORY) {
        Ok(segment) => compare(bench, "System V segment", segment.view(), in_c),
        Err(why) => bench.report.skip("System V segment", why),
    }
    let file = bench.place.unnamed().and_then(|file| {
        file.set_len(MEMORY as u64)
            .map_err(|error| ipc_common::Error::from_io("ftruncate", &error, "a new file"))?;
        MapOptions::new().read_write().map(&file)
    });
    match file.and_then(|mapping| {
        mapping.write_view().map(|view| compare(bench, "mapped file", view, in_c))
    }) {
        Ok(()) => {}
        Err(why) => bench.report.skip("mapped file", why),
    }
}

fn compare(bench: &mut Bench, what: &str, view: WriteView<'_>, in_c: InC) {
    let peer = match two_processors() {
        Ok(processors) => Peer::start(view, in_c, processors),
        Err(why) => return bench.report.skip(what, why),
    };
    let peer = match peer {
        Ok(peer) => peer,
        Err(why) => return bench.report.skip(what, why),
    };
    let number = |rounds: u64| u32::try_from(rounds).expect("a turn is short");
    let mut ours = |watch: &mut Watch, rounds| peer.ask(number(rounds), |work| watch.on(work));
    let mut theirs =
        |watch: &mut Watch, rounds| peer.ask_in_c(number(rounds), |work| watch.on(work));
    let compared = bench.clock.compare_parts(&mut ours, &mut theirs);
    bench.report.time(what, &compared, AtMost(1.05));
}
