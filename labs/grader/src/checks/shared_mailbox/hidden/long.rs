//! Long messages, so that a program can be stopped in the middle of one.

use ipc_common::PageSize;

use crate::check::{Stop, Verdict};
use crate::driver::{Asked, Driver};
use crate::evidence::file::Opened;
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, Held, Touch};
use super::super::super::hidden::moments::{Filled, Moments, filled};
use super::super::super::payload;
use super::super::mailbox::{Contents, Place};

/// A message that is longer than a page, which the driver makes by itself.
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

/// Two texts that are sent in turn, and fill the mailbox.
pub(super) struct Pair {
    texts: [Vec<u8>; 2],
    seeds: [String; 2],
    hashes: [String; 2],
}

impl Pair {
    /// How many are sent without a pause, at most.
    pub(super) const MOST: usize = 64;

    /// Long enough for a writer to be caught in the middle: to copy one takes a fast program longer
    /// than all else that it does.
    pub(super) fn new(stage: &mut Stage) -> Pair {
        Pair::of(stage, 256 * 1024)
    }

    /// Of about this capacity, which need not be a number of pages.
    pub(super) fn of(stage: &mut Stage, about: usize) -> Pair {
        let capacity = about - stage.random().between(1, 4000);
        let seeds = [stage.random().u64(), stage.random().u64()];
        let texts = seeds.map(|seed| payload::made(capacity, seed));
        let hashes = [0, 1].map(|which: usize| format!("{:x}", payload::hash(&texts[which])));
        Pair { texts, seeds: seeds.map(|seed| seed.to_string()), hashes }
    }

    /// An empty mailbox for them.
    pub(super) fn plant(&self, stage: &mut Stage) -> Result<(Place, Opened), Stop> {
        let place = Place::of(stage, self.texts[0].len());
        let file = place.plant(stage, 0, b"")?;
        Ok((place, file))
    }

    /// Puts the second of them there, with sequence 2, when all have opened it: so sequence 4 is the
    /// first.
    pub(super) fn begin(&self, place: &Place, file: &Opened) -> Verdict {
        Ok(file.write(0, &place.bytes(2, self.of_sequence(2)))?)
    }

    /// Has the texts ready there, for `send-prepared`.
    pub(super) fn prepare(&self, writer: &mut Driver) -> Verdict {
        let [one, other] = &self.seeds;
        writer.ask(&["prepare", &self.texts[0].len().to_string(), one, other]).ok().map(drop)
    }

    /// The text that is sent with a sequence.
    pub(super) fn of_sequence(&self, sequence: u32) -> &[u8] {
        &self.texts[(sequence / 2 % 2) as usize]
    }

    /// Its hash, as a driver tells it.
    pub(super) fn hash_of(&self, sequence: u32) -> &str {
        &self.hashes[(sequence / 2 % 2) as usize]
    }

    /// Whether the mailbox has some of each, and so a writer was caught in the middle. If not,
    /// better moments are chosen.
    pub(super) fn is_half(&self, found: &Contents, moments: &mut Moments) -> bool {
        let [one, other] = [0, 1].map(|which: usize| filled(&found.room, &self.texts[which]));
        match (one, other) {
            // Nothing came after what was planted.
            (Filled::Nothing, Filled::Whole) if found.sequence <= 3 => moments.too_early(),
            (Filled::Nothing, Filled::Whole) | (Filled::Whole, Filled::Nothing) => {
                moments.too_late();
            }
            _ => return true,
        }
        false
    }
}

/// Where to stop a program: in the middle of a long message.
pub(super) fn in_the_middle() -> usize {
    PageSize::system().bytes()
}

/// A touch of the mapped file, from this offset on, stops the program.
pub(super) fn hold(
    driver: &mut Driver,
    place: &Place,
    from: usize,
    touch: Touch,
) -> Result<Held, Stop> {
    let map = place
        .mapping(driver)?
        .ok_or_else(|| Stop::failed("the file is mapped", "/proc/PID/maps does not show it"))?;
    holding::hold(driver, &map, from, touch)
}
