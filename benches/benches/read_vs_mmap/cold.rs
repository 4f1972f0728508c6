//! The file is not in memory: each round drops it first, and makes sure.
//!
//! There is no reused mapping here: pages that are mapped cannot be dropped. And how the file was
//! written does not matter: its pages come back as readahead brings them.

use benches::bench::{About, Case};
use benches::files::{Pieces, Source, can_be_cold};
use benches::floor::Steady;
use benches::raw::Buffer;
use benches::settings::show_size;
use benches::{Bench, Watch};

use crate::picks::{self, Picks};
use crate::random;
use crate::ways::{Passes, Way};

const SIZES: [u64; 4] = [64 << 10, 1 << 20, 64 << 20, 1 << 30];
const QUICK: [u64; 2] = [1 << 20, 16 << 20];
/// A hint that is wrong can make a pass fifty times as long: no larger than that.
const LARGEST_WITH_WRONG_HINT: u64 = 64 << 20;
/// A round of random reads: each may wait for the device.
const PICKS: usize = 1024;

const WAYS: [Way; 13] = [
    Way::READ,
    Way::Read(4 << 10),
    Way::Read(256 << 10),
    Way::Pread(64 << 10),
    Way::FRESH,
    Way::POPULATED,
    Way::advised(libc::MADV_SEQUENTIAL),
    Way::advised(libc::MADV_RANDOM),
    Way::advised(libc::MADV_WILLNEED),
    Way::advised(libc::MADV_POPULATE_READ),
    Way::Copied,
    Way::OurCopy,
    Way::OurGuardedCopy,
];

pub fn bench(bench: &mut Bench, floor: &mut Steady, buffer: &Buffer) {
    if let Err(because) = can_be_cold(bench.place()) {
        bench.skip("read_vs_mmap, everything with a cold page cache", because);
        return;
    }
    for size in bench.sizes(&SIZES, &QUICK) {
        if bench.has_room(size, &format!("read_vs_mmap, cold, {}", show_size(size))) {
            one_pass(bench, floor, buffer, size);
            for piece in random::PIECES.into_iter().filter(|piece| size >= *piece as u64) {
                random_pieces(bench, floor, buffer, size, piece);
            }
        }
    }
}

fn one_pass(bench: &mut Bench, floor: &mut Steady, buffer: &Buffer, size: u64) {
    let place = bench.place().clone();
    let source = Source::new(&place, size, Pieces::Large);
    let about = About {
        varies: "bytes in the file",
        reference: "read, 64 KiB",
        labels: vec![("access", "one pass".into()), ("page cache", "cold".into())],
        uses_files: true,
        long: crate::is_long(size),
        counts_of: None,
    };
    let mut group = bench.group("read_vs_mmap one pass, cold", about, floor);
    let contender = |way| Passes::new(&source, buffer, way).cold();
    let mut reference = contender(Way::READ);
    let mut reference = |watch: &mut Watch, rounds| reference.rounds(watch, rounds);
    for way in WAYS {
        if let Err(because) = way.is_known() {
            group.skip(&format!("{}, {}", way.name(), show_size(size)), because);
            continue;
        }
        if way == Way::advised(libc::MADV_RANDOM) && size > LARGEST_WITH_WRONG_HINT {
            let why = "the wrong hint makes a pass take half a minute";
            group.skip(&format!("{}, {}", way.name(), show_size(size)), why);
            continue;
        }
        let mut contender = contender(way);
        let case =
            Case { function: &way.name(), value: size.to_string(), bytes: size, ..Case::default() };
        group.case(&case, &mut |watch, rounds| contender.rounds(watch, rounds), &mut reference);
    }
    group.finish();
}

fn random_pieces(bench: &mut Bench, floor: &mut Steady, buffer: &Buffer, size: u64, piece: usize) {
    use picks::Way;
    let place = bench.place().clone();
    let source = Source::new(&place, size, Pieces::Large);
    let places = picks::places(source.len(), piece, PICKS.min(source.len() / piece));
    let name = match piece {
        64 => "read_vs_mmap random 64 B, cold",
        _ => "read_vs_mmap random 4 KiB, cold",
    };
    let mut group =
        bench.group(name, random::about(size, piece, places.len(), "cold", Pieces::Large), floor);
    let contender = |way| Picks::new(&source, buffer, way, piece, &places).cold();
    let mut reference = contender(Way::Pread);
    let mut reference = |watch: &mut Watch, rounds| reference.rounds(watch, rounds);
    let fresh = |advice| Way::Fresh { flag: 0, advice };
    let ours = [Way::Copied, Way::Ours];
    for way in [Way::Pread, fresh(None), fresh(Some(libc::MADV_RANDOM))].into_iter().chain(ours) {
        let mut contender = contender(way);
        let case = random::case(way, size, piece, places.len());
        group.case(&case, &mut |watch, rounds| contender.rounds(watch, rounds), &mut reference);
    }
    group.finish();
}
