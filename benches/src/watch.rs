//! The part of a round that counts.
//!
//! A round prepares (drops the page cache, makes a new file), then does what is measured. Only the
//! case knows where the one ends and the other begins, so it says so, once, and whoever runs it
//! decides what is looked at: the time, the page faults, or the system calls.

use std::time::{Duration, Instant};

use crate::counts::{Faults, mark};

/// A case: does so many rounds, and says which part of them counts.
///
/// ```
/// use benches::{Watch, watch::took};
///
/// let mut fill = |watch: &mut Watch, rounds: u64| {
///     for _ in 0..rounds {
///         let mut fresh = Vec::with_capacity(1 << 16); // not looked at
///         watch.on(|| fresh.resize(1 << 16, 1_u8)); // looked at
///         drop(fresh); // not looked at
///     }
/// };
/// assert!(took(&mut fill, 10) > std::time::Duration::ZERO);
/// ```
pub type Work<'a> = dyn FnMut(&mut Watch, u64) + 'a;

/// Looks at the parts of a case that count.
#[derive(Debug)]
pub struct Watch(Look);

#[derive(Debug)]
enum Look {
    Time(Duration),
    Faults(Faults),
    /// Says to a tracer: from here, to here.
    Mark,
}

impl Watch {
    /// Does what counts. Once around all rounds if there is nothing to prepare: a look costs two
    /// readings of the clock, some 50 ns.
    #[inline]
    pub fn on<T>(&mut self, work: impl FnOnce() -> T) -> T {
        match &mut self.0 {
            Look::Time(total) => {
                let before = Instant::now();
                let result = work();
                *total += before.elapsed();
                result
            }
            Look::Faults(total) => {
                let before = Faults::so_far();
                let result = work();
                *total += Faults::so_far() - before;
                result
            }
            Look::Mark => {
                mark();
                let result = work();
                mark();
                result
            }
        }
    }

    /// One whose marks a tracer sees.
    pub(crate) fn marks() -> Watch {
        Watch(Look::Mark)
    }
}

/// How long `rounds` rounds take.
pub fn took(work: &mut Work<'_>, rounds: u64) -> Duration {
    let mut watch = Watch(Look::Time(Duration::ZERO));
    work(&mut watch, rounds);
    match watch.0 {
        Look::Time(total) => total,
        _ => unreachable!("a watch keeps looking at the same"),
    }
}

/// How many page faults one round takes: the second of two, for the first may be the first time that
/// the code which counts is run, and to bring that into memory is a fault, too.
pub fn faults(work: &mut Work<'_>) -> Faults {
    let count = |work: &mut Work<'_>| {
        let mut watch = Watch(Look::Faults(Faults::default()));
        work(&mut watch, 1);
        watch
    };
    count(work);
    let watch = count(work);
    match watch.0 {
        Look::Faults(total) => total,
        _ => unreachable!("a watch keeps looking at the same"),
    }
}
