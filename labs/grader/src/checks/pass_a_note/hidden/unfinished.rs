//! A board whose maker died too early is finished.

use crate::check::{Check, Verdict, require};
use crate::stage::Stage;

use super::super::asking;
use super::super::board::{self, Place, Shape};

pub(in super::super) const CHECK: Check = Check { id: "unfinished", run };

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape::random(stage);
    let place = Place::new(stage, shape)?;
    // As shmget leaves it: all zeros. The maker got no further.
    let segment = place.plant_zeros(stage, shape.size(), 0o600)?;
    let mut driver = stage.start()?;
    // For a reader there is none yet.
    place.look(&mut driver).refused(&["ENOENT"])?;

    place.open(&mut driver).ok().map_err(|stop| stop.because("waited-for-the-dead"))?;
    let found = place.found(stage)?;
    require(found.id() == segment.id(), "the same segment", || "another one".into())?;
    let header = segment.copy_of(0, 16)?;
    require(header == shape.header()[..16], "its header is set up as drawn", || {
        format!("it begins with {header:02x?}")
    })
    .map_err(|stop| stop.because("waited-for-the-dead"))?;
    let text = board::text(stage, 11);
    let slot = asking::post(&mut driver, &text)?;
    let notes = board::notes(&segment.copy()?, shape);
    require(notes == [(slot, text)], "a note on it", || format!("{} notes", notes.len()))
}
