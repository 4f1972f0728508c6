//! A message that is longer than a page, so that a program can be stopped in the middle of it.

use ipc_common::PageSize;

use crate::check::Stop;
use crate::driver::{Asked, Driver};
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, Touch};
use super::super::super::payload;
use super::super::mailbox::Place;

/// A long message, which the driver makes by itself.
pub(super) struct Long {
    pub(super) text: Vec<u8>,
    seed: String,
}

impl Long {
    pub(super) fn new(stage: &mut Stage) -> Long {
        let seed = stage.random().u64();
        Long { text: payload::made(Long::capacity(), seed), seed: seed.to_string() }
    }

    /// The capacity that it fills.
    pub(super) fn capacity() -> usize {
        PageSize::system().bytes() + 2000
    }

    /// The request to send it.
    pub(super) fn send(&self, driver: &mut Driver) -> Asked {
        driver.send(&["send-made", &self.text.len().to_string(), &self.seed])
    }
}

/// Where to stop a program: in the middle of a long message.
pub(super) fn in_the_middle() -> usize {
    PageSize::system().bytes()
}

/// The next touch of the mapped file, from this offset on, stops the program.
pub(super) fn hold(
    driver: &mut Driver,
    place: &Place,
    from: usize,
    touch: Touch,
) -> Result<(), Stop> {
    let map = place
        .mapping(driver)?
        .ok_or_else(|| Stop::failed("the file is mapped", "/proc/PID/maps does not show it"))?;
    holding::hold(driver, &map, from, touch)
}
