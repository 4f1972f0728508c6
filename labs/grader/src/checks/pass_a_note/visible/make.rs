//! A board that is made is the one in the drawing.

use crate::check::{Check, Stop, Verdict, require};
use crate::stage::Stage;

use super::super::board::{FREE, Place, Shape, Slot};

pub(in super::super) const CHECK: Check = Check { id: "make", run };

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape::random(stage);
    let place = Place::new(stage, shape)?;
    let mut driver = stage.start()?;
    place.open(&mut driver).ok()?;

    let Some(segment) = place.segment(stage)? else {
        let others: Vec<String> = stage.new_objects()?.iter().map(ToString::to_string).collect();
        let shown = match others.is_empty() {
            true => "no segment was made at all".to_string(),
            false => format!("what was made is {}", others.join(", ")),
        };
        let expected = format!("a segment with the key that ftok gives, {}", place.shown());
        return Err(Stop::failed(expected, shown).because("key"));
    };
    let stat = segment.stat_now()?;
    require(stat.size == shape.size(), &format!("{shape:?} makes {} bytes", shape.size()), || {
        format!("IPC_STAT shows a segment of {} bytes", stat.size)
    })
    .map_err(|stop| stop.because("size"))?;
    require(stat.mode == 0o600, "mode 600", || format!("IPC_STAT shows mode {:03o}", stat.mode))
        .map_err(|stop| stop.because("mode"))?;

    let board = segment.copy()?;
    let header: Vec<u32> = words(&board[..16]);
    let expected: Vec<u32> = words(&shape.header()[..16]);
    require(header == expected, &format!("the header begins with the words {expected:x?}"), || {
        format!("the segment begins with {header:x?}")
    })
    .map_err(|stop| stop.because("header"))?;
    for number in 0..shape.slots {
        let slot = Slot::of(&board, shape, number);
        require(slot.state == FREE, "all slots of a new board are free", || {
            format!(
                "the word at {}, the state of slot {number}, is {}",
                shape.slot(number),
                slot.state
            )
        })
        .map_err(|stop| stop.because("header"))?;
    }
    Ok(())
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks_exact(4)
        .map(|word| u32::from_ne_bytes(word.try_into().expect("four bytes")))
        .collect()
}
