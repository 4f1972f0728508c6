//! A read that survives truncation, against the same routine told not to: same source, same target.

use std::hint::black_box;

use benches::files::{Pieces, Source};
use benches::raw::Buffer;
use benches::settings::show_size;
use ipc_common::view::landing;
use mmap_file::MapOptions;

use crate::Bench;
use crate::report::Limit::AtMost;

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
        let buffer = Buffer::new(source.len()).expect("there is memory");
        let view = mapping.view().expect("nobody cuts it");
        // SAFETY: the two have it in turns.
        let target = || black_box(unsafe { buffer.part(source.len()) });
        let mut proof = || {
            let view = mapping.view().expect("nobody cuts it");
            view.read(0, target()).expect("nobody cuts it");
        };
        let mut plain = || {
            let target = target();
            // SAFETY: as many bytes on both sides; nobody writes to the file, which has no name.
            unsafe { landing::copy(black_box(view.as_ptr()), target.as_mut_ptr(), target.len()) };
        };
        let compared = bench.clock.compare(&mut proof, &mut plain);
        bench.report.time(&size, &compared, AtMost(1.02));
    }
}
