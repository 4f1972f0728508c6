//! Numbers that cannot be true harm nobody.

use crate::check::{Check, Verdict, require};
use crate::stage::Stage;

use super::super::asking;
use super::super::board::{self, Place, Shape};

pub(in super::super) const CHECK: Check = Check { id: "damaged", run };

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape { slots: 5, ..Shape::random(stage) };
    let place = Place::new(stage, shape)?;
    let texts: Vec<Vec<u8>> = (0..5).map(|_| board::text(stage, 20)).collect();
    let notes: Vec<Option<Vec<u8>>> = texts.iter().cloned().map(Some).collect();
    let segment = place.plant(stage, &notes)?;
    // Into the next slot, though inside the segment; past the end of it; and far outside.
    let lengths = [shape.room as u32 + 30, 3 * shape.size() as u32, 0xffff_fff0];
    for (slot, length) in [1, 2, 3].into_iter().zip(lengths) {
        segment.write(shape.slot(slot) + 4, &length.to_ne_bytes())?;
    }
    let mut driver = stage.start()?;
    place.look(&mut driver).ok()?;
    for slot in [0, 4] {
        let found = asking::read(&mut driver, slot)?;
        require(found.as_ref() == Some(&texts[slot]), "a sound slot is read", || {
            format!("slot {slot}: {:?}", found.as_deref().map(board::quoted))
        })?;
    }
    for slot in ["1", "2", "3"] {
        let answer = asking::named("Reader::read", driver.ask(&["read", slot]));
        answer.refused(&["EBADMSG"]).map_err(|stop| stop.because("trusted"))?;
    }
    let listed = asking::list(&mut driver).map_err(|stop| stop.because("trusted"))?;
    let sound = [(0, texts[0].clone()), (4, texts[4].clone())];
    require(listed == sound, "the list has the two sound notes", || {
        format!("it has {} notes", listed.len())
    })
    .map_err(|stop| stop.because("trusted"))?;

    // The header is scribbled on while the board is open.
    segment.write(8, &[0xff; 8])?;
    let answer = asking::named("Reader::read", driver.ask(&["read", "1000000"]));
    answer.err().map_err(|stop| stop.because("trusted"))?;

    for (slots, room) in
        [(u32::MAX, shape.room as u32), (5, 0xffff_fff8), (0, 64), (6, shape.room as u32), (5, 0)]
    {
        let liar = Place::new(stage, shape)?;
        let segment = liar.plant(stage, &notes)?;
        segment.write(8, &slots.to_ne_bytes())?;
        segment.write(12, &room.to_ne_bytes())?;
        liar.look(&mut driver).refused(&["EEXIST"]).map_err(|stop| stop.because("trusted"))?;
    }
    Ok(())
}
