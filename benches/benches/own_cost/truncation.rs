//! A read that survives truncation, against the same routine told not to: same source, same target.

use std::hint::black_box;

use benches::files::{Pieces, Source};
use benches::settings::show_size;
use ipc_common::view::landing;
use mmap_file::MapOptions;

use crate::Bench;
use crate::report::Limit::{self, AtMost};

const SIZES: [u64; 4] = [4 << 10, 64 << 10, 1 << 20, 16 << 20];
const QUICK: [u64; 2] = [4 << 10, 1 << 20];

pub fn bench(bench: &mut Bench) {
    bench.report.room("truncation-proof over the plain copy", "proof", "plain");
    for bytes in bench.settings.choose(&SIZES, &QUICK, bench.mode) {
        let size = show_size(bytes);
        if let Err(why) = bench.place.has_room(bytes) {
            bench.report.skip(&size, why);
            continue;
        }
        let source = Source::new(&bench.place, bytes, Pieces::Large);
        let mapping = MapOptions::new().populate().map(source.file()).expect("it is there");
        let (mapping, bytes) = (&mapping, source.len());
        let view = mapping.view().expect("nobody cuts it");
        // SAFETY: as many bytes as the room has; the two sides have it in turns.
        let target = move |at| black_box(unsafe { std::slice::from_raw_parts_mut(at, bytes) });
        let plain = move |at| {
            let to: &mut [u8] = target(at);
            // SAFETY: as many bytes on both sides; nobody writes to the file, which has no name.
            unsafe { landing::copy(black_box(view.as_ptr()), to.as_mut_ptr(), to.len()) };
        };
        let one_view = move |at| view.read(0, target(at)).expect("nobody cuts it");
        let compared = bench.clock.compare_copies(bytes, one_view, plain);
        bench.report.time(&size, &compared, AtMost(1.02));
        let each_its_view = move |at| {
            let view = mapping.view().expect("nobody cuts it");
            view.read(0, target(at)).expect("nobody cuts it");
        };
        let compared = bench.clock.compare_copies(bytes, each_its_view, plain);
        bench.report.time("  a view for each read", &compared, Limit::None);
    }
}
