//! 64 bytes here, 4 KiB there: a table that is looked up, a page of a database.

use benches::bench::{About, Case};
use benches::files::{Pieces, Source};
use benches::floor::Steady;
use benches::raw::Buffer;
use benches::settings::show_size;
use benches::{Bench, Watch};

use crate::picks::{Picks, Way, places};
use crate::{QUICK, SIZES};

pub const PIECES: [usize; 2] = [64, 4 << 10];
/// A round reads as many pieces as the file has, and no more than that.
const MOST: usize = 16_384;

const WAYS: [Way; 7] = [
    Way::Pread,
    Way::Fresh { flag: 0, advice: None },
    Way::Fresh { flag: libc::MAP_POPULATE, advice: None },
    Way::Fresh { flag: 0, advice: Some(libc::MADV_RANDOM) },
    Way::Reused,
    Way::Copied,
    Way::Ours,
];

pub fn bench(bench: &mut Bench, floor: &mut Steady, buffer: &Buffer) {
    for piece in PIECES {
        // A file smaller than a piece has none.
        for size in bench.sizes(&SIZES, &QUICK).into_iter().filter(|size| *size >= piece as u64) {
            at(bench, floor, buffer, size, piece);
        }
    }
}

fn at(bench: &mut Bench, floor: &mut Steady, buffer: &Buffer, size: u64, piece: usize) {
    let name = format!("read_vs_mmap random {}, warm", show_size(piece as u64));
    if !bench.has_room(size, &format!("{name}, {}", show_size(size))) {
        return;
    }
    let place = bench.place().clone();
    let source = Source::new(&place, size, Pieces::Small);
    let places = places(source.len(), piece, MOST.min(source.len() / piece));
    let about = about(size, piece, places.len(), "warm", Pieces::Small);
    let mut group = bench.group(name, about, floor);
    let mut reference = Picks::new(&source, buffer, Way::Pread, piece, &places);
    let mut reference = |watch: &mut Watch, rounds| reference.rounds(watch, rounds);
    for way in WAYS {
        let mut picks = Picks::new(&source, buffer, way, piece, &places);
        let case = case(way, size, piece, places.len());
        group.case(&case, &mut |watch, rounds| picks.rounds(watch, rounds), &mut reference);
    }
    group.finish();
}

pub fn about(size: u64, piece: usize, count: usize, temperature: &str, pieces: Pieces) -> About {
    About {
        varies: "bytes in the file",
        reference: "pread",
        labels: vec![
            ("access", "random".into()),
            ("bytes in a piece", piece.to_string()),
            ("pieces in a round", count.to_string()),
            ("page cache", temperature.into()),
            ("written in", pieces.name().into()),
        ],
        uses_files: true,
        long: crate::is_long(size),
        counts_of: None,
    }
}

pub fn case(way: Way, size: u64, piece: usize, count: usize) -> Case<'static> {
    Case {
        function: way.name(),
        value: size.to_string(),
        bytes: (piece * count) as u64,
        ..Case::default()
    }
}
