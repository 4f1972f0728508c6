//! A board that is taken down goes with the last to detach, whole.

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Reply, hex};
use crate::evidence::file;
use crate::stage::Stage;

use super::super::asking;
use super::super::board::{self, Place, Shape};

pub(in super::super) const CHECK: Check = Check { id: "take-down", run };

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape::random(stage);
    let place = Place::new(stage, shape)?;
    let text = board::text(stage, 21);
    let (mut poster, mut reader, mut third) = (stage.start()?, stage.start()?, stage.start()?);
    place.take_down(&mut third).refused(&["ENOENT"])?;
    place.open(&mut poster).ok()?;
    let slot = asking::post(&mut poster, &text)?;
    let old = place.found(stage)?;
    place.look(&mut reader).ok()?;

    place.take_down(&mut third).ok()?;
    if place.segment(stage)?.is_some() {
        return Err(Stop::failed(
            "the key is free at once",
            format!("segment {} still has the key {}", old.id(), place.shown()),
        )
        .because("no-rmid"));
    }
    let lost = |shown: String| {
        Stop::failed("who is attached goes on reading", shown).because("readers-lost-it")
    };
    let stat = old.stat()?.ok_or_else(|| lost("the segment is gone".into()))?;
    require(stat.marked, "the segment is marked for removal (SHM_DEST)", || {
        format!("mode {:o}, not marked", stat.mode)
    })
    .map_err(|stop| stop.because("no-rmid"))?;
    let hangs = board::notes(&old.copy()?, shape);
    if hangs != [(slot, text.clone())] {
        return Err(lost(format!("{} notes in the memory, where there was one", hangs.len())));
    }
    let found = asking::read(&mut reader, slot)?;
    if found.as_deref() != Some(&text[..]) {
        return Err(lost(format!("the reader tells of {:?}", found.as_deref().map(board::quoted))));
    }

    let answer = poster.ask(&["post", &hex(b"too late")]);
    if matches!(answer.reply, Reply::Ok(_)) {
        return Err(Stop::failed("a post on that board: EIDRM", answer.reply.to_string())
            .because("posted-into-nothing"));
    }
    answer.refused(&["EIDRM"]).map_err(|stop| stop.because("posted-into-nothing"))?;

    // Who comes later begins anew, at once.
    place.open(&mut third).ok()?;
    let new = place.found(stage)?;
    require(new.id() != old.id(), "a new board", || "the old segment".into())?;
    let hangs = board::notes(&new.copy()?, shape);
    require(hangs.is_empty(), "an empty board", || format!("{} notes", hangs.len()))?;
    asking::post(&mut third, &text)?;
    place.take_down(&mut poster).ok()?;

    for driver in [&mut poster, &mut reader, &mut third] {
        driver.finish_cleanly()?;
    }
    let gone = new.stat()?.is_none() && old.stat()?.is_none();
    require(gone, "when the last one has gone, the segments are", || "one is still there".into())
        .map_err(|stop| stop.because("no-rmid"))?;
    let mut left: Vec<String> = stage.new_objects()?.iter().map(ToString::to_string).collect();
    let files = file::below(stage.folder())?.into_iter().filter(|path| *path != place.file);
    left.extend(files.map(|path| format!("the file {}", path.display())));
    require(left.is_empty(), "nothing of a board is left", || left.join(", "))
        .map_err(|stop| stop.because("left-behind"))
}
