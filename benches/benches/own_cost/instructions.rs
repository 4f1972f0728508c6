//! Instructions in user space, by valgrind's callgrind. They are the same on a busy machine, so this
//! is where to look first when a time has grown.

use benches::files::{Pieces, Source};
use benches::own::{Job, On, Segment, Valgrind, Who};
use benches::settings::{Mode, show_size};

use crate::Bench;
use crate::report::Limit::{self, AtMost};

pub fn bench(bench: &mut Bench) {
    bench.report.room("instructions of a round, in user space", "ours", "theirs");
    let valgrind = match Valgrind::find() {
        Ok(valgrind) => valgrind,
        Err(why) => return bench.report.skip("instructions", why),
    };
    if let Err(why) = small_work(bench, &valgrind).and_then(|()| reading(bench, &valgrind)) {
        bench.report.skip("the rest of the instructions", why);
    }
}

/// Work that is mostly calls.
fn small_work(bench: &mut Bench, valgrind: &Valgrind) -> Result<(), String> {
    let place = bench.place.clone();
    let source = Source::new(&place, 64 << 10, Pieces::Large);
    let segment = Segment::new(64 << 10);
    let on = On::this(source.file(), segment.as_ref().ok());
    let count = |job, who| valgrind.count(job, who, &on);
    let report = &mut bench.report;

    let touch = |who| count(Job::Touch, who);
    let (ours, memmap2) = (touch(Who::Ours)?, touch(Who::Memmap2)?);
    let what = "open, map, touch, drop: over memmap2";
    report.number(what, ours, Some(memmap2), ours / memmap2, AtMost(1.0));
    for (what, ours, theirs) in [
        ("  without the guard, over memmap2", touch(Who::Unguarded)?, memmap2),
        ("  over memmap2 that is told the length", ours, touch(Who::Memmap2Len)?),
        ("  over libc by hand", ours, touch(Who::Bare)?),
    ] {
        report.number(what, ours, Some(theirs), 0.0, Limit::None);
    }

    let map = |who| count(Job::Map, who);
    let (ours, memmap2) = (map(Who::Ours)?, map(Who::Memmap2)?);
    report.number("map and unmap: over memmap2", ours, Some(memmap2), ours / memmap2, AtMost(1.0));
    for (what, ours, theirs) in [
        ("  without the guard, over memmap2", map(Who::Unguarded)?, memmap2),
        ("  over libc by hand", ours, map(Who::Bare)?),
    ] {
        report.number(what, ours, Some(theirs), 0.0, Limit::None);
    }

    let sync = |who| count(Job::Sync, who);
    let ours = sync(Who::Ours)?;
    for (what, theirs) in [
        ("msync of a page: over libc by hand", sync(Who::Bare)?),
        ("  over memmap2", sync(Who::Memmap2)?),
    ] {
        report.number(what, ours, Some(theirs), 0.0, Limit::None);
    }

    if let Err(why) = &segment {
        report.skip("attach, touch, detach", why);
        return Ok(());
    }
    let (ours, theirs) = (count(Job::Attach, Who::Ours)?, count(Job::Attach, Who::Bare)?);
    let what = "attach, touch, detach: over libc by hand";
    report.number(what, ours, Some(theirs), 0.0, Limit::None);
    Ok(())
}

/// Work that is mostly bytes.
fn reading(bench: &mut Bench, valgrind: &Valgrind) -> Result<(), String> {
    let sizes: &[usize] = match bench.mode {
        Mode::Test => &[4 << 10],
        _ => &[4 << 10, 64 << 10, 1 << 20],
    };
    let place = bench.place.clone();
    for &bytes in sizes {
        let source = Source::new(&place, bytes as u64, Pieces::Large);
        let on = On::this(source.file(), None);
        for (how, job) in [("mapped anew", Job::ReadFresh), ("mapped before", Job::ReadReused)] {
            let [ours, theirs] = [Who::Ours, Who::Bare].map(|who| valgrind.count(job, who, &on));
            let (ours, theirs) = (ours?, theirs?);
            let what = format!("read all of {}, {how}", show_size(bytes as u64));
            // A page is read sooner than it is mapped: that is a cycle, and judged above.
            let few = bytes < 64 << 10 && job == Job::ReadFresh;
            let limit = if few { Limit::None } else { AtMost(1.05) };
            bench.report.number(&what, ours, Some(theirs), without_rep(ours, theirs, bytes), limit);
        }
    }
    bench.report.note(
        "(judged without what callgrind adds: to it, each byte of a `rep movsb` is an instruction)",
    );
    Ok(())
}

/// The ratio, if a copy by `rep movsb` counted as one instruction and not as one for each byte. Both
/// sides use it for large copies, on x86-64; then their numbers are larger than the number of bytes,
/// as they never are otherwise.
fn without_rep(ours: f64, theirs: f64, bytes: usize) -> f64 {
    let bytes = bytes as f64;
    let rep = |count: f64| {
        if cfg!(target_arch = "x86_64") && count > bytes { count - bytes } else { count }
    };
    rep(ours) / rep(theirs)
}
