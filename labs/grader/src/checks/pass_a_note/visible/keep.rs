//! Notes stay when everyone has gone, and are there for who comes next.

use crate::check::{Check, Stop, Verdict, require};
use crate::stage::Stage;

use super::super::asking;
use super::super::board::{self, Place, Shape};

pub(in super::super) const CHECK: Check = Check { id: "keep", run };

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape::random(stage);
    let place = Place::new(stage, shape)?;
    let mut expected = Vec::new();
    let mut first = stage.start()?;
    place.open(&mut first).ok()?;
    for _ in 0..2 {
        let text = board::text(stage, 16);
        expected.push((asking::post(&mut first, &text)?, text));
    }
    let made = place.found(stage)?;
    let hung = board::notes(&made.copy()?, shape);
    first.finish_cleanly()?;

    let gone = || {
        Stop::failed("the board is still there when its poster has ended", "the segment is gone")
            .because("removed-too-soon")
    };
    let stat = made.stat()?.filter(|stat| !stat.marked).ok_or_else(gone)?;
    require(stat.attached == 0, "nobody is attached any more", || {
        format!("nattch is {}", stat.attached)
    })?;

    let mut second = stage.start()?;
    place.open(&mut second).ok()?;
    let found = place.segment(stage)?.ok_or_else(gone)?;
    require(found.id() == made.id(), &format!("the same segment, {}", made.id()), || {
        format!("another one, {}", found.id())
    })
    .map_err(|stop| stop.because("removed-too-soon"))?;
    let kept = board::notes(&found.copy()?, shape);
    require(kept == hung, &format!("the {} notes of the first poster", hung.len()), || {
        format!("{} notes hang there after the second one opened the board", kept.len())
    })
    .map_err(|stop| stop.because("wiped"))?;

    let text = board::text(stage, 16);
    expected.push((asking::post(&mut second, &text)?, text));
    second.finish_cleanly()?;
    expected.sort();
    let board = place.segment(stage)?.ok_or_else(gone)?;
    let kept = board::notes(&board.copy()?, shape);
    require(kept == expected, "the notes of both posters", || {
        format!("{} notes, not those that were posted", kept.len())
    })
    .map_err(|stop| stop.because("wiped"))
}
