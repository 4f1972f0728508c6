//! Instructions in user space, by valgrind's callgrind. They are the same on a busy machine, so this
//! is where to look first when a time has grown.

use benches::own::{Job, Named, On, Segment, Valgrind, Who};
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
    let file = Named::new(bench.place.folder(), 64 << 10).map_err(|error| error.to_string())?;
    let segment = Segment::new(64 << 10);
    let on = On { file: file.path().into(), segment: segment.as_ref().map_or(-1, Segment::id) };
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
    for &bytes in sizes {
        let file = Named::new(bench.place.folder(), bytes).map_err(|error| error.to_string())?;
        let on = On { file: file.path().into(), segment: -1 };
        for (how, job) in [("mapped anew", Job::ReadFresh), ("mapped before", Job::ReadReused)] {
            let [ours, theirs] = [Who::Ours, Who::Bare].map(|who| valgrind.count(job, who, &on));
            let (ours, theirs) = (ours?, theirs?);
            let what = format!("read all of {}, {how}", show_size(bytes as u64));
            bench.report.number(&what, ours, Some(theirs), ours / theirs, AtMost(1.05));
        }
    }
    Ok(())
}
