//! A reader makes nothing and changes nothing.

use crate::check::{Check, Stop, Verdict, require};
use crate::stage::Stage;

use super::super::asking;
use super::super::board::{self, Place, Shape};

pub(in super::super) const CHECK: Check = Check { id: "look-only", run };

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape::random(stage);
    let nowhere = Place::new(stage, shape)?;
    let mut driver = stage.start()?;
    let answer = nowhere.look(&mut driver);
    if nowhere.segment(stage)?.is_some() {
        let expected = "a reader that finds no board makes none";
        return Err(Stop::failed(expected, "a segment with its key").because("reader-made-it"));
    }
    answer.refused(&["ENOENT"]).map_err(|stop| stop.because("reader-made-it"))?;

    let place = Place::new(stage, shape)?;
    let text = board::text(stage, 18);
    let mut notes = vec![None; shape.slots];
    notes[1] = Some(text.clone());
    let segment = place.plant(stage, &notes)?;
    let before = segment.copy()?;
    place.look(&mut driver).ok()?;
    let writable = board::attachment(&driver, &segment)?.ok_or_else(|| {
        Stop::failed("a reader has the segment attached", "/proc/PID/maps does not show it")
    })?;
    require(!writable, "attached for reading only: r--s in /proc/PID/maps", || "rw-s".into())
        .map_err(|stop| stop.because("writable"))?;
    let found = asking::read(&mut driver, 1)?;
    require(
        found.as_deref() == Some(&text),
        &format!("the note {}", board::quoted(&text)),
        || format!("the reader tells of {:?}", found.as_deref().map(board::quoted)),
    )?;
    asking::list(&mut driver)?;
    driver.ask(&["close-reader"]).ok()?;
    require(segment.copy()? == before, "no byte of the board changes", || {
        "bytes have changed while it was read".into()
    })
    .map_err(|stop| stop.because("reader-wrote"))
}
