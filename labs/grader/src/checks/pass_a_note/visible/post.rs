//! A note that is posted hangs in a slot as drawn.

use super::super::memory::Memory;
use crate::check::{Check, Stop, Verdict, require};
use crate::stage::Stage;

use super::super::asking;
use super::super::board::{self, POSTED, Place, Shape, Slot};

pub(in super::super) const CHECK: Check = Check { id: "post", run };

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape::random(stage);
    let place = Place::new(stage, shape)?;
    // The grader's own board: all slots are free, and full of what was there before.
    let segment = place.plant(stage, &[])?;

    let mut driver = stage.start()?;
    place.open(&mut driver).ok()?;
    let mut posted = Vec::new();
    for _ in 0..shape.slots {
        let len = stage.random().between(1, shape.longest() - 1);
        let text = board::text(stage, len);
        let before = segment.copy()?;
        let claimed = asking::post(&mut driver, &text)?;
        let free = claimed < shape.slots && !posted.contains(&claimed);
        require(free, "the number of a slot that was free", || {
            format!("slot {claimed}, of {} slots of which {posted:?} have notes", shape.slots)
        })
        .map_err(|stop| stop.because("taken"))?;
        hangs(&segment, shape, claimed, &text)?;
        nothing_else(&before, &segment.copy()?, shape, claimed)?;
        posted.push(claimed);
    }
    Ok(())
}

/// The slot has to hold exactly this note.
fn hangs(segment: &Memory, shape: Shape, number: usize, text: &[u8]) -> Verdict {
    let slot = Slot::of(&segment.copy()?, shape, number);
    require(slot.state == POSTED, &format!("the state of slot {number} is {POSTED}"), || {
        format!("it is {}", slot.state)
    })
    .map_err(|stop| stop.because("taken"))?;
    require(slot.length as usize == text.len(), &format!("its length is {}", text.len()), || {
        format!("it is {}", slot.length)
    })?;
    require(
        slot.room[..text.len()] == *text,
        &format!("its text is {}", board::quoted(text)),
        || format!("it is {}", board::quoted(&slot.room[..text.len()])),
    )?;
    require(slot.room[text.len()] == 0, "a NUL after the text", || {
        format!("the byte there is {:#04x}, which was there before", slot.room[text.len()])
    })
    .map_err(|stop| stop.because("unterminated"))
}

/// Nothing but that slot may have changed, save what the drawing leaves to the student.
fn nothing_else(before: &[u8], after: &[u8], shape: Shape, but: usize) -> Verdict {
    let (mut before, mut after) = (board::drawn(before, shape), board::drawn(after, shape));
    for bytes in [&mut before, &mut after] {
        bytes[shape.slot(but)..shape.slot(but + 1)].fill(0);
    }
    match before.iter().zip(&after).position(|(one, other)| one != other) {
        None => Ok(()),
        Some(at) => Err(Stop::failed(
            format!(
                "only slot {but} changes: bytes {} to {}",
                shape.slot(but),
                shape.slot(but + 1) - 1
            ),
            format!("the byte at {at} changed, too"),
        )),
    }
}
