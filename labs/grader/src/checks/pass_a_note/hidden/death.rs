//! A poster that is killed blocks nobody and costs nothing.

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Reply, hex};
use crate::stage::Stage;

use super::super::super::hidden::holding;
use super::super::board::{self, POSTED, Slot};
use super::long::{self, Long};

pub(in super::super) const CHECK: Check = Check { id: "death", run };

fn run(stage: &mut Stage) -> Verdict {
    let long = Long::new(stage);
    let place = Long::place(stage, 1)?;
    let (mut poster, mut next) = (stage.start()?, stage.start()?);
    place.open(&mut poster).ok()?;
    // Opened before the other dies: it may keep something that is out of date then.
    place.open(&mut next).ok()?;
    let segment = place.found(stage)?;
    long::hold(&mut poster, &segment, long::in_the_middle())?;
    let asked = long.send(&mut poster);
    // What it was asked is never answered.
    let _ = holding::stopped(&mut poster, asked)?;
    poster.kill_9()?;

    let state = segment.word(place.shape.slot(0))?;
    require(state != POSTED, "what a killed poster leaves in the middle is no note", || {
        format!("the state of its slot is {state}, and the text is not all there")
    })
    .map_err(|stop| stop.because("half-note-left"))?;

    let text = board::text(stage, 40);
    let answer = next.ask(&["post", &hex(&text)]);
    let why = match &answer.reply {
        Reply::Ok(words) if words == &["0"] => None,
        Reply::Err(errno, _) if errno == "ENOSPC" => Some("slot-lost"),
        _ => Some("locked-for-ever"),
    };
    if let Some(why) = why {
        let expected =
            "a poster was killed in the middle of a note; the next one posts in its slot";
        return Err(Stop::failed(expected, answer.reply.to_string()).because(why));
    }
    let slot = Slot::of(&segment.copy()?, place.shape, 0);
    require(slot.text() == Some(&text), "the next one's note in the slot", || {
        format!("state {}, length {}", slot.state, slot.length)
    })
}
