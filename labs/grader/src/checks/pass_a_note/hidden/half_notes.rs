//! Nobody sees half a note: neither does a reader take one that is being written, nor does a poster
//! say POSTED before it is all there.

use crate::check::{Check, Verdict, require};
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, GLANCE};
use super::super::asking;
use super::super::board::{self, POSTED, Place, SLOT_HEADER, Shape};
use super::long::{self, Long};

/// The state of a slot that somebody is writing to.
const WRITING: u32 = 1;

pub(in super::super) const CHECK: Check = Check { id: "half-notes", run };

fn run(stage: &mut Stage) -> Verdict {
    reader(stage)?;
    poster(stage)
}

/// The grader is the poster, and stops in the middle.
fn reader(stage: &mut Stage) -> Verdict {
    let shape = Shape { slots: 4, ..Shape::random(stage) };
    let place = Place::new(stage, shape)?;
    let texts: Vec<Vec<u8>> = (0..3).map(|_| board::text(stage, 24)).collect();
    let notes = [Some(texts[0].clone()), None, Some(texts[1].clone()), None];
    let segment = place.plant(stage, &notes)?;
    let half = shape.slot(1);
    segment.write(half + SLOT_HEADER, &texts[2][..12])?;
    segment.write(half + 4, &24_u32.to_ne_bytes())?;
    segment.write(half, &WRITING.to_ne_bytes())?;

    let mut driver = stage.start()?;
    place.look(&mut driver).ok()?;
    let found = asking::read(&mut driver, 1)?;
    require(found.is_none(), "a slot that is being written has no note", || {
        format!("the reader tells of {:?}", found.as_deref().map(board::quoted))
    })
    .map_err(|stop| stop.because("read-unposted"))?;
    let mut expected = vec![(0, texts[0].clone()), (2, texts[1].clone())];
    let listed = asking::list(&mut driver)?;
    require(listed == expected, "the list has the two whole notes", || {
        format!("it has {} notes", listed.len())
    })
    .map_err(|stop| stop.because("read-unposted"))?;

    // And goes on.
    segment.write(half + SLOT_HEADER, &texts[2])?;
    segment.write(half + SLOT_HEADER + 24, &[0])?;
    segment.write(half, &POSTED.to_ne_bytes())?;
    expected.insert(1, (1, texts[2].clone()));
    let listed = asking::list(&mut driver)?;
    require(listed == expected, "the third note, once it is posted", || {
        format!("the list has {} notes", listed.len())
    })
}

/// The student's poster is stopped in the middle, and the grader looks.
fn poster(stage: &mut Stage) -> Verdict {
    let long = Long::new(stage);
    let place = Long::place(stage, 1)?;
    let segment = place.plant(stage, &[])?;
    let (mut poster, mut reader) = (stage.start()?, stage.start()?);
    place.open(&mut poster).ok()?;
    place.look(&mut reader).ok()?;
    long::hold(&mut poster, &segment, long::in_the_middle())?;
    let asked = long.send(&mut poster);
    let asked = holding::stopped(&mut poster, asked)?;

    require(
        !long.is_whole(&segment)?,
        "a poster that is stopped in the middle of its text",
        || "all of the text is there already".into(),
    )?;
    let state = segment.word(place.shape.slot(0))?;
    require(state != POSTED, "in the middle of the text, the state is not POSTED", || {
        format!("it is {state}, and the text is not all there")
    })
    .map_err(|stop| stop.because("published-first"))?;
    // A reader may wait for the poster, if it takes a lock; but what it finds must be whole.
    let reading = reader.send(&["read", "0"]);
    let reading = reader.wait_within(reading, GLANCE);
    let at_once = reading.is_ok();
    poster.resume()?;
    let found = asking::told(reading.unwrap_or_else(|reading| reader.wait(reading)))?;
    let whole = !at_once && found.as_ref() == Some(&long.text);
    require(found.is_none() || whole, "a reader finds no note yet", || "it tells of one".into())
        .map_err(|stop| stop.because("read-unposted"))?;
    let slot: usize = poster.wait(asked).number()?;
    require(slot == 0, "slot 0, the only one", || format!("slot {slot}"))?;
    let hangs = board::notes(&segment.copy()?, place.shape);
    require(hangs == [(0, long.text)], "the whole note, in the end", || "another text".into())
}
