//! Nobody sees half a note: neither does a reader take one that is being written, nor does a poster
//! say POSTED before it is all there.

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Answer, Asked, Driver};
use crate::stage::Stage;

use super::super::super::hidden::holding;
use super::super::super::hidden::moments::Moments;
use super::super::asking;
use super::super::board::{self, POSTED, Place, SLOT_HEADER, Shape};
use super::long::{self, Long};

/// How often a poster has to have been stopped in the middle of a text.
const HALVES: u32 = 2;
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

/// The student's poster is stopped in the middle, and the grader looks; and so does a reader.
fn poster(stage: &mut Stage) -> Verdict {
    let long = Long::new(stage);
    let (mut poster, mut reader) = (stage.start()?, stage.start()?);
    long.prepare(&mut poster)?;
    let mut moments = Moments::new(Long::SLOTS);
    let mut halves = 0;
    while halves < HALVES {
        let place = long.place(stage, Long::SLOTS)?;
        place.open(&mut poster).ok()?;
        place.look(&mut reader).ok()?;
        let segment = place.found(stage)?;
        let asked = moments.ask(stage, &mut poster, &["post-prepared", &moments.count()])?;
        poster.pause()?;
        let found = long.on(&segment, place.shape)?;
        found.is_whole().map_err(|stop| stop.because("published-first"))?;
        let looked = match found.half_at(&mut moments) {
            Some(slot) => Some(look_at_half(&mut reader, slot)?),
            None => None,
        };
        halves += u32::from(looked.is_some());
        poster.resume()?;
        let slots = asking::slots(asking::named("Poster::post", poster.wait(asked)))?;
        let notes = slots.into_iter().map(|slot| (slot, long.text.clone())).collect();
        let hangs = board::notes(&segment.copy()?, place.shape);
        long::hang(&hangs, notes, "all notes whole, in the end")?;
        if let Some(looked) = looked {
            was_no_note(looked, &mut reader, &long)?;
        }
        segment.remove()?;
    }
    Ok(())
}

/// A reader looks at a slot in which a poster stands still; or waits for the poster, if it takes a
/// lock.
fn look_at_half(reader: &mut Driver, slot: usize) -> Result<Result<Answer, Asked>, Stop> {
    let reading = reader.send(&["read", &slot.to_string()]);
    holding::answered_or_waiting(reader, reading)
}

/// At once it found no note; if it waited, what it found then is whole.
fn was_no_note(looked: Result<Answer, Asked>, reader: &mut Driver, long: &Long) -> Verdict {
    let at_once = looked.is_ok();
    let found = asking::told(looked.unwrap_or_else(|reading| reader.wait(reading)))?;
    let whole = !at_once && found.as_ref() == Some(&long.text);
    require(found.is_none() || whole, "a reader finds no note yet", || "it tells of one".into())
        .map_err(|stop| stop.because("read-unposted"))
}
