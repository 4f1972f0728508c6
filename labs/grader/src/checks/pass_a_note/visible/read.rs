//! A reader finds what hangs on a board. The board is the grader's own: no Poster is needed for it.

use crate::check::{Check, Verdict, require};
use crate::stage::Stage;

use super::super::asking;
use super::super::board::{self, Place, Shape};

pub(in super::super) const CHECK: Check = Check { id: "read", run };

fn run(stage: &mut Stage) -> Verdict {
    // Larger than the handout's own board, and no whole number of pages.
    let random = stage.random();
    let shape = Shape { slots: random.between(10, 20), room: 8 * random.between(34, 80) };
    let shape = match shape.size() % 4096 {
        0 => Shape { slots: shape.slots + 1, ..shape },
        _ => shape,
    };
    let place = Place::new(stage, shape)?;
    let mut notes: Vec<Option<Vec<u8>>> = Vec::new();
    for slot in 0..shape.slots {
        let len = match slot {
            1 => 0,
            2 => shape.longest(),
            _ => stage.random().between(1, shape.longest() - 1),
        };
        let hangs =
            slot != 0 && (slot < 3 || slot + 1 == shape.slots || stage.random().below(2) == 0);
        notes.push(hangs.then(|| board::text(stage, len)));
    }
    place.plant(stage, &notes)?;

    let mut driver = stage.start()?;
    place.look(&mut driver).ok().map_err(|stop| stop.because("own-shape"))?;
    for (slot, note) in notes.iter().enumerate() {
        let found = asking::read(&mut driver, slot).map_err(|stop| stop.because("own-shape"))?;
        let shown = |note: &Option<Vec<u8>>| match note {
            Some(text) => format!("{} bytes, {}", text.len(), board::quoted(text)),
            None => "no note".to_string(),
        };
        // One byte more than the text: the NUL, or what lies behind.
        let why = match (&found, note) {
            (Some(found), Some(note)) if found.len() == note.len() + 1 => "nul",
            (Some(found), Some(note)) if found.len() != note.len() => "own-shape",
            _ => "own-shape",
        };
        require(found == *note, &format!("in slot {slot} {}", shown(note)), || {
            format!("the reader tells of {}", shown(&found))
        })
        .map_err(|stop| stop.because(why))?;
    }
    let expected: Vec<(usize, Vec<u8>)> =
        notes.iter().enumerate().filter_map(|(slot, note)| Some((slot, note.clone()?))).collect();
    let listed = asking::list(&mut driver)?;
    let slots = |notes: &[(usize, Vec<u8>)]| {
        notes.iter().map(|(slot, _)| slot.to_string()).collect::<Vec<_>>().join(" ")
    };
    require(
        listed == expected,
        &format!("the list has the notes of {}", slots(&expected)),
        || {
            format!(
                "it has {}{}",
                slots(&listed),
                match slots(&listed) == slots(&expected) {
                    true => ", but with other texts",
                    false => "",
                }
            )
        },
    )?;
    let beyond = stage.random().between(shape.slots + 1, 1 << 31);
    for slot in [shape.slots, beyond] {
        let answer = driver.ask(&["read", &slot.to_string()]);
        asking::named("Reader::read", answer).refused(&["EINVAL"])?;
    }
    Ok(())
}
