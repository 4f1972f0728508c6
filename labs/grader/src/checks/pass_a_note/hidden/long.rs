//! A note that is longer than a page, so that a poster can be stopped in the middle of it.

use ipc_common::PageSize;

use crate::check::Stop;
use crate::driver::{Asked, Driver};
use crate::evidence::process::Mapping;
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, Touch};
use super::super::super::payload;
use super::super::board::{HEADER, Place, SLOT_HEADER, Shape};
use super::super::memory::Memory;

/// A long text, which the driver makes by itself.
pub(super) struct Long {
    pub(super) text: Vec<u8>,
    seed: String,
}

impl Long {
    /// One that fills the room of such a board.
    pub(super) fn new(stage: &mut Stage) -> Long {
        let seed = stage.random().u64();
        Long { text: payload::made(room() - 1, seed), seed: seed.to_string() }
    }

    /// A place for a board with so many slots, each longer than a page.
    pub(super) fn place(stage: &mut Stage, slots: usize) -> Result<Place, Stop> {
        Place::new(stage, Shape { slots, room: room() })
    }

    /// The request to post it.
    pub(super) fn send(&self, driver: &mut Driver) -> Asked {
        driver.send(&["post-made", &self.text.len().to_string(), &self.seed])
    }

    /// Whether all of the text is in slot 0.
    pub(super) fn is_whole(&self, segment: &Memory) -> Result<bool, Stop> {
        let room = HEADER + SLOT_HEADER;
        Ok(segment.copy_of(room, self.text.len())? == self.text)
    }
}

fn room() -> usize {
    PageSize::system().bytes() + 2048
}

/// Where to stop a poster: before any store, or in the middle of the text in slot 0.
pub(super) fn in_the_middle() -> usize {
    PageSize::system().bytes()
}

/// The next store of a poster to the board, from this offset on, stops it.
pub(super) fn hold(driver: &mut Driver, segment: &Memory, from: usize) -> Result<(), Stop> {
    let maps = driver.maps()?;
    let mine = maps.iter().find(|map: &&Mapping| map.is_segment(segment.id()) && map.write);
    let map = mine.ok_or_else(|| {
        Stop::failed(
            "a poster has the segment attached for writing",
            "/proc/PID/maps does not show it",
        )
    })?;
    holding::hold(driver, map, from, Touch::Store)
}
