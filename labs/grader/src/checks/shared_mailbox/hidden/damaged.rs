//! A length that cannot be true harms nobody.

use crate::check::{Check, Verdict};
use crate::stage::Stage;

use super::super::mailbox::{self, Place};

/// Where the length stands.
const AT_LENGTH: u64 = 16;

pub(in super::super) const CHECK: Check = Check { id: "damaged", run };

fn run(stage: &mut Stage) -> Verdict {
    let place = Place::new(stage);
    let text = stage.random().bytes(50);
    let file = place.plant(stage, 2, &text)?;
    let mut driver = stage.start()?;
    place.open_reader(&mut driver).ok()?;
    mailbox::reads(&mut driver, 2, &text)?;
    // Into what is left of the last page; past the mapping; and as far as a number goes.
    for length in [place.capacity as u32 + 1, 1 << 20, u32::MAX] {
        file.write(AT_LENGTH, &length.to_ne_bytes())?;
        let answer = mailbox::named("Reader::read", driver.ask(&["read"]));
        answer.refused(&["EBADMSG"]).map_err(|stop| stop.because("trusted"))?;
    }
    file.write(0, &place.bytes(4, &text))?;
    mailbox::reads(&mut driver, 4, &text)
}
