//! Fault-around: a fault on a page of a file maps its neighbours too, if they are in memory.
//!
//! One page is looked at, the next so many are passed over. As long as the passed-over pages come
//! with the fault, the number of faults stays; beyond, each look is a fault. The counts show how far
//! it reaches (64 KiB unless somebody has set it otherwise); the times what it is worth.

use benches::bench::{About, Case, stop};
use benches::files::{Pieces, Source};
use benches::floor::Steady;
use benches::raw::{Map, load_each};
use benches::{Bench, Watch};
use ipc_common::PageSize;

const SIZES: [u64; 1] = [16 << 20];
const STEPS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

pub fn bench(bench: &mut Bench, floor: &mut Steady) {
    let page = PageSize::system().bytes();
    for size in bench.sizes(&SIZES, &SIZES).into_iter().take(1) {
        if !bench.has_room(size, "page_faults fault-around") {
            return;
        }
        let place = bench.place().clone();
        // In small pieces: a large folio would be mapped as a whole, and show nothing of the kind.
        let source = Source::new(&place, size, Pieces::Small);
        let about = About {
            varies: "a look at every so manieth page",
            reference: "file, load",
            labels: vec![
                ("bytes in a page", page.to_string()),
                ("bytes in the file", size.to_string()),
            ],
            uses_files: true,
            long: false,
            counts_of: None,
        };
        let mut group = bench.group("page_faults fault-around", about, floor);
        let looks = |step: usize| {
            let source = &source;
            move |watch: &mut Watch, rounds: u64| {
                let file = source.open();
                for _ in 0..rounds {
                    let map = Map::of_file(&file, source.len(), libc::PROT_READ, libc::MAP_SHARED)
                        .unwrap_or_else(|error| stop(&error));
                    // SAFETY: the mapping is as long as the file, which has no name; nobody writes.
                    watch.on(|| unsafe { load_each(map.start(), map.len(), step * page) });
                }
            }
        };
        for step in STEPS {
            let case = Case {
                function: "file, load",
                value: step.to_string(),
                bytes: (size / step as u64).max(1),
                ..Case::default()
            };
            group.case(&case, &mut looks(step), &mut looks(1));
        }
        group.finish();
    }
}
