//! Long notes, so that a poster can be stopped in the middle of one.

use ipc_common::PageSize;

use crate::check::{Stop, Verdict, require};
use crate::driver::Driver;
use crate::evidence::process::Mapping;
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, Held, Touch};
use super::super::super::hidden::moments::{Filled, Moments, filled};
use super::super::super::payload;
use super::super::board::{Place, Shape, Slot};
use super::super::memory::Memory;

/// A long text, which the driver makes by itself.
pub(super) struct Long {
    pub(super) text: Vec<u8>,
    seed: String,
}

impl Long {
    /// How many slots a board has on which a poster is caught in the middle.
    pub(super) const SLOTS: usize = 8;
    /// Bytes of room in each, at most. To copy them takes a fast program longer than all else that it
    /// does.
    const ROOM: usize = 256 * 1024;

    /// For a poster that is caught in the middle.
    pub(super) fn new(stage: &mut Stage) -> Long {
        // A multiple of 8, less the NUL.
        let less = 8 * stage.random().below(2000);
        Long::of(stage, Long::ROOM - less - 1)
    }

    /// Just longer than a page.
    pub(super) fn of_two_pages(stage: &mut Stage) -> Long {
        Long::of(stage, PageSize::system().bytes() + 2047)
    }

    fn of(stage: &mut Stage, length: usize) -> Long {
        let seed = stage.random().u64();
        Long { text: payload::made(length, seed), seed: seed.to_string() }
    }

    /// A place for a board with so many slots that it fits into.
    pub(super) fn place(&self, stage: &mut Stage, slots: usize) -> Result<Place, Stop> {
        Place::new(stage, Shape { slots, room: self.text.len() + 1 })
    }

    /// Has the text ready there, for `post-prepared`.
    pub(super) fn prepare(&self, driver: &mut Driver) -> Verdict {
        driver.ask(&["prepare", &self.text.len().to_string(), &self.seed]).ok().map(drop)
    }

    /// What there is of it on a board on which nothing else hangs.
    pub(super) fn on(&self, segment: &Memory, shape: Shape) -> Result<OnBoard, Stop> {
        let board = segment.copy()?;
        let mut found = OnBoard { posted: Vec::new(), half: None, too_early: None };
        for number in 0..shape.slots {
            let slot = Slot::of(&board, shape, number);
            let filled = filled(&slot.room, &self.text);
            if filled == Filled::Half {
                found.half = Some(number);
            }
            match slot.text() {
                Some(text) if text == self.text => found.posted.push(number),
                Some(_) => found.too_early = Some(number),
                None => {}
            }
        }
        Ok(found)
    }
}

/// Copies of a long text on a board.
pub(super) struct OnBoard {
    /// The slots in which it hangs, whole.
    pub(super) posted: Vec<usize>,
    /// The slot that is being written: it has some of the text, and not all.
    pub(super) half: Option<usize>,
    /// A slot that is POSTED, and its text is not all there.
    pub(super) too_early: Option<usize>,
}

impl OnBoard {
    /// Fails if something is POSTED that is not whole.
    pub(super) fn is_whole(&self) -> Verdict {
        match self.too_early {
            None => Ok(()),
            Some(slot) => Err(Stop::failed(
                "a slot that is POSTED has all of the text",
                format!("slot {slot} is POSTED, and its text or length is not all there"),
            )),
        }
    }

    /// The slot in the middle of which a poster was caught. If in none, better moments are chosen.
    pub(super) fn half_at(&self, moments: &mut Moments) -> Option<usize> {
        match (self.half, self.posted.len()) {
            (Some(_), _) => {}
            (None, 0) => moments.too_early(),
            (None, _) => moments.too_late(),
        }
        self.half
    }
}

/// A store of a poster to the board, from this offset on and after so many others, stops it.
pub(super) fn hold(
    driver: &mut Driver,
    segment: &Memory,
    from: usize,
    skip: u32,
) -> Result<Held, Stop> {
    let maps = driver.maps()?;
    let mine = maps.iter().find(|map: &&Mapping| map.is_segment(segment.id()) && map.write);
    let map = mine.ok_or_else(|| {
        Stop::failed(
            "a poster has the segment attached for writing",
            "/proc/PID/maps does not show it",
        )
    })?;
    holding::hold(driver, map, from, Touch::Store(skip))
}

/// Fails unless just these notes hang there, of which each poster posted some in some slots.
pub(super) fn hang(
    found: &[(usize, Vec<u8>)],
    mut expected: Vec<(usize, Vec<u8>)>,
    words: &str,
) -> Verdict {
    expected.sort();
    require(found == expected, words, || {
        let whole = found.iter().filter(|note| expected.contains(note)).count();
        let slots: Vec<String> = expected.iter().map(|(slot, _)| slot.to_string()).collect();
        format!(
            "{whole} of {} hang there; the slots that were returned are {}",
            expected.len(),
            slots.join(", ")
        )
    })
}
