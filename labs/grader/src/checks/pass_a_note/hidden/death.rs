//! A poster that is killed blocks nobody and costs nothing.

use crate::check::{Check, Stop, Verdict};
use crate::driver::{Driver, Reply, hex};
use crate::sandbox::Ended;
use crate::stage::Stage;

use super::super::super::hidden::moments::{self, Moments};
use super::super::board::{self, Place};
use super::super::memory::Memory;
use super::long::{self, Long, OnBoard};

pub(in super::super) const CHECK: Check = Check { id: "death", run };

/// How often a poster has to have been killed in the middle of a text.
const HALVES: u32 = 3;

fn run(stage: &mut Stage) -> Verdict {
    let long = Long::new(stage);
    let mut next = stage.start()?;
    let mut moments = Moments::new(Long::SLOTS);
    let mut halves = 0;
    while halves < HALVES {
        let place = long.place(stage, Long::SLOTS)?;
        let mut poster = stage.start()?;
        place.open(&mut poster).ok()?;
        // Opened before the other dies: it may keep something that is out of date then.
        place.open(&mut next).ok()?;
        let segment = place.found(stage)?;
        long.prepare(&mut poster)?;
        let asked = moments.ask(stage, &mut poster, &["post-prepared", &moments.count()])?;
        let ended = poster.kill_9()?;
        if ended != Ended::Killed(libc::SIGKILL) {
            return Err(Stop::failed("a poster that posts", ended.to_string()));
        }
        moments::had_answered(&mut poster, asked)?;

        let left = long.on(&segment, place.shape)?;
        left.is_whole().map_err(|stop| stop.because("half-note-left"))?;
        halves += u32::from(left.half_at(&mut moments).is_some());
        goes_on(stage, &mut next, &place, &segment, &long, &left)?;
        segment.remove()?;
    }
    Ok(())
}

/// The next one posts until all slots are taken: also the one in which the other died.
fn goes_on(
    stage: &mut Stage,
    next: &mut Driver,
    place: &Place,
    segment: &Memory,
    long: &Long,
    left: &OnBoard,
) -> Verdict {
    let mut notes: Vec<_> = left.posted.iter().map(|slot| (*slot, long.text.clone())).collect();
    while notes.len() < place.shape.slots {
        let text = board::text(stage, 40);
        let answer = next.ask(&["post", &hex(&text)]);
        let slot = match &answer.reply {
            Reply::Ok(words) if words.len() == 1 => words[0].parse().ok(),
            _ => None,
        };
        let Some(slot) = slot else {
            let why = match &answer.reply {
                Reply::Err(errno, _) if errno == "ENOSPC" => "slot-lost",
                _ => "locked-for-ever",
            };
            let killed = match left.half {
                Some(slot) => format!("in the middle of the text in slot {slot}"),
                None => "while it posted".into(),
            };
            let expected = format!(
                "a poster was killed {killed}, and {} notes hang there: the next one posts in each of \
                 the other {} slots",
                left.posted.len(),
                place.shape.slots - left.posted.len()
            );
            return Err(Stop::failed(expected, answer.reply.to_string()).because(why));
        };
        notes.push((slot, text));
    }
    let hangs = board::notes(&segment.copy()?, place.shape);
    long::hang(&hangs, notes, "the notes of the killed one, and the next one's in all other slots")
}
