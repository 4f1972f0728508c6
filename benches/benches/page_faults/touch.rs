//! The first touch of every page.

use benches::bench::{About, Case, stop};
use benches::floor::Steady;
use benches::machine::Machine;
use benches::settings::show_size;
use benches::{Bench, Watch};

use crate::memory::{KINDS, Kind, Maker};

const SIZES: [u64; 3] = [4 << 20, 16 << 20, 64 << 20];
const QUICK: [u64; 1] = [16 << 20];

pub fn bench(bench: &mut Bench, floor: &mut Steady) {
    let machine = Machine::this();
    for kind in KINDS {
        if let Err(because) = can_be_had(kind, &machine) {
            bench.skip(format!("page_faults first touch, {}", kind.name()), because);
        }
    }
    let in_memory = bench.place().is_memory();
    for size in bench.sizes(&SIZES, &QUICK) {
        let name = "page_faults first touch";
        if !bench.has_room(size, &format!("{name}, {}", show_size(size))) {
            continue;
        }
        let place = bench.place().clone();
        let about = About {
            varies: "bytes touched",
            reference: Kind::Anonymous.name(),
            labels: vec![("bytes in a page", machine.page_bytes.to_string())],
            uses_files: true,
            long: false,
            counts_of: None,
        };
        let mut group = bench.group(name, about, floor);
        let mut reference = Maker::new(&place, Kind::Anonymous, size as usize);
        let mut reference = |watch: &mut Watch, rounds| touches(&mut reference, watch, rounds);
        for kind in KINDS.into_iter().filter(|kind| can_be_had(*kind, &machine).is_ok()) {
            if in_memory && kind == Kind::FileStore {
                group.skip(kind.name(), "pages of a file in memory are never clean");
                continue;
            }
            let mut maker = Maker::new(&place, kind, size as usize);
            if !kind.is_file()
                && let Err(error) = maker.fresh()
            {
                group.skip(&format!("{}, {}", kind.name(), show_size(size)), error.to_string());
                continue;
            }
            let case = Case {
                function: kind.name(),
                value: size.to_string(),
                bytes: size,
                ..Case::default()
            };
            let mut work = |watch: &mut Watch, rounds| touches(&mut maker, watch, rounds);
            group.case(&case, &mut work, &mut reference);
        }
        group.finish();
    }
}

fn touches(maker: &mut Maker<'_>, watch: &mut Watch, rounds: u64) {
    for _ in 0..rounds {
        let memory = maker.fresh().unwrap_or_else(|error| stop(&error));
        watch.on(|| memory.touch());
        // Given back here, and not timed: that takes about as long again.
        drop(memory);
    }
}

fn can_be_had(kind: Kind, machine: &Machine) -> Result<(), String> {
    match kind {
        Kind::Huge if !matches!(machine.huge_pages.as_str(), "always" | "madvise") => {
            Err(format!("transparent huge pages: {}", machine.huge_pages))
        }
        Kind::HugeTlb if machine.hugetlb_pages == 0 => {
            Err("no huge pages are set aside (/proc/sys/vm/nr_hugepages is 0)".into())
        }
        _ => Ok(()),
    }
}
