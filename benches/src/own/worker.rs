//! A process that works and does nothing else: for valgrind.

use std::ffi::OsString;
use std::fmt::Debug;
use std::str::FromStr;

use super::{Job, On, Who};

/// The first argument of such a process: `--own-cost-work JOB WHO ROUNDS FILE SEGMENT`.
const WORK: &str = "--own-cost-work";

const JOBS: [Job; 7] =
    [Job::Nothing, Job::Touch, Job::Map, Job::ReadFresh, Job::ReadReused, Job::Sync, Job::Attach];
const WHO: [Who; 6] =
    [Who::Ours, Who::Unguarded, Who::Bare, Who::Careless, Who::Memmap2, Who::Memmap2Len];

/// If this process was started to work: works, and returns true. To be asked first of all in
/// `main`.
///
/// # Panics
///
/// If the other arguments are not those of such a process.
pub fn is_worker() -> bool {
    let mut given = std::env::args_os().skip(1);
    if given.next().is_none_or(|first| first != WORK) {
        return false;
    }
    let mut next = || given.next().expect("one more argument");
    let (job, who, rounds) = (named(&JOBS, &next()), named(&WHO, &next()), number::<u32>(&next()));
    let on = On { file: next().into(), segment: number(&next()) };
    let mut work = job.by(who, &on).expect("somebody does that");
    for _ in 0..rounds {
        work();
    }
    true
}

/// What to start this program with, so that it does `job` so many times.
pub(super) fn arguments(job: Job, who: Who, rounds: u32, on: &On) -> [OsString; 6] {
    [
        WORK.into(),
        format!("{job:?}").into(),
        format!("{who:?}").into(),
        rounds.to_string().into(),
        on.file.clone().into(),
        on.segment.to_string().into(),
    ]
}

fn named<T: Copy + Debug>(all: &[T], name: &OsString) -> T {
    let named = |known: &&T| *name == *format!("{known:?}");
    *all.iter().find(named).expect("a known name")
}

fn number<T: FromStr>(text: &OsString) -> T {
    text.to_str().and_then(|text| text.parse().ok()).expect("a number")
}
