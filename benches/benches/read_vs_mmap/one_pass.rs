//! The whole file once, in memory already.

use benches::bench::{About, Case};
use benches::files::{Pieces, Source};
use benches::floor::Steady;
use benches::raw::Buffer;
use benches::settings::show_size;
use benches::{Bench, Watch};

use crate::ways::{Passes, Way};
use crate::{QUICK, SIZES};

const WAYS: [Way; 14] = [
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
    Way::Reused,
    Way::Copied,
    Way::OurCopy,
    Way::OurGuardedCopy,
];

pub fn bench(bench: &mut Bench, floor: &mut Steady, buffer: &Buffer) {
    for pieces in [Pieces::Small, Pieces::Large] {
        for size in bench.sizes(&SIZES, &QUICK) {
            // How it was written shows in files of many pieces; and there is a minute.
            let least = if bench.is_quick() { 16 << 20 } else { 1 << 20 };
            if pieces == Pieces::Large && size < least && !bench.is_test() {
                continue;
            }
            at(bench, floor, buffer, size, pieces);
        }
    }
}

fn at(bench: &mut Bench, floor: &mut Steady, buffer: &Buffer, size: u64, pieces: Pieces) {
    let name = format!("read_vs_mmap one pass, warm, {}", pieces.name());
    if !bench.has_room(size, &format!("{name}, {}", show_size(size))) {
        return;
    }
    let place = bench.place().clone();
    let source = Source::new(&place, size, pieces);
    let about = About {
        varies: "bytes in the file",
        reference: "read, 64 KiB",
        labels: vec![
            ("access", "one pass".into()),
            ("page cache", "warm".into()),
            ("written in", pieces.name().into()),
        ],
        uses_files: true,
        long: crate::is_long(size),
        counts_of: None,
    };
    let mut group = bench.group(name, about, floor);
    let mut reference = Passes::new(&source, buffer, Way::READ);
    let mut reference = |watch: &mut Watch, rounds| reference.rounds(watch, rounds);
    for way in WAYS {
        if let Err(because) = way.is_known() {
            group.skip(&format!("{}, {}", way.name(), show_size(size)), because);
            continue;
        }
        let mut passes = Passes::new(&source, buffer, way);
        let case =
            Case { function: &way.name(), value: size.to_string(), bytes: size, ..Case::default() };
        group.case(&case, &mut |watch, rounds| passes.rounds(watch, rounds), &mut reference);
    }
    group.finish();
}
