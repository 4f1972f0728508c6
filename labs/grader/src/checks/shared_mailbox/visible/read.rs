//! A reader gets the message that is in the file. The mailbox is the grader's own.

use crate::check::{Check, Verdict, require};
use crate::stage::Stage;

use super::super::mailbox::{self, Place};

pub(in super::super) const CHECK: Check = Check { id: "read", run };

fn run(stage: &mut Stage) -> Verdict {
    let place = Place::new(stage);
    let file = place.plant(stage, 0, b"")?;
    let mut driver = stage.start()?;
    place.open_reader(&mut driver).ok()?;
    let found = mailbox::read(&mut driver)?;
    require(found.is_none(), "no message, at sequence 0", || mailbox::shown(&found))?;

    let mut sequence = 0;
    for round in 0..3 {
        sequence += 2 * stage.random().between(1, 1000) as u32;
        let len = match round {
            0 => place.capacity,
            _ => stage.random().between(20, place.capacity - 1),
        };
        // Any bytes, a NUL for sure.
        let mut text = stage.random().bytes(len);
        text[len / 2] = 0;
        file.write(0, &place.bytes(sequence, &text))?;
        let why = if round == 0 { "text-ends-early" } else { "stale" };
        mailbox::reads(&mut driver, sequence, &text).map_err(|stop| stop.because(why))?;
    }
    // Opened when it is there already.
    let mut late = stage.start()?;
    place.open_reader(&mut late).ok()?;
    sequence += 2;
    file.write(0, &place.bytes(sequence, b"\0"))?;
    mailbox::reads(&mut late, sequence, b"\0").map_err(|stop| stop.because("text-ends-early"))
}
