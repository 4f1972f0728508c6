//! Stopping a student's program in the middle: not by chance, but at a place in its memory.
//!
//! The drivers know a request `hold`: they protect some pages of what the library has attached or
//! mapped, and stop themselves (SIGSTOP) at the first touch. So the program stands before the very
//! store, or load, that a check has in mind, on a loaded machine as on an idle one, however it goes
//! about its work. That it has stopped, the kernel tells.

use std::time::{Duration, Instant};

use ipc_common::PageSize;

use crate::check::Stop;
use crate::driver::{Answer, Asked, Driver};
use crate::evidence::process::{self, Mapping};

/// For how long another program may be at work while one is stopped: it either has a lock to wait
/// for, or is done at once.
pub(in super::super) const GLANCE: Duration = Duration::from_millis(20);
/// After how long a program that neither stops nor answers is given up.
const LIMIT: Duration = Duration::from_secs(8);

/// What came of a request to a program that is to be stopped in it.
pub(in super::super) enum Held {
    /// It has stopped, and the answer is still to come.
    Stopped(Asked),
    /// It never touched that memory.
    Answered(Answer),
}

/// What to stop at.
#[derive(Clone, Copy)]
pub(in super::super) enum Touch {
    Store,
    Load,
}

/// The next touch of a mapping, from the page on that `from` bytes from its start lie in, stops the
/// program.
pub(in super::super) fn hold(
    driver: &mut Driver,
    map: &Mapping,
    from: usize,
    touch: Touch,
) -> Result<(), Stop> {
    let from = PageSize::system().round_down(from) as u64;
    let start = map.start + from;
    let Some(len) = map.end.checked_sub(start).filter(|len| *len > 0) else {
        return Err(Stop::failed(
            format!("more than {from} bytes in one piece of memory"),
            format!("a mapping of {}", map.end - map.start),
        ));
    };
    let kind = match touch {
        Touch::Store => "read",
        Touch::Load => "none",
    };
    driver.ask(&["hold", &start.to_string(), &len.to_string(), kind]).ok().map(drop)
}

/// Waits until it has stopped, or answers.
pub(in super::super) fn until_held(driver: &mut Driver, mut asked: Asked) -> Result<Held, Stop> {
    let until = Instant::now() + LIMIT;
    loop {
        if process::state(driver.pid()) == Some('T') {
            return Ok(Held::Stopped(asked));
        }
        match driver.wait_within(asked, Duration::ZERO) {
            Ok(answer) => return Ok(Held::Answered(answer)),
            Err(still) if Instant::now() < until => asked = still,
            Err(still) => return Ok(Held::Answered(driver.wait(still))),
        }
    }
}

/// [`until_held`], where it has to stop.
pub(in super::super) fn stopped(driver: &mut Driver, asked: Asked) -> Result<Asked, Stop> {
    match until_held(driver, asked)? {
        Held::Stopped(asked) => Ok(asked),
        Held::Answered(answer) => {
            Err(answer
                .instead_of("it is done in the memory that was attached or mapped at opening"))
        }
    }
}
