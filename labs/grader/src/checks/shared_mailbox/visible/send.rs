//! A message that is sent is in the file.

use crate::check::{Check, Verdict, require};
use crate::stage::Stage;

use super::super::mailbox::{self, Place};

pub(in super::super) const CHECK: Check = Check { id: "send", run };

fn run(stage: &mut Stage) -> Verdict {
    let place = Place::new(stage);
    // The grader's own mailbox, with nothing in it.
    let file = place.plant(stage, 0, b"")?;
    let mut driver = stage.start()?;
    place.open_writer(&mut driver).ok()?;
    let start = place.start();
    for nth in 1..=3_u32 {
        let len = stage.random().between(1, place.capacity);
        let text = stage.random().bytes(len);
        let claimed = mailbox::send(&mut driver, &text)?;
        // While the writer is still there: what is only in its own memory is nobody's message.
        let found = place.contents(&file)?;
        require(found.text() == Some(&text), "the message is in the file", || {
            format!("length {} in it, and {}", found.length, mailbox::quoted(&found.room))
        })
        .map_err(|stop| stop.because("private"))?;
        let sequence = 2 * nth;
        require(
            found.sequence == sequence && claimed == sequence,
            &format!("sequence {sequence}"),
            || format!("{} in the file, and {claimed} returned", found.sequence),
        )
        .map_err(|stop| stop.because("sequence"))?;
        let kept = file.read(0, start.len())? == start;
        require(kept, "magic and capacity stay", || "they have changed".into())?;
    }
    Ok(())
}
