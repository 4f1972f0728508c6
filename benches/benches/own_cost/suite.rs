//! Whether this suite finds what is known. A warm file of 64 KiB is read by read(2), by a mapping
//! that is made anew each time, and by one that was made before; and stored to, clean and dirty.
//! The faults say why; where the figures are otherwise, they say why, too.

use std::os::fd::AsRawFd;

use benches::files::{Pieces, Source};
use benches::raw::{Buffer, Map};
use benches::watch::{Work, faults};
use benches::{Watch, sum};

use crate::Bench;
use crate::report::Limit::{AtLeast, AtMost};

const BYTES: usize = 64 << 10;

pub fn bench(bench: &mut Bench) {
    bench.report.room("the suite itself: a warm file of 64 KiB", "this", "over that");
    let place = bench.place.clone();
    let source = Source::new(&place, BYTES as u64, Pieces::Small);
    reading(bench, &source);
    if place.is_memory() {
        let file_system = place.file_system();
        let why = format!("{file_system} has no disk to keep up with, so no page is ever clean");
        return bench.report.skip("store: to clean pages over to dirty ones", why);
    }
    storing(bench, &source);
}

fn reading(bench: &mut Bench, source: &Source<'_>) {
    let buffer = Buffer::new(BYTES).expect("there is memory");
    let file = source.file();
    let check = |total| assert_eq!(total, source.sum(), "something else was read");
    let mut read = || {
        // SAFETY: the buffer has as many bytes, and nobody else uses it.
        let read = unsafe { libc::pread(file.as_raw_fd(), buffer.start().cast(), BYTES, 0) };
        assert_eq!(read, BYTES as isize, "pread");
        // SAFETY: they have just been read.
        check(unsafe { sum::at(buffer.start(), BYTES) });
    };
    let map = || Map::of_file(file, BYTES, libc::PROT_READ, libc::MAP_SHARED).expect("it is there");
    // SAFETY: mapped; the file has no name, so nobody cuts or writes it.
    let in_place = |map: &Map| check(unsafe { sum::at(map.start(), BYTES) });
    let mut fresh = || in_place(&map());
    let kept = map();
    let mut reused = || in_place(&kept);

    let compared = bench.clock.compare(&mut fresh, &mut read);
    bench.report.time("read: a fresh map over read(2)", &compared, AtLeast(2.0));
    let compared = bench.clock.compare(&mut reused, &mut read);
    bench.report.time("read: a map made before over read(2)", &compared, AtMost(0.5));
    let [fresh, reused, read] = [&mut fresh as &mut dyn FnMut(), &mut reused, &mut read]
        .map(|work| faults_of(&mut |watch, rounds| watch.on(|| (0..rounds).for_each(|_| work()))));
    bench
        .report
        .note(format!("  faults a round: fresh {fresh}, made before {reused}, read {read}"));
    if fresh == 0 {
        bench.report.note(
            "  the fresh map takes no faults here: something maps its pages in advance, and then it \
             is no slower",
        );
    }
    if reused > 0 {
        bench.report.note("  the map that was made before loses its pages: memory is short here");
    }
}

fn storing(bench: &mut Bench, source: &Source<'_>) {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let map =
        Map::of_file(source.file(), BYTES, protection, libc::MAP_SHARED).expect("it is there");
    // SAFETY: our own mapping, of which nobody has references.
    let store = || unsafe { map.start().write_bytes(7, BYTES) };
    let clean = || map.sync(libc::MS_SYNC).expect("the disk is well");
    let mut to_clean = |watch: &mut Watch, rounds: u64| {
        for _ in 0..rounds {
            clean();
            watch.on(store);
        }
    };
    let mut to_dirty = |watch: &mut Watch, rounds: u64| {
        store();
        (0..rounds).for_each(|_| watch.on(store));
    };
    let compared = bench.clock.compare_parts(&mut to_clean, &mut to_dirty);
    bench.report.time("store: to clean pages over to dirty ones", &compared, AtLeast(2.0));
    let [clean, dirty] = [faults_of(&mut to_clean), faults_of(&mut to_dirty)];
    bench.report.note(format!("  faults a round: clean {clean}, dirty {dirty}"));
    if clean == 0 {
        bench.report.note(format!(
            "  after msync, storing takes no faults here: {} never takes the right to write away, \
             for it has no disk to keep up with",
            bench.place.file_system()
        ));
    }
}

/// After a round that does not count.
fn faults_of(work: &mut Work<'_>) -> u64 {
    faults(work);
    faults(work).minor
}
