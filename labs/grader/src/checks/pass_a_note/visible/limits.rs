//! What does not fit is refused, and nothing changes.

use super::super::memory::Memory;
use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Driver, Reply, hex};
use crate::stage::Stage;

use super::super::asking;
use super::super::board::{self, Place, Shape, Slot};

pub(in super::super) const CHECK: Check = Check { id: "limits", run };

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape { slots: 3, ..Shape::random(stage) };
    let place = Place::new(stage, shape)?;
    let mut driver = stage.start()?;
    place.open(&mut driver).ok()?;
    let segment = place.found(stage)?;

    let more = stage.random().between(2, 900);
    for (len, why) in [(shape.room, "no-room-for-nul"), (shape.room + more, "cut")] {
        let text = board::text(stage, len);
        refused(&mut driver, &segment, shape, &text, "EMSGSIZE", why)?;
    }
    let mut nul = board::text(stage, shape.room / 2);
    nul[shape.room / 4] = 0;
    refused(&mut driver, &segment, shape, &nul, "EINVAL", "cut")?;

    let longest = board::text(stage, shape.longest());
    for text in [&longest[..], b"", b"!"] {
        let slot = asking::post(&mut driver, text)?;
        require(slot < shape.slots, "the number of a slot", || format!("slot {slot} of 3"))?;
        let found = Slot::of(&segment.copy()?, shape, slot);
        let whole = found.text() == Some(text) && found.room[text.len()] == 0;
        require(whole, &format!("a whole note of {} bytes, and a NUL", text.len()), || {
            format!(
                "state {}, length {}: {}",
                found.state,
                found.length,
                board::quoted(&found.room)
            )
        })?;
    }
    let late = board::text(stage, 9);
    refused(&mut driver, &segment, shape, &late, "ENOSPC", "overwritten")?;

    // Boards that cannot be.
    for (slots, room) in [(0, 64), (65_537, 64), (4, 0), (4, 12), (4, (16 << 20) + 8)] {
        let nowhere = Place::new(stage, Shape { slots, room })?;
        nowhere.open(&mut driver).refused(&["EINVAL"])?;
        if nowhere.segment(stage)?.is_some() {
            let expected = format!("{slots} slots with room for {room} bytes are refused");
            return Err(Stop::failed(expected, "a segment was made for them"));
        }
    }
    Ok(())
}

/// The post has to be refused, and nothing that the drawing shows may have changed.
fn refused(
    driver: &mut Driver,
    segment: &Memory,
    shape: Shape,
    text: &[u8],
    errno: &str,
    why: &'static str,
) -> Verdict {
    let before = board::notes(&segment.copy()?, shape);
    let answer = driver.ask(&["post", &hex(text)]);
    if matches!(&answer.reply, Reply::Err(found, _) if found == errno) {
        let after = board::notes(&segment.copy()?, shape);
        return require(before == after, "a refused note changes nothing", || {
            format!("{} notes before, {} or other ones afterwards", before.len(), after.len())
        })
        .map_err(|stop| stop.because(why));
    }
    let what = match errno {
        "ENOSPC" => "a note for a full board".to_string(),
        "EINVAL" => "a text with a NUL in it".to_string(),
        _ => format!("{} bytes, where there is room for {} and a NUL", text.len(), shape.longest()),
    };
    Err(Stop::failed(format!("{what}: {errno}"), answer.reply.to_string()).because(why))
}
