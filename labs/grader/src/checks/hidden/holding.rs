//! Stopping a student's program at a place in its memory.
//!
//! The drivers know a request `hold`: they protect some pages of what the library has attached or
//! mapped, and stop themselves (SIGSTOP) at a touch: the first, or after so many. So the program
//! stands before that very store, or load, on a loaded machine as on an idle one. That it has
//! stopped, and that the pages are still protected, the kernel tells.
//!
//! What the kernel does not tell is whether that touch means anything: a store that changes nothing
//! is one, too. So no check counts on this alone: [`moments`](super::moments).

use std::time::{Duration, Instant};

use ipc_common::PageSize;

use crate::check::{Stop, require};
use crate::driver::{Answer, Asked, Driver};
use crate::evidence::process::{self, Mapping};

/// After how long a program that neither stops nor answers is given up.
const LIMIT: Duration = Duration::from_secs(8);
/// Between two looks at a program.
const NAP: Duration = Duration::from_millis(1);

/// What to stop at.
#[derive(Clone, Copy)]
pub(in super::super) enum Touch {
    /// A store, after so many others.
    Store(u32),
    /// Any access.
    Load,
}

impl Touch {
    /// How many stores a driver can let happen first: it needs a processor that says when one has.
    pub(in super::super) const MOST: u32 = if cfg!(target_arch = "x86_64") { 2 } else { 0 };
}

/// A place that is held.
#[derive(Clone, Copy)]
pub(in super::super) struct Held {
    start: u64,
    touch: Touch,
}

/// A touch of a mapping, from the page on that `from` bytes from its start lie in, stops the program.
pub(in super::super) fn hold(
    driver: &mut Driver,
    map: &Mapping,
    from: usize,
    touch: Touch,
) -> Result<Held, Stop> {
    let from = PageSize::system().round_down(from) as u64;
    let start = map.start + from;
    let Some(len) = map.end.checked_sub(start).filter(|len| *len > 0) else {
        return Err(Stop::failed(
            format!("more than {from} bytes in one piece of memory"),
            format!("a mapping of {}", map.end - map.start),
        ));
    };
    let (kind, skip) = match touch {
        Touch::Store(skip) => ("read", skip),
        Touch::Load => ("none", 0),
    };
    let words = ["hold", &start.to_string(), &len.to_string(), kind, &skip.to_string()];
    driver.ask(&words).ok()?;
    Ok(Held { start, touch })
}

/// Waits until it has stopped, which it has to.
pub(in super::super) fn stopped(
    driver: &mut Driver,
    held: Held,
    mut asked: Asked,
) -> Result<Asked, Stop> {
    const EXPECTED: &str = "it is done in the memory that was attached or mapped at opening";
    let until = Instant::now() + LIMIT;
    while process::state(driver.pid()) != Some('T') {
        // Notices an end, too.
        asked = match driver.wait_within(asked, NAP) {
            Ok(answer) => return Err(answer.instead_of(EXPECTED)),
            Err(still) if Instant::now() < until => still,
            Err(still) => return Err(driver.wait(still).instead_of(EXPECTED)),
        };
    }
    let maps = driver.maps()?;
    let map = maps.iter().find(|map| (map.start..map.end).contains(&held.start));
    let is_held = map.is_some_and(|map| match held.touch {
        Touch::Store(_) => !map.write,
        Touch::Load => !map.read,
    });
    require(is_held, "the driver stops before the touch, and the page is still protected", || {
        "it has stopped by itself, or the protection was taken away".into()
    })?;
    Ok(asked)
}

/// Lets a program work while another one is stopped: until it answers, or waits for what only the
/// other can give. That is, until it sleeps whenever it is looked at; or has used as much of its own
/// processor time as a hundred notes take, for a lock can be waited for awake, too.
pub(in super::super) fn answered_or_waiting(
    driver: &mut Driver,
    mut asked: Asked,
) -> Result<Result<Answer, Asked>, Stop> {
    const LOOKS: u32 = 10;
    const AWAKE: Duration = Duration::from_millis(20);
    let until = Instant::now() + LIMIT;
    let used = process::cpu_clock(driver.pid());
    let mut asleep = 0;
    loop {
        asked = match driver.wait_within(asked, NAP) {
            Ok(answer) => return Ok(Ok(answer)),
            Err(still) => still,
        };
        asleep = match process::state(driver.pid()) {
            Some('S' | 'T') => asleep + 1,
            _ => 0,
        };
        if asleep >= LOOKS || process::cpu_clock(driver.pid()) >= used + AWAKE {
            return Ok(Err(asked));
        }
        if Instant::now() >= until {
            let what = format!("process {} gets no processor", driver.pid());
            return Err(Stop::grader(what));
        }
    }
}
