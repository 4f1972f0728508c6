//! The same bytes again and again: how often must a mapping be used to be worth its faults?

use benches::bench::{About, Case};
use benches::files::{Pieces, Source};
use benches::floor::Steady;
use benches::raw::Buffer;
use benches::settings::show_size;
use benches::{Bench, Watch};

use crate::ways::{Passes, Way};

const SIZES: [u64; 3] = [64 << 10, 1 << 20, 64 << 20];
const QUICK: [u64; 2] = [64 << 10, 1 << 20];
const PASSES: [u64; 6] = [1, 2, 4, 8, 16, 32];

pub fn bench(bench: &mut Bench, floor: &mut Steady, buffer: &Buffer) {
    for size in bench.sizes(&SIZES, &QUICK) {
        at(bench, floor, buffer, size);
    }
}

fn at(bench: &mut Bench, floor: &mut Steady, buffer: &Buffer, size: u64) {
    let name = format!("read_vs_mmap many passes, {}", show_size(size));
    if !bench.has_room(size, &name) {
        return;
    }
    let place = bench.place().clone();
    let source = Source::new(&place, size, Pieces::Small);
    let about = About {
        varies: "passes",
        reference: "read, 64 KiB",
        labels: vec![
            ("access", "many passes".into()),
            ("page cache", "warm".into()),
            ("written in", Pieces::Small.name().into()),
            ("bytes in the file", size.to_string()),
        ],
        uses_files: true,
        long: crate::is_long(size),
        counts_of: None,
    };
    let mut group = bench.group(name, about, floor);
    for passes in PASSES {
        let contender = |way| Passes::new(&source, buffer, way).times(passes);
        let mut reference = contender(Way::READ);
        let mut reference = |watch: &mut Watch, rounds| reference.rounds(watch, rounds);
        for way in [Way::READ, Way::FRESH] {
            let mut contender = contender(way);
            let case = Case {
                function: &way.name(),
                value: passes.to_string(),
                bytes: passes * size,
                ..Case::default()
            };
            group.case(&case, &mut |watch, rounds| contender.rounds(watch, rounds), &mut reference);
        }
    }
    group.finish();
}
